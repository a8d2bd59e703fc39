// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/machine.h"
#include "core/program.h"
#include "core/verify.h"
#include "spec/limits.h"
#include "tools/json.h"
#include "tools/region_time.h"
#include "tools/rondo.h"
#include "tools/source.h"

/* What chrome://tracing can still show; a file of about 200 MB. */
enum { EVENTS_MAX = 1000000 };

/* Threads of Chrome's format; TRACK_DMA is channel 0. */
enum track { TRACK_QUEUE = 1, TRACK_LAYERS, TRACK_DMA };

enum event_kind { EVENT_CLEAR, EVENT_LAYER, EVENT_WAIT, EVENT_FULL, EVENT_TRANSFER };

/* Something in a replay; times are cycles since its begin. */
struct event {
	u64 begin, end;
	u32 region; /* UINT32_MAX: clearing, which is in none */
	u8 kind, channel;
	const struct rondo_desc *desc; /* of a transfer */
};

struct replay {
	const char *sample;
	u64 queued, begin, ended; /* device time */
};

struct trace {
	const char *path; /* of the model */
	const struct accel_model *model;
	struct rondo_machine machine;
	struct rondo_program program;
	u32 clock_khz;
	u64 clearing, cycles;
	struct event *events;
	u32 event_count, event_room;
	u32 event_limit;
	struct replay *replays;
	u64 replay_count, replay_room;
};

/* ---- What a replay does -------------------------------------------------------------------- */

static int add_event(struct trace *t, const struct event *event)
{
	if (t->event_count >= t->event_limit)
		return -E2BIG;
	if (t->event_count == t->event_room) {
		u32 room = t->event_room ? 2 * t->event_room : 256;
		struct event *grown = realloc(t->events, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		t->events = grown;
		t->event_room = room;
	}
	t->events[t->event_count++] = *event;
	return 0;
}

/*
 * A layer is one event from its first bundle or stall to its last, until another one comes between:
 * the event at *@layer, which grows.
 */
struct walk {
	struct trace *trace;
	u32 layer; /* index of its event; UINT32_MAX: none yet */
};

static int in_layer(struct walk *w, u32 region, u64 begin, u64 end)
{
	struct trace *t = w->trace;

	if (w->layer == UINT32_MAX || t->events[w->layer].region != region) {
		w->layer = t->event_count;
		return add_event(t, &(struct event){ begin, end, region, EVENT_LAYER, 0, NULL });
	}
	t->events[w->layer].end = end;
	return 0;
}

static int add_bundles(void *context, u32 region, u64 begin, u64 count)
{
	struct walk *w = context;

	begin += w->trace->clearing;
	return in_layer(w, region, begin, begin + count);
}

static int add_stall(void *context, u32 region, u32 channel, bool full, u64 begin, u64 end)
{
	struct walk *w = context;
	struct event event = { .region = region, .channel = (u8)channel };
	int ret;

	event.kind = full ? EVENT_FULL : EVENT_WAIT;
	event.begin = begin + w->trace->clearing;
	event.end = end + w->trace->clearing;
	ret = in_layer(w, region, event.begin, event.end);
	return ret ? ret : add_event(w->trace, &event);
}

static int add_transfer(void *context, u32 region, u32 channel, const struct rondo_desc *desc,
			u64 begin, u64 end)
{
	struct walk *w = context;
	u64 clearing = w->trace->clearing;

	return add_event(w->trace, &(struct event){ begin + clearing, end + clearing, region,
						    EVENT_TRANSFER, (u8)channel, desc });
}

static int find_events(struct trace *t)
{
	u32 *region_of = malloc(t->program.header->bundles * sizeof(*region_of));
	struct walk w = { t, UINT32_MAX };
	const struct region_watch watch = {
		.context = &w,
		.in_order = true,
		.bundles = add_bundles,
		.stall = add_stall,
		.transfer = add_transfer,
	};
	int ret = region_of ? 0 : -ENOMEM;

	if (!ret && t->clearing)
		ret = add_event(
			t, &(struct event){ 0, t->clearing, UINT32_MAX, EVENT_CLEAR, 0, NULL });
	if (!ret) {
		source_regions(t->model, region_of, t->program.header->bundles);
		ret = region_walk(&t->machine, &t->program, region_of, &watch);
	}
	free(region_of);
	return ret;
}

/* Opens the program and finds what the verifier says of it. */
static int judge(struct trace *t)
{
	const struct rondo_verdict *verdict;
	char text[RONDO_VERDICT_TEXT_BYTES];
	struct rondo_verify *v;
	const void *bytes;
	size_t size;
	u32 id;

	bytes = accel_model_program(t->model, &size);
	rondo_program_open(&t->program, bytes, size); /* a model's program is one */
	id = rondo_machine_find(t->program.header->machine_hash);
	if (id >= RONDO_MACHINES)
		return fail(t->path, "it is made for a machine that is not known: no trace of it");
	v = malloc(RONDO_VERIFY_BYTES);
	if (!v)
		return fail(t->path, "no memory");
	rondo_machine_init(&t->machine, id);
	verdict = rondo_verify_run(v, &t->machine, bytes, size, RONDO_CYCLES_MAX, NULL, NULL);
	if (!verdict->code) {
		t->clearing = rondo_clear_cycles(&t->machine, rondo_verify_facts(v));
		t->cycles = rondo_verify_facts(v)->cycles;
	}
	rondo_verdict_text(verdict, text, sizeof(text));
	free(v);
	return t->cycles ? STATUS_OK : fail(t->path, "the program is refused: %s", text);
}

int trace_create(const char *path, const struct accel_model *model, u32 clock_khz, u64 replays,
		 struct trace **trace)
{
	struct trace *t = calloc(1, sizeof(*t));
	int status, ret = 0;

	if (!t)
		return fail(path, "no memory");
	*trace = t;
	t->path = path;
	t->model = model;
	t->clock_khz = clock_khz;
	t->event_limit = (u32)(EVENTS_MAX / replays);
	status = judge(t);
	if (!status)
		ret = find_events(t);
	if (ret == -E2BIG)
		return fail(path, "a trace of %" PRIu64 " replays would have more than %u events",
			    replays, EVENTS_MAX);
	return ret ? fail(path, "%s", strerror(-ret)) : status;
}

void trace_destroy(struct trace *t)
{
	if (!t)
		return;
	free(t->events);
	free(t->replays);
	free(t);
}

int trace_add_replay(struct trace *t, const char *sample, const struct accel_fence_times *times)
{
	struct replay *last = t->replay_count ? &t->replays[t->replay_count - 1] : NULL;
	struct replay r = { sample, times->queued, times->started, times->ended };

	if (t->replay_count == t->replay_room) {
		u64 room = t->replay_room ? 2 * t->replay_room : 16;
		struct replay *grown = realloc(t->replays, room * sizeof(*grown));

		if (!grown)
			return fail(t->path, "no memory");
		t->replays = grown;
		t->replay_room = room;
		last = t->replay_count ? &grown[t->replay_count - 1] : NULL;
	}
	/* What a driver or firmware of old does not tell: the device does nothing else meanwhile.
	 */
	if (!r.begin)
		r.begin = r.ended > t->cycles ? r.ended - t->cycles : last ? last->ended : 0;
	if (r.ended < r.begin + t->cycles)
		r.ended = r.begin + t->cycles;
	if (!r.queued || r.queued > r.begin)
		r.queued = r.begin;
	t->replays[t->replay_count++] = r;
	return STATUS_OK;
}

/* ---- Writing ------------------------------------------------------------------------------- */

/* The events of a file, and the time in it that cycle 0 of them has. */
struct writer {
	FILE *out;
	const struct trace *trace;
	u64 base;
};

/* Picoseconds: of equal cycles, equal ones, so that ends meet begins at any clock. */
static u64 picoseconds(const struct writer *w, u64 cycles)
{
	const u64 second = 1000000000; /* of kilohertz */
	u64 khz = w->trace->clock_khz;

	return cycles / khz * second + cycles % khz * second / khz;
}

/* In microseconds, which Chrome's format has. */
static void print_time(const struct writer *w, const char *key, u64 time)
{
	enum { MICROSECOND = 1000000 };

	fprintf(w->out, ", \"%s\": %" PRIu64 ".%06" PRIu64, key, time / MICROSECOND,
		time % MICROSECOND);
}

static const char *region_name(const struct trace *t, u32 region)
{
	struct accel_region r;

	return accel_model_region(t->model, region, &r) ? "(none)" : r.name;
}

/* Ends with the arguments open. */
static void begin_slice(const struct writer *w, const char *name, const char *category, u32 track,
			u64 begin, u64 end)
{
	u64 from = picoseconds(w, w->base + begin), to = picoseconds(w, w->base + end);

	fprintf(w->out, ",\n{\"name\": ");
	json_string(w->out, name);
	fprintf(w->out, ", \"cat\": \"%s\", \"ph\": \"X\", \"pid\": 1, \"tid\": %u", category,
		track);
	print_time(w, "ts", from);
	print_time(w, "dur", to - from);
	fprintf(w->out, ", \"args\": {\"cycle\": %" PRIu64 ", \"cycles\": %" PRIu64, begin,
		end - begin);
}

static void end_slice(const struct writer *w)
{
	fprintf(w->out, "}}");
}

/* What moves: the tensor of the slot, if there is one. */
static void transfer_name(const struct trace *t, const struct rondo_desc *desc, char *buf,
			  size_t size)
{
	bool in = desc->dir == RONDO_DMA_IN;
	struct accel_slot_info slot = {};
	struct accel_tensor tensor;
	const char *found = NULL;
	u32 i, kind;

	for (kind = ACCEL_INPUT; kind <= ACCEL_OUTPUT; kind++)
		for (i = 0; !accel_model_tensor(t->model, (enum accel_kind)kind, i, &tensor); i++)
			if (tensor.slot == desc->slot && !found)
				found = tensor.name;
	accel_model_slot(t->model, desc->slot, &slot);
	if (found)
		snprintf(buf, size, "%s %s", in ? "load" : "store", found);
	else
		snprintf(buf, size, "%s %s %u", in ? "load" : "store",
			 slot.data ? "weights, slot" : "slot", desc->slot);
}

static void write_transfer(const struct writer *w, const struct event *e)
{
	u64 bytes =
		(u64)e->desc->row_bytes * rondo_dma_blocks_x(e->desc) * rondo_dma_blocks_y(e->desc);
	char name[300];
	u32 d;

	for (d = 0; d < RONDO_DMA_DIMS; d++)
		bytes *= e->desc->count[d];
	transfer_name(w->trace, e->desc, name, sizeof(name));
	begin_slice(w, name, "dma", TRACK_DMA + e->channel, e->begin, e->end);
	fprintf(w->out, ", \"slot\": %u, \"bytes\": %" PRIu64 ", \"layer\": ", e->desc->slot,
		bytes);
	json_string(w->out, region_name(w->trace, e->region));
	end_slice(w);
}

static void write_event(const struct writer *w, const struct event *e)
{
	char name[40];

	switch (e->kind) {
	case EVENT_CLEAR:
		begin_slice(w, "(clearing)", "layer", TRACK_LAYERS, e->begin, e->end);
		end_slice(w);
		break;
	case EVENT_LAYER:
		begin_slice(w, region_name(w->trace, e->region), "layer", TRACK_LAYERS, e->begin,
			    e->end);
		end_slice(w);
		break;
	case EVENT_TRANSFER:
		write_transfer(w, e);
		break;
	default:
		snprintf(name, sizeof(name),
			 e->kind == EVENT_FULL ? "DMA %u is full" : "wait for DMA %u", e->channel);
		begin_slice(w, name, "stall", TRACK_LAYERS, e->begin, e->end);
		end_slice(w);
	}
}

static void write_replay(struct writer *w, const struct replay *r, u64 start)
{
	const struct trace *t = w->trace;
	u32 i;

	w->base = r->queued - start;
	begin_slice(w, "in the queue", "queue", TRACK_QUEUE, 0, r->ended - r->queued);
	end_slice(w);
	begin_slice(w, r->sample, "replay", TRACK_QUEUE, r->begin - r->queued,
		    r->begin - r->queued + t->cycles);
	end_slice(w);
	w->base = r->begin - start;
	for (i = 0; i < t->event_count; i++)
		write_event(w, &t->events[i]);
}

static void name_track(FILE *out, u32 track, const char *name)
{
	fprintf(out,
		",\n{\"name\": \"thread_name\", \"ph\": \"M\", \"pid\": 1, \"tid\": %u, "
		"\"args\": {\"name\": \"%s\"}}",
		track, name);
	fprintf(out,
		",\n{\"name\": \"thread_sort_index\", \"ph\": \"M\", \"pid\": 1, \"tid\": %u, "
		"\"args\": {\"sort_index\": %u}}",
		track, track);
}

static void write_all(FILE *out, const struct trace *t)
{
	const char *machine =
		rondo_machine_name(rondo_machine_find(t->program.header->machine_hash));
	struct writer w = { .out = out, .trace = t };
	char name[16];
	u64 i;
	u32 ch;

	fprintf(out, "{\"displayTimeUnit\": \"ns\", \"otherData\": {\"model\": ");
	json_string(out, t->path);
	fprintf(out,
		", \"machine\": \"%s\", \"clock_khz\": %u, \"cycles\": %" PRIu64
		", \"replays\": %" PRIu64 "},\n\"traceEvents\": [\n",
		machine, t->clock_khz, t->cycles, t->replay_count);
	fprintf(out,
		"{\"name\": \"process_name\", \"ph\": \"M\", \"pid\": 1, \"args\": {\"name\": ");
	json_string(out, t->path);
	fprintf(out, "}}");
	name_track(out, TRACK_QUEUE, "queue");
	name_track(out, TRACK_LAYERS, "layers");
	for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++) {
		snprintf(name, sizeof(name), "DMA %u", ch);
		name_track(out, TRACK_DMA + ch, name);
	}
	for (i = 0; i < t->replay_count; i++)
		write_replay(&w, &t->replays[i], t->replays[0].queued);
	fprintf(out, "\n]}\n");
}

int trace_write(const struct trace *t, const char *file)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int status, failed;

	if (!out)
		return fail(file, "no memory");
	write_all(out, t);
	failed = ferror(out);
	failed |= fclose(out);
	status = failed ? fail(file, "no memory") : write_file(file, text, size);
	free(text);
	return status;
}
