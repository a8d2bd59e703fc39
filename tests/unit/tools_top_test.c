// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What rondo top makes of file systems that look like those of the kernel. */
#include "tools/top/top.h"

#include <math.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tests/tap.h"

/* Makes the directories of @path below the working directory, and the file with @text. */
static void put(const char *path, const char *text)
{
	char part[256];
	FILE *f;

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		mkdir(part, 0777);
	}
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f))
		abort();
}

static void join(const char *path, const char *target)
{
	char base[256];

	snprintf(base, sizeof(base), "%s.", path);
	put(base, ""); /* makes the directories */
	unlink(base);
	unlink(path);
	if (symlink(target, path))
		abort();
}

static void put_rondo(const char *node, const char *bus, const char *busy)
{
	char path[256], text[256];

	snprintf(path, sizeof(path), "sys/class/accel/%s/device", node);
	snprintf(text, sizeof(text), "../../../devices/%s", bus);
	join(path, text);
	snprintf(path, sizeof(path), "sys/devices/%s/busy_time_us", bus);
	put(path, busy);
	snprintf(path, sizeof(path), "sys/devices/%s/memory_bytes", bus);
	put(path, "65536\n");
	snprintf(path, sizeof(path), "sys/devices/%s/firmware_version", bus);
	put(path, "1.4\n");
	snprintf(path, sizeof(path), "sys/devices/%s/hwmon/hwmon3/energy1_input", bus);
	put(path, "5000000\n");
	snprintf(path, sizeof(path), "sys/devices/%s/driver", bus);
	join(path, "../../bus/pci/drivers/rondo");
}

#define FDINFO(id, ns, cycles, nj)                                                    \
	"pos:\t0\nflags:\t02\ndrm-driver:\trondo\ndrm-client-id:\t" id "\n"           \
	"drm-engine-compute:\t" ns " ns\ndrm-engine-capacity-compute:\t99999999999\n" \
	"drm-cycles-compute:\t" cycles "\ndrm-maxfreq-compute:\t1000000 KHz\n"        \
	"rondo-energy-compute:\t" nj " nJ\ndrm-total-memory:\t8 KiB\n"                \
	"drm-resident-memory:\t2 MiB\ndrm-purgeable-memory:\t512\n"

static void put_file(u32 pid, u32 fd, const char *target, const char *fdinfo)
{
	char path[256];

	snprintf(path, sizeof(path), "proc/%u/fd/%u", pid, fd);
	join(path, target);
	snprintf(path, sizeof(path), "proc/%u/fdinfo/%u", pid, fd);
	put(path, fdinfo);
	snprintf(path, sizeof(path), "proc/%u/comm", pid);
	put(path, pid == 7 ? "infer \"x\"\\\n" : "other\n");
}

static void put_all(void)
{
	put_rondo("accel10", "0000:00:03.0", "1000000\n");
	put_rondo("accel2", "0000:00:02.0", "0\n");
	/* A driver that tells nothing of the device. */
	join("sys/class/accel/accel3/device", "../../../devices/0000:00:0b.0");
	put("sys/devices/0000:00:0b.0/vendor", "0x8086\n");
	join("sys/devices/0000:00:0b.0/driver", "../../bus/pci/drivers/intel_vpu");
	put("sys/class/accel/version", "no device\n");
	put_file(7, 3, "/dev/accel/accel10", FDINFO("4", "1000", "1000", "20"));
	put_file(7, 4, "/dev/accel/accel10", FDINFO("5", "500", "500", "10"));
	put_file(7, 5, "/dev/accel/accel10", FDINFO("5", "500", "500", "10")); /* dup() */
	put_file(7, 6, "/dev/null", FDINFO("9", "7", "7", "7"));
	put_file(7, 8, "/dev/accel/accel9", FDINFO("9", "7", "7", "7")); /* no such device */
	put_file(9, 3, "/dev/accel/accel10", FDINFO("4", "1000", "1000", "20")); /* inherited */
	put_file(9, 4, "/dev/accel/accel3",
		 "drm-client-id:\t4\ndrm-engine-a:\t70 ns\ndrm-engine-b:\t90 ns\n");
	put("proc/self/comm", "no number\n");
	put("proc/11/comm", "without files\n");
}

static void test_devices(const struct top_sample *s)
{
	tap_eq(s->device_count, 3, "three devices");
	if (s->device_count != 3)
		return;
	tap_ok(!strcmp(s->devices[0].node, "accel2") && !strcmp(s->devices[1].node, "accel3") &&
		       !strcmp(s->devices[2].node, "accel10"),
	       "by their numbers");
	tap_ok(!strcmp(s->devices[2].driver, "rondo") &&
		       !strcmp(s->devices[2].bus, "0000:00:03.0") &&
		       !strcmp(s->devices[2].firmware, "1.4"),
	       "driver, bus address and firmware: %s, %s, %s", s->devices[2].driver,
	       s->devices[2].bus, s->devices[2].firmware);
	tap_eq(s->devices[2].busy_us, 1000000, "busy time");
	tap_eq(s->devices[2].memory, 65536, "memory");
	tap_eq(s->devices[2].energy_uj, 5000000, "energy");
	tap_ok(!strcmp(s->devices[1].driver, "intel_vpu") && !s->devices[1].firmware[0] &&
		       s->devices[1].busy_us == TOP_UNKNOWN &&
		       s->devices[1].memory == TOP_UNKNOWN &&
		       s->devices[1].energy_uj == TOP_UNKNOWN,
	       "a driver that tells nothing");
}

static void test_processes(const struct top_sample *s)
{
	const struct top_process *p = s->processes;

	tap_eq(s->process_count, 2, "two processes");
	if (s->process_count != 2)
		return;
	tap_ok(p[0].device == 1 && p[0].pid == 9 && p[0].engine_ns == 90,
	       "of a device with two engines, the busiest");
	tap_ok(p[1].device == 2 && p[1].pid == 7 && p[1].uid == getuid(),
	       "by device, then process");
	tap_eq(p[1].engine_ns, 1500, "each client counts once");
	tap_eq(p[1].cycles, 1500, "so do cycles");
	tap_eq(p[1].energy_nj, 30, "and energy");
	tap_eq(p[1].total, 2 * 8192, "KiB");
	tap_eq(p[1].resident, 2 * (2 << 20), "MiB");
	tap_eq(p[1].purgeable, 2 * 512, "bytes");
}

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-9 * fabs(b);
}

/* Half a second later the device has been busy for a tenth of one, for process 7. */
static void test_rates(struct top_sample *before)
{
	struct top_sample now;
	struct top_rate r;

	put("sys/devices/0000:00:03.0/busy_time_us", "1100000\n");
	put("sys/devices/0000:00:03.0/hwmon/hwmon3/energy1_input", "4000000\n");
	put("proc/7/fdinfo/3", FDINFO("4", "100001000", "51000", "1000020"));
	if (top_read("sys", "proc", &now))
		abort();
	before->time_ns = now.time_ns - 500000000;
	r = top_device_rate(before, &now, 2);
	tap_ok(near(r.busy, 0.2), "share of the time: %g", r.busy);
	tap_ok(near(r.cycles, 100000), "cycles a second, of all processes: %g", r.cycles);
	tap_ok(near(r.watts, 0.002), "a counter that began again tells nothing: %g W of processes",
	       r.watts);
	r = top_process_rate(before, &now, 1);
	tap_ok(near(r.busy, 0.2) && near(r.cycles, 100000) && near(r.watts, 0.002),
	       "of the process: %g, %g, %g", r.busy, r.cycles, r.watts);
	now.processes[1].pid = 8;
	tap_ok(isnan(top_process_rate(before, &now, 1).busy), "a new process has no rate yet");
	r = top_device_rate(before, &now, 1);
	tap_ok(r.busy == 0, "a device that tells nothing: the sum of its processes");
	top_sample_fini(&now);
}

static char *printed(void (*print)(FILE *f, const struct top_sample *s), const struct top_sample *s)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	print(f, s);
	fclose(f);
	return text;
}

static void table(FILE *f, const struct top_sample *s)
{
	top_print_table(f, s, s, 0, 0);
}

static void small_table(FILE *f, const struct top_sample *s)
{
	top_print_table(f, s, s, 2, 12);
}

static void json(FILE *f, const struct top_sample *s)
{
	top_print_json(f, s, s);
}

static void test_prints(const struct top_sample *s)
{
	char *text = printed(table, s);

	tap_ok(strstr(text, "\naccel10   rondo        0000:00:03.0         - ") &&
		       strstr(text, "5.00 J    65.5 kB  1.4\n") &&
		       strstr(text, "infer \"x\"\\\n") &&
		       strstr(text, "3 processes of other users are not shown"),
	       "the table");
	if (tap_failures)
		fputs(text, stdout);
	free(text);
	text = printed(small_table, s);
	tap_ok(!strcmp(text, "DEVICE    DR\naccel2    ro\n"), "fits a small terminal");
	free(text);
	text = printed(json, s);
	tap_ok(strstr(text, "\"node\":\"accel3\",\"driver\":\"intel_vpu\"") &&
		       strstr(text, "\"busy_us\":null") &&
		       strstr(text, "\"command\":\"infer \\\"x\\\"\\\\\"") &&
		       strstr(text, "\"cycles\":1500,") &&
		       strstr(text, "\"hidden_processes\":3}\n"),
	       "JSON: %s", text);
	free(text);
	text = printed(top_print_metrics, s);
	tap_ok(strstr(text, "\n# TYPE accel_busy_seconds_total counter\n"
			    "accel_busy_seconds_total{device=\"accel2\",driver=\"rondo\"} 0\n"
			    "accel_busy_seconds_total{device=\"accel10\",driver=\"rondo\"} 1\n") &&
		       strstr(text,
			      "accel_process_cycles_total{device=\"accel10\",driver=\"rondo\","
			      "pid=\"7\",command=\"infer \\\"x\\\"\\\\\"} 1500\n"),
	       "metrics");
	free(text);
}

/* A container may have the device under any name: its numbers tell. */
static void test_other_name(void)
{
	char name[64];
	struct top_sample s;

	snprintf(name, sizeof(name), "/dev/shm/rondo_top_test.%d", getpid());
	if (mknod(name, S_IFCHR | 0600, makedev(261, 10))) {
		tap_skip("a device under another name", "only root can make one");
		return;
	}
	put_file(11, 3, name, FDINFO("1", "50", "50", "1"));
	tap_ok(!top_read("sys", "proc", &s) && s.process_count == 3 && s.processes[2].pid == 11 &&
		       s.processes[2].device == 2,
	       "a device under another name");
	top_sample_fini(&s);
	unlink(name);
}

int main(void)
{
	char work[] = "/tmp/top.XXXXXX", command[64];
	struct top_sample s;

	if (!mkdtemp(work) || chdir(work))
		abort();
	tap_ok(!top_read("sys", "proc", &s) && !s.device_count, "a machine without devices");
	top_sample_fini(&s);
	put_all();
	if (tap_ok(!top_read("sys", "proc", &s), "a machine with devices")) {
		test_devices(&s);
		test_processes(&s);
		s.hidden = 3;
		if (s.process_count == 2) {
			test_prints(&s);
			test_rates(&s);
		}
	}
	top_sample_fini(&s);
	test_other_name();
	snprintf(command, sizeof(command), "rm -r %s", work);
	tap_ok(!system(command), "nothing is left behind");
	return tap_done();
}
