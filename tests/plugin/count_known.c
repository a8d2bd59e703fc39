// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Runs in the guest: intervals whose instruction counts are known, for insn_count_test. */
#include <sys/syscall.h>

#include "marker.h"

int main(void)
{
	for (int i = 0; i < 400; i++) {
		MARKER_BEGIN(0);
		MARKER_END(0);

		MARKER_BEGIN(1);
		asm volatile(".rept 100\n\tnop\n\t.endr");
		MARKER_END(1);

		MARKER_BEGIN(2);
		asm volatile("mov %0, %%eax\n\tsyscall" ::"i"(SYS_getppid)
			     : "rax", "rcx", "r11", "memory");
		MARKER_END(2);
	}
	return 0;
}
