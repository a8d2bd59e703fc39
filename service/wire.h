/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The protocol of the Unix socket: a client shares the memory of a model's inputs and outputs once,
 * and each inference is one small message and its answer, whatever the tensors' size.
 *
 * The socket is of type SOCK_SEQPACKET: a message is a packet. Numbers are those of this machine.
 * Each message begins with what it is and a tag, and is answered by one message, a struct
 * wire_answer with the same two. Answers to runs come when they end, in any order.
 *
 * - WIRE_OPEN names a model; the answer lists its slots and tensors.
 * - WIRE_BIND brings a descriptor of memory for each slot (SCM_RIGHTS), in order: memfds that are
 *   sealed against shrinking, or dma-bufs.
 * - WIRE_RUN runs the model on that memory; one run of a binding at a time.
 * - WIRE_CLOSE gives a binding back, or a model, which has to have none left.
 *
 * Nothing is shared by name. Memory that a client changes while a run uses it changes results, and
 * nothing else.
 */
#ifndef SERVICE_WIRE_H
#define SERVICE_WIRE_H

#include "service/refusal.h"

enum wire_type { WIRE_OPEN = 1, WIRE_BIND, WIRE_RUN, WIRE_CLOSE };

enum { WIRE_NAME = 132, WIRE_SLOTS_MAX = 64, WIRE_MESSAGE_MAX = 65536 };

struct wire_open {
	u32 type, tag;
	u32 version; /* 0: the highest one that is ready */
	char name[WIRE_NAME]; /* of the model; zeros behind it */
};

struct wire_place {
	u32 slot, reserved; /* 0 */
	u64 offset; /* of the slot's byte 0 in the memory; in whole pages */
};

struct wire_bind {
	u32 type, tag;
	u32 model; /* the number that WIRE_OPEN was answered with */
	u32 count; /* of @place, and of descriptors */
	struct wire_place place[WIRE_SLOTS_MAX]; /* the message ends behind the last one */
};

struct wire_run {
	u32 type, tag;
	u32 binding; /* the number that WIRE_BIND was answered with */
	u32 priority; /* 1..100; 0: 50 */
	u64 timeout_us; /* 0: none */
};

struct wire_close {
	u32 type, tag;
	u32 model, binding; /* one of them, the other 0 */
};

union wire_message {
	struct {
		u32 type, tag;
	} head;
	struct wire_open open;
	struct wire_bind bind;
	struct wire_run run;
	struct wire_close close;
};

/*
 * If @status is not 0, a line of text follows up to the message's end. Else what follows an answer
 * to WIRE_OPEN is @value[1] struct wire_slot, then @value[2] struct wire_tensor, then the tensors'
 * names, each ended by a zero.
 */
struct wire_answer {
	u32 type, tag;
	u32 status; /* 0, or as of HTTP */
	u32 number; /* of the model or binding */
	/*
	 * WIRE_OPEN: cycles of a run, slots, tensors, 0. WIRE_RUN: device cycles, nanojoules,
	 * microseconds to its start and to its end; if it was refused for its timeout, the shortest
	 * one that would be met, and zeros.
	 */
	u64 value[4];
};

/* A slot that has tensors, for which memory is needed. */
struct wire_slot {
	u32 slot, reserved;
	u64 size; /* bytes */
};

struct wire_tensor {
	u32 kind; /* 0: input, 1: output */
	u32 dtype; /* number of ONNX's TensorProto.DataType */
	u32 slot, rank;
	u64 dim[8];
	u64 offset, bytes; /* in the slot */
};

/*
 * Whether the @size bytes at @message are a message, with @descriptors of them. 0, or -1 and why. A
 * pure function; what it has not seen to be zero is not read.
 */
int wire_check(const union wire_message *message, size_t size, u32 descriptors,
	       struct refusal *why);

#endif
