/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * How the compiler says no: one message that names the thing and the reason, and an errno.
 *
 * Every function that can refuse its input takes a struct compile_error, fills it, and returns a
 * negative errno:
 *   -EINVAL   the input contradicts its own format or itself
 *   -ENOTSUP  the input is legal, but outside what this compiler maps
 *   -EFBIG    the input exceeds a limit of the compiler
 *   -ENOMEM   no memory
 *   -ECANCELED  the user did not want to wait (rondo_compile() alone)
 *   -ENOTRECOVERABLE  a pass broke the graph: the compiler's own fault, never the input's
 *   other     what the system said about a file
 */
#ifndef COMPILER_DIAG_H
#define COMPILER_DIAG_H

struct compile_error {
	int code; /* the negative errno, 0 while nothing is wrong */
	char text[768]; /* one line without a newline; long names are cut */
	unsigned int reason; /* where in it the reason begins, behind the file and the node */
	char node[124], op[124]; /* the name of the node at fault and its operator, or "" */
};

/* Records the message unless there is one already, and returns @code. */
__attribute__((format(printf, 3, 4))) int compile_fail(struct compile_error *err, int code,
						       const char *fmt, ...);

/*
 * Says of a message that was just recorded at which node it is, and how many bytes of it stand
 * before the reason.
 */
void compile_error_place(struct compile_error *err, unsigned int reason, const char *node,
			 const char *op);

/* Forgets a recorded message: what failed is done in another way. */
void compile_error_clear(struct compile_error *err);

/* Puts @prefix and ": " before a recorded message: what an inner layer could not know. */
void compile_error_prefix(struct compile_error *err, const char *prefix);

#endif
