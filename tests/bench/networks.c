// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * layer_ratio_NETWORK: cycles of a replay over the layer bound; moved_ratio_NETWORK: bytes between
 * memory and SRAM over the compulsory ones (docs/explanation/bounds.md), of the published networks
 * that compile; layer_ratio_geomean of them all. Exact; nothing runs. Others are named.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/backend.h"
#include "compiler/bound.h"
#include "core/energy.h"
#include "core/machine.h"
#include "core/program.h"
#include "tests/bench/paired.h"
#include "tests/models.h"

static const char *const networks[] = {
	"onnx/mnist/model.onnx",
	"onnx/mnist_pytorch/model.onnx",
	"onnx/mobilenet_v2_quant/model.onnx",
	"onnx/shufflenet_v2_int8/model.onnx",
	"onnx/super_resolution/model.onnx",
	"onnx/ultraface_rfb320/model.onnx",
	"onnx/cct_1_16_16_128/model.onnx",
	"onnx/cct_2_32_32_128_opset20/model.onnx",
	"onnx/light_resnet50/model.onnx",
	"onnx/light_squeezenet/model.onnx",
	"onnx/light_shufflenet/model.onnx",
	"tflite/ad01_float/model.tflite",
	"tflite/ad01_int8/model.tflite",
	"tflite/kws_float/model.tflite",
	"tflite/kws_int8/model.tflite",
	"tflite/resnet8_float/model.tflite",
	"tflite/resnet8_int8/model.tflite",
	"tflite/vww_float/model.tflite",
	"tflite/vww_int8/model.tflite",
};

/* Bytes that the program in @c moves between memory and SRAM. */
static double moved_by(const struct compiled *c, const struct rondo_machine *machine)
{
	const struct rondo_file_header *header = (const void *)c->file;
	const struct rondo_section *s = (const void *)(header + 1);
	struct rondo_activity activity = { 0 };
	struct rondo_program program;

	for (u32 i = 0; i < header->sections; i++)
		if (s[i].type == RONDO_SECTION_PROGRAM &&
		    rondo_program_open(&program, c->file + s[i].offset, s[i].size) == 0)
			rondo_count_activity(machine, &program, 0, &activity);
	return (double)activity.dma_in + (double)activity.dma_out;
}

/* The figures of the network at @path; false, and why not in @err. */
static bool network(const char *path, const char *name, double *ratio, struct compile_error *err)
{
	struct rondo_machine edge;
	struct compiled c = { 0 };
	struct graph *g = NULL;
	char figure[128];
	struct bounds b;
	void *model = NULL;
	size_t size = 0;
	bool good;

	rondo_machine_init(&edge, RONDO_MACHINE_edge);
	good = !compile_read_file(path, &model, &size, err) &&
	       !compile_graph(model, size, path, NULL, &g, err) && !bounds_make(g, &edge, &b) &&
	       !backend_compile(g, &edge, NULL, &c);
	if (good) {
		*ratio = (double)c.cycles / b.layer_bound;
		snprintf(figure, sizeof(figure), "layer_ratio_%s", name);
		bench_figure(figure, *ratio, "ratio");
		snprintf(figure, sizeof(figure), "moved_ratio_%s", name);
		bench_figure(figure, moved_by(&c, &edge) / (double)bounds_bytes(&b), "ratio");
	}
	compiled_free(&c);
	graph_free(g);
	free(model);
	return good;
}

int main(void)
{
	double logs = 0;
	int n = 0;

	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
		const char *begin = strchr(networks[i], '/') + 1;
		struct compile_error err = { 0 };
		char path[512], name[64];
		double ratio;

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(begin, "/"), begin);
		if (network(models_path(path, sizeof(path), networks[i]), name, &ratio, &err)) {
			logs += log(ratio);
			n++;
		} else {
			printf("# left out: %s\n", err.text);
		}
		fflush(stdout);
	}
	if (n)
		bench_figure("layer_ratio_geomean", exp(logs / n), "ratio");
	return EXIT_SUCCESS;
}
