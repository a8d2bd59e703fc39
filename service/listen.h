/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Sockets that listen. */
#ifndef SERVICE_LISTEN_H
#define SERVICE_LISTEN_H

#include "service/refusal.h"

/* One of TCP at a numeric @address and @port (0: any), which does not block. -1 and why. */
int listen_tcp(const char *address, u32 port, struct refusal *why);

/* The port that @fd listens at. */
u32 listen_port(int fd);

#endif
