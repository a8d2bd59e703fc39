// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A file is the SHA-256 of the plan, and the plan. */
#include "service/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/compiler.h"
#include "tools/output.h"

/* ---- Keys ---------------------------------------------------------------------------------- */

struct build_id {
	const u8 *bytes;
	size_t size;
};

/* The note of the linker that is different for every program. */
static void find_note(const u8 *at, size_t size, struct build_id *id)
{
	ElfW(Nhdr) note;

	while (size >= sizeof(note)) {
		size_t name, content;

		memcpy(&note, at, sizeof(note));
		name = (note.n_namesz + 3) & ~(size_t)3;
		content = (note.n_descsz + 3) & ~(size_t)3;
		if (name + content > size - sizeof(note))
			return;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    !memcmp(at + sizeof(note), "GNU", 4))
			*id = (struct build_id){ at + sizeof(note) + name, note.n_descsz };
		at += sizeof(note) + name + content;
		size -= sizeof(note) + name + content;
	}
}

/* The first object is the program itself. */
static int of_program(struct dl_phdr_info *info, size_t size, void *id)
{
	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_NOTE)
			find_note((const u8 *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr),
				  info->dlpi_phdr[i].p_memsz, id);
	return 1;
}

static void print_hex(const u8 *digest, char *hex)
{
	for (int i = 0; i < SHA256_DIGEST_SIZE; i++)
		sprintf(hex + 2 * i, "%02x", digest[i]);
}

int cache_key(const char *machine, const void *model, size_t size, struct plan_key *key)
{
	struct build_id id = { 0 };
	u8 digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx s;

	dl_iterate_phdr(of_program, &id);
	if (!id.size)
		return -ENOTSUP;
	sha256_init(&s);
	sha256_update(&s, id.size, id.bytes);
	sha256_update(&s, strlen(machine) + 1, (const u8 *)machine);
	sha256_update(&s, size, model);
	sha256_digest(&s, SHA256_DIGEST_SIZE, digest);
	print_hex(digest, key->hex);
	return 0;
}

/* ---- Files --------------------------------------------------------------------------------- */

static int plan_path(const char *directory, const struct plan_key *key, char path[PATH_MAX])
{
	int length = snprintf(path, PATH_MAX, "%s/%s.plan", directory, key->hex);

	return length < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static void digest_of(const void *bytes, size_t size, u8 digest[SHA256_DIGEST_SIZE])
{
	struct sha256_ctx s;

	sha256_init(&s);
	sha256_update(&s, size, bytes);
	sha256_digest(&s, SHA256_DIGEST_SIZE, digest);
}

int cache_load(const char *directory, const struct plan_key *key, void **plan, size_t *size)
{
	struct compile_error err = { 0 };
	u8 digest[SHA256_DIGEST_SIZE], *bytes;
	char path[PATH_MAX];
	size_t all;
	int rc = plan_path(directory, key, path);

	if (!rc)
		rc = compile_read_file(path, (void **)&bytes, &all, &err);
	if (rc)
		return rc;
	if (all >= SHA256_DIGEST_SIZE) {
		digest_of(bytes + SHA256_DIGEST_SIZE, all - SHA256_DIGEST_SIZE, digest);
		if (!memcmp(digest, bytes, SHA256_DIGEST_SIZE)) {
			*size = all - SHA256_DIGEST_SIZE;
			memmove(bytes, bytes + SHA256_DIGEST_SIZE, *size);
			*plan = bytes;
			return 0;
		}
	}
	free(bytes);
	return -EBADMSG;
}

static int make_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX];

	if (!mkdir(path, 0700) || errno == EEXIST)
		return 0;
	if (errno != ENOENT || !slash || slash == path)
		return -errno;
	snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
	if (mkdir(parent, 0700) || mkdir(path, 0700))
		return -errno;
	return 0;
}

static int write_parts(int fd, const struct output_part *parts, int count)
{
	for (int i = 0; i < count; i++) {
		const char *at = parts[i].bytes;
		size_t left = parts[i].size;

		while (left) {
			ssize_t n = write(fd, at, left);

			if (n < 0 && errno != EINTR)
				return -errno;
			at += n > 0 ? n : 0;
			left -= n > 0 ? (size_t)n : 0;
		}
	}
	return 0;
}

/* Writes a file that has no name before it is whole: of a process that is killed, nothing stays. */
static int store_new(const char *directory, const char *path, const struct output_part *parts,
		     int count)
{
	int fd = open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600), rc;
	char self[32];

	if (fd < 0)
		return errno == EISDIR ? -EOPNOTSUPP : -errno;
	rc = write_parts(fd, parts, count);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (!rc && linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW))
		rc = -errno;
	close(fd);
	return rc;
}

int cache_store(const char *directory, const struct plan_key *key, const void *plan, size_t size)
{
	struct compile_error err = { 0 };
	u8 digest[SHA256_DIGEST_SIZE];
	const struct output_part parts[] = { { digest, sizeof(digest) }, { plan, size } };
	char path[PATH_MAX];
	int rc = plan_path(directory, key, path);

	if (!rc)
		rc = make_directory(directory);
	if (rc)
		return rc;
	digest_of(plan, size, digest);
	rc = store_new(directory, path, parts, 2);
	/* There is a damaged one, or a file system without files that have no name. */
	return rc == -EEXIST || rc == -EOPNOTSUPP ? output_write(path, parts, 2, &err) : rc;
}
