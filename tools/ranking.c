// SPDX-License-Identifier: GPL-2.0-only OR MIT
#define _GNU_SOURCE /* qsort_r() */
#include "tools/ranking.h"

#include <math.h>
#include <stdlib.h>

/* How far the sum of probabilities may be from one. */
#define SUM_TOLERANCE 1e-3

/* Higher scores first, of equal ones the smaller number. */
static int compare(const void *a, const void *b, void *scores)
{
	const float *score = scores;
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	if (score[x] != score[y])
		return score[x] > score[y] ? -1 : 1;
	return x < y ? -1 : x > y;
}

static bool are_probabilities(const float *score, const u32 *order, u32 count)
{
	double sum = 0;
	u32 i;

	for (i = 0; i < count; i++) {
		if (!(score[order[i]] >= 0 && score[order[i]] <= 1))
			return false;
		sum += score[order[i]];
	}
	return fabs(sum - 1) < SUM_TOLERANCE;
}

/* What softmax divides: of infinities the ones that equal the highest count. */
static double weight(float score, float highest)
{
	return isinf(highest) ? score == highest : exp((double)score - highest);
}

u32 rank_classes(const float *score, u32 count, u32 *order, struct ranked_class *best, u32 top)
{
	u32 numbers = 0, i;
	double sum = 0;
	bool already;

	for (i = 0; i < count; i++)
		if (!isnan(score[i]))
			order[numbers++] = i;
	qsort_r(order, numbers, sizeof(*order), compare, (void *)score);
	already = are_probabilities(score, order, numbers);
	for (i = 0; i < numbers; i++)
		sum += weight(score[order[i]], score[order[0]]);
	for (i = 0; i < top && i < numbers; i++) {
		float s = score[order[i]];

		best[i].index = order[i];
		best[i].probability = already ? s : weight(s, score[order[0]]) / sum;
	}
	return i;
}
