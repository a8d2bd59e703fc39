/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The Unix socket: service/wire.h tells its protocol. A thread for each client. */
#ifndef SERVICE_UNIXSOCK_H
#define SERVICE_UNIXSOCK_H

#include "service/server.h"

enum { UNIXSOCK_CLIENTS_MAX = 64 };

struct unixsock;

/*
 * Listens at @path; if that is NULL, at @fd, which then belongs to it. 0, or -1 and why: also if
 * somebody else listens there.
 */
int unixsock_start(const char *path, int fd, struct server *server, struct unixsock **unixsock,
		   struct refusal *why);

/* Takes no more clients and no more messages; answers the runs that are under way, and ends. */
void unixsock_stop(struct unixsock *unixsock);

#endif
