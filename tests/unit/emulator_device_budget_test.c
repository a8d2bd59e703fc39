/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What a guest may make the device allocate: never more than the limit in sum, whatever is loaded
 * and bound; what was refused leaves nothing behind; page lists end. argv[1]: the image of
 * tests/emulator/script.S.
 */
#include <malloc.h>
#include <stdatomic.h>

#include "core/machine.h"
#include "tests/emulator/seq.h"
#include "tests/tap.h"

enum {
	NODES = 40, /* of a page list */
	PAGES = NODES * RONDO_PAGE_LIST_ENTRIES,
};

static const char *const slots_text = "machine edge\n"
				      "slot a align=64\n"
				      "slot b align=64\n"
				      "	halt\n";

static struct rig rig;
static struct seq_buffer program;
static u64 program_size;
static struct rondo_page_list *list; /* NODES of them; all pages are one */
static struct rondo_slot_binding *slots;

static void setup_machine(const char *image, u32 machine, const char *text, u64 limit)
{
	u32 i, k;

	rig_init_limited(&rig, image, machine, limit);
	program_size = seq_assemble(&rig, &program, text);
	slots = rig_alloc(&rig, RONDO_PAGE_BYTES);
	list = rig_alloc(&rig, NODES * sizeof(*list));
	for (i = 0; i < NODES; i++) {
		for (k = 0; k < RONDO_PAGE_LIST_ENTRIES; k++)
			list[i].page[k] = inproc_bus(slots);
		list[i].next = i + 1 < NODES ? inproc_bus(&list[i + 1]) : 0;
	}
	rig_boot(&rig);
}

static void setup(const char *image, u64 limit)
{
	setup_machine(image, RONDO_MACHINE_edge, slots_text, limit);
}

static void teardown(void)
{
	seq_free(&rig, &program);
	rig_free(&rig, slots, RONDO_PAGE_BYTES);
	rig_free(&rig, list, NODES * sizeof(*list));
	rig_fini(&rig);
}

static u32 load(u32 number)
{
	struct rondo_seq_args args = { .program = number,
				       .addr = inproc_bus(program.list),
				       .size = program_size };

	return seq_command(&rig, RONDO_SEQ_LOAD, &args).status;
}

/* Binds program 0 with @pages pages behind slot 0, from @first on. */
static u32 bind_pages(u32 binding, const struct rondo_page_list *first, u64 pages)
{
	struct rondo_seq_args args = { .binding = binding, .count = 2, .addr = inproc_bus(slots) };

	slots[0] = (struct rondo_slot_binding){ inproc_bus(first), 0, pages * RONDO_PAGE_BYTES };
	slots[1] = (struct rondo_slot_binding){ 0 };
	return seq_command(&rig, RONDO_SEQ_BIND, &args).status;
}

static u32 unbind(u32 binding)
{
	struct rondo_seq_args args = { .binding = binding };

	return seq_command(&rig, RONDO_SEQ_UNBIND, &args).status;
}

/* Binds from number @from on until that is refused; how many. */
static u32 bind_all(u32 from, u32 *status)
{
	u32 n = from;

	do
		*status = bind_pages(n, list, PAGES);
	while (*status == RONDO_SEQ_OK && ++n < RONDO_BINDINGS_MAX);
	return n - from;
}

/* What the last command has taken, as the device tells. */
static u64 taken(void)
{
	return (u64)rig_mgmt_read(&rig, RONDO_REG_MGMT_SEQ_MEMORY_HI) << 32 |
	       rig_mgmt_read(&rig, RONDO_REG_MGMT_SEQ_MEMORY_LO);
}

/* The device tells what there is, and what each command takes of it: what is left is what fits. */
static void test_told(const char *image)
{
	const u64 limit = 4 << 20;
	u64 program, binding;
	u32 status;

	setup(image, limit);
	tap_eq(rig_read(&rig, RONDO_REG_HOST_MEMORY_LO), limit, "the device tells its memory");
	load(0);
	program = taken();
	tap_ok(program > 0 && program < limit, "what a program takes");
	bind_pages(0, list, PAGES);
	binding = taken();
	tap_ok(binding > PAGES * sizeof(u64) && binding < 2 * PAGES * sizeof(u64),
	       "what a binding takes");
	unbind(0);
	tap_eq(taken(), 0, "forgetting takes nothing");
	tap_eq(bind_all(0, &status), (limit - program) / binding, "and no more fit than that");
	tap_ok(status == RONDO_SEQ_NO_MEMORY && !taken(), "what is refused takes nothing");
	teardown();
}

static void test_bindings(const char *image)
{
	const u64 limit = 4 << 20;
	u32 status, n;

	setup(image, limit);
	tap_eq(load(0), RONDO_SEQ_OK, "a small program is within the limit");
	n = bind_all(0, &status);
	tap_eq(status, RONDO_SEQ_NO_MEMORY, "bindings end as NO_MEMORY");
	tap_ok(n && n <= limit / (PAGES * sizeof(u64)), "after no more than fit: %u", n);
	tap_eq(bind_pages(n, list, 1 << 22), RONDO_SEQ_NO_MEMORY, "one of 16 GiB is one too much");
	tap_eq(bind_pages(n, list, (1 << 22) + 1), RONDO_SEQ_HOST_REFUSED,
	       "a page beyond 16 GiB is none at all");
	tap_eq(bind_pages(n, list, 1), RONDO_SEQ_OK, "a smaller one has room");
	tap_eq(unbind(n), RONDO_SEQ_OK, "and takes the number of the refused one");
	tap_eq(unbind(1), RONDO_SEQ_OK, "one that is unbound");
	tap_eq(bind_pages(1, list, PAGES), RONDO_SEQ_OK, "makes room for another");
	rig_reset(&rig);
	rig_boot(&rig);
	load(0);
	tap_eq(bind_all(0, &status), n, "a reset gives everything back");
	teardown();
}

static void test_programs(const char *image)
{
	u32 status;

	setup(image, 1000);
	tap_eq(load(5), RONDO_SEQ_NO_MEMORY, "a program that exceeds the limit");
	tap_ok(rig.refused == 5 &&
		       strstr(rig.why,
			      "the guest may take 0.0 MiB of the host's memory and has 0.0"),
	       "the host is told which, and why");
	teardown();
	setup(image, 5 << 20);
	tap_eq(load(0), RONDO_SEQ_OK, "a program within the limit");
	bind_all(0, &status);
	for (u32 n = 1; n < RONDO_PROGRAMS_MAX && load(n) == RONDO_SEQ_OK; n++)
		;
	tap_ok(strstr(rig.why, "may take 5.0 MiB of the host's memory and has 4."),
	       "both are told, what it may take and has: %s", rig.why);
	teardown();
}

/* A list whose node @at leads back to node @to. */
static u32 bind_circle(u32 at, u32 to)
{
	u64 next = list[at].next;
	u32 status;

	list[at].next = inproc_bus(&list[to]);
	status = bind_pages(0, list, 1 << 22);
	list[at].next = next;
	return status;
}

static void test_lists(const char *image)
{
	static const u32 circles[][2] = { { 0, 0 },   { 1, 0 },	 { 1, 1 },  { 2, 0 },
					  { 6, 3 },   { 7, 7 },	 { 13, 1 }, { 14, 13 },
					  { 29, 15 }, { 30, 0 }, { 39, 0 }, { 39, 38 } };
	const u32 n = sizeof(circles) / sizeof(*circles);
	u32 i, refused = 0;

	setup(image, 0);
	load(0);
	tap_eq(bind_pages(0, list, PAGES), RONDO_SEQ_OK, "a page list of many nodes");
	unbind(0);
	tap_eq(bind_pages(0, list, PAGES + 1), RONDO_SEQ_HOST_REFUSED, "one page more than it has");
	for (i = 0; i < n; i++)
		refused += bind_circle(circles[i][0], circles[i][1]) == RONDO_SEQ_HOST_REFUSED;
	tap_eq(refused, n, "lists that lead in a circle are refused");
	teardown();
}

/* What the process has allocated, and the most of it since that was last set. */
static atomic_llong live, peak;

static void *count(void *p)
{
	long long now = atomic_fetch_add(&live, (long long)malloc_usable_size(p)) +
			(long long)malloc_usable_size(p);
	long long most = atomic_load(&peak);

	while (now > most && !atomic_compare_exchange_weak(&peak, &most, now))
		;
	return p;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);

void *__wrap_malloc(size_t size)
{
	return count(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return count(__real_calloc(n, size));
}

/* Both blocks exist for a moment. */
void *__wrap_realloc(void *p, size_t size)
{
	long long before = (long long)malloc_usable_size(p);
	void *grown = count(__real_realloc(p, size));

	if (grown)
		atomic_fetch_sub(&live, before);
	return grown;
}

void __wrap_free(void *p)
{
	atomic_fetch_sub(&live, (long long)malloc_usable_size(p));
	__real_free(p);
}

/* Nests of loops with loads and moves, and addresses that each loop steps. */
static char *nests_text(const char *machine)
{
	enum { NESTS = 60, BUNDLES = 24, BYTES = 1 << 18 };
	char *text = malloc(BYTES);
	int at, n, i;

	at = snprintf(text, BYTES, "machine %s\nentry e base=0 stride=64,128,256\n", machine);
	for (n = 0; n < NESTS; n++) {
		at += snprintf(text + at, BYTES - at, "\tloop 2, 3, 2 {\n");
		for (i = 0; i < BUNDLES; i++)
			at += snprintf(text + at, BYTES - at, "\tld.w v%d, e+%d | movi v%d, %d\n",
				       i, 256 * i, i + 32, n);
		at += snprintf(text + at, BYTES - at, "\t}\n");
	}
	snprintf(text + at, BYTES - at, "\thalt\n");
	return text;
}

/* Most that a LOAD allocates under @limit; and its status. */
static u64 load_peak(const char *image, u32 machine, const char *text, u64 limit, u32 *status)
{
	long long before;

	setup_machine(image, machine, text, limit);
	before = atomic_load(&live);
	atomic_store(&peak, before);
	*status = load(0);
	before = atomic_load(&peak) - before;
	teardown();
	return (u64)before;
}

static u32 unload(u32 number)
{
	struct rondo_seq_args args = { .program = number };

	return seq_command(&rig, RONDO_SEQ_UNLOAD, &args).status;
}

/* What a program takes is free again when it is unloaded, and what one that is refused took at
 * once. */
static void test_given_back(const char *image, u32 machine, const char *text, u64 limit)
{
	enum { ROUNDS = 6 };
	u32 loaded, again = 0, i;

	setup_machine(image, machine, text, limit);
	for (loaded = 0; loaded < RONDO_PROGRAMS_MAX && load(loaded) == RONDO_SEQ_OK; loaded++)
		;
	tap_ok(loaded && loaded < RONDO_PROGRAMS_MAX, "%u programs fit", loaded);
	for (i = 0; i < ROUNDS; i++)
		again += load(loaded) == RONDO_SEQ_NO_MEMORY &&
			 unload(i % loaded) == RONDO_SEQ_OK && load(i % loaded) == RONDO_SEQ_OK;
	tap_eq(again, ROUNDS, "one more is refused, and one in the place of another fits");
	teardown();
}

/* Under the least limit for a program it can be loaded again and again. */
static void test_exact(const char *image, u64 enough)
{
	const struct rondo_page_list *end;
	u64 low = 0, limit;
	u32 status;

	while (low + 1 < enough) {
		limit = low + (enough - low) / 2;
		load_peak(image, RONDO_MACHINE_edge, slots_text, limit, &status);
		if (status == RONDO_SEQ_OK)
			enough = limit;
		else
			low = limit;
	}
	setup(image, enough);
	end = &list[NODES - 1];
	tap_ok(load(0) == RONDO_SEQ_OK && unload(0) == RONDO_SEQ_OK && load(0) == RONDO_SEQ_OK,
	       "with not a byte to spare: unloading gives back all of it");
	tap_ok(bind_pages(0, end, RONDO_PAGE_LIST_ENTRIES + 1) == RONDO_SEQ_HOST_REFUSED &&
		       bind_pages(0, end, 1) == RONDO_SEQ_OK && unbind(0) == RONDO_SEQ_OK &&
		       unload(0) == RONDO_SEQ_OK && load(0) == RONDO_SEQ_OK,
	       "so do bindings, refused or not");
	teardown();
}

/* A LOAD under limits from too little to enough never allocates more. */
static void test_charged(const char *image, u32 machine, const char *name)
{
	enum { LIMITS = 16, SLACK = 1 << 12 }; /* slack: what an allocator rounds up */
	char *text = nests_text(name);
	u32 status, done = 0, other = 0, i;
	u64 need, most, exceeded = 0;

	need = load_peak(image, machine, text, 0, &status);
	tap_ok(status == RONDO_SEQ_OK && need > 1 << 18, "%s: a LOAD allocates %llu bytes", name,
	       (unsigned long long)need);
	for (i = 1; i <= LIMITS; i++) {
		u64 limit = need * i * 2 / LIMITS;

		most = load_peak(image, machine, text, limit, &status);
		exceeded += most > limit + SLACK;
		done += status == RONDO_SEQ_OK;
		other += status != RONDO_SEQ_OK && status != RONDO_SEQ_NO_MEMORY;
	}
	tap_eq(exceeded, 0, "never more than its limit, whatever that is");
	tap_ok(done && done < LIMITS && !other, "and is NO_MEMORY where that is too little");
	test_given_back(image, machine, text, 2 * need);
	free(text);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		tap_skip("budget", "no RISC-V compiler, so no test firmware");
		return tap_done();
	}
	test_told(argv[1]);
	test_bindings(argv[1]);
	test_programs(argv[1]);
	test_lists(argv[1]);
	test_exact(argv[1], 4 << 20);
	test_charged(argv[1], RONDO_MACHINE_edge, "edge");
	test_charged(argv[1], RONDO_MACHINE_mesh, "mesh");
	return tap_done();
}
