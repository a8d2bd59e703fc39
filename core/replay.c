// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "core/replay.h"

enum where {
	WHERE_NONE,
	WHERE_BUNDLE,
};

static const struct {
	u16 error;
	u16 where;
	const char *text;
} results[] = {
#define RESULT(name, number, error, where, text) [number] = { error, WHERE_##where, text },
#define HOST_RESULT RESULT
#include "spec/results.def"
};

static bool known(u32 result)
{
	return result < sizeof(results) / sizeof(results[0]) && results[result].text;
}

int rondo_result_error(u32 result)
{
	return known(result) ? -results[result].error : -EIO;
}

bool rondo_result_has_bundle(u32 result)
{
	return known(result) && results[result].where == WHERE_BUNDLE;
}

const char *rondo_result_text(u32 result)
{
	return known(result) ? results[result].text : "the device gives no reason that is known";
}

bool rondo_job_begun(u32 first, u32 head, bool running)
{
	return (s32)(head + running - first) > 0;
}

enum rondo_fate rondo_fate_at_reset(bool begun, bool disjoint, bool repeated)
{
	if (!begun)
		return RONDO_FATE_RUN;
	return disjoint && !repeated ? RONDO_FATE_REPEAT : RONDO_FATE_FAIL;
}
