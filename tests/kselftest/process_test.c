// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * An open file and the processes that may hold it: passed on, forked, kept across exec; many files;
 * and callers who may do less than others.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/kselftest/harness.h"
#include "tests/kselftest/rig.h"

enum { UID = 1000, FILES = 1000, ROUNDS = 20 };

/* Ends the process: whether the copy of another process, whose ids it knows, can be replayed. */
static void replay_and_exit(int fd, struct rig_copy copy)
{
	for (int i = 0; i < ROUNDS; i++)
		if (rig_copy_run(fd, &copy))
			_exit(1);
	_exit(0);
}

/* The same program again, as what exec leaves: the file, and what is said in the environment. */
__attribute__((constructor)) static void after_exec(void)
{
	const char *said = getenv("PROCESS_TEST");
	unsigned int queue, binding, sync;
	int fd;

	if (!said)
		return;
	if (sscanf(said, "%d %u %u %u", &fd, &queue, &binding, &sync) != 4)
		_exit(2);
	if (rig_submit(fd, queue, binding, 0, sync))
		_exit(3);
	_exit(rig_result(fd, sync) ? 4 : 0);
}

FIXTURE(process)
{
	int fd;
	struct rig_copy copy;
};

FIXTURE_SETUP(process)
{
	self->fd = rig_open_as(UID);
	ASSERT_LE(0, self->fd);
	self->copy = make_copy(self->fd);
}

FIXTURE_TEARDOWN(process)
{
	close(self->fd);
	EXPECT_EQ(0, rig_new_file_works());
}

static int status_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Ids and handles are the file's, whichever process calls. */
TEST_F(process, fork)
{
	struct rig_copy other = self->copy;
	pid_t pid;

	other.queue = make_queue(self->fd);
	other.sync = make_syncobj(self->fd);
	other.in_bo = make_bo(self->fd, 4096, (void **)&other.in);
	other.out_bo = make_bo(self->fd, 4096, (void **)&other.out);
	other.binding = make_binding(self->fd, self->copy.program,
				     (uint32_t[]){ other.in_bo, other.out_bo }, 2);
	pid = fork();
	if (!pid)
		replay_and_exit(self->fd, other);
	for (int i = 0; i < ROUNDS; i++)
		EXPECT_EQ(0, rig_copy_run(self->fd, &self->copy));
	EXPECT_EQ(0, status_of(pid));
}

/* A process that is killed takes nothing with it that the other uses. */
TEST_F(process, fork_and_kill)
{
	pid_t pid = fork();

	if (!pid)
		for (;;)
			rig_submit(self->fd, self->copy.queue, self->copy.binding, 0, 0);
	for (int i = 0; i < ROUNDS; i++)
		EXPECT_EQ(0, rig_submit(self->fd, self->copy.queue, self->copy.binding, 0, 0));
	kill(pid, SIGKILL);
	EXPECT_EQ(-1, status_of(pid));
	EXPECT_EQ(0, rig_copy_run(self->fd, &self->copy));
}

TEST_F(process, exec)
{
	char said[64];
	pid_t pid;

	snprintf(said, sizeof(said), "%d %u %u %u", dup(self->fd), self->copy.queue,
		 self->copy.binding, self->copy.sync);
	pid = fork();
	if (!pid) {
		setenv("PROCESS_TEST", said, 1);
		execl("/proc/self/exe", "process_test", NULL);
		_exit(5);
	}
	EXPECT_EQ(0, status_of(pid));
}

static void send_file(struct __test_metadata *_metadata, int socket, int fd)
{
	char space[CMSG_SPACE(sizeof(int))] = {}, byte = 0;
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = space,
				  .msg_controllen = sizeof(space) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	*(int *)CMSG_DATA(header) = fd;
	ASSERT_EQ(1, sendmsg(socket, &message, 0));
}

static int receive_file(int socket)
{
	char space[CMSG_SPACE(sizeof(int))] = {}, byte;
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = space,
				  .msg_controllen = sizeof(space) };

	if (recvmsg(socket, &message, 0) != 1 || !CMSG_FIRSTHDR(&message))
		return -1;
	return *(int *)CMSG_DATA(CMSG_FIRSTHDR(&message));
}

/* To a process that could not have opened it, and that is all that holds it in the end. */
TEST_F(process, pass_on)
{
	int pair[2];
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = fork();
	if (!pid) {
		close(self->fd);
		close(pair[0]);
		if (setuid(UID + 1))
			_exit(2);
		replay_and_exit(receive_file(pair[1]), self->copy);
	}
	send_file(_metadata, pair[0], self->fd);
	close(self->fd);
	EXPECT_EQ(0, status_of(pid));
	self->fd = -1;
}

TEST_F(process, many_files)
{
	struct rlimit limit = { 2 * FILES, 2 * FILES };
	static int fd[FILES];
	int i;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	for (i = 0; i < FILES; i++) {
		fd[i] = rig_open_as(UID);
		ASSERT_LE(0, fd[i]);
		make_bo(fd[i], 4096, NULL);
	}
	EXPECT_EQ(0, rig_copy_run(self->fd, &self->copy));
	EXPECT_EQ(0, rig_new_file_works());
	for (i = 0; i < FILES; i++)
		close(fd[i]);
}

/* Memory that the device uses is charged to the control group, not locked by the process. */
TEST_F(process, no_locked_memory)
{
	struct rlimit limit = { 0, 0 };
	pid_t pid = fork();

	if (!pid) {
		if (setrlimit(RLIMIT_MEMLOCK, &limit) || setuid(UID))
			_exit(2);
		_exit(rig_new_file_works() ? 1 : 0);
	}
	EXPECT_EQ(0, status_of(pid));
}

/* Root of a user namespace is nobody special to the device. */
TEST_F(process, user_namespace)
{
	struct drm_rondo_device_info info = rig_info(self->fd);
	struct drm_rondo_queue_create queue = { .weight = info.weight_default + 1 };
	pid_t pid = fork();

	if (!pid) {
		if (setuid(UID) || unshare(CLONE_NEWUSER))
			_exit(2);
		if (rig_ioctl(self->fd, DRM_IOCTL_RONDO_QUEUE_CREATE, &queue) != -EPERM)
			_exit(3);
		replay_and_exit(self->fd, self->copy);
	}
	EXPECT_EQ(0, status_of(pid));
}

TEST_HARNESS_MAIN
