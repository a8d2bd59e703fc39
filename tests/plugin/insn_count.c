// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A QEMU TCG plugin that counts guest instructions between the markers of marker.h,
 * user and kernel apart (by the sign of the address). At exit it writes a line
 *
 *	INTERVAL REPETITIONS MIN_USER MIN_KERNEL MEDIAN
 *
 * for each interval that was seen, where the two minima belong to the repetition with
 * the smallest sum: ticks and other threads only ever add, so over some hundred
 * repetitions the minimum is the cost itself, where it does not depend on the state in
 * which the kernel happens to be. Where it does, the median of the sums is the usual cost.
 *
 *	-plugin insn_count.so,out=FILE
 *
 * The counters are those of the machine, not of a CPU: run it with one virtual CPU.
 * An end without a begin is ignored; a second begin starts anew.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <qemu-plugin.h>

#include "marker.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

struct interval {
	uint64_t begin_user, begin_kernel;
	uint64_t min_user, min_kernel;
	uint64_t repetitions;
	uint64_t *sums; /* of each repetition; room for the next power of two */
	bool open;
};

static uint64_t user_count, kernel_count;
static struct interval intervals[MARKER_COUNT];
static const char *out_path;

static void add_repetition(struct interval *v, uint64_t user, uint64_t kernel)
{
	uint64_t n = v->repetitions++;

	if (!n || user + kernel < v->min_user + v->min_kernel) {
		v->min_user = user;
		v->min_kernel = kernel;
	}
	if (!(n & (n - 1)))
		v->sums = realloc(v->sums, (n ? 2 * n : 1) * sizeof(*v->sums));
	if (!v->sums)
		abort();
	v->sums[n] = user + kernel;
}

static void marker_executed(unsigned int vcpu, void *code)
{
	struct interval *v = &intervals[(uintptr_t)code >> 1];
	bool end = (uintptr_t)code & 1;

	(void)vcpu;
	if (!end) {
		v->begin_user = user_count;
		v->begin_kernel = kernel_count;
		v->open = true;
		return;
	}
	if (!v->open)
		return;
	v->open = false;
	add_repetition(v, user_count - v->begin_user, kernel_count - v->begin_kernel);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t median(struct interval *v)
{
	qsort(v->sums, v->repetitions, sizeof(*v->sums), compare);
	return v->sums[v->repetitions / 2];
}

/* Whether @insn is a marker; if so, @code is its displacement without the magic. */
static bool is_marker(const struct qemu_plugin_insn *insn, uintptr_t *code)
{
	static const uint8_t opcode[] = { 0x0f, 0x1f, 0x84, 0x00 };
	const uint8_t *bytes = qemu_plugin_insn_data(insn);
	uint32_t displacement;

	if (qemu_plugin_insn_size(insn) != sizeof(opcode) + sizeof(displacement) ||
	    memcmp(bytes, opcode, sizeof(opcode)))
		return false;
	memcpy(&displacement, bytes + sizeof(opcode), sizeof(displacement));
	*code = displacement & 0xffff;
	return displacement >> 16 == MARKER_MAGIC && *code >> 1 < MARKER_COUNT;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		bool kernel = (int64_t)qemu_plugin_insn_vaddr(insn) < 0;
		uintptr_t code;

		if (is_marker(insn, &code))
			qemu_plugin_register_vcpu_insn_exec_cb(
				insn, marker_executed, QEMU_PLUGIN_CB_NO_REGS, (void *)code);
		else
			qemu_plugin_register_vcpu_insn_exec_inline(
				insn, QEMU_PLUGIN_INLINE_ADD_U64,
				kernel ? &kernel_count : &user_count, 1);
	}
}

static void at_exit(qemu_plugin_id_t id, void *unused)
{
	FILE *out = fopen(out_path, "w");

	(void)id;
	(void)unused;
	if (!out) {
		perror(out_path);
		return;
	}
	for (int i = 0; i < MARKER_COUNT; i++)
		if (intervals[i].repetitions)
			fprintf(out, "%d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", i,
				intervals[i].repetitions, intervals[i].min_user,
				intervals[i].min_kernel, median(&intervals[i]));
	fclose(out);
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
					   char **argv)
{
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fprintf(stderr, "insn_count: needs exactly one argument, out=FILE\n");
		return -1;
	}
	if (!info->system_emulation || info->system.smp_vcpus != 1) {
		fprintf(stderr, "insn_count: needs a machine with one virtual CPU\n");
		return -1;
	}
	out_path = strdup(argv[0] + 4);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, at_exit, NULL);
	return 0;
}
