/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Messages of gRPC: a byte (0: they are not compressed), four of their size with the most
 * significant first, and the message (service/inference.proto). Pure functions: any bytes are legal
 * input.
 */
#ifndef SERVICE_GRPC_MESSAGE_H
#define SERVICE_GRPC_MESSAGE_H

#include "inference.pb-c.h"
#include "service/answer.h"

enum { GRPC_PREFIX = 5 };

/*
 * The one message of @size bytes at @bytes, its prefix with it; for
 * protobuf_c_message_free_unpacked(). What it takes in memory is bounded by its size. NULL and why.
 */
void *grpc_unpack(const ProtobufCMessageDescriptor *type, const void *bytes, size_t size,
		  struct refusal *why);

/* Packs @message, with its prefix. 0, or -1 and why. */
int grpc_pack(const void *message, struct answer *answer, struct refusal *why);

/*
 * What @message asks of @model, as request_parse(); inputs that are raw stay in @message, which has
 * to outlive @request.
 */
int grpc_parse_infer(const struct signature *model, const Inference__InferRequest *message,
		     struct infer_request *request, struct refusal *why);

/* The answer, with all outputs raw. 0, or -1 and why. */
int grpc_answer_infer(const struct answer_source *source, struct answer *answer,
		      struct refusal *why);

/* "5S", "100m": microseconds in *@us; as much as fits. False: it is no timeout. */
bool grpc_parse_timeout(const char *text, u64 *us);

#endif
