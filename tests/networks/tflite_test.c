// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * MLPerf Tiny's quantised networks against what TensorFlow Lite Micro is published to give: all
 * goldens.json of the shared models, bit for bit, by their programs on the checking executor; the
 * first of each network by the interpreter, too.
 */
#include "compiler/eval.h"
#include "tests/shared_network.h"
#include "tests/tap.h"

/* Whether the interpreter gives the same. */
static bool interpreter_agrees(struct shared_open *o, const struct tensor_data *in,
			       const struct tensor_data *out)
{
	struct tensor_data y = { 0 };
	bool same = !graph_eval(o->g, in, &y, &o->err) && y.size == out->size &&
		    !memcmp(y.bytes, out->bytes, y.size);

	tensor_data_free(&y);
	return same;
}

static void test(struct shared_open *o, const struct golden *golden, bool first)
{
	struct tensor_data in = { 0 }, out = { 0 };
	char why[RUN_WHY_BYTES] = "";
	bool good = o->g && golden_right(o, golden, &in, &out, why) &&
		    (!first || interpreter_agrees(o, &in, &out));

	if (!tap_ok(good, "%s on %s", golden->model, golden->input)) {
		printf("# %s%s", o->err.text, why);
		for (s64 i = 0; out.bytes && i < shape_elems(&out.shape) && i < 12; i++)
			printf(" %d", ((s8 *)out.bytes)[i]);
		printf("\n");
	}
	tensor_data_free(&in);
	tensor_data_free(&out);
}

int main(void)
{
	struct shared_open open = { 0 };
	char *text = goldens_read();
	const char *at = text;
	char model[SHARED_PATH] = "";
	struct golden golden;
	int n = 0;

	if (!text) {
		tap_skip("TensorFlow Lite Micro's results",
			 "there are no models: see RONDO_MODELS");
		return tap_done();
	}
	for (; (at = goldens_next(at, &golden)); n++) {
		bool first = strcmp(model, golden.model);

		if (first) {
			shared_close(&open);
			shared_open(&open, golden.model);
			memcpy(model, golden.model, sizeof(model));
		}
		test(&open, &golden, first);
	}
	tap_ok(n == 32, "%d results", n);
	shared_close(&open);
	free(text);
	return tap_done();
}
