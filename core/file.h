/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The .rnd file of spec/program.h: one rule of what it may hold, for those who write it and for
 * those who read it.
 */
#ifndef RONDO_CORE_FILE_H
#define RONDO_CORE_FILE_H

#include "core/program.h"

/* Bytes of an element of type @dtype (enum rondo_dtype); 0: there is no such type. */
u32 rondo_dtype_bytes(u32 dtype);

/* Bytes of @t, whose dimensions are known to be good. */
u64 rondo_tensor_bytes(const struct rondo_tensor *t);

/* A section to be written. */
struct rondo_file_part {
	enum rondo_section_type type;
	u32 index; /* slot of RONDO_SECTION_SLOT_DATA, else 0 */
	const void *bytes;
	u64 size; /* 0: there is no such section in the file */
};

/* Size in bytes of a file of these sections. */
u64 rondo_file_bytes(const struct rondo_file_part *parts, u32 count);

/*
 * Writes the file of these sections, in their order, into the rondo_file_bytes() at @file. Bytes of
 * the last one may be there already, at the end: they are not copied. Judges nothing:
 * rondo_file_open() does.
 */
void rondo_file_write(void *file, const struct rondo_file_part *parts, u32 count);

enum rondo_file_error {
	RONDO_FILE_OK,
#define FILE_ERROR(name, where, text) RONDO_FILE_##name,
#include "spec/file_errors.def"
};

struct rondo_file_fault {
	enum rondo_file_error error;
	u32 index; /* section, slot, tensor or region at fault */
	u32 program; /* of RONDO_FILE_PROGRAM: why, a number of spec/errors.def */
};

/* What is at fault ("tensor"; NULL: the file as a whole), and why. */
const char *rondo_file_error_where(enum rondo_file_error error);
const char *rondo_file_error_text(enum rondo_file_error error);

/* Bytes of a file; size 0 if there are none. */
struct rondo_file_data {
	const void *bytes;
	u64 size;
};

/* The parts of a file. Pointers into its bytes, which must outlive it and stay as they are. */
struct rondo_file {
	struct rondo_file_data program_bytes;
	struct rondo_program program;
	struct rondo_file_data data[RONDO_PROGRAM_SLOTS_MAX]; /* of slots */
	u64 slot_size[RONDO_PROGRAM_SLOTS_MAX]; /* bytes that a buffer for it needs */
	const struct rondo_tensor *tensors;
	const struct rondo_region *regions;
	const char *strings;
	u32 tensor_count, region_count;
	u64 strings_size;
};

/*
 * Finds the parts of the file in the @size bytes at @bytes (RONDO_FILE_ALIGN aligned) and checks
 * every field, so that nothing leads outside. Any bytes are legal input. The program is judged as
 * rondo_program_open() does; that it may run is proved elsewhere. RONDO_FILE_OK, or what *@fault
 * says (NULL: nobody asks); then *@file is undefined.
 */
enum rondo_file_error rondo_file_open(struct rondo_file *file, const void *bytes, u64 size,
				      struct rondo_file_fault *fault);

#endif
