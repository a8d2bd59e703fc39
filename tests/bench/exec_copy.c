// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The fast executor's run once more, for a benchmark of its clock: compiled as it is, and with
 * FAST_UNTIMED as it would be if it counted no cycles. Two copies of one file with the same
 * alignment, so that what is compared is not where the linker put their loops.
 */
#ifdef FAST_UNTIMED
#define COPY(name) name##_untimed
#else
#define COPY(name) name##_timed
#endif
#define fast_suits COPY(fast_suits)
#define fast_create COPY(fast_create)
#define fast_destroy COPY(fast_destroy)
#define fast_run COPY(fast_run)
#include "emulator/exec/fast/fast.c"
