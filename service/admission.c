// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/admission.h"

void admission_wait(struct waiting **line, struct waiting *w)
{
	while (*line && (*line)->priority <= w->priority)
		line = &(*line)->next;
	w->next = *line;
	*line = w;
}

bool admission_fits(u64 now, u64 free_at, u64 cycles, u64 timeout, u64 *earliest)
{
	*earliest = (free_at > now ? free_at - now : 0) + cycles;
	return *earliest <= timeout;
}

u64 cycles_to_us(u64 cycles, u32 khz)
{
	return (u64)(((unsigned __int128)cycles * 1000 + khz - 1) / khz);
}

u64 us_to_cycles(u64 us, u32 khz)
{
	unsigned __int128 cycles = (unsigned __int128)us * khz / 1000;

	return cycles > UINT64_MAX ? UINT64_MAX : (u64)cycles;
}
