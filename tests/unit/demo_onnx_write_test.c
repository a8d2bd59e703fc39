// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The ONNX builder: every piece that is put in is found again after packing and unpacking. */
#include "demo/onnx_write.h"
#include "compiler/onnx_tensor.h"
#include "tests/tap.h"

#include <errno.h>

static struct onnx_writer *build(void)
{
	static const struct shape input = { 2, { 3, 4 } }, bias = { 1, { 2 } }, scalar = { 0 };
	static const float values[] = { 1.5f, -2 };
	static const int64_t one = 1, pads[] = { 1, 2, 3 };
	struct onnx_writer *w = onnx_writer_create("graph", "a model of nonsense", 13);

	onnx_write_int(w, "early", 1); /* no node yet: no attribute */
	onnx_write_input(w, "x", DTYPE_U8, &input);
	onnx_write_output(w, "y", DTYPE_F32, &scalar);
	onnx_write_initializer(w, "b", DTYPE_F32, &bias, values);
	onnx_write_initializer(w, "one", DTYPE_S64, &scalar, &one);
	onnx_write_node(w, "Odd", "odd1", "x  b", "y z");
	onnx_write_int(w, "axis", -1);
	onnx_write_ints(w, "pads", 3, pads);
	onnx_write_float(w, "alpha", 0.25f);
	onnx_write_string(w, "mode", "nearest");
	onnx_write_node(w, "Constant", "", "", "c");
	return w;
}

static void test_values(const Onnx__GraphProto *g)
{
	const Onnx__TypeProto__Tensor *x = g->input[0]->type->tensor_type;
	const Onnx__TypeProto__Tensor *y = g->output[0]->type->tensor_type;
	struct compile_error err = { 0 };
	struct tensor_data t = { 0 };

	tap_ok(!strcmp(g->input[0]->name, "x") && x->elem_type == 2 && x->shape->n_dim == 2 &&
		       x->shape->dim[1]->dim_value == 4,
	       "an input with name, type and shape");
	tap_ok(!strcmp(g->output[0]->name, "y") && y->elem_type == 1 && y->shape->n_dim == 0,
	       "an output that is a scalar");
	tap_eq(g->n_initializer, 2, "two initializers");
	tap_ok(!onnx_tensor_decode(g->initializer[0], &t, &err) && t.dtype == DTYPE_F32 &&
		       t.shape.rank == 1 && ((float *)t.bytes)[1] == -2,
	       "a vector");
	tensor_data_free(&t);
	tap_ok(!onnx_tensor_decode(g->initializer[1], &t, &err) && t.dtype == DTYPE_S64 &&
		       t.shape.rank == 0 && *(int64_t *)t.bytes == 1,
	       "a scalar");
	tensor_data_free(&t);
}

static void test_node(const Onnx__NodeProto *n)
{
	Onnx__AttributeProto **a = n->attribute;

	tap_ok(!strcmp(n->op_type, "Odd") && !strcmp(n->name, "odd1"), "operator and name");
	tap_ok(n->n_input == 3 && !strcmp(n->input[0], "x") && !*n->input[1] &&
		       !strcmp(n->input[2], "b"),
	       "three inputs, the middle one absent");
	tap_ok(n->n_output == 2 && !strcmp(n->output[1], "z"), "two outputs");
	if (!tap_ok(n->n_attribute == 4, "four attributes"))
		return;
	tap_ok(a[0]->type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT && a[0]->i == -1, "int");
	tap_ok(a[1]->type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS && a[1]->n_ints == 3 &&
		       a[1]->ints[2] == 3,
	       "ints");
	tap_ok(a[2]->type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT && a[2]->f == 0.25f,
	       "float");
	tap_ok(a[3]->type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING && a[3]->s.len == 7 &&
		       !memcmp(a[3]->s.data, "nearest", 7),
	       "string");
}

int main(void)
{
	struct onnx_writer *w = build();
	struct compile_error err = { 0 };
	size_t size = 0;
	void *bytes = onnx_writer_pack(w, &size);
	Onnx__ModelProto *m = bytes ? onnx__model_proto__unpack(NULL, size, bytes) : NULL;

	if (tap_ok(m && m->graph && m->graph->n_node == 2, "a model of two nodes")) {
		tap_ok(!strcmp(m->producer_name, "rondo") && !strcmp(m->graph->name, "graph") &&
			       m->n_opset_import == 1 && m->opset_import[0]->version == 13,
		       "its frame");
		test_values(m->graph);
		test_node(m->graph->node[0]);
		tap_ok(!m->graph->node[1]->n_input && m->graph->node[1]->n_output == 1,
		       "a node without inputs");
	}
	tap_eq(onnx_writer_save(w, "/no/such/directory/m.onnx", &err), -ENOENT,
	       "a file that cannot be made");
	tap_ok(strstr(err.text, "/no/such/directory/m.onnx"), "is named");
	onnx__model_proto__free_unpacked(m, NULL);
	free(bytes);
	onnx_writer_destroy(w);
	onnx_writer_destroy(NULL);
	return tap_done();
}
