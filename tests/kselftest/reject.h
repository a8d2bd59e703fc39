/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * One rejected field after the other: each row puts one wrong value into arguments that
 * are right otherwise, and names the error that must come of it.
 */
#ifndef TESTS_KSELFTEST_REJECT_H
#define TESTS_KSELFTEST_REJECT_H

#include <string.h>
#include <sys/mman.h>

#include "tests/kselftest/rig.h"

struct reject {
	const char *field;
	size_t offset, size;
	uint64_t value;
	int error;
};

#define REJECT(type, field, value, error)                                                       \
	{                                                                                       \
#field, offsetof(struct type, field), sizeof(((struct type *)0)->field), value, \
			error                                                                   \
	}

/* Calls @request with each row's value in a copy of the @size bytes at @args. */
#define EXPECT_REJECTED(fd, request, args, rows)                                                  \
	do {                                                                                      \
		for (size_t row = 0; row < ARRAY_SIZE(rows); row++) {                             \
			char wrong[256];                                                          \
			memcpy(wrong, &(args), sizeof(args));                                     \
			memcpy(wrong + (rows)[row].offset, &(rows)[row].value, (rows)[row].size); \
			EXPECT_EQ((rows)[row].error, rig_ioctl(fd, request, wrong))               \
			{                                                                         \
				TH_LOG("%s = %#llx", (rows)[row].field,                           \
				       (unsigned long long)(rows)[row].value);                    \
			}                                                                         \
		}                                                                                 \
	} while (0)

/* The @size bytes at @data so that the byte after them cannot be read; for the life of the test. */
static inline void *at_page_end(const void *data, size_t size)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(pages + 4096, 4096, PROT_NONE);
	memcpy(pages + 4096 - size, data, size);
	return pages + 4096 - size;
}

/* Arguments that end with their page are read; arguments that do not, are not. */
#define EXPECT_PAGE_END(fd, request, args)                                   \
	do {                                                                 \
		void *end = at_page_end(&(args), sizeof(args));              \
		EXPECT_EQ(0, rig_ioctl(fd, request, end));                   \
		EXPECT_EQ(-EFAULT, rig_ioctl(fd, request, (char *)end + 4)); \
	} while (0)

#endif
