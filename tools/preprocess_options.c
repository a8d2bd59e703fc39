// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/preprocess_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/rondo.h"

static const char *const fit_names[] = { "stretch", "cover", "crop", "pad" };
static const char *const order_names[] = { "shape", "nchw", "nhwc" };
static const char *const colour_names[] = { "rgb", "bgr" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int take_preset(struct preprocess *p, const char *name)
{
	if (preprocess_preset(p, name))
		return STATUS_OK;
	return usage("--preprocess takes imagenet, tf, unit or none, not \"%.40s\"", name);
}

/* The index of @argument in @names; -1 after a message that option @option takes @what. */
static int take_name(const char *const *names, size_t count, const char *argument,
		     const char *option, const char *what)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(argument, names[i]))
			return (int)i;
	usage("--%s takes %s, not \"%.40s\"", option, what, argument);
	return -1;
}

/* How many numbers @text is, with commas between them; 0: it is something else, or too many. */
static int read_numbers(float numbers[IMAGE_CHANNELS], const char *text, bool positive)
{
	char *end;

	for (int n = 0; n < IMAGE_CHANNELS; text = end + 1) {
		numbers[n] = strtof(text, &end);
		if (end == text || !isfinite(numbers[n]) || (positive && numbers[n] <= 0))
			return 0;
		n++;
		if (!*end)
			return n;
		if (*end != ',')
			return 0;
	}
	return 0;
}

/* One number for all channels, or three with commas between them. */
static int take_numbers(float numbers[IMAGE_CHANNELS], const char *argument, const char *option,
			bool positive)
{
	int n = read_numbers(numbers, argument, positive);

	if (n == 1)
		numbers[1] = numbers[2] = numbers[0];
	if (n != 1 && n != IMAGE_CHANNELS)
		return usage("--%s takes a number%s, or three with commas between, not \"%.40s\"",
			     option, positive ? " above 0" : "", argument);
	return STATUS_OK;
}

int preprocess_take(struct preprocess *p, enum option_id id, const char *argument)
{
	int i = 0, status = STATUS_OK;

	p->given = true;
	switch (id) {
	case OPTION_PREPROCESS:
		return take_preset(p, argument);
	case OPTION_FIT:
		i = take_name(fit_names, COUNT(fit_names), argument, "fit",
			      "stretch, cover, crop or pad");
		p->fit = i;
		break;
	case OPTION_LAYOUT:
		i = take_name(order_names, COUNT(order_names), argument, "layout",
			      "nchw, nhwc or shape");
		p->order = i;
		break;
	case OPTION_COLOURS:
		i = take_name(colour_names, COUNT(colour_names), argument, "colours", "rgb or bgr");
		p->bgr = i == 1;
		break;
	case OPTION_MEAN:
		return take_numbers(p->mean, argument, "mean", false);
	case OPTION_DEVIATION:
		return take_numbers(p->deviation, argument, "deviation", true);
	default:
		status = STATUS_USAGE;
	}
	return i < 0 ? STATUS_USAGE : status;
}
