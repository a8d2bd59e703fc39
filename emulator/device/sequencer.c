/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The sequencer: executes the commands of enum rondo_seq_command in a thread of
 * its own, one at a time. It trusts firmware as little as firmware trusts the
 * host: every number is checked again here.
 *
 * A program is decoded once, at LOAD. The verifier runs there too: it tells which
 * ranges of SRAM are to be cleared, and what it refuses is no program.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/binding.h"
#include "emulator/device/binding.h"

/* Values of the fault seq_hold, and of seq_work the first two. */
enum {
	HOLD_START = 1,
	HOLD_END,
	HOLD_ACCESS,
	HOLD_FOR_GOOD,
};

struct emu_program {
	struct exec_program *exec; /* NULL: a fault made nonsense of it */
	u32 bindings; /* that use it */
	u32 slots;
	struct rondo_slot slot[RONDO_PROGRAM_SLOTS_MAX];
};

/* What a command ends with. */
struct outcome {
	enum rondo_seq_status status;
	u64 cycles, signature, memory;
	u32 bundle;
};

/* A command comes in (emulator/device/mgmt_regs.c). */

void emu_sequencer_command(struct emu_device *dev, u32 command, const struct rondo_seq_args *args)
{
	struct emu_sequencer *s = &dev->seq;

	emu_trace(dev, "seq_command", command, args ? args->binding : 0);
	emu_lock(dev);
	if (dev->resetting)
		goto out;
	if (command == RONDO_SEQ_ABORT) {
		atomic_store(&s->stop, true);
		pthread_cond_broadcast(&s->wake);
		goto out;
	}
	if (s->command)
		goto out;
	REG_WORD(&dev->regs, MGMT, SEQ_STATUS) = RONDO_SEQ_BUSY;
	s->active = true;
	/* 0 would mean none: without arguments too a number that no command has. */
	s->command = args && command ? command : ~0u;
	s->args = args ? *args : (struct rondo_seq_args){ 0 };
	atomic_store(&s->stop, false);
	emu_time_update_locked(dev);
	pthread_cond_signal(&s->wake);
out:
	emu_unlock(dev);
}

/* LOAD and UNLOAD. */

static void free_program(struct emu_device *dev, struct emu_program *p)
{
	if (!p)
		return;
	exec_unload(p->exec);
	emu_budget_free(&dev->seq.budget, p, 1, sizeof(*p));
}

static bool must_stop(void *dev)
{
	return atomic_load(&((struct emu_device *)dev)->seq.stop);
}

static enum rondo_seq_status verify(struct emu_device *dev, const void *data, u64 size,
				    struct rondo_facts *facts)
{
	enum rondo_seq_status status = RONDO_SEQ_BAD_PROGRAM;
	struct rondo_verify *v = emu_budget_calloc(&dev->seq.budget, 1, RONDO_VERIFY_BYTES);
	const struct rondo_verdict *verdict;

	if (!v)
		return RONDO_SEQ_NO_MEMORY;
	verdict = rondo_verify_run(v, &dev->machine, data, size, 0, must_stop, dev);
	if (!verdict) {
		status = RONDO_SEQ_ABORTED;
	} else if (!verdict->code) {
		*facts = *rondo_verify_facts(v);
		status = RONDO_SEQ_OK;
	}
	emu_budget_free(&dev->seq.budget, v, 1, RONDO_VERIFY_BYTES);
	return status;
}

/* The fault seq_flip_program: whether it struck the program of @size bytes at @data. */
static bool flip_bit(struct emu_device *dev, void *data, u64 size)
{
	u32 bit = emu_fault_take_all(dev, EMU_FAULT_seq_flip_program);
	struct rondo_program view;
	u8 *tables;

	if (!bit-- || rondo_program_open(&view, data, size))
		return false;
	tables = (u8 *)data + ((const u8 *)view.entries - (const u8 *)data);
	if (bit / 8 < (u64)((u8 *)data + size - tables))
		tables[bit / 8] ^= 1u << bit % 8;
	return true;
}

/* Decodes what was verified; -ENOMEM and the reason in @why, also when a fault says so. */
static int decode(struct emu_device *dev, struct emu_program *p, void *data, u64 size,
		  const struct rondo_facts *facts, char why[EXEC_REASON_BYTES])
{
	bool flipped = flip_bit(dev, data, size);
	const struct executor *x =
		executor_for(&dev->machine, flipped ? EXECUTOR_PLAIN : EXECUTOR_BEST);
	int ret;

	if (emu_fault_take(dev, EMU_FAULT_seq_no_memory)) {
		snprintf(why, EXEC_REASON_BYTES, "the fault seq_no_memory");
		return -ENOMEM;
	}
	ret = exec_load_within(&p->exec, (struct exec_limits){ &dev->seq.budget, &dev->seq.stop },
			       x, &dev->machine, data, size, facts, why);
	return flipped && ret == -EINVAL ? 0 : ret;
}

/* Makes program number @number of the @size bytes at @data. NO_MEMORY: the reason in @why. */
static enum rondo_seq_status make_program(struct emu_device *dev, void *data, u64 size, u32 number,
					  char why[EXEC_REASON_BYTES])
{
	enum rondo_seq_status status;
	struct rondo_program view;
	struct rondo_facts facts;
	struct emu_program *p;
	int ret;

	status = verify(dev, data, size, &facts);
	if (status != RONDO_SEQ_OK)
		return status;
	/* What an aborted replay has left counts as free. */
	if (!exec_clean(dev->seq.exec, &dev->seq.stop))
		return RONDO_SEQ_ABORTED;
	p = emu_budget_calloc(&dev->seq.budget, 1, sizeof(*p));
	if (!p)
		return RONDO_SEQ_NO_MEMORY;
	ret = decode(dev, p, data, size, &facts, why);
	if (ret || rondo_program_open(&view, data, size)) {
		free_program(dev, p);
		return ret == -ENOMEM	 ? RONDO_SEQ_NO_MEMORY :
		       ret == -ECANCELED ? RONDO_SEQ_ABORTED :
					   RONDO_SEQ_BAD_PROGRAM;
	}
	p->slots = view.header->slots;
	memcpy(p->slot, view.slots, p->slots * sizeof(p->slot[0]));
	dev->seq.program[number] = p;
	return RONDO_SEQ_OK;
}

/* The program of @args, fetched and made; NO_MEMORY: the reason in @why. */
static enum rondo_seq_status fetch_program(struct emu_device *dev,
					   const struct rondo_seq_args *args,
					   char why[EXEC_REASON_BYTES])
{
	struct emu_budget *budget = &dev->seq.budget;
	enum rondo_seq_status status;
	void *data;

	data = emu_budget_calloc(budget, args->size, 1);
	if (!data)
		return RONDO_SEQ_NO_MEMORY;
	status = emu_read_pages(dev, args->addr, data, args->size);
	if (status == RONDO_SEQ_OK)
		status = make_program(dev, data, args->size, args->program, why);
	emu_budget_free(budget, data, args->size, 1);
	return status;
}

static enum rondo_seq_status load(struct emu_device *dev, const struct rondo_seq_args *args)
{
	struct emu_budget *budget = &dev->seq.budget;
	char why[EXEC_REASON_BYTES] = "out of memory";
	enum rondo_seq_status status;

	if (args->program >= RONDO_PROGRAMS_MAX || dev->seq.program[args->program])
		return RONDO_SEQ_BAD_NUMBER;
	if (!args->size || args->size > RONDO_PROGRAM_BYTES_MAX)
		return RONDO_SEQ_BAD_PROGRAM;
	budget->exceeded = false;
	status = fetch_program(dev, args, why);
	if (status != RONDO_SEQ_NO_MEMORY || !dev->ops->refused)
		return status;
	if (budget->exceeded)
		snprintf(why, sizeof(why),
			 "the guest may take %.1f MiB of the host's memory and has %.1f",
			 budget->limit * 0x1p-20, budget->used * 0x1p-20);
	dev->ops->refused(dev->host, args->program, why);
	return status;
}

/* Program and binding of a number, NULL if there is none. */
static struct emu_program *find_program(struct emu_device *dev, u32 number)
{
	return number < RONDO_PROGRAMS_MAX ? dev->seq.program[number] : NULL;
}

static struct emu_binding *find_binding(struct emu_device *dev, u32 number)
{
	return number < RONDO_BINDINGS_MAX ? dev->seq.binding[number] : NULL;
}

static enum rondo_seq_status unload(struct emu_device *dev, const struct rondo_seq_args *args)
{
	struct emu_program *p = find_program(dev, args->program);

	if (!p || p->bindings)
		return RONDO_SEQ_BAD_NUMBER;
	free_program(dev, p);
	dev->seq.program[args->program] = NULL;
	return RONDO_SEQ_OK;
}

/* BIND and UNBIND. */

static void free_binding(struct emu_device *dev, struct emu_binding *b)
{
	if (!b)
		return;
	while (b->slots)
		emu_slot_fini(dev, &b->slot[--b->slots]);
	emu_budget_free(&dev->seq.budget, b, 1, sizeof(*b));
}

/* Whether what @program does with slot @i at @chosen bytes stays inside @slot. */
static bool slot_fits(const struct rondo_slot *program, const struct emu_slot *slot, u64 chosen)
{
	return rondo_bound_fits(&(struct rondo_bound_slot){
		.slot = program, .offset = chosen, .size = slot->size });
}

/* Fills @b with what stands behind the slots of @p. */
static enum rondo_seq_status fill_binding(struct emu_device *dev, const struct emu_program *p,
					  const struct rondo_seq_args *args, struct emu_binding *b)
{
	struct rondo_slot_binding from[RONDO_PROGRAM_SLOTS_MAX];
	enum rondo_seq_status status;
	u32 i;

	if (!emu_dma_read(dev, EMU_DMA_SEQUENCER, args->addr, from, p->slots * sizeof(from[0])))
		return RONDO_SEQ_HOST_REFUSED;
	for (i = 0; i < p->slots; i++) {
		status = emu_slot_init(dev, &b->slot[i], &from[i]);
		if (status != RONDO_SEQ_OK)
			return status;
		b->slots++;
		if (from[i].offset % p->slot[i].align || !slot_fits(&p->slot[i], &b->slot[i], 0))
			return RONDO_SEQ_BAD_COMMAND;
	}
	return RONDO_SEQ_OK;
}

static enum rondo_seq_status bind_slots(struct emu_device *dev, const struct rondo_seq_args *args)
{
	enum rondo_seq_status status;
	struct emu_program *p;
	struct emu_binding *b;

	p = find_program(dev, args->program);
	if (!p || args->binding >= RONDO_BINDINGS_MAX || dev->seq.binding[args->binding])
		return RONDO_SEQ_BAD_NUMBER;
	if (args->count != p->slots)
		return RONDO_SEQ_BAD_COMMAND;
	if (emu_fault_take(dev, EMU_FAULT_seq_no_memory))
		return RONDO_SEQ_NO_MEMORY;
	b = emu_budget_calloc(&dev->seq.budget, 1, sizeof(*b));
	if (!b)
		return RONDO_SEQ_NO_MEMORY;
	b->dev = dev;
	b->program = args->program;
	status = fill_binding(dev, p, args, b);
	if (status != RONDO_SEQ_OK) {
		free_binding(dev, b);
		return status;
	}
	p->bindings++;
	dev->seq.binding[args->binding] = b;
	return RONDO_SEQ_OK;
}

static enum rondo_seq_status unbind(struct emu_device *dev, const struct rondo_seq_args *args)
{
	struct emu_binding *b = find_binding(dev, args->binding);

	if (!b)
		return RONDO_SEQ_BAD_NUMBER;
	dev->seq.program[b->program]->bindings--;
	free_binding(dev, b);
	dev->seq.binding[args->binding] = NULL;
	return RONDO_SEQ_OK;
}

/* RUN. */

/* Sets the offsets that a replay chooses, the others to 0. False if one may not be. */
static bool choose_offsets(const struct emu_program *p, struct emu_binding *b,
			   const struct rondo_seq_args *args)
{
	u64 seen = 0;
	u32 i;

	if (args->count > RONDO_REPLAY_OFFSETS_MAX)
		return false;
	for (i = 0; i < b->slots; i++)
		b->slot[i].chosen = 0;
	for (i = 0; i < args->count; i++) {
		u32 slot = args->offset[i].slot;
		u64 chosen;

		if (slot >= b->slots || seen & (u64)1 << slot ||
		    !(p->slot[slot].flags & RONDO_SLOT_DYNAMIC))
			return false;
		seen |= (u64)1 << slot;
		chosen = (u64)args->offset[i].offset * p->slot[slot].align;
		if (!slot_fits(&p->slot[slot], &b->slot[slot], chosen))
			return false;
		b->slot[slot].chosen = chosen;
	}
	return true;
}

static enum rondo_seq_status status_of(enum exec_status status)
{
	switch (status) {
	case EXEC_DONE:
		return RONDO_SEQ_OK;
	case EXEC_ABORTED:
		return RONDO_SEQ_ABORTED;
	case EXEC_OVERRUN:
		return RONDO_SEQ_OVERRUN;
	case EXEC_DMA_ERROR:
		return RONDO_SEQ_HOST_REFUSED;
	case EXEC_TRAP:
		break;
	}
	return RONDO_SEQ_TRAPPED;
}

/* The fault overrun: what the run took, and @extra cycles more. */
static void delay(struct exec_result *result, u64 extra, u64 bound)
{
	if (result->status != EXEC_DONE)
		return;
	result->cycles += extra;
	if (result->cycles > bound) {
		result->cycles = bound;
		result->status = EXEC_OVERRUN;
	}
}

static void run(struct emu_device *dev, const struct rondo_seq_args *args, struct outcome *out)
{
	struct emu_binding *b = find_binding(dev, args->binding);
	struct exec_control control = {
		.bound = args->bound,
		.stop = &dev->seq.stop,
		.now = &dev->time.replay_cycles,
		.checks = emu_fault_value(dev, EMU_FAULT_seq_plain),
	};
	const struct exec_io io = { emu_binding_read, emu_binding_write, b };
	const struct emu_program *p;
	struct exec_result result;
	u32 flip;

	p = b ? dev->seq.program[b->program] : NULL;
	if (!b) {
		out->status = RONDO_SEQ_BAD_NUMBER;
		return;
	}
	if (!choose_offsets(p, b, args)) {
		out->status = RONDO_SEQ_BAD_OFFSET;
		return;
	}
	if (!p->exec) {
		out->status = RONDO_SEQ_TRAPPED;
		return;
	}
	flip = emu_fault_take_all(dev, EMU_FAULT_seq_flip_address);
	control.flip = flip / 32;
	control.flip_bit = flip % 32;
	emu_lock(dev);
	emu_time_replay_begin_locked(dev);
	emu_unlock(dev);
	exec_run(dev->seq.exec, p->exec, &io, &control, &result);
	delay(&result, emu_fault_take_all(dev, EMU_FAULT_overrun), args->bound);
	if (result.reason[0])
		emu_trace(dev, result.reason, result.bundle, result.cycles);
	out->status = status_of(result.status);
	out->cycles = result.cycles;
	out->signature = result.signature;
	out->bundle = result.status == EXEC_DONE ? 0 : result.bundle;
}

/* The thread. */

/* @fault, if it has value @value: waits until it has another, or until @stop. */
static void wait_locked(struct emu_device *dev, enum emu_fault fault, u32 value,
			const atomic_bool *stop)
{
	if (emu_fault_value(dev, fault) != value)
		return;
	emu_fault_hit(dev, fault);
	while (emu_fault_value(dev, fault) == value && !atomic_load(stop))
		pthread_cond_wait(&dev->seq.wake, &dev->lock);
}

/* The faults seq_hold and seq_work, if one has value @value. */
static void hold_locked(struct emu_device *dev, u32 value)
{
	wait_locked(dev, EMU_FAULT_seq_hold, value, &dev->seq.stop);
	dev->seq.working = true;
	wait_locked(dev, EMU_FAULT_seq_work, value, &dev->seq.stop);
	dev->seq.working = false;
}

void emu_sequencer_access(struct emu_device *dev)
{
	if (emu_fault_value(dev, EMU_FAULT_seq_hold) != HOLD_ACCESS)
		return;
	emu_lock(dev);
	wait_locked(dev, EMU_FAULT_seq_hold, HOLD_ACCESS, &dev->seq.stop);
	emu_unlock(dev);
}

/*
 * For a replay its time, which moves at least every 10 ms. Any other command takes as long as its
 * thread executes it.
 */
u32 emu_sequencer_progress_locked(struct emu_device *dev)
{
	struct timespec executed = { 0 };
	clockid_t clock;

	if (dev->seq.working)
		return ++dev->seq.worked;
	if (dev->time.replay)
		return atomic_load(&dev->time.replay_cycles);
	if (!pthread_getcpuclockid(dev->seq.thread, &clock))
		clock_gettime(clock, &executed);
	return executed.tv_sec * 1000 + executed.tv_nsec / 1000000;
}

static void execute(struct emu_device *dev, struct outcome *out)
{
	const struct rondo_seq_args *args = &dev->seq.args;
	const u64 used = dev->seq.budget.used;

	switch (dev->seq.command) {
	case RONDO_SEQ_LOAD:
		out->status = load(dev, args);
		out->memory = dev->seq.budget.used - used;
		break;
	case RONDO_SEQ_UNLOAD:
		out->status = unload(dev, args);
		break;
	case RONDO_SEQ_BIND:
		out->status = bind_slots(dev, args);
		out->memory = dev->seq.budget.used - used;
		break;
	case RONDO_SEQ_UNBIND:
		out->status = unbind(dev, args);
		break;
	case RONDO_SEQ_RUN:
		run(dev, args, out);
		break;
	default:
		out->status = RONDO_SEQ_BAD_COMMAND;
		break;
	}
}

/* Takes the command that stands in dev->seq from start to end. Unlocks while it works. */
static void do_command_locked(struct emu_device *dev)
{
	struct outcome out = { .status = RONDO_SEQ_ABORTED };
	struct regs *r = &dev->regs;

	hold_locked(dev, HOLD_START);
	wait_locked(dev, EMU_FAULT_seq_hold, HOLD_FOR_GOOD, &dev->stop);
	if (!atomic_load(&dev->seq.stop)) {
		emu_unlock(dev);
		execute(dev, &out);
		emu_lock(dev);
		hold_locked(dev, HOLD_END);
	}
	if (dev->time.replay)
		emu_time_replay_end_locked(dev, out.cycles);
	emu_unlock(dev);
	emu_trace(dev, "seq_end", out.status, out.cycles);
	emu_lock(dev);
	dev->seq.command = 0;
	if (!dev->resetting) {
		REG_WORD(r, MGMT, SEQ_STATUS) = out.status;
		REG_WORD(r, MGMT, SEQ_CYCLES_LO) = out.cycles;
		REG_WORD(r, MGMT, SEQ_CYCLES_HI) = out.cycles >> 32;
		REG_WORD(r, MGMT, SEQ_BUNDLE) = out.bundle;
		REG_WORD(r, MGMT, SEQ_SIGNATURE_LO) = out.signature;
		REG_WORD(r, MGMT, SEQ_SIGNATURE_HI) = out.signature >> 32;
		REG_WORD(r, MGMT, SEQ_MEMORY_LO) = out.memory;
		REG_WORD(r, MGMT, SEQ_MEMORY_HI) = out.memory >> 32;
		dev->mgmt.sequencer_irq = true;
	}
	emu_mgmt_kick_locked(dev);
}

/* Forgets all programs and bindings. */
static void forget(struct emu_device *dev)
{
	struct emu_sequencer *s = &dev->seq;
	u32 i;

	for (i = 0; i < RONDO_BINDINGS_MAX; i++) {
		free_binding(dev, s->binding[i]);
		s->binding[i] = NULL;
	}
	for (i = 0; i < RONDO_PROGRAMS_MAX; i++) {
		free_program(dev, s->program[i]);
		s->program[i] = NULL;
	}
}

void emu_sequencer_run(struct emu_device *dev)
{
	struct emu_sequencer *s = &dev->seq;

	emu_lock(dev);
	while (!dev->exiting || s->active) {
		if (dev->resetting && s->active && !s->command) {
			emu_unlock(dev);
			forget(dev);
			emu_lock(dev);
			s->active = false;
			emu_reset_done_locked(dev);
		} else if (s->command) {
			do_command_locked(dev);
		} else {
			pthread_cond_wait(&s->wake, &dev->lock);
		}
	}
	emu_unlock(dev);
}
