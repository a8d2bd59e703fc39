/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A graph as a test case: the interpreter (eval.h) against the verified program on the checking
 * executor.
 *
 * A case is a graph in its text form (graph_text.h) with two additions. The values of a constant
 * may end in "...": they are repeated until the constant is full, or, where there are none, taken
 * from a fixed sequence of multiples of 1/4 from -2 to 2, which sums and products keep exact. And
 * comments that begin with "#:" say how the graph is run:
 *
 *   #: data %ID VALUE ...           content of an input, repeated; without: the fixed sequence
 *   #: type %ID TYPE                the type that shape inference gives an output
 *   #: expect %ID VALUE ...         what the interpreter gives for an output, to one unit in the
 * last place; written by tests/graphs/oracle.py
 *   #: rounded NUMBER               results round after each of several steps: by NUMBER, and
 * NUMBER times as much, the interpreter may be away from what is expected, and the program from it
 *   #: tolerance %ID ABSOLUTE RELATIVE   how far the program's output may be from the
 * interpreter's; without: the same bits, any NaN for a NaN
 *   #: normalised                   the graph is what the passes leave: none is run
 *   #: bf16 NUMBER                  NUMBER products take bf16: the program is compared with the
 *                                   interpreter after the passes and nothing else
 *   #: sram BYTES                 the program uses the first BYTES of SRAM only
 *   #: roll tiles                 its tiles are loops wherever they can be
 *   #: refused TEXT                 the graph does not compile, and the message holds TEXT
 *
 * Every graph is also printed after the passes and parsed back.
 */
#ifndef TESTS_GRAPH_CASE_H
#define TESTS_GRAPH_CASE_H

#include <stdbool.h>

enum { GRAPH_CASE_WHY = 640 };

/* Runs the case; false, and what was wrong in @why, when a comparison fails. @name: for messages.
 */
bool graph_case_run(const char *text, const char *name, char why[GRAPH_CASE_WHY]);

/* The bytes of SRAM that the case names; 0: none. */
unsigned int graph_case_sram(const char *text);

/*
 * The same in the first @sram bytes of SRAM, with loops of tiles if @roll. A case that does not fit
 * even in tiles is no failure: *@too_large then.
 */
bool graph_case_run_in(const char *text, const char *name, unsigned int sram, bool roll,
		       bool *too_large, char why[GRAPH_CASE_WHY]);

/*
 * The same with products in bf16 where that costs no more, in the first @sram bytes or, if that is
 * 0, in all of SRAM: compared with the interpreter after the passes, bit for bit where sums are
 * exact; outputs that have a tolerance are not compared.
 */
bool graph_case_run_bf16(const char *text, const char *name, unsigned int sram,
			 char why[GRAPH_CASE_WHY]);

/*
 * The same with some nodes at the edges left to the host, which @seed chooses. *@hosted: how many;
 * 0 also where nothing would have been left for the machine, or it did not fit.
 */
bool graph_case_run_hosted(const char *text, const char *name, unsigned int seed,
			   unsigned int *hosted, char why[GRAPH_CASE_WHY]);

#endif
