/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Sessions on programs given as text, with slots full of small numbers. */
#ifndef TESTS_UNIT_TOOLS_DEBUG_RIG_H
#define TESTS_UNIT_TOOLS_DEBUG_RIG_H

#include "core/program.h"
#include "tests/random.h"
#include "tests/tap.h"
#include "tools/asm/asm.h"
#include "tools/debug/session.h"

enum { RIG_SLOT_BYTES = 1 << 18 };

struct debug_rig {
	void *bytes;
	u64 size;
	float *slot[RONDO_PROGRAM_SLOTS_MAX];
	struct session_source source;
	struct session *session;
};

/* A program; its slots hold numbers that depend on @seed. The session is not there yet. */
static inline bool debug_rig_assemble(struct debug_rig *r, const char *text, u32 seed)
{
	struct asm_errors errors;
	struct rondo_program p;
	u64 state = random_seed(seed);
	u32 i, k;

	memset(r, 0, sizeof(*r));
	if (asm_assemble(text, &r->bytes, &r->size, &errors)) {
		asm_print_errors(stdout, "# program", &errors);
		return tap_ok(false, "the program assembles");
	}
	r->source = (struct session_source){
		.program = r->bytes, .size = r->size, .bound = 100000, .memory = 64 << 20
	};
	if (rondo_program_open(&p, r->bytes, r->size))
		return tap_ok(false, "the program is one");
	for (i = 0; i < p.header->slots; i++) {
		r->slot[i] = malloc(RIG_SLOT_BYTES);
		for (k = 0; k < RIG_SLOT_BYTES / sizeof(float); k++) {
			r->slot[i][k] = (float)random_below(&state, 256) / 16;
		}
		r->source.content[i] = (struct session_content){ r->slot[i], RIG_SLOT_BYTES };
	}
	return true;
}

static inline bool debug_rig_start(struct debug_rig *r)
{
	char why[SESSION_WHY_BYTES];

	r->session = session_create(&r->source, why);
	return r->session || tap_ok(false, "no session: %s", why);
}

static inline bool debug_rig_init(struct debug_rig *r, const char *text, u32 seed)
{
	return debug_rig_assemble(r, text, seed) && debug_rig_start(r);
}

/* The same with the text in tests/programs/@name.rasm. */
static inline bool debug_rig_open(struct debug_rig *r, const char *name, u32 seed)
{
	static char text[1 << 16];
	char path[128];
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), "tests/programs/%s.rasm", name);
	file = fopen(path, "r");
	if (!file)
		return tap_ok(false, "%s is there", path);
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = '\0';
	fclose(file);
	return debug_rig_assemble(r, text, seed);
}

static inline void debug_rig_fini(struct debug_rig *r)
{
	u32 i;

	session_destroy(r->session);
	for (i = 0; i < RONDO_PROGRAM_SLOTS_MAX; i++)
		free(r->slot[i]);
	free(r->bytes);
}

#endif
