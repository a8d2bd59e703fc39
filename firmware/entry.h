/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What start.S calls. */
#ifndef FIRMWARE_ENTRY_H
#define FIRMWARE_ENTRY_H

#include "spec/env.h"

/* Everything after the start: returns when the firmware has stopped. */
void fw_main(void);

/* The core took a trap, which is a bug; mcause, mepc and mtval. The core then stops. */
void fw_trapped(u32 cause, u32 pc, u32 value);

#endif
