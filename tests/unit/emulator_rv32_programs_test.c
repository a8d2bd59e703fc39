// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The RV32 core on whole programs, encoded by the distribution's RISC-V tools:
 * each argument is an ELF file made of one tests/rv32 source. A program checks
 * itself and reports on the bus: word 0 the source line of the check that
 * failed (0: none), word 1 that it is done. No argument: nothing was built,
 * because the RISC-V compiler is missing.
 */
#include <elf.h>
#include <stdio.h>

#include "tests/rv32/rv32_machine.h"
#include "tests/tap.h"

#define INSNS_MAX 1000000

/* Reads the loadable segments of the ELF file at @path into TCM. */
static bool load_elf(struct machine *m, const char *path)
{
	FILE *f = fopen(path, "rb");
	Elf32_Ehdr head;
	Elf32_Phdr seg;
	bool ok = f && fread(&head, sizeof(head), 1, f) == 1 && head.e_machine == EM_RISCV;

	for (u32 i = 0; ok && i < head.e_phnum; i++) {
		ok = !fseek(f, head.e_phoff + i * head.e_phentsize, SEEK_SET) &&
		     fread(&seg, sizeof(seg), 1, f) == 1;
		if (!ok || seg.p_type != PT_LOAD)
			continue;
		ok = seg.p_vaddr >= TCM_BASE && seg.p_filesz <= TCM_SIZE &&
		     seg.p_vaddr - TCM_BASE <= TCM_SIZE - seg.p_filesz &&
		     !fseek(f, seg.p_offset, SEEK_SET) &&
		     fread(m->tcm + (seg.p_vaddr - TCM_BASE), 1, seg.p_filesz, f) == seg.p_filesz;
	}
	if (f)
		fclose(f);
	rv32_reset(&m->core, ok ? head.e_entry : 0);
	return ok;
}

int main(int argc, char **argv)
{
	static struct machine m;

	if (argc == 1)
		tap_skip("assembled programs", "riscv64-unknown-elf-gcc is missing");
	for (int i = 1; i < argc; i++) {
		machine_init(&m, 0);
		if (!tap_ok(load_elf(&m, argv[i]), "%s: loads", argv[i]))
			continue;
		rv32_run(&m.core, INSNS_MAX);
		if (!tap_ok(m.bus[1] == 1 && m.bus[0] == 0, "%s: passes", argv[i]))
			printf("# %s at line %u; pc %#x, cause %u at %#x\n",
			       m.bus[1] ? "failed" : "never done", m.bus[0], m.core.pc,
			       m.core.mcause, m.core.mepc);
	}
	return tap_done();
}
