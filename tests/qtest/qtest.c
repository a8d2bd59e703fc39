/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#define _GNU_SOURCE /* asprintf() */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/qtest/qtest.h"

enum { TIMEOUT_S = 60 };

static void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void path_of(const struct qemu *q, const char *name, char path[64])
{
	snprintf(path, 64, "%s/%s", q->dir, name);
}

static int listen_at(const struct qemu *q, const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char path[64];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	path_of(q, name, path);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 1))
		die(name);
	return fd;
}

/* QEMU's connection to @listener; a read from it ends after TIMEOUT_S. */
static FILE *accept_from(int listener)
{
	struct pollfd ready = { .fd = listener, .events = POLLIN };
	struct timeval timeout = { .tv_sec = TIMEOUT_S };
	int fd = poll(&ready, 1, TIMEOUT_S * 1000) == 1 ? accept(listener, NULL, NULL) : -1;

	if (fd < 0)
		die("QEMU does not start");
	close(listener);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	return fdopen(fd, "r");
}

/* The machine's memory is a file, mapped here and in QEMU. */
static void make_ram(struct qemu *q)
{
	char path[64];
	int fd;

	path_of(q, "ram", path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, QEMU_RAM_BYTES))
		die(path);
	q->ram = mmap(NULL, QEMU_RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (q->ram == MAP_FAILED)
		die(path);
	close(fd);
}

/* In the child: becomes QEMU. */
static void execute(const struct qemu *q, const char *binary, const char *options,
		    const char *device)
{
	char *command;

	if (asprintf(&command,
		     "exec '%s' -L /usr/share/seabios -L /usr/share/qemu -nodefaults -display none "
		     "-S -accel tcg -M q35,kernel-irqchip=off,memory-backend=ram "
		     "-object memory-backend-file,id=ram,mem-path='%s/ram',share=on,size=%d "
		     "-m %dM -global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off "
		     "-qtest unix:'%s/qtest' -qtest-log /dev/null -qmp unix:'%s/qmp' %s "
		     "-device pcie-root-port,id=rp,bus=pcie.0,addr=%d,chassis=1,slot=1 "
		     "-device rondo,id=rondo,bus=rp%s >'%s/messages' 2>&1",
		     binary, q->dir, QEMU_RAM_BYTES, QEMU_RAM_BYTES >> 20, q->dir, q->dir,
		     options ? options : "", QEMU_PORT, device, q->dir) < 0)
		_exit(127);
	execl("/bin/sh", "sh", "-c", command, NULL);
	_exit(127);
}

void qemu_start(struct qemu *q, const char *binary, const char *options, const char *device)
{
	int qtest, qmp;
	char line[512];

	signal(SIGPIPE, SIG_IGN);
	memset(q, 0, sizeof(*q));
	strcpy(q->dir, "/tmp/rondo-qtest-XXXXXX");
	if (!mkdtemp(q->dir))
		die(q->dir);
	make_ram(q);
	qtest = listen_at(q, "qtest");
	qmp = listen_at(q, "qmp");
	fflush(stdout);
	q->pid = fork();
	if (!q->pid)
		execute(q, binary, options, device);
	q->qtest = accept_from(qtest);
	q->qmp = accept_from(qmp);
	if (!fgets(line, sizeof(line), q->qmp) ||
	    !qemu_command(q, "{'execute': 'qmp_capabilities'}") || !qemu_enumerate(q)) {
		qemu_end(q);
		printf("Bail out! QEMU's machine is not as expected\n");
		exit(EXIT_FAILURE);
	}
}

static void print_messages(const struct qemu *q)
{
	char path[64], line[512];
	FILE *f;

	path_of(q, "messages", path);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		printf("# qemu: %s", line);
	if (f)
		fclose(f);
}

u32 qemu_said(const struct qemu *q, const char *text)
{
	char path[64], line[512];
	u32 lines = 0;
	FILE *f;

	path_of(q, "messages", path);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		lines += strstr(line, text) != NULL;
	if (f)
		fclose(f);
	return lines;
}

bool qemu_end(struct qemu *q)
{
	static const char *const names[] = { "ram", "qtest", "qmp", "messages" };
	bool alive = qemu_alive(q);
	char path[64];
	int status;
	size_t i;

	if (alive)
		qemu_command(q, "{'execute': 'quit'}");
	else
		kill(q->pid, SIGKILL);
	waitpid(q->pid, &status, 0);
	alive &= WIFEXITED(status) && !WEXITSTATUS(status);
	if (!alive)
		print_messages(q);
	fclose(q->qtest);
	fclose(q->qmp);
	munmap(q->ram, QEMU_RAM_BYTES);
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		path_of(q, names[i], path);
		unlink(path);
	}
	rmdir(q->dir);
	return alive;
}

/* Reads lines of QMP until one holds @key; false at the end, and if it holds @error. */
static bool read_until(struct qemu *q, const char *key, const char *error)
{
	char line[4096];

	while (fgets(line, sizeof(line), q->qmp)) {
		if (strstr(line, key))
			return true;
		if (error && strstr(line, error))
			return false;
	}
	return false;
}

bool qemu_command(struct qemu *q, const char *text)
{
	dprintf(fileno(q->qmp), "%s\n", text);
	return read_until(q, "\"return\"", "\"error\"");
}

u64 qemu_property(struct qemu *q, const char *name)
{
	char line[512];
	char *value;

	dprintf(fileno(q->qmp),
		"{'execute': 'qom-get', 'arguments': {'path': '/machine/peripheral/rondo', "
		"'property': '%s'}}\n",
		name);
	while (fgets(line, sizeof(line), q->qmp)) {
		value = strstr(line, "\"return\": ");
		if (value)
			return strtoull(value + strlen("\"return\": "), NULL, 0);
		if (strstr(line, "\"error\""))
			break;
	}
	return ~(u64)0;
}

bool qemu_event(struct qemu *q, const char *name)
{
	return read_until(q, name, NULL);
}

bool qemu_alive(struct qemu *q)
{
	return !waitpid(q->pid, NULL, WNOHANG) && qemu_command(q, "{'execute': 'query-status'}");
}

u64 qemu_resident(const struct qemu *q)
{
	char path[64], line[128];
	u64 kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)q->pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "RssAnon:", 8))
			kib = strtoull(line + 8, NULL, 10);
	if (f)
		fclose(f);
	return kib << 10;
}

/* One command of the qtest protocol; the number that answers it, all ones if nothing does. */
__attribute__((format(printf, 2, 3))) static u64 tell(struct qemu *q, const char *fmt, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, fmt);
	vdprintf(fileno(q->qtest), fmt, ap);
	va_end(ap);
	while (fgets(line, sizeof(line), q->qtest))
		if (!strncmp(line, "OK", 2))
			return strtoull(line + 2, NULL, 0);
	return ~(u64)0;
}

u32 qemu_read(struct qemu *q, u64 addr)
{
	return tell(q, "readl 0x%llx\n", (unsigned long long)addr);
}

void qemu_write(struct qemu *q, u64 addr, u32 value)
{
	tell(q, "writel 0x%llx 0x%x\n", (unsigned long long)addr, value);
}

u32 qemu_config_read(struct qemu *q, u32 bus, u32 slot, u32 reg)
{
	tell(q, "outl 0xcf8 0x%x\n", 1u << 31 | bus << 16 | slot << 11 | reg);
	return tell(q, "inl 0xcfc\n");
}

void qemu_config_write(struct qemu *q, u32 bus, u32 slot, u32 reg, u32 value)
{
	tell(q, "outl 0xcf8 0x%x\n", 1u << 31 | bus << 16 | slot << 11 | reg);
	tell(q, "outl 0xcfc 0x%x\n", value);
}

u32 qemu_capability(struct qemu *q, u32 bus, u32 slot, u8 id)
{
	u32 at = qemu_config_read(q, bus, slot, 0x34) & 0xfc, n, word;

	for (n = 0; at && n < 48; n++, at = word >> 8 & 0xfc) {
		word = qemu_config_read(q, bus, slot, at);
		if ((word & 0xff) == id)
			return at;
	}
	return 0;
}

bool qemu_enumerate(struct qemu *q)
{
	enum { COMMAND = 0x04, MEMORY_AND_MASTER = 6 };

	qemu_config_write(q, 0, 0, 0x60, QEMU_ECAM | 1); /* PCIEXBAR */
	qemu_config_write(q, 0, 0, 0x64, 0);
	qemu_config_write(q, 0, QEMU_PORT, 0x18, 0x010100); /* buses 0 to 1 */
	qemu_config_write(q, 0, QEMU_PORT, 0x20, 0xfe20fe00); /* memory from 0xfe000000 on */
	qemu_config_write(q, 0, QEMU_PORT, COMMAND, MEMORY_AND_MASTER);
	qemu_config_write(q, 1, 0, 0x10 + 4 * RONDO_BAR_REGS, QEMU_BAR_REGS);
	qemu_config_write(q, 1, 0, 0x10 + 4 * RONDO_BAR_MSIX, QEMU_BAR_MSIX);
	qemu_config_write(q, 1, 0, 0x10 + 4 * RONDO_BAR_BELLS, QEMU_BAR_BELLS);
	qemu_config_write(q, 1, 0, 0x10 + 4 * RONDO_BAR_FAULTS, QEMU_BAR_FAULTS);
	qemu_config_write(q, 1, 0, COMMAND, MEMORY_AND_MASTER);
	return qemu_config_read(q, 1, 0, 0) == (RONDO_PCI_DEVICE << 16 | RONDO_PCI_VENDOR) &&
	       qemu_read(q, QEMU_BAR_REGS) == RONDO_DEVICE_ID;
}
