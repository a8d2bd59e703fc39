// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The patterns by which programs overlap transfers with computing. Each is accepted, and runs
 * in the checking executor without a trap; its neighbour, in which one operation is weaker, is
 * refused on the line that then races.
 */
#include <stdio.h>
#include <string.h>

#include "core/verify.h"
#include "tests/program_run.h"
#include "tests/tap.h"
#include "tools/asm/asm.h"

/* In all programs: BUF bytes are a tile, of ROWS registers. */
static const char head[] = "machine edge\n"
			   ".equ ROW, 256\n"
			   ".equ ROWS, 4\n"
			   ".equ BUF, ROWS*ROW\n"
			   ".equ FAR, 65536\n"
			   "slot x\n"
			   "slot y\n";

struct pattern {
	const char *name;
	const char *good, *bad; /* for the $ in the text */
	const char *text; /* the neighbour races where it says "race" */
};

static const struct pattern patterns[] = {
	{ "two buffers in turns, unrolled by two", "wait c0<=1", "wait c0<=2",
	  "desc first in x row=BUF\n"
	  "desc odd in x row=BUF sram=BUF slot=BUF slot_loop=2*BUF\n"
	  "desc even in x row=BUF slot=2*BUF slot_loop=2*BUF\n"
	  "entry at_even stride=0,ROW\n"
	  "entry at_odd base=BUF stride=0,ROW\n"
	  "dma c0, first\n"
	  "loop 5 {\n"
	  "dma c0, odd\n"
	  "$\n"
	  "loop ROWS {\n"
	  "preset a0, at_even ; race\n"
	  "}\n"
	  "dma c0, even, last=l0\n"
	  "wait c0<=1\n"
	  "loop ROWS {\n"
	  "preset a0, at_odd\n"
	  "}\n"
	  "nop\n"
	  "}\n" },
	{ "the second half of the same", "wait c0<=1", "wait c0<=2",
	  "desc first in x row=BUF\n"
	  "desc odd in x row=BUF sram=BUF slot=BUF slot_loop=2*BUF\n"
	  "desc even in x row=BUF slot=2*BUF slot_loop=2*BUF\n"
	  "entry at_even stride=0,ROW\n"
	  "entry at_odd base=BUF stride=0,ROW\n"
	  "dma c0, first\n"
	  "loop 5 {\n"
	  "dma c0, odd\n"
	  "wait c0<=1\n"
	  "loop ROWS {\n"
	  "preset a0, at_even\n"
	  "}\n"
	  "dma c0, even, last=l0\n"
	  "$\n"
	  "loop ROWS {\n"
	  "preset a0, at_odd ; race\n"
	  "}\n"
	  "nop\n"
	  "}\n" },
	{ "parity by the strides of an inner loop", "wait c0<=1", "wait c0<=2",
	  "desc first in x row=BUF\n"
	  "desc next in x row=BUF sram=BUF sram_loop=0,-BUF slot=BUF slot_loop=2*BUF,BUF\n"
	  "entry at stride=0,BUF,ROW\n"
	  "dma c0, first\n"
	  "loop 5, 2 {\n"
	  "dma c0, next\n"
	  "$\n"
	  "loop ROWS {\n"
	  "preset a0, at ; race\n"
	  "}\n"
	  "nop\n"
	  "}\n" },
	{ "prefetch of the next tile of a resident tensor", "wait c0<=1", "wait c0<=2",
	  "desc first in x row=BUF\n"
	  "desc next in x row=BUF sram=BUF sram_loop=BUF slot=BUF slot_loop=BUF\n"
	  "entry at stride=BUF,ROW\n"
	  "dma c0, first\n"
	  "loop 6 {\n"
	  "dma c0, next, last=l0\n"
	  "$\n"
	  "loop ROWS {\n"
	  "preset a0, at ; race\n"
	  "}\n"
	  "nop\n"
	  "}\n" },
	{ "the last trip's prefetch is empty", "dma c0, next, last=l0", "dma c0, next",
	  "desc first in x row=BUF\n"
	  "desc next in x row=BUF sram=BUF sram_loop=BUF slot=BUF slot_loop=BUF\n"
	  "entry at stride=BUF\n"
	  "entry behind base=6*BUF\n"
	  "dma c0, first\n"
	  "loop 6 {\n"
	  "$\n"
	  "wait c0<=1\n"
	  "preset a0, at\n"
	  "}\n"
	  "sta behind, a0 ; race\n" },
	{ "ring of two buffers", "wait c0<=1", "wait c0<=2",
	  "desc fill in x row=BUF sram_loop=BUF slot_loop=BUF\n"
	  "desc next in x row=BUF sram_loop=0,BUF slot=2*BUF slot_loop=2*BUF,BUF\n"
	  "entry at stride=0,BUF\n"
	  "loop 2 {\n"
	  "dma c0, fill\n"
	  "}\n"
	  "loop 4, 2 {\n"
	  "$\n"
	  "preset a0, at ; race\n"
	  "dma c0, next\n"
	  "}\n" },
	{ "ring of three buffers", "wait c0<=2", "wait c0<=3",
	  "desc fill in x row=BUF sram_loop=BUF slot_loop=BUF\n"
	  "desc next in x row=BUF sram_loop=0,BUF slot=3*BUF slot_loop=3*BUF,BUF\n"
	  "entry at stride=0,BUF\n"
	  "loop 3 {\n"
	  "dma c0, fill\n"
	  "}\n"
	  "loop 4, 3 {\n"
	  "$\n"
	  "preset a0, at ; race\n"
	  "dma c0, next\n"
	  "}\n" },
	{ "ring of four buffers", "wait c0<=3", "nop",
	  "desc fill in x row=BUF sram_loop=BUF slot_loop=BUF\n"
	  "desc next in x row=BUF sram_loop=0,BUF slot=4*BUF slot_loop=4*BUF,BUF\n"
	  "entry at stride=0,BUF\n"
	  "loop 4 {\n"
	  "dma c0, fill\n"
	  "}\n"
	  "loop 4, 4 {\n"
	  "$\n"
	  "preset a0, at ; race\n"
	  "dma c0, next\n"
	  "}\n" },
	{ "ring inside two loops, never drained between them", "wait c0<=1", "wait c0<=2",
	  "desc fill in x row=BUF sram_loop=BUF slot_loop=BUF\n"
	  "desc next in x row=BUF sram_loop=0,0,BUF slot=2*BUF slot_loop=6*BUF,2*BUF,BUF\n"
	  "entry at stride=0,0,BUF\n"
	  "loop 2 {\n"
	  "dma c0, fill\n"
	  "}\n"
	  "loop 2, 3, 2 {\n"
	  "$\n"
	  "preset a0, at ; race\n"
	  "dma c0, next\n"
	  "}\n" },
	{ "stores drain two trips later", "wait c1<=1", "wait c1<=2",
	  "desc store out y row=BUF sram_loop=0,BUF slot_loop=2*BUF,BUF\n"
	  "entry at stride=0,BUF,ROW\n"
	  "loop 4, 2 {\n"
	  "$\n"
	  "loop ROWS {\n"
	  "sta at, a0 ; race\n"
	  "}\n"
	  "dma c1, store\n"
	  "}\n" },
	{ "loads and stores overlap computing", "wait c1<=1", "wait c1<=2",
	  "desc first in x row=BUF\n"
	  "desc next in x row=BUF sram=BUF sram_loop=0,-BUF slot=BUF slot_loop=2*BUF,BUF\n"
	  "desc store out y row=BUF sram=FAR sram_loop=0,BUF slot_loop=2*BUF,BUF\n"
	  "entry from stride=0,BUF,ROW\n"
	  "entry to base=FAR stride=0,BUF,ROW\n"
	  "dma c0, first\n"
	  "loop 4, 2 {\n"
	  "dma c0, next, c0<=0\n"
	  "wait c0<=1\n"
	  "$\n"
	  "loop ROWS {\n"
	  "preset a0, from | sta to, a0 ; race\n"
	  "}\n"
	  "dma c1, store\n"
	  "}\n" },
	{ "only the second trip of an outer loop races", "wait c0<=0", "nop",
	  "desc first in x row=BUF\n"
	  "desc next in x row=BUF sram=BUF sram_loop=0,BUF slot=BUF slot_loop=0,BUF\n"
	  "entry at stride=0,BUF\n"
	  "entry third base=3*BUF\n"
	  "loop 2 {\n"
	  "$\n"
	  "preset a0, third ; race\n"
	  "dma c0, first\n"
	  "loop 3 {\n"
	  "dma c0, next\n"
	  "wait c0<=1\n"
	  "preset a0, at\n"
	  "}\n"
	  "nop\n"
	  "}\n" },
	{ "rows of two channels that interleave", "dma c1, odd", "dma c1, wide ; race",
	  "desc even in x row=ROW count=8 sram_stride=2*ROW slot_stride=2*ROW\n"
	  "desc odd in x row=ROW count=8 sram=ROW sram_stride=2*ROW slot=ROW slot_stride=2*ROW\n"
	  "desc wide in x row=ROW+1 count=8 sram=ROW sram_stride=2*ROW slot_stride=2*ROW\n"
	  "entry at stride=2*ROW\n"
	  "dma c0, even\n"
	  "$\n"
	  "wait c0<=0\n"
	  "loop 8 {\n"
	  "preset a0, at\n"
	  "}\n" },
	{ "computing on one channel's rows while the other's arrive", "wait c0<=0", "wait c1<=0",
	  "desc even in x row=ROW count=8 sram_stride=2*ROW slot_stride=2*ROW\n"
	  "desc odd in x row=ROW count=8 sram=ROW sram_stride=2*ROW slot=ROW slot_stride=2*ROW\n"
	  "entry at stride=2*ROW\n"
	  "dma c0, even\n"
	  "dma c1, odd\n"
	  "$\n"
	  "loop 8 {\n"
	  "preset a0, at ; race\n"
	  "}\n" },
	{ "rows of a stream on two channels", "wait c0<=1, c1<=1", "wait c0<=1, c1<=2",
	  "desc first_even in x row=ROW\n"
	  "desc first_odd in x row=ROW sram=ROW\n"
	  "desc even in x row=ROW sram=2*ROW sram_loop=2*ROW slot_loop=2*ROW\n"
	  "desc odd in x row=ROW sram=3*ROW sram_loop=2*ROW slot_loop=2*ROW\n"
	  "entry at_even stride=2*ROW\n"
	  "entry at_odd base=ROW stride=2*ROW\n"
	  "dma c0, first_even\n"
	  "dma c1, first_odd\n"
	  "loop 9 {\n"
	  "dma c0, even\n"
	  "dma c1, odd\n"
	  "$\n"
	  "preset a0, at_even\n"
	  "preset a0, at_odd ; race\n"
	  "}\n" },
	{ "the next columns of an image arrive while these are used", "wait c0<=1", "wait c0<=2",
	  "desc first in x row=ROW count=8 sram_stride=6*ROW slot_stride=6*ROW\n"
	  "desc next in x row=ROW count=8 sram=ROW sram_stride=6*ROW sram_loop=ROW slot=ROW "
	  "slot_stride=6*ROW slot_loop=ROW\n"
	  "entry at stride=ROW,6*ROW\n"
	  "dma c0, first\n"
	  "loop 6 {\n"
	  "dma c0, next, last=l0\n"
	  "$\n"
	  "loop 8 {\n"
	  "preset a0, at ; race\n"
	  "}\n"
	  "nop\n"
	  "}\n" },
	{ "spills through a slot, one tile behind", "wait c1<=1", "wait c1<=2",
	  "desc spill0 out y row=BUF\n"
	  "desc spill out y row=BUF slot=BUF slot_loop=BUF\n"
	  "desc fetch in y row=BUF sram=FAR slot_loop=BUF\n"
	  "dma c1, spill0\n"
	  "loop 7 {\n"
	  "dma c1, spill\n"
	  "$\n"
	  "dma c0, fetch ; race\n"
	  "}\n" },
};

/* The pattern's program with @choice in it, to be freed; and on which line it says "race". */
static char *program_text(const struct pattern *p, const char *choice, u32 *race)
{
	const char *mark = strchr(p->text, '$'), *c;
	size_t size = sizeof(head) + strlen(p->text) + strlen(choice) + 64;
	char *text = malloc(size);

	snprintf(text, size, "%s%.*s%s%s%s", head, (int)(mark - p->text), p->text, choice, mark + 1,
		 "halt c0<=0, c1<=0, c2<=0, c3<=0\n");
	*race = 1;
	for (c = text; c < strstr(text, "; race"); c++)
		*race += *c == '\n';
	return text;
}

static void test_good(struct exec *e, const struct pattern *p)
{
	char why[RUN_WHY_BYTES] = "";
	struct rondo_verify *verify = malloc(RONDO_VERIFY_BYTES);
	struct asm_errors errors;
	struct rondo_machine edge;
	void *program = NULL;
	bool right = false;
	u64 size;
	u32 race;
	char *text = program_text(p, p->good, &race);

	rondo_machine_init(&edge, RONDO_MACHINE_edge);
	if (asm_assemble(text, &program, &size, &errors)) {
		snprintf(why, sizeof(why), "line %u: %s", errors.error[0].line,
			 errors.error[0].text);
	} else {
		right = !rondo_verify_run(verify, &edge, program, size, 0, NULL, NULL)->code &&
			run_keeps_promises(e, program, size, rondo_verify_facts(verify), why);
	}
	if (!tap_ok(right, "%s", p->name))
		printf("# %s\n", why);
	free(verify);
	free(program);
	free(text);
}

static void test_bad(const struct pattern *p)
{
	struct asm_errors errors = { 0 };
	void *program = NULL;
	u64 size;
	u32 race;
	char *text = program_text(p, p->bad, &race);
	int error = asm_assemble(text, &program, &size, &errors);

	if (!tap_ok(error && errors.count == 1 && errors.error[0].line == race,
		    "%s: but not with %s", p->name, p->bad))
		printf("# line %u: %s; expected line %u\n", errors.error[0].line,
		       errors.error[0].text, race);
	free(program);
	free(text);
}

int main(void)
{
	struct rondo_machine edge;
	struct exec *e;
	size_t i;

	rondo_machine_init(&edge, RONDO_MACHINE_edge);
	e = exec_create(executor_for(&edge, EXECUTOR_PLAIN), &edge);
	if (!e)
		return EXIT_FAILURE;
	for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		test_good(e, &patterns[i]);
		test_bad(&patterns[i]);
	}
	exec_destroy(e);
	return tap_done();
}
