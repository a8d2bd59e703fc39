// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the element runs: models that open and run, and a named reason for those that do not. */
#include "plugins/gstreamer/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/tap.h"

static char dir[] = "/tmp/rondo-model-XXXXXX";

/* The path of file @name in a directory of the test's own. */
static const char *in_dir(const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", dir, name);
	return path;
}

static void make_onnx(const char *name, const char *graph)
{
	char command[512], path[128];

	snprintf(command, sizeof(command), "python3 -IS tests/cli/files.py onnx %s '%s'",
		 in_dir(name, path), graph);
	tap_ok(!system(command), "%s", name);
}

/* Opening with @o fails, and the reason has @reason in it. */
static void refused(const char *what, const struct model_options *o, const char *reason)
{
	struct model m;
	int ret = model_open(&m, o);

	if (!tap_ok(ret && strstr(m.error, reason), "refused: %s", what))
		printf("# %s\n", m.error);
	if (!ret)
		model_close(&m);
}

static void refused_model(const char *name, const char *reason)
{
	char path[128];
	const struct model_options o = { .model = in_dir(name, path), .device = "emu" };

	refused(name, &o, reason);
}

static void test_errors(void)
{
	const char *digits = "demo/digits.onnx";
	char path[128];

	refused("no model", &(struct model_options){ .device = "emu" }, "no model is given");
	refused("no such preset",
		&(struct model_options){ .model = digits, .preprocess = "best", .device = "emu" },
		"best: there is no such preset");
	refused("no such machine", &(struct model_options){ .model = digits, .device = "emu:none" },
		"emu:none: there is no machine");
	refused("no such labels",
		&(struct model_options){
			.model = digits, .labels = in_dir("none", path), .device = "emu" },
		"/none: No such file");
	refused("labels that are no text",
		&(struct model_options){ .model = digits, .labels = digits, .device = "emu" },
		"digits.onnx: it is not text");
	refused("no file of text", &(struct model_options){ .model = "README.md", .device = "emu" },
		"and no model");
	refused_model("none.onnx", "none.onnx: No such file");
	make_onnx("row.onnx", "in x f32 1 10; out y f32 1 10; Relu x -> y");
	refused_model("row.onnx", "row.onnx: input \"x\": an image cannot be f32[1,10]");
	make_onnx("two.onnx",
		  "in x f32 1 3 8 8; in z f32 1 3 8 8; out y f32 1 3 8 8; Add x z -> y");
	refused_model("two.onnx", "two.onnx: it has 2 inputs");
	make_onnx("unknown.onnx", "in x f32 1 3 8 8; out y f32 1 3 8 8; Nonsense x -> y");
	refused_model("unknown.onnx", "Nonsense");
}

static void test_run(void)
{
	u8 pixels[2 * 4 * 3] = { 0, 255 };
	const struct model_options o = { .model = "demo/digits.onnx",
					 .device = "emu",
					 .preprocess = "unit",
					 .labels = "VERSION" };
	struct ranked_class best[20];
	float scores[10];
	char text[128], buf[16];
	struct model m;

	if (!tap_ok(!model_open(&m, &o), "the digit model opens"))
		return;
	tap_eq(m.classes, 10, "it has scores");
	tap_eq(m.output_bytes, sizeof(scores), "and nothing else");
	tap_ok(!model_run(&m, pixels, 4, 2), "a small image");
	model_outputs(&m, scores);
	tap_eq(model_classes(&m, best, 20), 10, "all classes");
	tap_ok(best[0].probability >= best[9].probability && best[9].probability >= 0,
	       "best first");
	for (u32 i = 0; i < 10; i++)
		if (scores[i] > scores[best[0].index])
			tap_ok(false, "class %u is better", i);
	model_describe(&m, text, sizeof(text));
	tap_ok(strstr(text, " f32[1,10]"), "the output's name and shape: %s", text);
	model_describe(&m, text, 8);
	tap_ok(strlen(text) == 7, "cut");
	tap_ok(!strcmp(model_label(&m, 9, buf), "9") && strcmp(model_label(&m, 0, buf), "0"),
	       "a label, and a number where there is none");
	model_close(&m);
}

int main(void)
{
	char command[64];

	if (!mkdtemp(dir))
		return 1;
	test_errors();
	test_run();
	snprintf(command, sizeof(command), "rm -r %s", dir);
	if (system(command))
		return 1;
	return tap_done();
}
