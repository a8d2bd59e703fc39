/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* NumPy's file format for one array, in memory. Files and messages: tensor_io.h. */
#ifndef TOOLS_NPY_H
#define TOOLS_NPY_H

#include "compiler/diag.h"
#include "compiler/tensor.h"

/* The longest header we write; 8 dimensions of 10 digits need 256 bytes. */
#define NPY_HEADER_MAX 512

/*
 * Reads a whole file of version 1 to 3, which begins with the magic number; *@out as for
 * tensor_load(). Of an element type every spelling is known that numpy reads, and both byte orders;
 * the data may be in C or in Fortran order. Numbers of 16 bits become f32.
 */
int npy_parse(const void *bytes, size_t size, struct tensor_data *out, struct compile_error *err);

/* Writes what precedes the data of @t in a file of version 1; returns its length. */
size_t npy_header(const struct tensor_data *t, char header[NPY_HEADER_MAX]);

#endif
