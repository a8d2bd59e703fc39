// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/rondo_compile.h"
#include "plugins/onnxruntime/provider.h"
#include "tools/json.h"
#include "tools/output.h"

/* ---- Plans --------------------------------------------------------------------------------- */

static u64 hash_of(const void *bytes, size_t size)
{
	const u8 *at = bytes;
	u64 hash = 14695981039346656037ull; /* FNV-1a */

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ at[i]) * 1099511628211ull;
	return hash;
}

static const struct plan *find_plan(const struct provider *p, u64 hash, size_t size)
{
	for (const struct plan *plan = p->plans; plan; plan = plan->next)
		if (plan->hash == hash && plan->model_size == size)
			return plan;
	return NULL;
}

static bool is_called(const struct network *n, const struct network_node *node, const char *name)
{
	enum { NAME_MAX_KEPT = sizeof(((struct rondo_compile_error *)0)->node) - 1 };

	if (!strncmp(node->name, name, NAME_MAX_KEPT))
		return true;
	for (u32 k = 0; k < node->output_count; k++)
		if (node->outputs[k] != NETWORK_NONE &&
		    !strncmp(n->values[node->outputs[k]].name, name, NAME_MAX_KEPT))
			return true;
	return false;
}

/* The node of set @part that the compiler means; NETWORK_NONE: none that is known. */
static u32 find_node(const struct network *n, u32 part, const struct rondo_compile_error *err)
{
	for (u32 i = 0; *err->node && i < n->node_count; i++)
		if (n->nodes[i].part == part && is_called(n, &n->nodes[i], err->node))
			return i;
	return NETWORK_NONE;
}

static int compile(struct provider *p, const struct network *n, u32 part, const void *model,
		   size_t size, struct plan **plan, u32 *node, char reason[PROVIDER_REASON_MAX])
{
	const struct rondo_compile_options options = {
		.size = sizeof(options),
		.name = PROVIDER_NAME,
		.machine = p->machine,
	};
	struct rondo_compile_error err;
	struct rondo_compiled compiled;
	int rc = rondo_compile(model, size, &options, &compiled, &err);

	if (rc) {
		snprintf(reason, PROVIDER_REASON_MAX, "%s", err.reason);
		*node = find_node(n, part, &err);
		return rc;
	}
	*plan = calloc(1, sizeof(**plan));
	if (!*plan) {
		rondo_compiled_free(&compiled);
		snprintf(reason, PROVIDER_REASON_MAX, "no memory");
		return -ENOMEM;
	}
	**plan =
		(struct plan){ hash_of(model, size), size, compiled.file, compiled.size, p->plans };
	p->plans = *plan;
	return 0;
}

int provider_plan(struct provider *p, struct network *n, u32 part, const struct plan **plan,
		  u32 *node, char reason[PROVIDER_REASON_MAX])
{
	struct plan *made;
	size_t size;
	void *model;
	int rc = network_write(n, part, &model, &size, node);

	if (rc)
		snprintf(reason, PROVIDER_REASON_MAX, "%s", n->error);
	if (rc != -ENOTSUP)
		*node = NETWORK_NONE;
	if (rc)
		return rc;
	*plan = find_plan(p, hash_of(model, size), size);
	if (!*plan) {
		rc = compile(p, n, part, model, size, &made, node, reason);
		if (!rc)
			*plan = made;
	}
	free(model);
	return rc;
}

/* ---- Sets of nodes ------------------------------------------------------------------------- */

bool provider_is_context(struct network *n, const struct network_node *node)
{
	bool is = false;
	size_t size;
	void *source;

	if (strcmp(node->type, CONTEXT_TYPE) != 0 ||
	    network_string(n, node->node, "source", &source, &size))
		return false;
	is = size == strlen(PROVIDER_NAME) && !memcmp(source, PROVIDER_NAME, size);
	free(source);
	return is;
}

/*
 * Puts nodes that nobody has refused into sets, so that no path leads from a set out and back in: a
 * set is of the nodes before which as many refused ones stand in a row of any path. Returns how
 * many sets there may be; some are empty.
 */
static u32 make_parts(struct network *n, const bool *fixed, u32 *level)
{
	u32 parts = 0;

	for (u32 i = 0; i < n->node_count; i++) {
		struct network_node *node = &n->nodes[i];
		bool out = node->reason || fixed[i];

		level[i] = 0;
		for (u32 k = 0; k < node->input_count; k++) {
			u32 value = node->inputs[k];
			u32 from = value == NETWORK_NONE ? NETWORK_NONE : n->values[value].producer;
			bool enters;

			if (from == NETWORK_NONE)
				continue;
			enters = !out && (n->nodes[from].reason || fixed[from]);
			if (level[from] + enters > level[i])
				level[i] = level[from] + enters;
		}
		node->part = out ? NETWORK_NONE : level[i];
		if (level[i] >= parts)
			parts = level[i] + 1;
	}
	return parts;
}

static bool is_empty(const struct network *n, u32 part)
{
	for (u32 i = 0; i < n->node_count; i++)
		if (n->nodes[i].part == part)
			return false;
	return true;
}

static int refuse(struct network *n, u32 part, u32 node, const char *reason)
{
	for (u32 i = 0; i < n->node_count; i++) {
		if (n->nodes[i].part != part || (node != NETWORK_NONE && node != i))
			continue;
		n->nodes[i].reason = strdup(reason);
		if (!n->nodes[i].reason)
			return -ENOMEM;
	}
	return 0;
}

/*
 * Asks the compiler for one set after the other; where it refuses a node, that is left out, and the
 * sets are made anew.
 */
static int ask(struct provider *p, struct network *n, const bool *fixed, u32 *level)
{
	u32 parts = make_parts(n, fixed, level), part = 0, node;
	const struct plan *plan;
	char reason[PROVIDER_REASON_MAX];
	int rc;

	while (part < parts) {
		if (is_empty(n, part) || !provider_plan(p, n, part, &plan, &node, reason)) {
			part++;
			continue;
		}
		rc = refuse(n, part, node, reason);
		if (rc)
			return rc;
		parts = make_parts(n, fixed, level);
		part = 0;
	}
	return 0;
}

/* ---- What the runtime is told -------------------------------------------------------------- */

static void *fuse(const struct provider *p, const struct network *n, u32 part, void *support)
{
	const struct ort_table *api = ORT(p->api, GetEpApi)();
	const struct ort_fusion options = { ORT_VERSION, true };
	const void **nodes = calloc(n->node_count, sizeof(*nodes));
	u32 count = 0;
	void *status;

	if (!nodes)
		return provider_fail(p, ORT_FAIL, "no memory");
	for (u32 i = 0; i < n->node_count; i++)
		if (n->nodes[i].part == part)
			nodes[count++] = n->nodes[i].node;
	status = count ? ((ort_fuse)api->at[ORT_EP_FUSE])(support, nodes, count, &options) : NULL;
	free(nodes);
	return status;
}

static const char *title(const struct network *n, const struct network_node *node)
{
	if (*node->name || !node->output_count || node->outputs[0] == NETWORK_NONE)
		return node->name;
	return n->values[node->outputs[0]].name;
}

/* A node that is not taken is never passed over in silence. */
static u32 log_reasons(const struct provider *p, const struct network *n)
{
	char text[PROVIDER_REASON_MAX + 256];
	u32 count = 0;
	void *status;

	for (u32 i = 0; i < n->node_count; i++) {
		if (!n->nodes[i].reason)
			continue;
		count++;
		snprintf(text, sizeof(text), "rondo does not take node \"%.100s\" (%.60s): %s",
			 title(n, &n->nodes[i]), n->nodes[i].type, n->nodes[i].reason);
		status = ORT(p->api, Logger_LogMessage)(p->logger, ORT_WARNING, text, __FILE__,
							__LINE__, __func__);
		if (status)
			ORT(p->api, ReleaseStatus)(status);
	}
	return count;
}

/* The same as JSON, for programs: a line for each node. */
static void *write_report(const struct provider *p, const struct network *n)
{
	struct compile_error err = {};
	struct output_part part;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int failed;

	if (!out)
		return provider_fail(p, ORT_FAIL, "no memory");
	for (u32 i = 0; i < n->node_count; i++) {
		fprintf(out, "{\"node\": ");
		json_string(out, title(n, &n->nodes[i]));
		fprintf(out, ", \"operator\": ");
		json_string(out, n->nodes[i].type);
		fprintf(out, ", \"taken\": %s",
			n->nodes[i].reason ? "false, \"reason\": " : "true");
		if (n->nodes[i].reason)
			json_string(out, n->nodes[i].reason);
		fprintf(out, "}\n");
	}
	failed = ferror(out);
	failed |= fclose(out);
	part = (struct output_part){ text, size };
	if (failed)
		compile_fail(&err, -ENOMEM, "no memory");
	else
		output_write(p->report, &part, 1, &err);
	free(text);
	return err.code ? provider_fail(p, ORT_FAIL, "the report of nodes: %s", err.text) : NULL;
}

/*
 * The runtime goes on with other providers where it cannot learn what this one takes; what a
 * provider has taken it cannot give to others. So all nodes are taken, and compiling them tells
 * @status.
 */
static void *take_to_fail(struct provider *p, struct network *n, void *status, void *support)
{
	p->failure = status;
	for (u32 i = 0; i < n->node_count; i++)
		n->nodes[i].part = 0;
	return fuse(p, n, 0, support);
}

static void *tell(struct provider *p, struct network *n, u32 parts, void *support)
{
	u32 refused = log_reasons(p, n);
	void *status = p->report ? write_report(p, n) : NULL;

	for (u32 i = 0; p->require_all && refused && !status; i++)
		if (n->nodes[i].reason)
			status = provider_fail(
				p, ORT_NOT_IMPLEMENTED,
				"%u of %u nodes are not taken; the first is \"%.100s\" (%.60s): %s",
				refused, n->node_count, title(n, &n->nodes[i]), n->nodes[i].type,
				n->nodes[i].reason);
	if (status)
		return take_to_fail(p, n, status, support);
	for (u32 part = 0; part < parts && !status; part++)
		status = fuse(p, n, part, support);
	return status;
}

/* Nodes that hold a .rnd file are sets of their own, behind @parts others. Returns how many sets
 * there are. */
static u32 add_contexts(struct network *n, const bool *fixed, u32 parts)
{
	for (u32 i = 0; i < n->node_count; i++)
		if (fixed[i])
			n->nodes[i].part = parts++;
	return parts;
}

static void *claim(struct provider *p, struct network *n, void *support)
{
	bool *fixed = calloc(n->node_count + 1, sizeof(*fixed));
	u32 *level = calloc(n->node_count + 1, sizeof(*level)), parts;
	void *status = NULL;

	for (u32 i = 0; fixed && i < n->node_count; i++)
		fixed[i] = provider_is_context(n, &n->nodes[i]);
	if (!fixed || !level || ask(p, n, fixed, level)) {
		status = take_to_fail(p, n, provider_fail(p, ORT_FAIL, "no memory"), support);
	} else {
		parts = make_parts(n, fixed, level);
		status = tell(p, n, add_contexts(n, fixed, parts), support);
	}
	free(fixed);
	free(level);
	return status;
}

void *provider_capability(struct ort_provider *self, const void *graph, void *support)
{
	struct provider *p = (struct provider *)self;
	const void *parent = NULL;
	struct network n;
	void *status = ORT(p->api, Graph_GetParentNode)(graph, &parent);

	/* A graph inside of a node: that is refused as a whole where it stands. */
	if (status || parent)
		return status;
	if (network_read(&n, p->api, graph))
		return provider_fail(p, ORT_FAIL, "a graph cannot be read: %s", n.error);
	if (n.node_count)
		status = claim(p, &n, support);
	network_free(&n);
	return status;
}
