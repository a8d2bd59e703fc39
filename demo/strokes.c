// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Drawing of the sample digits. A digit is a list of quadratic Bezier curves in a box of its own;
 * each is drawn as short straight pieces, and a pixel's ink depends on its distance to the nearest.
 */
#include "demo/strokes.h"

#include <math.h>

enum {
	CURVES_MAX = 8,
	PIECES = 16, /* of one curve */
};

/* As in MNIST: the longer side of the ink, and a pen about as wide as people's. */
#define INK_SIDE 20.0f
#define PEN_RADIUS 1.15f

struct point {
	float x, y; /* x to the right, y down */
};

struct curve {
	struct point from, control, to;
};

#define CURVE(x0, y0, cx, cy, x1, y1)   \
	{                               \
		{ x0, y0 }, { cx, cy }, \
		{                       \
			x1, y1          \
		}                       \
	}
#define LINE(x0, y0, x1, y1) CURVE(x0, y0, ((x0) + (x1)) / 2, ((y0) + (y1)) / 2, x1, y1)

static const struct {
	int count;
	struct curve curve[CURVES_MAX];
} glyphs[DIGITS_CLASSES] = {
	{ 4,
	  { CURVE(0.50f, 0.00f, 0.20f, 0.05f, 0.20f, 0.50f),
	    CURVE(0.20f, 0.50f, 0.20f, 1.00f, 0.50f, 1.00f),
	    CURVE(0.50f, 1.00f, 0.82f, 0.95f, 0.82f, 0.50f),
	    CURVE(0.82f, 0.50f, 0.82f, 0.00f, 0.50f, 0.00f) } },
	{ 1, { LINE(0.58f, 0.00f, 0.42f, 1.00f) } },
	{ 4,
	  { CURVE(0.14f, 0.24f, 0.20f, 0.00f, 0.50f, 0.00f),
	    CURVE(0.50f, 0.00f, 0.82f, 0.00f, 0.80f, 0.28f),
	    CURVE(0.80f, 0.28f, 0.74f, 0.60f, 0.10f, 1.00f), LINE(0.10f, 1.00f, 0.90f, 0.96f) } },
	{ 6,
	  { CURVE(0.16f, 0.12f, 0.28f, 0.00f, 0.48f, 0.00f),
	    CURVE(0.48f, 0.00f, 0.80f, 0.00f, 0.78f, 0.22f),
	    CURVE(0.78f, 0.22f, 0.76f, 0.46f, 0.40f, 0.47f),
	    CURVE(0.40f, 0.47f, 0.86f, 0.48f, 0.86f, 0.74f),
	    CURVE(0.86f, 0.74f, 0.84f, 1.00f, 0.46f, 1.00f),
	    CURVE(0.46f, 1.00f, 0.22f, 1.00f, 0.12f, 0.86f) } },
	{ 3,
	  { LINE(0.26f, 0.00f, 0.14f, 0.54f), LINE(0.14f, 0.54f, 0.86f, 0.52f),
	    LINE(0.76f, 0.04f, 0.66f, 1.00f) } },
	{ 5,
	  { LINE(0.84f, 0.00f, 0.28f, 0.03f), LINE(0.28f, 0.03f, 0.22f, 0.46f),
	    CURVE(0.22f, 0.46f, 0.84f, 0.34f, 0.84f, 0.68f),
	    CURVE(0.84f, 0.68f, 0.82f, 1.00f, 0.46f, 1.00f),
	    CURVE(0.46f, 1.00f, 0.24f, 1.00f, 0.12f, 0.88f) } },
	{ 5,
	  { CURVE(0.68f, 0.00f, 0.22f, 0.20f, 0.20f, 0.66f),
	    CURVE(0.20f, 0.66f, 0.18f, 1.00f, 0.48f, 1.00f),
	    CURVE(0.48f, 1.00f, 0.80f, 1.00f, 0.80f, 0.74f),
	    CURVE(0.80f, 0.74f, 0.80f, 0.52f, 0.54f, 0.52f),
	    CURVE(0.54f, 0.52f, 0.28f, 0.54f, 0.21f, 0.74f) } },
	{ 2,
	  { LINE(0.12f, 0.06f, 0.86f, 0.02f), CURVE(0.86f, 0.02f, 0.52f, 0.46f, 0.42f, 1.00f) } },
	{ 8,
	  { CURVE(0.52f, 0.00f, 0.24f, 0.00f, 0.24f, 0.22f),
	    CURVE(0.24f, 0.22f, 0.24f, 0.40f, 0.52f, 0.48f),
	    CURVE(0.52f, 0.48f, 0.84f, 0.56f, 0.82f, 0.78f),
	    CURVE(0.82f, 0.78f, 0.80f, 1.00f, 0.50f, 1.00f),
	    CURVE(0.50f, 1.00f, 0.18f, 1.00f, 0.18f, 0.78f),
	    CURVE(0.18f, 0.78f, 0.18f, 0.58f, 0.52f, 0.48f),
	    CURVE(0.52f, 0.48f, 0.80f, 0.40f, 0.80f, 0.22f),
	    CURVE(0.80f, 0.22f, 0.80f, 0.00f, 0.52f, 0.00f) } },
	{ 5,
	  { CURVE(0.78f, 0.22f, 0.74f, 0.00f, 0.50f, 0.00f),
	    CURVE(0.50f, 0.00f, 0.22f, 0.02f, 0.22f, 0.28f),
	    CURVE(0.22f, 0.28f, 0.22f, 0.50f, 0.46f, 0.50f),
	    CURVE(0.46f, 0.50f, 0.74f, 0.48f, 0.78f, 0.22f),
	    CURVE(0.78f, 0.22f, 0.78f, 0.62f, 0.62f, 1.00f) } },
};

static struct point curve_at(const struct curve *c, int piece)
{
	float t = (float)piece / PIECES, u = 1 - t;

	return (struct point){
		u * u * c->from.x + 2 * u * t * c->control.x + t * t * c->to.x,
		u * u * c->from.y + 2 * u * t * c->control.y + t * t * c->to.y,
	};
}

static float squared(float v)
{
	return v * v;
}

/* The square of the distance from @p to the straight piece from @a to @b. */
static float distance_squared(struct point p, struct point a, struct point b)
{
	float dx = b.x - a.x, dy = b.y - a.y;
	float along = ((p.x - a.x) * dx + (p.y - a.y) * dy) / (dx * dx + dy * dy);

	along = along < 0 ? 0 : along > 1 ? 1 : along;
	return squared(p.x - a.x - along * dx) + squared(p.y - a.y - along * dy);
}

/* How a glyph's box lies in the image: pixel = scale * box + offset. */
struct placement {
	float scale;
	struct point offset;
};

static struct point place(const struct placement *at, struct point p)
{
	return (struct point){ at->scale * p.x + at->offset.x, at->scale * p.y + at->offset.y };
}

/* The ink at the middle of a pixel: 1 under the pen, falling to 0 over one pixel at its edge. */
static float ink_at(int digit, const struct placement *at, struct point p)
{
	float nearest = squared(2 * DIGITS_SIDE), ink;

	for (int i = 0; i < glyphs[digit].count; i++) {
		const struct curve *c = &glyphs[digit].curve[i];
		struct point a = place(at, curve_at(c, 0));

		for (int piece = 1; piece <= PIECES; piece++) {
			struct point b = place(at, curve_at(c, piece));
			float d = distance_squared(p, a, b);

			nearest = d < nearest ? d : nearest;
			a = b;
		}
	}
	ink = PEN_RADIUS + 0.5f - sqrtf(nearest);
	return ink < 0 ? 0 : ink > 1 ? 1 : ink;
}

static void draw(int digit, const struct placement *at, float image[DIGITS_PIXELS])
{
	for (int y = 0; y < DIGITS_SIDE; y++)
		for (int x = 0; x < DIGITS_SIDE; x++)
			image[y * DIGITS_SIDE + x] = ink_at(
				digit, at, (struct point){ (float)x + 0.5f, (float)y + 0.5f });
}

/* The scale at which the ink fits its square, and the offset that puts its box into the middle. */
static struct placement fit(int digit)
{
	struct point low = { 1, 1 }, high = { 0, 0 };
	struct placement at;
	float width, height;

	for (int i = 0; i < glyphs[digit].count; i++)
		for (int piece = 0; piece <= PIECES; piece++) {
			struct point p = curve_at(&glyphs[digit].curve[i], piece);

			low.x = p.x < low.x ? p.x : low.x;
			low.y = p.y < low.y ? p.y : low.y;
			high.x = p.x > high.x ? p.x : high.x;
			high.y = p.y > high.y ? p.y : high.y;
		}
	width = high.x - low.x;
	height = high.y - low.y;
	at.scale = (INK_SIDE - 2 * PEN_RADIUS) / (width > height ? width : height);
	at.offset.x = (DIGITS_SIDE - at.scale * (low.x + high.x)) / 2;
	at.offset.y = (DIGITS_SIDE - at.scale * (low.y + high.y)) / 2;
	return at;
}

void strokes_draw(int digit, float image[DIGITS_PIXELS])
{
	struct placement at = fit(digit);
	struct point centre = { 0, 0 };
	float total = 0;

	draw(digit, &at, image);
	for (int y = 0; y < DIGITS_SIDE; y++)
		for (int x = 0; x < DIGITS_SIDE; x++) {
			float ink = image[y * DIGITS_SIDE + x];

			total += ink;
			centre.x += ink * ((float)x + 0.5f);
			centre.y += ink * ((float)y + 0.5f);
		}
	at.offset.x += DIGITS_SIDE / 2.0f - centre.x / total;
	at.offset.y += DIGITS_SIDE / 2.0f - centre.y / total;
	draw(digit, &at, image);
}
