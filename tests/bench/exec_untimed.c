// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The fast executor's run once more, as it would be if it counted no cycles.
 */
#define FAST_UNTIMED
#define fast_create fast_create_untimed
#define fast_destroy fast_destroy_untimed
#define fast_clean fast_clean_untimed
#define fast_run fast_run_untimed
#define fast_variant fast_variant_untimed
#define fast_variant_name fast_variant_name_untimed
#include "emulator/fast.c"
