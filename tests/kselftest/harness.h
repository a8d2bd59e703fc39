/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The kernel's test harness, with one limit of time for every test: of one that hangs. A guest
 * under a debug kernel on a busy host takes some tests minutes, of which 30 s are not enough.
 */
#ifndef TESTS_KSELFTEST_HARNESS_H
#define TESTS_KSELFTEST_HARNESS_H

#include "kselftest_harness.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 900

#endif
