// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what in the driver needs no device. The rest is tested in a guest, by
 * tests/kselftest of the project that the driver comes from.
 */
#include <kunit/test.h>
#include <linux/crc32.h>
#include <linux/slab.h>
#include <linux/uidgid.h>

#include "driver/rondo_array.h"
#include "driver/rondo_device.h"
#include "driver/rondo_fence.h"
#include "driver/rondo_fw.h"
#include "driver/rondo_user.h"
#include "spec/device.h"

/* Arrays: counts up to a limit; strides from the first size up to a page, in steps of 8 bytes. */
static void test_arrays(struct kunit *test)
{
	static const struct {
		u32 count, stride;
		int ret;
	} cases[] = {
		{ 0, 0, 0 },
		{ 0, 3, 0 },
		{ 1, 24, 0 },
		{ 1, 16, -EINVAL },
		{ 1, 23, -EINVAL },
		{ 1, 25, -EINVAL },
		{ 1, 32, 0 },
		{ 1, 4096, 0 },
		{ 1, 4104, -EINVAL },
		{ 1, 4097, -EINVAL },
		{ 64, 24, 0 },
		{ 65, 24, -EINVAL },
		{ 1, U32_MAX - 7, -EINVAL },
		{ U32_MAX, 24, -EINVAL },
	};
	struct rondo_array array;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		array = (struct rondo_array){ 0, cases[i].count, cases[i].stride };
		KUNIT_EXPECT_EQ_MSG(test, cases[i].ret, rondo_array_check(&array, 64, 24),
				    "count %u, stride %u", array.count, array.stride);
	}
}

/* A fence signals once, and keeps the error of the first time. */
static void test_fences(struct kunit *test)
{
	static void (*const init[])(struct rondo_fence *, u64, u64) = { rondo_fence_init_hw,
									rondo_fence_init_done };
	struct rondo_fence *fence;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(init); i++) {
		fence = rondo_fence_alloc();
		KUNIT_ASSERT_NOT_NULL(test, fence);
		init[i](fence, dma_fence_context_alloc(1), 1);
		KUNIT_EXPECT_EQ(test, 0, dma_fence_get_status(&fence->base));
		rondo_fence_signal(fence, i ? -EIO : 0);
		KUNIT_EXPECT_EQ(test, i ? -EIO : 1, dma_fence_get_status(&fence->base));
		rondo_fence_signal(fence, -ENODEV);
		KUNIT_EXPECT_EQ(test, i ? -EIO : 1, dma_fence_get_status(&fence->base));
		dma_fence_put(&fence->base);
	}
	rondo_fence_free(rondo_fence_alloc());
	rondo_fence_free(NULL);
}

/* A device of which there are only the users. */
static struct rondo_device *make_users(struct kunit *test)
{
	struct rondo_device *rdev = kunit_kzalloc(test, sizeof(*rdev), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, rdev);
	INIT_LIST_HEAD(&rdev->users);
	mutex_init(&rdev->users_lock);
	return rdev;
}

/* Takes all that @user may have of @numbers: how many. */
static u32 take_all(struct rondo_user *user, enum rondo_table_id table, u32 numbers)
{
	u32 taken = 0;

	while (!rondo_user_charge(user, table, numbers))
		taken++;
	return taken;
}

/* Memory is shared in the same way, byte by byte; a device may have no limit. */
static void expect_memory_shared(struct kunit *test)
{
	struct rondo_device *rdev = make_users(test);
	struct rondo_user root = { .rdev = rdev, .uid = GLOBAL_ROOT_UID };
	struct rondo_user other = { .rdev = rdev, .uid = KUIDT_INIT(1000) };

	rdev->object_memory = 100;
	KUNIT_EXPECT_EQ(test, 0, rondo_user_charge_memory(&root, 100));
	KUNIT_EXPECT_EQ(test, -ENOSPC, rondo_user_charge_memory(&root, 1));
	KUNIT_EXPECT_EQ(test, -ENOSPC, rondo_user_charge_memory(&other, 51));
	KUNIT_EXPECT_EQ(test, 0, rondo_user_charge_memory(&other, 49));
	KUNIT_EXPECT_EQ(test, -ENOSPC, rondo_user_charge_memory(&other, 2));
	KUNIT_EXPECT_EQ(test, 0, rondo_user_charge_memory(&other, 1));
	rondo_user_uncharge_memory(&other, 1);
	KUNIT_EXPECT_EQ(test, 0, rondo_user_charge_memory(&other, 1));
	rdev->object_memory = U64_MAX;
	KUNIT_EXPECT_EQ(test, 0, rondo_user_charge_memory(&other, 1ull << 40));
}

/* Root may have all, others half; what is given back may be had again. */
static void test_shares(struct kunit *test)
{
	enum { NUMBERS = 10 };
	struct rondo_device *rdev = make_users(test);
	struct rondo_user root = { .rdev = rdev, .uid = GLOBAL_ROOT_UID };
	struct rondo_user other = { .rdev = rdev, .uid = KUIDT_INIT(1000) };
	u32 t;

	for (t = 0; t < RONDO_TABLES; t++) {
		KUNIT_EXPECT_EQ(test, NUMBERS, take_all(&root, t, NUMBERS));
		KUNIT_EXPECT_EQ(test, NUMBERS / 2, take_all(&other, t, NUMBERS));
		rondo_user_uncharge(&other, t);
		KUNIT_EXPECT_EQ(test, 1, take_all(&other, t, NUMBERS));
	}
	expect_memory_shared(test);
}

/* The firmware knows a user who has queues by a number that nobody else has at the time. */
static void test_user_numbers(struct kunit *test)
{
	struct rondo_device *rdev = make_users(test);
	struct rondo_user *user =
		kunit_kcalloc(test, RONDO_FW_USERS_MAX + 1, sizeof(*user), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, user);
	for (i = 0; i <= RONDO_FW_USERS_MAX; i++) {
		user[i].rdev = rdev;
		user[i].uid = KUIDT_INIT(i);
		KUNIT_EXPECT_EQ(test, 0, rondo_user_charge(&user[i], RONDO_PROGRAMS, 8));
		KUNIT_EXPECT_EQ(test, i < RONDO_FW_USERS_MAX ? 0 : -ENOSPC,
				rondo_user_charge(&user[i], RONDO_QUEUES, 8));
		if (i < RONDO_FW_USERS_MAX)
			KUNIT_EXPECT_EQ(test, i, user[i].number);
	}
	/* The second queue of a user is his; when both are gone, so is the number. */
	KUNIT_EXPECT_EQ(test, 0, rondo_user_charge(&user[3], RONDO_QUEUES, 8));
	KUNIT_EXPECT_EQ(test, 3, user[3].number);
	rondo_user_uncharge(&user[3], RONDO_QUEUES);
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			rondo_user_charge(&user[RONDO_FW_USERS_MAX], RONDO_QUEUES, 8));
	rondo_user_uncharge(&user[3], RONDO_QUEUES);
	KUNIT_EXPECT_EQ(test, 0, rondo_user_charge(&user[RONDO_FW_USERS_MAX], RONDO_QUEUES, 8));
	KUNIT_EXPECT_EQ(test, 3, user[RONDO_FW_USERS_MAX].number);
}

/* One user for all files of a uid, as long as there is one. */
static void test_users(struct kunit *test)
{
	struct rondo_device *rdev = make_users(test);
	struct rondo_user *first = rondo_user_get_current(rdev);

	KUNIT_ASSERT_NOT_NULL(test, first);
	KUNIT_EXPECT_PTR_EQ(test, first, rondo_user_get_current(rdev));
	rondo_user_put(first);
	KUNIT_EXPECT_FALSE(test, list_empty(&rdev->users));
	rondo_user_put(first);
	KUNIT_EXPECT_TRUE(test, list_empty(&rdev->users));
}

static void set_crc(struct rondo_fw_image *head, size_t size)
{
	head->crc = 0;
	head->crc = ~crc32_le(~0u, (void *)head, size);
}

/* The one image that is accepted, and everything that is next to it. */
static void test_images(struct kunit *test)
{
	enum { BYTES = sizeof(struct rondo_fw_image) + 64 };
	u8 *data = kunit_kzalloc(test, RONDO_TCM_BYTES + 1, GFP_KERNEL);
	struct rondo_fw_image *head = (struct rondo_fw_image *)data;
	size_t i;

	KUNIT_ASSERT_NOT_NULL(test, data);
	*head = (struct rondo_fw_image){
		.magic = RONDO_FW_IMAGE_MAGIC,
		.version = RONDO_FW_VERSION,
		.size = BYTES,
	};
	set_crc(head, BYTES);
	KUNIT_EXPECT_NULL(test, rondo_fw_refusal(data, BYTES));
	for (i = 0; i < BYTES; i++) {
		data[i] ^= 0x10;
		KUNIT_EXPECT_NOT_NULL_MSG(test, rondo_fw_refusal(data, BYTES), "byte %zu", i);
		data[i] ^= 0x10;
	}
	for (i = 0; i <= 2 * BYTES; i++)
		if (i != BYTES)
			KUNIT_EXPECT_NOT_NULL_MSG(test, rondo_fw_refusal(data, i), "size %zu", i);

	/* The largest that fits. */
	head->size = RONDO_TCM_BYTES;
	set_crc(head, RONDO_TCM_BYTES);
	KUNIT_EXPECT_NULL(test, rondo_fw_refusal(data, RONDO_TCM_BYTES));
	head->size = RONDO_TCM_BYTES + 1;
	set_crc(head, RONDO_TCM_BYTES + 1);
	KUNIT_EXPECT_NOT_NULL(test, rondo_fw_refusal(data, RONDO_TCM_BYTES + 1));

	/* Another minor version is one, another major version none. */
	head->size = BYTES;
	head->version = RONDO_FW_VERSION + 1;
	set_crc(head, BYTES);
	KUNIT_EXPECT_NULL(test, rondo_fw_refusal(data, BYTES));
	head->version = RONDO_FW_VERSION + (1 << 16);
	set_crc(head, BYTES);
	KUNIT_EXPECT_NOT_NULL(test, rondo_fw_refusal(data, BYTES));
}

static struct kunit_case rondo_cases[] = {
	KUNIT_CASE(test_arrays),
	KUNIT_CASE(test_fences),
	KUNIT_CASE(test_shares),
	KUNIT_CASE(test_user_numbers),
	KUNIT_CASE(test_users),
	KUNIT_CASE(test_images),
	{},
};

static struct kunit_suite rondo_suite = { .name = "rondo", .test_cases = rondo_cases };
kunit_test_suite(rondo_suite);
