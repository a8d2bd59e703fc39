// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Answers with every kind of score, and values as JSON. */
#include <math.h>

#include "tests/tap.h"
#include "tools/json.h"
#include "tools/ranking.h"

enum { SCORES_MAX = 6 };

#define INF INFINITY

static const struct {
	const char *name;
	u32 count;
	float score[SCORES_MAX];
	u32 top, found;
	u32 index[SCORES_MAX];
	double probability[SCORES_MAX];
} rankings[] = {
	{ "probabilities stay what they are",
	  3,
	  { 0.25f, 0.5f, 0.25f },
	  3,
	  3,
	  { 1, 0, 2 },
	  { 0.5, 0.25, 0.25 } },
	{ "so do some that nearly sum up to one",
	  2,
	  { 0.4995f, 0.5f },
	  2,
	  2,
	  { 1, 0 },
	  { 0.5, 0.4995f } },
	{ "others do not", 2, { 0.25f, 0.5f }, 1, 1, { 1 }, { 0.56217650 } },
	{ "or that miss it by less than a thousandth",
	  2,
	  { 0.4991f, 0.5f },
	  2,
	  2,
	  { 1, 0 },
	  { 0.5, 0.4991f } },
	{ "more is too much", 2, { 0.4989f, 0.5f }, 1, 1, { 1 }, { 0.50027500 } },
	{ "above one, too", 2, { 0.5011f, 0.5f }, 1, 1, { 0 }, { 0.50027500 } },
	{ "zero and one are probabilities", 2, { 0, 1 }, 2, 2, { 1, 0 }, { 1, 0 } },
	{ "less and more are not", 2, { -0.5f, 1.5f }, 1, 1, { 1 }, { 0.88079708 } },
	{ "scores go through softmax",
	  3,
	  { 1, 3, 2 },
	  3,
	  3,
	  { 1, 2, 0 },
	  { 0.66524096, 0.24472847, 0.09003057 } },
	{ "whose sum is one too", 2, { 2, -1 }, 2, 2, { 0, 1 }, { 0.95257413, 0.04742587 } },
	{ "equal scores: the smaller number is better",
	  4,
	  { 1, 7, 7, 7 },
	  3,
	  3,
	  { 1, 2, 3 },
	  { 0.33305814, 0.33305814, 0.33305814 } },
	{ "far below the best, scores still have an order",
	  4,
	  { 0, -2000, -1000, -3000 },
	  4,
	  4,
	  { 0, 2, 1, 3 },
	  { 1, 0, 0, 0 } },
	{ "an infinite score is certain", 4, { 1, INF, 2, 3 }, 2, 2, { 1, 3 }, { 1, 0 } },
	{ "two share that", 4, { 1, INF, 2, INF }, 3, 3, { 1, 3, 2 }, { 0.5, 0.5, 0 } },
	{ "an infinitely low score is the last",
	  3,
	  { -INF, 1, 1 },
	  3,
	  3,
	  { 1, 2, 0 },
	  { 0.5, 0.5, 0 } },
	{ "infinitely low scores share all",
	  4,
	  { -INF, -INF, -INF, -INF },
	  2,
	  2,
	  { 0, 1 },
	  { 0.25, 0.25 } },
	{ "what is no number never wins", 3, { NAN, 1, 1 }, 3, 2, { 1, 2 }, { 0.5, 0.5 } },
	{ "beside an infinite score, too", 3, { NAN, INF, -INF }, 3, 2, { 1, 2 }, { 1, 0 } },
	{ "or beside probabilities", 3, { 0.75f, NAN, 0.25f }, 3, 2, { 0, 2 }, { 0.75, 0.25 } },
	{ "no number, no answer", 2, { NAN, NAN }, 2, 0, {}, {} },
	{ "fewer are asked for than there are", 3, { 3, 2, 1 }, 1, 1, { 0 }, { 0.66524096 } },
	{ "fewer are there than are asked for", 2, { 1, 1 }, 5, 2, { 0, 1 }, { 0.5, 0.5 } },
	{ "zero and minus zero are equal",
	  3,
	  { -0.0f, 0, -0.0f },
	  3,
	  3,
	  { 0, 1, 2 },
	  { 1 / 3., 1 / 3., 1 / 3. } },
};

static void test_rankings(void)
{
	for (size_t i = 0; i < sizeof(rankings) / sizeof(rankings[0]); i++) {
		struct ranked_class best[SCORES_MAX];
		u32 order[SCORES_MAX], found, k, bad = 0;

		found = rank_classes(rankings[i].score, rankings[i].count, order, best,
				     rankings[i].top);
		for (k = 0; k < found; k++)
			bad += best[k].index != rankings[i].index[k] ||
			       !(fabs(best[k].probability - rankings[i].probability[k]) < 1e-7);
		if (tap_ok(found == rankings[i].found && !bad, "%s", rankings[i].name))
			continue;
		for (k = 0; k < found; k++)
			printf("# %u: %.8f\n", best[k].index, best[k].probability);
	}
}

static const struct {
	const char *text, *json;
} strings[] = {
	{ "", "\"\"" },
	{ "a \"b\" \\ /", "\"a \\\"b\\\" \\\\ /\"" },
	{ "\t\n\r\x01\x1f ~\x7f", "\"\\u0009\\u000a\\u000d\\u0001\\u001f ~\\u007f\"" },
	{ "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"" },
	{ "\xff|\xc3|\xe2\x82|\x80", "\"\\ufffd|\\ufffd|\\ufffd\\ufffd|\\ufffd\"" },
	{ "\xc0\xaf\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"" }, /* too long a form */
	{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" }, /* half of a surrogate pair */
	{ "\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" }, /* above U+10FFFF */
	{ "\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\"" },
};

static const struct {
	double value;
	const char *json;
} numbers[] = {
	{ 0, "0" },	 { 0.5, "0.5" },  { -1e-9, "-1e-09" }, { 123456789, "123456789" },
	{ NAN, "null" }, { INF, "null" }, { -INF, "null" },
};

/* What is printed, in memory; closes @out. */
static bool printed(FILE *out, char *const *text, const char *expected)
{
	bool same;

	fclose(out);
	same = !strcmp(*text, expected);
	if (!same)
		printf("# %s\n", *text);
	free(*text);
	return same;
}

static void test_json(void)
{
	char *text;
	size_t size, i;
	FILE *out;

	for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		out = open_memstream(&text, &size);
		json_string(out, strings[i].text);
		tap_ok(printed(out, &text, strings[i].json), "string %zu", i);
	}
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		out = open_memstream(&text, &size);
		json_number(out, numbers[i].value);
		tap_ok(printed(out, &text, numbers[i].json), "number %g", numbers[i].value);
	}
}

/* @point in @length bytes, be that the right number or not. */
static void encode(unsigned int point, int length, char *text)
{
	static const unsigned char leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (int i = length - 1; i > 0; i--, point >>= 6)
		text[i] = (char)(0x80 | (point & 0x3f));
	text[0] = (char)(leads[length] | point);
	text[length] = 0;
}

/* A code point is let through in its shortest form, if it is one of Unicode's and no surrogate. */
static void test_code_points(void)
{
	static const unsigned int around[] = { 0x80,   0x800,	0xd800,	 0xdc00,
					       0xe000, 0x10000, 0x110000 };
	static const unsigned int limits[] = { 0, 0, 0x800, 0x10000, 0x200000 };
	u32 wrong = 0, through = 0;

	for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
		for (unsigned int point = around[i] - 2; point < around[i] + 2; point++) {
			for (int length = 2; length <= 4; length++) {
				unsigned int least = length == 2 ? 0x80 : limits[length - 1];
				bool good = point >= least && point <= 0x10ffff &&
					    (point < 0xd800 || point > 0xdfff);
				char text[8], expected[32] = "\"", *json;
				size_t size;
				FILE *out;

				if (point >= limits[length])
					continue;
				encode(point, length, text);
				for (int k = 0; k < length && !good; k++)
					strcat(expected, "\\ufffd");
				strcat(expected, good ? text : "");
				strcat(expected, "\"");
				out = open_memstream(&json, &size);
				json_string(out, text);
				wrong += !printed(out, &json, expected);
				through += good;
			}
		}
	}
	tap_ok(!wrong && through, "code points at the limits of each form");
}

int main(void)
{
	test_rankings();
	test_code_points();
	test_json();
	return tap_done();
}
