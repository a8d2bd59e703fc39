/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the files of commands share: command.c, command_show.c, command_break.c. */
#ifndef TOOLS_DEBUG_COMMAND_STATE_H
#define TOOLS_DEBUG_COMMAND_STATE_H

#include "tools/debug/command.h"
#include "tools/debug/print.h"

enum { ARGS_MAX = 8 };

/* A command's arguments, without its name. */
struct args {
	u32 count;
	const char *at[ARGS_MAX];
};

/* A number or two, "4" or "4..7". */
struct range {
	u64 lo, hi; /* inclusive */
};

typedef bool command_fn(struct debugger *d, const struct args *args);

/* Says what is wrong; false. */
__attribute__((format(printf, 2, 3))) bool bad(struct debugger *d, const char *fmt, ...);

static inline struct session *shown(const struct debugger *d)
{
	return d->run[d->side];
}

/* All return false, with d->error, if @text cannot be read as one. @what names it in the message.
 */
bool parse_number(struct debugger *d, const char *text, const char *what, u64 *number);
/* Numbers below @limit, each with @prefix before it if it has one ("v3..v7"). */
bool parse_range(struct debugger *d, const char *text, const char *prefix, const char *what,
		 u64 limit, struct range *range);
bool parse_type(struct debugger *d, const char *text, enum print_type *type);

/* command_show.c */
command_fn show_info, show_list, show_registers, show_sram, show_accumulators, show_weights,
	show_slot, show_slots, show_loops, show_dma, show_layers, show_hash, set_tile;

/* command_break.c */
command_fn break_add, break_list, break_delete, go_continue, go_reverse, go_next, go_previous;

/* command_compare.c */
command_fn set_run, compare_command;

#endif
