// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * docs/reference/isa.md against spec/: every fact of the tables stands in the document once,
 * and no row of a table in the document is anything else.
 */
#include <stddef.h>

#include "core/energy.h"
#include "core/machine.h"
#include "core/verify.h"
#include "spec/special.h"
#include "tests/read_file.h"
#include "tests/tap.h"

enum { LINES_MAX = 2048, ROW_BYTES = 1024 };

static char *text;
static const char *line[LINES_MAX];
static bool used[LINES_MAX];
static u32 lines;

static void split(char *at)
{
	for (; at && *at && lines < LINES_MAX; lines++) {
		line[lines] = at;
		at = strchr(at, '\n');
		if (at)
			*at++ = '\0';
	}
}

static bool starts(const char *string, const char *with)
{
	return !strncmp(string, with, strlen(with));
}

/*
 * Uses up the only row that starts with @prefix from line @from to the next heading (0: of all
 * lines). Returns how many findings there are: a row too few or too many, or one that ends there.
 */
static u32 take(u32 from, const char *prefix)
{
	u32 i, found = 0, empty = 0;

	for (i = from; i < lines; i++) {
		if (from && i > from && line[i][0] == '#')
			break;
		if (!starts(line[i], prefix))
			continue;
		found++;
		used[i] = true;
		empty += !line[i][strlen(prefix)] && prefix[strlen(prefix) - 1] != '|';
	}
	if (found != 1)
		printf("# %u rows start with '%s'\n", found, prefix);
	if (empty)
		printf("# nothing follows '%s'\n", prefix);
	return (found != 1) + empty;
}

__attribute__((format(printf, 2, 3))) static u32 take_row(u32 from, const char *fmt, ...)
{
	char row[ROW_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(row, sizeof(row), fmt, ap);
	va_end(ap);
	return take(from, row);
}

/* "ld_s8" as the document and the assembler write it: "ld.s8". */
static const char *mnemonic(const char *name)
{
	static char dotted[32];
	u32 i;

	snprintf(dotted, sizeof(dotted), "%s", name);
	for (i = 0; dotted[i]; i++)
		if (dotted[i] == '_')
			dotted[i] = '.';
	return dotted;
}

static void operations(void)
{
	u32 wrong = 0;

#define OP(name, opcode, slots, format, latency, element, energy, links, meaning)                 \
	wrong += take_row(0, "| `%s` | 0x%02x | %s | %s | %s | %s | %s | %s | ", mnemonic(#name), \
			  opcode, #slots, #format, #latency, #element, #energy, #links);
#include "spec/isa.def"
	tap_eq(wrong, 0, "every operation with all columns of its row");
}

static void formats(void)
{
	u32 wrong = 0;

	/* Every field begins with "; ", and the row with the fields from the third byte on. */
#define F(member, lo, width, kind, role) "; " #member " " #lo "+" #width " " #kind " " #role
#define FORMAT(name, fields) wrong += take_row(0, "| %s | %s |", #name, &(fields)[2]);
#include "spec/formats.def"
	tap_eq(wrong, 0, "every format with its fields");
}

static void errors(void)
{
	u32 wrong = 0;

#define ERR(name, number, where, text) \
	wrong += take_row(0, "| %d | %s | %s | %s |", number, #name, #where, text);
#include "spec/errors.def"
	tap_eq(wrong, 0, "every reason of refusal");
}

static void energy(void)
{
	u32 wrong = 0;

#define ENERGY(name, kind, each, source) \
	wrong += take_row(0, "| %s | %s | %d |", #name, #kind, each);
#include "spec/energy.def"
	tap_eq(wrong, 0, "every figure of energy");
}

static void signature(void)
{
	u32 wrong = 0;

#define WEIGHT(name, value, meaning) \
	wrong += take_row(0, "| %s | 0x%016llx |", #name, (unsigned long long)(value));
#define PLACE(name, value, meaning) wrong += take_row(0, "| P_%s | %d |", #name, value);
#include "spec/signature.def"
	tap_eq(wrong, 0, "every constant of the signature");
}

/* The counts of activity stand in the section about energy, before the figures. */
static void activity(void)
{
	static const char *const counts[] = {
		"bundles",   "fetched",	     "macs_f32",     "macs_bf16", "macs_s8", "vector_lanes",
		"sram_read", "sram_written", "sram_cleared", "dma_in",	  "dma_out", "mesh_hops",
	};
	u32 wrong = 0, i, k, found;

	for (k = 0; k < sizeof(counts) / sizeof(*counts); k++) {
		char row[64];

		snprintf(row, sizeof(row), "| %s | ", counts[k]);
		for (i = found = 0; i < lines; i++) {
			if (used[i] || !starts(line[i], row))
				continue;
			used[i] = true;
			found++;
		}
		wrong += found != 1;
	}
	tap_eq(wrong, 0, "every count of activity");
	tap_eq(sizeof(struct rondo_activity), k * sizeof(u64), "and there are no others");
}

static void machines(void)
{
	struct rondo_machine m;
	u32 wrong = 0, id;

	for (id = 0; id < RONDO_MACHINES; id++) {
		rondo_machine_init(&m, id);
		wrong += take_row(
			0,
			"| %s | %u | %u | %u | %u | %u | %u | %u | %u | %u | %u | %u | %u | %u | "
			"0x%016llx |",
			rondo_machine_name(id), m.mesh_w, m.mesh_h, m.lanes, m.acc_rows,
			m.sram_bytes, m.dma_startup, m.dma_row_cycles, m.dma_bytes_per_cycle,
			m.clear_bytes_per_cycle, m.mesh_latency, m.loop_buffer, m.bundles_max,
			m.clock_khz, (unsigned long long)rondo_machine_hash(&m));
	}
	tap_eq(wrong, 0, "every machine with its parameters");
}

static void limits(void)
{
	u32 wrong = 0;

#define LIMIT(name) wrong += take_row(0, "| %s | %d |", #name, (int)(name))
	LIMIT(RONDO_BUNDLE_BYTES);
	LIMIT(RONDO_SLOTS_PER_BUNDLE);
	LIMIT(RONDO_VREGS);
	LIMIT(RONDO_LANES_MAX);
	LIMIT(RONDO_LOOP_DEPTH);
	LIMIT(RONDO_DMA_LOOP_DEPTH);
	LIMIT(RONDO_DMA_LOOPS_MAX);
	LIMIT(RONDO_DMA_CHANNELS);
	LIMIT(RONDO_DMA_OUTSTANDING);
	LIMIT(RONDO_DMA_DIMS);
	LIMIT(RONDO_DMA_WORK_MAX);
	LIMIT(RONDO_BUNDLES_MAX);
	LIMIT(RONDO_ENTRIES_MAX);
	LIMIT(RONDO_DESCS_MAX);
	LIMIT(RONDO_PROGRAM_SLOTS_MAX);
	LIMIT(RONDO_SLOT_ALIGN_MIN);
	LIMIT(RONDO_SLOT_ALIGN_MAX);
	LIMIT(RONDO_REPLAY_OFFSETS_MAX);
	LIMIT(RONDO_CLEAR_RANGES_MAX);
	LIMIT(RONDO_CLEAR_WRITTEN_MAX);
	LIMIT(RONDO_CLEAR_SETS_MAX);
	LIMIT(RONDO_CLEAR_SET_DIMS);
	tap_eq(wrong, 0, "every limit");
}

/* The line of a structure's heading; 0: there is none, or another size. */
static u32 section(const char *name, size_t size)
{
	char heading[64];
	u32 i;

	snprintf(heading, sizeof(heading), "### struct %s, %zu bytes", name, size);
	for (i = 0; i < lines; i++)
		if (!strcmp(line[i], heading))
			return i;
	printf("# no heading '%s'\n", heading);
	return 0;
}

#define BEGIN(name)                                                 \
	{                                                           \
		typedef struct name type;                           \
		u32 at = section(#name, sizeof(type)), wrong = !at; \
		size_t bytes = 0;
#define FIELD(kind, member)                                                                  \
	wrong += take_row(at, "| %zu | %s | %s | ", offsetof(type, member), #kind, #member); \
	bytes += sizeof(((type *)0)->member);
#define END(name)                                     \
	tap_eq(wrong, 0, "layout of " #name);         \
	tap_eq(bytes, sizeof(type), "all of " #name); \
	}

/* clang-format off */
static void layouts(void)
{
	BEGIN(rondo_machine)
	FIELD(u32, isa_version) FIELD(u16, mesh_w) FIELD(u16, mesh_h) FIELD(u16, lanes)
	FIELD(u16, acc_rows) FIELD(u32, sram_bytes) FIELD(u16, dma_startup)
	FIELD(u16, dma_row_cycles) FIELD(u16, dma_bytes_per_cycle) FIELD(u16, clear_bytes_per_cycle)
	FIELD(u16, mesh_latency) FIELD(u16, loop_buffer) FIELD(u32, bundles_max)
	FIELD(u32, clock_khz) FIELD(u32[7], reserved)
	END(rondo_machine)
	BEGIN(rondo_program_header)
	FIELD(u32, magic) FIELD(u16, version) FIELD(u16, reserved) FIELD(u64, machine_hash)
	FIELD(u64, cycles) FIELD(u32, slots) FIELD(u32, entries) FIELD(u32, descs)
	FIELD(u32, bundles)
	END(rondo_program_header)
	BEGIN(rondo_slot)
	FIELD(u64, read_lo) FIELD(u64, read_hi) FIELD(u64, write_lo) FIELD(u64, write_hi)
	FIELD(u32, align) FIELD(u16, alias) FIELD(u16, flags)
	END(rondo_slot)
	BEGIN(rondo_entry)
	FIELD(u32, base) FIELD(s32[8], stride) FIELD(s32, seg_stride) FIELD(s32, pitch)
	FIELD(s16[8], row_stride) FIELD(u16, seg_len) FIELD(u8, first) FIELD(u8, reserved)
	END(rondo_entry)
	BEGIN(rondo_desc)
	FIELD(u8, dir) FIELD(u8, mode) FIELD(u16, slot) FIELD(u32, row_bytes) FIELD(u32[3], count)
	FIELD(u32, sram_base) FIELD(s32[3], sram_stride) FIELD(s32[3], sram_loop)
	FIELD(u64, slot_base) FIELD(s64[3], slot_stride) FIELD(s64[3], slot_loop)
	FIELD(s64, slot_x) FIELD(s64, slot_y) FIELD(u16, x0) FIELD(u16, y0) FIELD(u16, x1)
	FIELD(u16, y1)
	END(rondo_desc)
}
/* clang-format on */

/* Whether @coefficient, highest power first, stands after *@at; moves *@at behind it. */
static bool follows(const char **at, u32 coefficient)
{
	char hex[16];
	const char *found;

	snprintf(hex, sizeof(hex), "0x%08x", coefficient);
	found = strstr(*at, hex);
	if (found)
		*at = found + strlen(hex);
	return found;
}

/* Before the text is split into lines. */
static void special_functions(void)
{
	static const u32 exp2[] = { RONDO_EXP2_COEFFICIENTS };
	static const u32 log2[] = { RONDO_LOG2_COEFFICIENTS };
	const char *at = strstr(text, "## Special functions");
	u32 wrong = !at, i;

	for (i = sizeof(exp2) / sizeof(*exp2); at && i-- > 0;)
		wrong += !follows(&at, exp2[i]);
	wrong += at && !follows(&at, RONDO_SQRT_HALF);
	for (i = sizeof(log2) / sizeof(*log2); at && i-- > 0;)
		wrong += !follows(&at, log2[i]);
	tap_eq(wrong, 0, "coefficients of fexp2 and flog2, in the order of their use");
}

/* A row that nobody used is of no table of spec/. */
static void nothing_else(void)
{
	static const char *const free_rows[] = { "| fix | ", "| flt | ", "| f32 | " };
	u32 i, k, extra = 0;

	for (i = 0; i < lines; i++) {
		bool known = used[i] || line[i][0] != '|' || starts(line[i], "|---") ||
			     (i + 1 < lines && starts(line[i + 1], "|---"));

		for (k = 0; k < sizeof(free_rows) / sizeof(*free_rows); k++)
			known = known || starts(line[i], free_rows[k]);
		if (known)
			continue;
		extra++;
		printf("# line %u: of no table: %s\n", i + 1, line[i]);
	}
	tap_eq(extra, 0, "no row that is not in the tables");
}

int main(void)
{
	text = read_file("docs/reference/isa.md");
	if (!tap_ok(text, "docs/reference/isa.md is there"))
		return tap_done();
	special_functions();
	split(text);
	operations();
	formats();
	errors();
	energy();
	signature();
	activity();
	machines();
	limits();
	layouts();
	nothing_else();
	free(text);
	return tap_done();
}
