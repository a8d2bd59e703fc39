// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The library on emulated machines of every kind: their names, programs for many tiles against
 * plain C, and a wafer on hosts with too little of what it takes.
 */
#include <math.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/machine.h"
#include "core/program.h"
#include "core/verify.h"
#include "tests/mesh_examples.h"
#include "tests/unit/libaccel_rig.h"

static void test_names(void)
{
	struct accel_device *device = NULL;
	struct rondo_machine machine, known;
	struct accel_error error;
	struct accel_info info;
	char name[64];
	u32 id;

	for (id = 0; id < RONDO_MACHINES; id++) {
		snprintf(name, sizeof(name), "emu:%s", rondo_machine_name(id));
		rondo_machine_init(&known, id);
		if (!tap_ok(!accel_device_open(name, &device, &error) && !error.text[0], "%s",
			    name))
			continue;
		accel_device_info(device, &info, sizeof(info));
		accel_device_machine(device, &machine, sizeof(machine));
		tap_ok(!memcmp(&machine, &known, sizeof(known)) &&
			       info.machine_hash == rondo_machine_hash(&known) &&
			       !strcmp(info.backend, "emu"),
		       "is that machine");
		accel_close(device);
	}
	tap_eq(accel_open("emu", &device), 0, "emu");
	accel_device_info(device, &info, sizeof(info));
	rondo_machine_init(&known, RONDO_MACHINE_edge);
	tap_eq(info.machine_hash, rondo_machine_hash(&known), "is edge");
	accel_close(device);
}

static void test_wrong_names(void)
{
	struct accel_device *device = NULL;
	struct accel_error error;

	tap_eq(accel_device_open("emu:nonsense", &device, &error), -ENOENT, "no such machine");
	tap_ok(!strcmp(error.text, "there is no machine of this name"), "in words");
	tap_eq(accel_device_open("emu:", &device, NULL), -ENOENT, "nor is there one without name");
	tap_eq(accel_open("emu:edge ", &device), -ENOENT, "or by a part of it");
	tap_eq(accel_device_open("/dev/accel/none", &device, &error), -ENOENT, "no device file");
	tap_ok(!strcmp(error.text, "No such file or directory"), "in words");
	tap_ok(!device, "leaves the output alone");
}

/* Buffers for the program's slots, with what it will read. */
static int make_slots(struct accel_device *device, const struct rondo_program *p,
		      const struct exec_io *io, struct accel_slot_binding *slots, void **memory)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < p->header->slots && !ret; i++) {
		const struct rondo_slot *s = &p->slots[i];
		u64 size = s->read_hi > s->write_hi ? s->read_hi : s->write_hi;

		ret = accel_buffer_create(device, size, &slots[i].buffer);
		if (!ret)
			ret = accel_buffer_map(slots[i].buffer, &memory[i]);
		if (!ret && !io->read(io->ctx, i, s->read_lo, (u8 *)memory[i] + s->read_lo,
				      s->read_hi - s->read_lo))
			ret = -EFAULT;
	}
	return ret;
}

/* A mesh_runner: once through the library, on a piece of the wafer. */
static bool through_library(const struct rondo_machine *machine, const void *bytes, u64 size,
			    const struct exec_io *io, struct mesh_example_run *run)
{
	struct accel_slot_binding slots[RONDO_PROGRAM_SLOTS_MAX] = {};
	void *memory[RONDO_PROGRAM_SLOTS_MAX];
	struct accel_device *device = NULL;
	struct accel_program *program = NULL;
	struct accel_binding *binding = NULL;
	struct accel_queue *queue = NULL;
	struct accel_fence *fence = NULL;
	struct rondo_program p;
	int ret;
	u32 i;

	(void)machine;
	rondo_program_open(&p, bytes, size);
	ret = accel_open("emu:patch", &device);
	if (!ret)
		ret = accel_program_create(device, bytes, size, 0, &program, NULL);
	if (!ret)
		ret = make_slots(device, &p, io, slots, memory);
	if (!ret)
		ret = accel_binding_create(program, slots, p.header->slots, &binding, NULL);
	if (!ret)
		ret = accel_queue_create(device, ACCEL_WEIGHT_DEFAULT, &queue);
	if (!ret)
		ret = accel_replay(queue, binding, &fence);
	if (!ret)
		ret = accel_fence_wait(fence, ACCEL_FOREVER);
	if (!ret)
		run->cycles = accel_program_cycles(program);
	for (i = 0; i < p.header->slots && !ret; i++)
		if (p.slots[i].write_lo < p.slots[i].write_hi)
			io->write(io->ctx, i, p.slots[i].write_lo,
				  (const u8 *)memory[i] + p.slots[i].write_lo,
				  p.slots[i].write_hi - p.slots[i].write_lo);
	accel_fence_destroy(fence);
	accel_queue_destroy(queue);
	accel_binding_destroy(binding);
	for (i = 0; i < p.header->slots; i++)
		accel_buffer_destroy(slots[i].buffer);
	accel_program_destroy(program);
	accel_close(device);
	snprintf(run->why, sizeof(run->why), "%s", ret ? strerror(-ret) : "");
	return !ret;
}

static void test_examples(void)
{
	struct mesh_example_run run;
	u32 i;

	for (i = 0; i < MESH_EXAMPLES; i++) {
		if (!tap_ok(mesh_example_by(i, RONDO_MACHINE_patch, through_library, &run),
			    "%s runs through the library", mesh_example_names[i]))
			printf("# %s\n", run.why);
		tap_ok(run.numbers && !run.wrong, "all %llu numbers are those of C",
		       (unsigned long long)run.numbers);
	}
}

/* Rows and columns of the wide machine add up what each of its 16 tiles brings. */
static const char mesh_text[] = "machine mesh\n"
				"slot in\n"
				"slot out\n"
				"desc load in in row=256 slot_x=256 slot_y=1024 tiles=0..3,0..3\n"
				"desc store out out row=256 tiles=3..3,3..3\n"
				"entry at base=0\n"
				"\tdma c0, load\n"
				"\twait c0<=0\n"
				"\tld.w v0, at\n"
				"\tnop\n"
				"\tnop\n"
				"\tnop\n"
				"\tsum.row.f32 v1, v0\n"
				"\tloop1 12 {\n\tnop\n\t}\n"
				"\tsum.col.f32 v2, v1\n"
				"\tloop1 12 {\n\tnop\n\t}\n"
				"\tst.w at, v2\n"
				"\tdma c0, store\n"
				"\thalt c0<=0\n";

static void test_mesh(void)
{
	struct accel_slot_binding slots[2] = {};
	struct accel_program *program = NULL;
	struct accel_binding *binding = NULL;
	struct accel_device *device = NULL;
	struct accel_queue *queue = NULL;
	struct accel_fence *fence = NULL;
	struct accel_error error;
	void *memory[2] = {};
	u64 size, wrong = 0;
	void *code = rig_assemble(mesh_text, &size);
	int ret, i;

	tap_eq(accel_open("emu", &device), 0, "a device of another machine");
	tap_eq(accel_program_create(device, code, size, 0, &program, &error), -EINVAL,
	       "refuses a program for the mesh");
	tap_eq(error.reason, RONDO_ERR_MACHINE, "for that reason");
	accel_close(device);
	ret = accel_open("emu:mesh", &device);
	if (!ret)
		ret = accel_program_create(device, code, size, 0, &program, &error);
	for (i = 0; i < 2 && !ret; i++) {
		ret = accel_buffer_create(device, 4096, &slots[i].buffer);
		if (!ret)
			ret = accel_buffer_map(slots[i].buffer, &memory[i]);
	}
	for (i = 0; i < 1024 && !ret; i++)
		((float *)memory[0])[i] = (float)(i % 64 + i / 64);
	if (!ret)
		ret = accel_binding_create(program, slots, 2, &binding, &error);
	if (!ret)
		ret = accel_queue_create(device, ACCEL_WEIGHT_DEFAULT, &queue);
	if (!ret)
		ret = accel_replay(queue, binding, &fence);
	if (!ret)
		ret = accel_fence_wait(fence, ACCEL_FOREVER);
	tap_eq(ret, 0, "the mesh runs it");
	for (i = 0; i < 64 && !ret; i++)
		wrong += ((float *)memory[1])[i] != (float)(16 * i + 120);
	tap_eq(wrong, 0, "and its sums are right");
	accel_fence_destroy(fence);
	accel_queue_destroy(queue);
	accel_binding_destroy(binding);
	accel_buffer_destroy(slots[0].buffer);
	accel_buffer_destroy(slots[1].buffer);
	accel_program_destroy(program);
	accel_close(device);
	free(code);
}

/*
 * Whether @text, up to numbers of its form, says that 633 x 633 tiles need more than there is, and
 * how many would fit: so many as need what is there, within a few percent of rounding.
 */
static bool told(const char *text, const char *form, double *need, double *have)
{
	u32 side, same, tiles;
	int end = 0;

	if (sscanf(text, form, &tiles, need, have, &side, &same, &end) != 5 || text[end] || !end)
		return false;
	return tiles == 633 && side == same && *need > *have &&
	       fabs(side * side / (633. * 633) * *need / *have - 1) < 0.05;
}

static const char memory_form[] = "633 x %u tiles of this program need %lf GiB, the host has "
				  "%lf GiB: %u x %u would fit%n";
static const char address_form[] = "633 x %u tiles need %lf GiB of address space, the process's "
				   "limit leaves %lf GiB: %u x %u would fit%n";

static void test_little_memory(void)
{
	struct accel_program *program = NULL;
	struct accel_device *device = NULL;
	double need, have;
	struct accel_error error;
	u64 size;
	void *code = rig_assemble_file("examples/mesh/heat.rasm", &size);

	setenv("RONDO_TEST_MEMORY", "1024", 1);
	tap_eq(accel_device_open("emu:wafer", &device, &error), 0,
	       "a wafer, where memory is short");
	tap_eq(accel_program_create(device, code, size, 0, &program, &error), -ENOMEM,
	       "has none for a program that touches much");
	tap_ok(told(error.text, memory_form, &need, &have) && have == 1,
	       "and says what it needs: %s", error.text);
	tap_ok(!program, "there is no program");
	setenv("RONDO_TEST_MEMORY", "32768", 1);
	tap_eq(accel_program_create(device, code, size, 0, &program, &error), 0,
	       "with more memory there is");
	accel_program_destroy(program);
	accel_close(device);
	unsetenv("RONDO_TEST_MEMORY");
	free(code);
}

static void test_little_address_space(void)
{
	struct accel_device *device = NULL;
	double need, have;
	struct accel_error error;

	setenv("RONDO_TEST_ADDRESS_SPACE", "2048", 1);
	tap_eq(accel_device_open("emu:wafer", &device, &error), -ENOMEM,
	       "a wafer that may not have its addresses");
	tap_ok(told(error.text, address_form, &need, &have) && have == 2 &&
		       need > 633. * 633 / 32768,
	       "says what they are: %s", error.text);
	tap_eq(accel_open("emu:wafer", &device), -ENOMEM, "and does so without words");
	tap_ok(!device, "there is no device");
	tap_eq(accel_open("emu:mesh", &device), 0, "a smaller machine fits");
	accel_close(device);
	unsetenv("RONDO_TEST_ADDRESS_SPACE");
}

/* The process's own limit, a GiB above what it uses. */
static void test_limit(void)
{
	struct accel_device *device = NULL;
	double need, have;
	struct accel_error error;
	struct rlimit old, limit;
	unsigned long long pages;
	FILE *f = fopen("/proc/self/statm", "r");
	int ret;

	if (!f || fscanf(f, "%llu", &pages) != 1 || getrlimit(RLIMIT_AS, &old))
		pages = 0;
	if (f)
		fclose(f);
	limit = (struct rlimit){ pages * (u64)sysconf(_SC_PAGESIZE) + (1 << 30), old.rlim_max };
	tap_ok(pages && !setrlimit(RLIMIT_AS, &limit), "a limit on address space");
	ret = accel_device_open("emu:wafer", &device, &error);
	setrlimit(RLIMIT_AS, &old);
	tap_eq(ret, -ENOMEM, "is too low for a wafer");
	tap_ok(told(error.text, address_form, &need, &have) && fabs(have - 1) < 0.11,
	       "and told: %s", error.text);
}

int main(void)
{
	test_names();
	test_wrong_names();
	test_examples();
	test_mesh();
	test_little_memory();
	test_little_address_space();
	test_limit();
	return tap_done();
}
