// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* rondo info: what a file holds, and what a device is. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "compiler/bound.h"
#include "core/machine.h"
#include "tools/inputs.h"
#include "tools/options.h"
#include "tools/rondo.h"
#include "tools/source.h"

struct info_command {
	bool device;
	const char *name; /* of the device, or NULL */
	struct model_options model;
};

static int take(void *context, enum option_id id, char *argument)
{
	struct info_command *c = context;

	if (id != OPTION_SHOW_DEVICE)
		return model_options_take(&c->model, id, argument);
	c->device = true;
	c->name = argument;
	return STATUS_OK;
}

static const struct command command = {
	.name = "info",
	.usage = "info FILE [OPTION]...\n"
		 "       rondo info --device [DEVICE]",
	.about = "Prints the tensors, slots and regions of a .rnd file, a bare program or assembly "
		 "text; the\n"
		 "inputs, outputs, nodes by operator, weights and multiply-accumulates of an ONNX "
		 "or TensorFlow\n"
		 "Lite model; or the limits, machine and clocks of a device.\n",
	.take = take,
	.takes = { MODEL_OPTIONS, [OPTION_SHOW_DEVICE] = true },
};

static void print_machine(const struct rondo_machine *m)
{
	const char *name = rondo_machine_name(rondo_machine_find(rondo_machine_hash(m)));

	printf("machine              %s, hash 0x%016" PRIx64 "\n", name ? name : "unknown",
	       rondo_machine_hash(m));
	printf("  mesh               %u x %u tiles\n", m->mesh_w, m->mesh_h);
	printf("  lanes              %u\n", m->lanes);
	printf("  accumulator rows   %u\n", m->acc_rows);
	printf("  SRAM per tile      %u bytes\n", m->sram_bytes);
	printf("  DMA per channel    %u bytes a cycle, %u cycles to start, %u per row\n",
	       m->dma_bytes_per_cycle, m->dma_startup, m->dma_row_cycles);
	printf("  clock              %u kHz, nominal\n", m->clock_khz);
}

static int device_info(const char *name)
{
	const char *shown = name ? name : "/dev/accel";
	struct accel_device *device;
	struct rondo_machine machine;
	struct accel_clock clock;
	struct accel_info info;
	struct accel_error error;
	int ret = accel_device_open(name, &device, &error);

	if (ret)
		return fail(shown, "%s", error.text);
	ret = accel_device_info(device, &info, sizeof(info));
	if (!ret)
		ret = accel_device_machine(device, &machine, sizeof(machine));
	if (!ret)
		ret = accel_device_clock(device, &clock);
	accel_close(device);
	if (ret)
		return fail(shown, "%s", strerror(-ret));
	printf("backend              %s\n", info.backend);
	printf("firmware             %u.%u\n", info.firmware >> 16, info.firmware & 0xffff);
	printf("device time          %" PRIu64 " cycles at %" PRIu64 " ns of CLOCK_MONOTONIC\n",
	       clock.device_cycles, clock.monotonic_ns);
	printf("limits of a program  %" PRIu64 " cycles, %u bundles, %u slots, %u address entries, "
	       "%u descriptors\n",
	       info.cycles_max, info.bundles_max, info.slots_max, info.entries_max, info.descs_max);
	printf("limit of a buffer    %" PRIu64 " bytes\n", info.buffer_size_max);
	printf("limits of a job      %u replays, %u offsets each\n", info.replays_max,
	       info.offsets_max);
	print_machine(&machine);
	return STATUS_OK;
}

static void print_tensors(const struct accel_model *model, enum accel_kind kind)
{
	struct accel_tensor t;
	u32 i, d;

	for (i = 0; !accel_model_tensor(model, kind, i, &t); i++) {
		printf("%-7s ", kind == ACCEL_INPUT ? "input" : "output");
		print_text(t.name);
		printf(": %s[", dtype_name(tensor_dtype(&t)));
		for (d = 0; d < t.rank; d++)
			printf("%s%" PRIu64, d ? "," : "", t.dim[d]);
		printf("], slot %u, offset %" PRIu64, t.slot, t.offset);
		if (t.scale != 0)
			printf(", scale %.9g, zero point %d", t.scale, t.zero_point);
		printf("\n");
	}
}

static int file_info(const char *path, const struct model_options *options)
{
	struct accel_slot_info slot;
	struct accel_region region;
	struct source source;
	size_t size;
	int status;
	u32 i;

	status = source_load(path, options, &source);
	if (status)
		return status;
	accel_model_program(source.model, &size);
	printf("program %zu bytes\n", size);
	print_tensors(source.model, ACCEL_INPUT);
	print_tensors(source.model, ACCEL_OUTPUT);
	for (i = 0; !accel_model_slot(source.model, i, &slot); i++) {
		printf("slot    %u: %" PRIu64 " bytes, aligned to %" PRIu64 "%s", i, slot.size,
		       slot.align, slot.dynamic ? ", dynamic" : "");
		if (slot.alias)
			printf(", alias group %u", slot.alias);
		if (slot.data)
			printf(", %" PRIu64 " bytes of data", slot.data_size);
		printf("\n");
	}
	for (i = 0; !accel_model_region(source.model, i, &region); i++) {
		printf("region  ");
		print_text(region.name);
		printf(": bundles %u to %u\n", region.first, region.first + region.count - 1);
	}
	source_free(&source);
	return STATUS_OK;
}

/* What is different after names are known: constants of the graph, and their bytes. */
static void count_constants(const struct graph *g, u64 *count, u64 *bytes)
{
	*count = *bytes = 0;
	for (const struct value *v = g->values; v; v = v->next) {
		if (!value_is_const(v) || !v->uses)
			continue;
		++*count;
		*bytes += (u64)shape_elems(&v->shape) * dtype_size(v->dtype);
	}
}

static void print_values(const char *what, const struct value_list *list)
{
	char text[SHAPE_TEXT_MAX];

	for (size_t i = 0; i < list->n; i++) {
		printf("%-7s ", what);
		print_text(list->v[i]->name);
		printf(": %s%s\n", dtype_name(list->v[i]->dtype),
		       shape_text(&list->v[i]->shape, text));
	}
}

static int model_info(const char *path, const struct model_options *options)
{
	struct source_graph source;
	struct bounds b;
	u64 constants, bytes;
	int status = source_graph(path, options, &source);

	if (status)
		return status;
	print_values("input", &source.graph->inputs);
	print_values("output", &source.graph->outputs);
	for (int op = 0; op < OP_COUNT; op++)
		if (source.nodes[op])
			printf("nodes   %u %s\n", source.nodes[op], op_infos[op].name);
	count_constants(source.graph, &constants, &bytes);
	printf("weights %" PRIu64 " bytes in %" PRIu64 " tensors\n", bytes, constants);
	if (bounds_make(source.graph, &options->machine, &b))
		status = fail_with(&source.call.err);
	else
		printf("MACs    %.0f\n", b.macs);
	source_graph_free(&source);
	return status;
}

static int info(int argc, char **argv, struct info_command *c)
{
	int first, status;

	if (!options_read(&command, argc, argv, c, &first, &status))
		return status;
	if (c->device && !c->name && first == argc - 1)
		return device_info(argv[first]);
	if (c->device && first == argc)
		return device_info(c->name);
	if (c->device || first != argc - 1)
		return usage("expected one file, or --device");
	return source_is_model(argv[first]) ? model_info(argv[first], &c->model) :
					      file_info(argv[first], &c->model);
}

int cmd_info(int argc, char **argv)
{
	struct info_command c = {};
	int status;

	model_options_init(&c.model);
	status = info(argc, argv, &c);
	model_options_fini(&c.model);
	return status;
}
