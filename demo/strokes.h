/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The project's own sample digits: pen strokes, drawn with soft edges. The result depends on
 * IEEE-754 arithmetic and square roots alone, so it is the same, bit for bit, on every machine
 * (built without contraction of a * b + c).
 */
#ifndef DEMO_STROKES_H
#define DEMO_STROKES_H

#include "demo/digits.h"

/*
 * Draws @digit (0..9) as MNIST has its digits: scaled to fit 20x20, its centre of mass in the
 * middle of the 28x28 @image, 0 (paper) to 1 (ink).
 */
void strokes_draw(int digit, float image[DIGITS_PIXELS]);

#endif
