/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts: one for events, one for the fault that stops the firmware.
 */
#ifndef RONDO_IRQ_H
#define RONDO_IRQ_H

struct rondo_device;

int rondo_irq_init(struct rondo_device *rdev);
void rondo_irq_fini(struct rondo_device *rdev);

#endif
