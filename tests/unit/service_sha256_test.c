// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/sha256.h"
#include "tests/tap.h"

/* What @s has been given, in hexadecimal. */
static const char *hex(struct sha256 *s)
{
	static char text[2 * SHA256_BYTES + 1];
	u8 digest[SHA256_BYTES];

	sha256_end(s, digest);
	for (int i = 0; i < SHA256_BYTES; i++)
		sprintf(text + 2 * i, "%02x", digest[i]);
	return text;
}

static void test_published(const char *text, const char *digest)
{
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, text, strlen(text));
	tap_ok(!strcmp(hex(&s), digest), "\"%.20s\"", text);
}

/* However a text is cut in pieces, its digest is the same. */
static void test_pieces(void)
{
	bool same = true;
	char text[300], whole[2 * SHA256_BYTES + 1];
	struct sha256 s;

	for (size_t size = 0; size <= sizeof(text); size++) {
		memset(text, 'a' + (int)(size % 26), sizeof(text));
		sha256_init(&s);
		sha256_add(&s, text, size);
		strcpy(whole, hex(&s));
		for (size_t piece = 1; piece < 130; piece += 21) {
			sha256_init(&s);
			for (size_t at = 0; at < size; at += piece)
				sha256_add(&s, text + at, size - at < piece ? size - at : piece);
			same = same && !strcmp(hex(&s), whole);
		}
	}
	tap_ok(same, "pieces of any size make the same");
}

/* A million times "a", as FIPS 180 has it. */
static void test_long(void)
{
	char text[1000];
	struct sha256 s;

	memset(text, 'a', sizeof(text));
	sha256_init(&s);
	for (int i = 0; i < 1000; i++)
		sha256_add(&s, text, sizeof(text));
	tap_ok(!strcmp(hex(&s), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
	       "a million letters");
}

int main(void)
{
	test_published("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	test_published("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	test_published("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	test_pieces();
	test_long();
	return tap_done();
}
