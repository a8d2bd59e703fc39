// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Small networks as programs on the checking executor, against what is known of them
 * (shared_network.h). Arguments: names of networks, also of large ones; else some small ones.
 */
#include "tests/shared_network.h"
#include "tests/models.h"
#include "tests/tap.h"

static void test(const char *want, bool bf16)
{
	for (int i = 0; i < shared_network_count; i++) {
		const struct shared_network *n = &shared_networks[i];
		char name[64], why[RUN_WHY_BYTES] = "";
		struct shared_open open;
		bool good;

		shared_network_name(n, name, sizeof(name));
		if (strcmp(name, want))
			continue;
		good = bf16 ? shared_open_bf16(&open, n->path) : shared_open(&open, n->path);
		if (!tap_ok(good && shared_network_right(&open, n, why), "%s gives what is known%s",
			    name, bf16 ? ", about, in bf16" : ""))
			printf("# %s%s\n", open.err.text, why);
		shared_close(&open);
		return;
	}
	tap_ok(false, "%s is a network", want);
}

int main(int argc, char **argv)
{
	static const char *const small[] = { "mnist", "cct_1_16_16_128", "cct_2_32_32_128_opset20",
					     "ad01_float", "kws_float" };

	if (!models_present("onnx")) {
		tap_skip("published networks", "there are no models: see RONDO_MODELS");
		return tap_done();
	}
	for (int i = 1; i < argc; i++)
		test(argv[i], false);
	for (size_t i = 0; argc < 2 && i < sizeof(small) / sizeof(*small); i++)
		test(small[i], false);
	for (size_t i = 0; argc < 2 && i < 2; i++)
		test(small[i], true);
	return tap_done();
}
