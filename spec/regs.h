/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Names for the rows of spec/regs.def, the same for driver, firmware, library and device:
 *
 *	RONDO_REG_space_name		offset of a register, of the first where a row has several
 *	RONDO_FLD_space_name_field	mask of a field, in place
 *	RONDO_SHIFT_space_name_field	its lowest bit
 */
#ifndef RONDO_SPEC_REGS_H
#define RONDO_SPEC_REGS_H

enum rondo_reg {
#define REG(space, name, offset, count, widest, access, meaning) \
	RONDO_REG_##space##_##name = (offset),
#define FLD(space, name, field, lo, width, meaning)
#include "spec/regs.def"
};

enum rondo_fld {
#define REG(space, name, offset, count, widest, access, meaning)
#define FLD(space, name, field, lo, width, meaning)    \
	RONDO_SHIFT_##space##_##name##_##field = (lo), \
	RONDO_FLD_##space##_##name##_##field = ((1 << (width)) - 1) << (lo),
#include "spec/regs.def"
};

#endif
