/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * TAP for C tests: one header, no library.
 *
 * A test program calls tap_ok()/tap_skip() for each case and returns
 * tap_done() from main(). The plan is printed last, so that no count needs to
 * be kept by hand. A failing case never ends the program: later cases run.
 */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_count, tap_failures;

/* Reports one case; @fmt names it. Returns @pass. */
__attribute__((format(printf, 2, 3))) static inline bool tap_ok(bool pass, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %d ", pass ? "" : "not ", ++tap_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	tap_failures += !pass;
	return pass;
}

/* Reports that @a == @b as integers, and both values when they differ. */
#define tap_eq(a, b, name)                                                                     \
	do {                                                                                   \
		long long tap_a = (long long)(a), tap_b = (long long)(b);                      \
		if (!tap_ok(tap_a == tap_b, "%s", name))                                       \
			printf("# %s:%d: %s is %lld, expected %lld\n", __FILE__, __LINE__, #a, \
			       tap_a, tap_b);                                                  \
	} while (0)

/* Reports a skipped case; with CI=true in the environment a skip is a failure. */
static inline void tap_skip(const char *name, const char *why)
{
	const char *ci = getenv("CI");

	if (ci && !strcmp(ci, "true")) {
		tap_ok(false, "%s", name);
		printf("# may not be skipped in CI: %s\n", why);
		return;
	}
	printf("ok %d %s # SKIP %s\n", ++tap_count, name, why);
}

/* Prints the plan; the exit status for main(). */
static inline int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
