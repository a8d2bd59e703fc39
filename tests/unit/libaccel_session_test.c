// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Sessions: what they make, in which order, and what is left when a step of that fails; starting
 * and waiting. With a backend that has no device.
 */
#include "core/replay.h"
#include "tests/unit/libaccel_fake.h"
#include "tests/unit/rnd_file.h"

#define SENTINEL ((void *)8)

/*
 * A model whose slot 0 has data and the tensors "x" and "y", and whose slot 1 has an output; only
 * with slot 0 touched if @less.
 */
static struct accel_model *model_of(bool less)
{
	struct rnd_file file = rnd_file_good();
	struct accel_model *model = NULL;

	if (less) {
		file.header.sections = 2; /* no tensors */
		file.program.slot[1] = (struct rondo_slot){ .align = 64 };
	}
	tap_eq(accel_model_parse(&file, sizeof(file), &model, NULL), 0, "a model");
	return model;
}

#define GONE_MAP " ~queue ~binding ~buffer ~buffer ~program"

/* Each step fails in turn. */
static void test_steps(struct fake *f, const struct accel_model *model)
{
	static const struct {
		const char *asked, *text;
		u32 index;
	} rows[] = {
		{ " program", "Cannot allocate memory", 0 },
		{ " program buffer ~program", "slot 0: no buffer: Cannot allocate memory", 0 },
		{ " program buffer map ~buffer ~program",
		  "slot 0: no buffer: Cannot allocate memory", 0 },
		{ " program buffer map buffer ~buffer ~program",
		  "slot 1: no buffer: Cannot allocate memory", 0 },
		{ " program buffer map buffer map ~buffer ~buffer ~program",
		  "slot 1: no buffer: Cannot allocate memory", 0 },
		{ " program buffer map buffer map binding ~buffer ~buffer ~program",
		  "Cannot allocate memory", 0 },
		{ " program buffer map buffer map binding queue ~binding ~buffer ~buffer ~program",
		  "no queue: Cannot allocate memory", 0 },
	};
	struct accel_session *session = SENTINEL;
	struct accel_error e;
	u32 i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&e, 0x55, sizeof(e));
		fake_fails(f, i, -ENOMEM);
		errno = ENOTTY;
		tap_ok(accel_session_create(&f->device, model, &session, &e) == -ENOMEM &&
			       errno == ENOTTY && session == SENTINEL && !e.reason &&
			       e.index == rows[i].index && !strcmp(e.text, rows[i].text) &&
			       fake_was_asked(f, rows[i].asked) && f->device.refs == 1,
		       "step %u fails: %s", i, e.text);
		fake_fails(f, i, -ENOMEM);
		tap_eq(accel_session_create(&f->device, model, &session, NULL), -ENOMEM,
		       "without words, too");
		f->asked[0] = 0;
	}
	/* A slot at fault is the error's index. */
	f->slot = 1;
	fake_fails(f, 5, -ENOENT);
	tap_ok(accel_session_create(&f->device, model, &session, &e) == -ENOENT && e.index == 1 &&
		       !strncmp(e.text, "slot 1: ", 8),
	       "a slot is at fault");
	f->asked[0] = 0;
}

static void test_made(struct fake *f, const struct accel_model *model)
{
	struct accel_session *s = NULL;
	struct accel_slot_info slot;
	struct accel_error e;
	void *x = NULL, *y = NULL, *out = NULL, *none = SENTINEL;
	u64 bytes = 0;
	size_t size;

	memset(&e, 0x55, sizeof(e));
	errno = ENOTTY;
	tap_ok(!accel_session_create(&f->device, model, &s, &e) && errno == ENOTTY && !e.text[0],
	       "a session");
	tap_ok(fake_was_asked(f, " program buffer map buffer map binding queue"), "is made");
	tap_ok(f->weight == ACCEL_WEIGHT_DEFAULT && f->count == 2 && f->budget == 0 &&
		       accel_program_cycles(accel_session_program(s)) == 1234,
	       "of the model's program, in a queue of the default weight");
	accel_model_program(model, &size);
	accel_model_slot(model, 0, &slot);
	tap_ok(!accel_session_tensor(s, ACCEL_INPUT, 0, &x, &bytes) && bytes == 40, "input 0");
	tap_ok(!accel_session_tensor(s, ACCEL_INPUT, 1, &y, NULL), "input 1");
	tap_ok(!accel_session_tensor(s, ACCEL_OUTPUT, 0, &out, &bytes) && bytes == 4, "the output");
	tap_ok((u8 *)x - (u8 *)y == 16 - 3, "at their offsets in one buffer");
	tap_ok((u8 *)out == (u8 *)f->memory + 8, "in another");
	tap_ok(!memcmp((u8 *)x - 16, slot.data, slot.data_size) && !((u8 *)x)[slot.data_size - 16],
	       "which has the weights, and zeros behind them");
	bytes = 77;
	tap_ok(accel_session_tensor(s, ACCEL_OUTPUT, 1, &none, &bytes) == -ENOENT &&
		       none == SENTINEL && bytes == 77,
	       "there is no other output");
	accel_session_destroy(s);
	tap_ok(fake_was_asked(f, GONE_MAP) && f->device.refs == 1, "all is given back");
	accel_session_destroy(NULL);
}

/* A slot that nobody touches has no buffer. */
static void test_less(struct fake *f)
{
	struct accel_model *model = model_of(true);
	struct accel_session *s = NULL;

	tap_ok(!accel_session_create(&f->device, model, &s, NULL) &&
		       fake_was_asked(f, " program buffer map binding queue"),
	       "a slot that nobody touches has no buffer");
	accel_session_destroy(s);
	f->asked[0] = 0;
	accel_model_destroy(model);
}

static void test_runs(struct fake *f, const struct accel_model *model)
{
	struct accel_session *s = NULL;
	struct accel_error e;
	int i;

	accel_session_create(&f->device, model, &s, NULL);
	f->asked[0] = 0;
	memset(&e, 0x55, sizeof(e));
	tap_ok(!accel_session_error(s, &e) && !e.text[0] && !e.index, "nothing has failed yet");
	tap_ok(accel_session_wait(s, ACCEL_FOREVER) == -EINVAL && fake_was_asked(f, ""),
	       "there is nothing to wait for");
	fake_fails(f, 0, -EIO);
	tap_ok(accel_session_start(s) == -EIO && fake_was_asked(f, " submit"),
	       "a start that fails");
	f->fault = (struct accel_fault){ RONDO_FW_OVERRUN, 3, 0 };
	for (i = 0; i < 2; i++) {
		f->status = -ETIME;
		tap_ok(!accel_session_start(s) && fake_was_asked(f, " submit"), "a start");
		tap_ok(accel_session_start(s) == -EBUSY && fake_was_asked(f, ""), "not twice");
		tap_ok(accel_session_wait(s, ACCEL_FOREVER) == -ETIME &&
			       fake_was_asked(f, " status status fault ~fence"),
		       "its end");
		tap_ok(accel_session_error(s, &e) == -ETIME && e.index == 3 &&
			       e.reason == RONDO_FW_OVERRUN && strstr(e.text, " (y): ") &&
			       accel_session_error(s, NULL) == -ETIME,
		       "and why");
		tap_ok(accel_session_wait(s, 0) == -EINVAL && fake_was_asked(f, ""), "once");
	}
	f->status = 0;
	tap_ok(!accel_session_start(s) && !accel_session_wait(s, 0) &&
		       !accel_session_error(s, &e) && !e.text[0] && !e.index && !e.reason,
	       "one that ends well has no error");
	accel_session_start(s);
	f->asked[0] = 0;
	accel_session_destroy(s);
	tap_ok(fake_was_asked(f, " ~fence" GONE_MAP), "a run under way is given up first");
}

static void test_forked(struct fake *f, const struct accel_model *model)
{
	struct accel_session *s = NULL, *more = SENTINEL;
	struct accel_error e[2];
	void *data = SENTINEL;
	int i;

	accel_session_create(&f->device, model, &s, NULL);
	f->asked[0] = 0;
	memset(e, 0x55, sizeof(e));
	*fake_owner(f) = 0;
	tap_ok(accel_session_create(&f->device, model, &more, &e[0]) == -EPERM &&
		       accel_session_tensor(s, ACCEL_INPUT, 0, &data, NULL) == -EPERM &&
		       accel_session_start(s) == -EPERM && accel_session_wait(s, 0) == -EPERM &&
		       accel_session_error(s, &e[1]) == -EPERM &&
		       accel_session_error(s, NULL) == -EPERM && data == SENTINEL &&
		       more == SENTINEL,
	       "in a child nothing is permitted");
	for (i = 0; i < 2; i++)
		tap_ok(!strcmp(e[i].text, "it belongs to the parent of this process"), "in words");
	accel_session_destroy(s);
	tap_ok(fake_was_asked(f, ""), "and destroying does nothing");
	*fake_owner(f) = 1;
	accel_session_destroy(s);
}

int main(void)
{
	struct accel_model *model = model_of(false);
	struct fake f;

	fake_init(&f);
	test_steps(&f, model);
	test_made(&f, model);
	test_less(&f);
	test_runs(&f, model);
	test_forked(&f, model);
	accel_model_destroy(model);
	accel_close(&f.device);
	return tap_done();
}
