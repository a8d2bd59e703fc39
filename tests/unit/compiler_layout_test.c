// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Which layout serves whoever wants another one. */
#include "compiler/layout.h"
#include "tests/tap.h"

/* Channels last, of f32, with a cell of padding around rows and columns. */
static struct layout padded(void)
{
	return (struct layout){
		.rank = 4,
		.element = 4,
		.dim = { 1, 8, 5, 6 },
		.stride = { 1792, 4, 256, 32 },
		.pad = { 0, 0, 1, 1 },
		.cells = { 1, 8, 7, 8 },
		.base = 288,
		.bytes = 1792,
		.halo = true,
		.fill = 0,
	};
}

static void serves(bool good, struct layout have, struct layout want, const char *what)
{
	tap_ok(layout_serves(&have, &want) == good, "%s %s", what, good ? "serves" : "does not");
}

int main(void)
{
	const struct layout p = padded();
	struct layout l = p;

	serves(true, p, p, "the same");
	l.pad[2] = 0;
	l.cells[2] = 6;
	serves(true, p, l, "more padding before");
	serves(false, l, p, "less padding before");
	l = p;
	l.cells[3] = 7;
	serves(true, p, l, "more padding behind");
	serves(false, l, p, "less padding behind");
	l = p;
	l.pad[3] = 2;
	l.cells[3] = 9;
	serves(true, l, p, "as much behind, and more before");
	l.cells[3] = 8;
	serves(false, l, p, "more before, and less behind");
	l = p;
	l.fill = 1;
	serves(false, l, p, "another fill");
	l.halo = false;
	serves(false, l, p, "no fill");
	serves(true, p, l, "a fill where none is wanted");
	l = p;
	l.dim[2] = 4;
	serves(false, l, p, "another dimension");
	l = p;
	l.element = 1;
	serves(false, l, p, "another element");
	l = p;
	l.rank = 3;
	serves(false, l, p, "another rank");
	l = p;
	l.stride[1] = 8;
	serves(false, l, p, "channels apart");
	l.dim[1] = l.cells[1] = 1;
	serves(true, l, l, "one channel, wherever the next would be");
	l = p;
	l.stride[3] = 30;
	serves(false, l, p, "pixels that begin inside of a container");
	return tap_done();
}
