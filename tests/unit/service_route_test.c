// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/route.h"
#include "tests/tap.h"

static void good(const char *method, const char *path, enum endpoint endpoint, const char *model,
		 u32 version)
{
	struct refusal why = { 0 };
	struct route r;
	int rc = route_parse(method, path, &r, &why);

	if (!tap_ok(!rc && r.endpoint == endpoint && !strcmp(r.model, model) &&
			    r.version == version,
		    "%s %s", method, path))
		printf("# %d %s\n", why.status, why.text);
}

static void bad(const char *method, const char *path, unsigned int status)
{
	struct refusal why = { 0 };
	struct route r;
	int rc = route_parse(method, path, &r, &why);

	tap_ok(rc && why.status == status && why.text[0], "%s %.60s: %u", method, path, status);
}

static void test_good(void)
{
	good("GET", "/v2", SERVER_METADATA, "", 0);
	good("GET", "/v2/", SERVER_METADATA, "", 0);
	good("HEAD", "/v2/health/live", SERVER_LIVE, "", 0);
	good("GET", "/v2/health/ready", SERVER_READY, "", 0);
	good("GET", "/v2/models/a", MODEL_METADATA, "a", 0);
	good("GET", "/v2/models/stats", ALL_STATISTICS, "", 0);
	good("GET", "/v2/models/a.b-c_9/ready", MODEL_READY, "a.b-c_9", 0);
	good("POST", "/v2/models/a/infer", MODEL_INFER, "a", 0);
	good("POST", "/v2/models/a/versions/4294967295/infer", MODEL_INFER, "a", 4294967295u);
	good("GET", "/v2/models/a/versions/3", MODEL_METADATA, "a", 3);
	good("GET", "/v2/models/versions/versions/3/stats", MODEL_STATISTICS, "versions", 3);
	good("POST", "/v2/repository/index", REPOSITORY_INDEX, "", 0);
	good("POST", "/v2/repository/models/a/load", REPOSITORY_LOAD, "a", 0);
	good("POST", "/v2/repository/models/a/unload", REPOSITORY_UNLOAD, "a", 0);
	good("GET", "/metrics", METRICS, "", 0);
}

static void test_bad(void)
{
	char longest[400] = "/v2/models/";

	memset(longest + 11, 'a', MODEL_NAME_MAX);
	good("GET", longest, MODEL_METADATA, longest + 11, 0);
	longest[11 + MODEL_NAME_MAX] = 'a';
	bad("GET", longest, 404);
	bad("GET", "", 404);
	bad("GET", "*", 404);
	bad("GET", "/", 404);
	bad("GET", "v2", 404);
	bad("GET", "/v2/models", 404);
	bad("GET", "/v2/models/", 404);
	bad("GET", "/v2/models//ready", 404);
	bad("GET", "/v2/models/../ready", 404);
	bad("GET", "/v2/models/.a", 404);
	bad("GET", "/v2/models/a b", 404);
	bad("GET", "/v2/models/\xc3\xa4", 404);
	bad("GET", "/v2/models/a/versions/0", 404);
	bad("GET", "/v2/models/a/versions/01", 404);
	bad("GET", "/v2/models/a/versions/4294967296", 404);
	bad("GET", "/v2/models/a/versions/-1", 404);
	bad("GET", "/v2/models/a/versions/1/2", 404);
	bad("GET", "/v2/models/a/ready/now", 404);
	bad("GET", "/v2/models/a/infer", 405);
	bad("POST", "/v2/models/a", 405);
	bad("PUT", "/metrics", 405);
}

int main(void)
{
	test_good();
	test_bad();
	return tap_done();
}
