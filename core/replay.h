/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * How replays end, and what becomes of them when the device is reset: the same for the kernel
 * driver and for the device in a process.
 */
#ifndef RONDO_CORE_REPLAY_H
#define RONDO_CORE_REPLAY_H

#include "spec/fw_abi.h"

/* Endings that only the host knows; numbered on from enum rondo_fw_result. */
enum rondo_host_result {
#define RESULT(name, number, error, where, text)
#define HOST_RESULT(name, number, error, where, text) RONDO_HOST_##name = (number),
#include "spec/results.def"
};

/* What a result (enum rondo_fw_result or rondo_host_result) means; an unknown one is -EIO. */
int rondo_result_error(u32 result); /* 0 or a negative errno */
bool rondo_result_has_bundle(u32 result); /* whether the bundle at fault is known */
const char *rondo_result_text(u32 result); /* completes "the replay failed: " */

/*
 * Jobs of a queue have their replays in consecutive elements of its ring. Whether the one whose
 * first is element @first may have begun, by the firmware's word: the ring's head, and whether
 * the replay at its head runs. Indices are free-running.
 */
bool rondo_job_begun(u32 first, u32 head, bool running);

/* What becomes of a job in flight when the device is reset. */
enum rondo_fate {
	RONDO_FATE_RUN, /* it had not begun */
	RONDO_FATE_REPEAT, /* it may be done again */
	RONDO_FATE_FAIL, /* it ends with RONDO_HOST_RESET, as does all before it in its queue */
};

/*
 * @disjoint: all its replays are of one binding, which reads nothing that it writes. @repeated:
 * this has been its fate before: it is not repeated for ever, for it may be what kills the device.
 */
enum rondo_fate rondo_fate_at_reset(bool begun, bool disjoint, bool repeated);

#endif
