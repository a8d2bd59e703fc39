// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/asm/asm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/machine.h"
#include "core/disasm.h"
#include "core/verify.h"
#include "tools/asm/asm_parse.h"

static u32 bucket_of(const char *name)
{
	u32 hash = 0x811c9dc5;

	while (*name)
		hash = (hash ^ (u8)*name++) * 0x01000193;
	return hash % ASM_BUCKETS;
}

const struct asm_symbol *asm_find(const struct asm_state *as, const char *name)
{
	u32 at = as->bucket[bucket_of(name)];

	while (at && strcmp(as->symbols[at - 1].name, name))
		at = as->symbols[at - 1].next;
	return at ? &as->symbols[at - 1] : NULL;
}

bool asm_declare(struct asm_cursor *c, const char *name, enum asm_kind kind, s64 value)
{
	struct asm_symbol *symbol;
	u32 *bucket;

	if (asm_find(c->as, name))
		return asm_error(c, "'%s' is already defined", name);
	symbol = asm_grow(c->as, &c->as->symbols, c->as->symbol_count, sizeof(*symbol));
	if (!symbol)
		return false;
	snprintf(symbol->name, sizeof(symbol->name), "%s", name);
	symbol->kind = kind;
	symbol->value = value;
	bucket = &c->as->bucket[bucket_of(name)];
	symbol->next = *bucket;
	*bucket = ++c->as->symbol_count;
	return true;
}

void *asm_grow(struct asm_state *as, void *table, u32 count, size_t size)
{
	void **elements = table;

	/* Full exactly when the count is a power of two (or nothing was allocated yet). */
	if (!(count & (count - 1))) {
		void *grown = realloc(*elements, (count ? 2 * (size_t)count : 1) * size);

		as->no_memory |= !grown;
		if (!grown)
			return NULL;
		*elements = grown;
	}
	return memset((u8 *)*elements + count * size, 0, size);
}

/* The tables and bundles, one after the other. */
static void *build(struct asm_state *as, u64 *size)
{
	const struct rondo_program_header *h = &as->header;
	u8 *program, *at;

	*size = rondo_program_bytes(h);
	program = malloc(*size);
	at = program;
	if (!program)
		return NULL;
#define APPEND(from, bytes) (memcpy(at, from, bytes), at += (bytes))
	APPEND(h, sizeof(*h));
	APPEND(as->slots, h->slots * sizeof(*as->slots));
	if (h->entries)
		APPEND(as->entries, h->entries * sizeof(*as->entries));
	if (h->descs)
		APPEND(as->descs, h->descs * sizeof(*as->descs));
	APPEND(as->bundles, (size_t)h->bundles * sizeof(*as->bundles));
#undef APPEND
	return program;
}

static bool all_stated(const struct asm_state *as)
{
	for (u32 i = 0; i < as->header.slots; i++)
		if (!as->stated[i].read || !as->stated[i].write)
			return false;
	return as->cycles_stated;
}

/* Claims that the text states are kept, right or wrong. */
static void restate(const struct asm_state *as, void *program)
{
	struct rondo_program_header *h = program;
	struct rondo_slot *slots = (void *)(h + 1);

	if (as->cycles_stated)
		h->cycles = as->header.cycles;
	for (u32 i = 0; i < h->slots; i++) {
		if (as->stated[i].read) {
			slots[i].read_lo = as->slots[i].read_lo;
			slots[i].read_hi = as->slots[i].read_hi;
		}
		if (as->stated[i].write) {
			slots[i].write_lo = as->slots[i].write_lo;
			slots[i].write_hi = as->slots[i].write_hi;
		}
	}
}

static void report_verdict(struct asm_state *as, const struct rondo_verdict *verdict)
{
	const struct asm_origin *const origins[] = {
		[RONDO_WHERE_ENTRY] = as->entry_origins,
		[RONDO_WHERE_DESC] = as->desc_origins,
		[RONDO_WHERE_SLOT] = as->slot_origins,
		[RONDO_WHERE_BUNDLE] = as->origins,
	};
	enum rondo_where where = rondo_error_where(verdict->code);
	const char *text = rondo_error_text(verdict->code);
	const struct asm_origin *origin;
	u32 column;

	if (where == RONDO_WHERE_NONE) {
		asm_error_on(as, 0, 0, "%s", text);
		return;
	}
	origin = &origins[where][verdict->index];
	as->used_on = origin->used_on;
	column = origin->column[verdict->slot];
	if (where == RONDO_WHERE_BUNDLE)
		asm_error_on(as, origin->line, column ? column : 1, "slot %s: %s",
			     rondo_slot_names[verdict->slot], text);
	else
		asm_error_on(as, origin->line, 1, "%s %u: %s", rondo_where_text(where),
			     verdict->index, text);
}

/* Lets the verifier compute the claims. */
static void measure(struct asm_state *as, void *program, u64 size)
{
	struct rondo_verify *v = malloc(RONDO_VERIFY_BYTES);
	const struct rondo_verdict *verdict;

	as->no_memory |= !v;
	if (!v)
		return;
	verdict = rondo_measure_run(v, &as->machine, program, size);
	if (verdict->code)
		report_verdict(as, verdict);
	else
		restate(as, program);
	free(v);
}

static void *assemble(struct asm_state *as, const char *text, u64 *size)
{
	void *program;

	asm_read_source(as, text);
	if (as->block_count)
		asm_error_on(as, as->blocks[as->block_count - 1].line, 1, "loop is not closed");
	if (!as->errors->count && !as->header.bundles)
		asm_error_on(as, 0, 0, "no bundles");
	if (as->errors->count || as->no_memory)
		return NULL;
	as->header.machine_hash = as->machine_hash;
	program = build(as, size);
	as->no_memory |= !program;
	if (program && !all_stated(as))
		measure(as, program, *size);
	return program;
}

int asm_assemble(const char *text, void **program, u64 *size, struct asm_errors *errors)
{
	struct asm_state *as = calloc(1, sizeof(*as));
	void *built;
	int ret = 0;

	errors->count = 0;
	if (!as)
		return -ENOMEM;
	as->errors = errors;
	as->header.magic = RONDO_PROGRAM_MAGIC;
	as->header.version = RONDO_PROGRAM_VERSION;
	rondo_machine_init(&as->machine, RONDO_MACHINE_edge);
	as->machine_hash = rondo_machine_hash(&as->machine);
	built = assemble(as, text, size);
	if (as->no_memory)
		ret = -ENOMEM;
	else if (errors->count)
		ret = -EINVAL;
	if (ret)
		free(built);
	else
		*program = built;
	asm_free_source(as);
	free(as->symbols);
	free(as->entries);
	free(as->descs);
	free(as->bundles);
	free(as->entry_origins);
	free(as->desc_origins);
	free(as->origins);
	free(as);
	return ret;
}

void asm_print_errors(FILE *out, const char *name, const struct asm_errors *errors)
{
	for (u32 i = 0; i < errors->count; i++) {
		const struct asm_error *e = &errors->error[i];

		if (e->line)
			fprintf(out, "%s:%u:%u: %s\n", name, e->line, e->column, e->text);
		else
			fprintf(out, "%s: %s\n", name, e->text);
	}
	if (errors->count == ASM_ERRORS_MAX)
		fprintf(out, "%s: too many errors\n", name);
}
