// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A program with names that the compiler has inside: for library_static_test. */
#include <rondo_compile.h>
#include <stdio.h>

int graph_new(void);
int rondo_encode(void);
int emit(void);

int graph_new(void)
{
	return 2;
}

int rondo_encode(void)
{
	return 3;
}

int emit(void)
{
	return 4;
}

int main(void)
{
	struct rondo_compile_error error;
	struct rondo_compiled compiled;
	int ret = rondo_compile("no model", 8, NULL, &compiled, &error);

	printf("%d %d %d %d\n", ret < 0 && error.code == ret, graph_new(), rondo_encode(), emit());
	return 0;
}
