/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * From FAST_TARGET("features") to FAST_TARGET_END functions are compiled for these features of the
 * host, in the words of each compiler. Headers of the system come before.
 */
#ifndef RONDO_EMULATOR_FAST_TARGET_H
#define RONDO_EMULATOR_FAST_TARGET_H

#define FAST_PRAGMA(text) _Pragma(#text)

#ifdef __clang__
#define FAST_TARGET(features) \
	FAST_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define FAST_TARGET_END FAST_PRAGMA(clang attribute pop)
#else
#define FAST_TARGET(features) FAST_PRAGMA(GCC push_options) FAST_PRAGMA(GCC target(features))
#define FAST_TARGET_END FAST_PRAGMA(GCC pop_options)
#endif

#endif
