/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What a service manager and its services tell each other (systemd's sd_notify(3) and
 * sd_listen_fds(3)): two environment variables and one datagram, so that no library is needed.
 */
#ifndef SERVICE_NOTIFY_H
#define SERVICE_NOTIFY_H

/* Sends "READY=1" and the like, if somebody listens. 0, or a negative errno. */
int notify_manager(const char *state);

/*
 * Sockets that were opened for this process: their number, the first is descriptor 3. They are
 * closed on exec from now on.
 */
int notify_sockets(void);

#endif
