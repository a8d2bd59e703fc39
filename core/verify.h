/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The verifier: proves that a program may run, and computes what is known of
 * every run before the first.
 *
 * A pure function of the program's bytes and the machine. It allocates nothing,
 * calls nobody, and keeps all it knows in the caller's struct rondo_verify. Any
 * byte string is legal input. What it accepts is well-formed and canonical,
 * stays in bounds, has no hazard and no race, ends, and takes exactly
 * facts.cycles.
 *
 *	struct rondo_verify *v = malloc(RONDO_VERIFY_BYTES);
 *	const struct rondo_verdict *verdict =
 *		rondo_verify_run(v, &machine, data, size, budget, NULL, NULL);
 *
 *	if (verdict->code) ...refused: rondo_verdict_text()...
 *	else ...rondo_verify_facts(v)...
 *
 * The bytes must not change between init and the last use of the facts.
 *
 * SRAM that is cleared. SRAM reads as zero when a replay starts; the device clears the bytes
 * that may be read before they are written, facts.clear, before the first bundle, and that
 * takes time. They are found in one pass over the text, which keeps a bounded set of bytes that
 * are certainly written. Since the time is part of what a program claims, the rule is part of
 * the instruction set: docs/reference/isa.md, "Clearing".
 *
 * How time is counted: core/timing.h.
 */
#ifndef RONDO_CORE_VERIFY_H
#define RONDO_CORE_VERIFY_H

#include "core/program.h"

/* Reasons of refusal: RONDO_ERR_name = number, 0 is RONDO_ERR_NONE. */
enum rondo_error {
	RONDO_ERR_NONE = 0,
#define ERR(name, number, where, text) RONDO_ERR_##name = number,
#include "spec/errors.def"
};

/* What rondo_verdict.index counts. */
enum rondo_where {
	RONDO_WHERE_NONE,
	RONDO_WHERE_BUNDLE,
	RONDO_WHERE_ENTRY,
	RONDO_WHERE_DESC,
	RONDO_WHERE_SLOT,
};

struct rondo_verdict {
	u32 code; /* enum rondo_error */
	u32 index; /* bundle, entry, descriptor or slot at fault */
	u32 slot; /* slot of the bundle, enum rondo_slot_no */
};

struct rondo_range {
	u32 lo, hi; /* [lo, hi) bytes of SRAM */
};

/* What holds for every replay of an accepted program. */
struct rondo_facts {
	u64 cycles; /* exact device time, clearing included */
	u64 signature; /* of the control path: core/signature.h */
	u32 clear_count;
	struct rondo_range clear[RONDO_CLEAR_RANGES_MAX]; /* ascending; zeroed before the start */
};

/* Bytes of each tile's SRAM that are cleared, and the cycles of facts->cycles that this takes. */
u32 rondo_cleared_bytes(const struct rondo_facts *facts);
u64 rondo_clear_cycles(const struct rondo_machine *machine, const struct rondo_facts *facts);

/*
 * Text and name of @code in spec/errors.def ("accepted" and "NONE" for 0, "unknown error" and
 * "UNKNOWN" for another number without a row), and what an index counts that comes with it.
 */
const char *rondo_error_text(u32 code);
const char *rondo_error_name(u32 code);
enum rondo_where rondo_error_where(u32 code);

/* What an index counts, in words: "bundle", "address entry", ...; "" for RONDO_WHERE_NONE. */
const char *rondo_where_text(enum rondo_where where);

/*
 * Writes where the fault is and what it is, "bundle 3, slot L0: SRAM access is out of bounds",
 * into @out, cut off after @size - 1 characters and terminated; RONDO_VERDICT_TEXT_BYTES are
 * enough. Any numbers may stand in *@verdict, also those of a device or a kernel.
 */
enum { RONDO_VERDICT_TEXT_BYTES = 200 };

size_t rondo_verdict_text(const struct rondo_verdict *verdict, char *out, size_t size);

/* The verifier's state: this many bytes of the caller's, 8-byte aligned, with any content. */
struct rondo_verify;

enum { RONDO_VERIFY_BYTES = 64 * 1024 };

/*
 * Asked between any two steps of a verification, which are about as long as it takes to look at
 * 4096 bundles (a few milliseconds): whether to give up. Here a kernel yields.
 */
typedef bool rondo_verify_stop(void *ctx);

/*
 * Verifies the program in @size bytes at @data, 8-byte aligned. @budget: most cycles that the
 * caller accepts (the machine's limits are the caller's business); 0 accepts any below 2^60.
 * @stop may be NULL. Returns the verdict, which is in *@v; NULL if @stop gave up.
 */
const struct rondo_verdict *rondo_verify_run(struct rondo_verify *v,
					     const struct rondo_machine *machine, const void *data,
					     u64 size, u64 budget, rondo_verify_stop *stop,
					     void *ctx);

/*
 * As rondo_verify_run(), for those who write programs: the claims (cycles of the header, extents
 * of the slot table) are not compared but, if the verdict is good, written.
 */
const struct rondo_verdict *rondo_measure_run(struct rondo_verify *v,
					      const struct rondo_machine *machine, void *data,
					      u64 size);

/* Where the verdict's code is 0. */
const struct rondo_facts *rondo_verify_facts(const struct rondo_verify *v);

/*
 * The parts that these are made of, for those who want to step: init, steps until one returns
 * false, verdict. A step looks at up to @bundles more, or does so much other work (0: nothing),
 * and returns whether there is more to do. Measuring ends with rondo_measure_claim().
 */
void rondo_verify_init(struct rondo_verify *v, const struct rondo_machine *machine,
		       const void *data, u64 size, u64 budget);
void rondo_measure_init(struct rondo_verify *v, const struct rondo_machine *machine,
			const void *data, u64 size);
bool rondo_verify_step(struct rondo_verify *v, u32 bundles);
const struct rondo_verdict *rondo_verify_verdict(const struct rondo_verify *v);
void rondo_measure_claim(const struct rondo_verify *v, void *data);

#endif
