/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events: what users ask for, and what the device makes of it. Numbers are the device's, as
 * in its log; a job is known by the tag that its user gave it.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM rondo

#if !defined(RONDO_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define RONDO_TRACE_H

#include <linux/pci.h>
#include <linux/tracepoint.h>

#include "driver/rondo_device.h"

#ifndef RONDO_TRACE_DEV
/* The PCI address of a device, as a number and printed. */
#define RONDO_TRACE_DEV "%04x:%02x:%02x.%x "
#define RONDO_TRACE_DEV_OF(dev) (dev) >> 16, (dev) >> 8 & 0xff, (dev) >> 3 & 0x1f, (dev)&7

static inline u32 rondo_trace_dev(const struct rondo_device *rdev)
{
	struct pci_dev *pdev = to_pci_dev(rdev->drm.dev);

	return pci_domain_nr(pdev->bus) << 16 | pci_dev_id(pdev);
}
#endif

/* clang-format off */
/* A program was proved and loaded. */
TRACE_EVENT(rondo_program,
	TP_PROTO(struct rondo_device *rdev, u32 program, u64 bytes, u64 cycles),
	TP_ARGS(rdev, program, bytes, cycles),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u32, program)
		__field(u64, bytes)
		__field(u64, cycles)
	),
	TP_fast_assign(
		__entry->dev = rondo_trace_dev(rdev);
		__entry->program = program;
		__entry->bytes = bytes;
		__entry->cycles = cycles;
	),
	TP_printk(RONDO_TRACE_DEV "program=%u bytes=%llu cycles=%llu",
		  RONDO_TRACE_DEV_OF(__entry->dev), __entry->program, __entry->bytes,
		  __entry->cycles)
);

/* A binding was made. */
TRACE_EVENT(rondo_bind,
	TP_PROTO(struct rondo_device *rdev, u32 binding, u32 program, u32 slots),
	TP_ARGS(rdev, binding, program, slots),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u32, binding)
		__field(u32, program)
		__field(u32, slots)
	),
	TP_fast_assign(
		__entry->dev = rondo_trace_dev(rdev);
		__entry->binding = binding;
		__entry->program = program;
		__entry->slots = slots;
	),
	TP_printk(RONDO_TRACE_DEV "binding=%u program=%u slots=%u",
		  RONDO_TRACE_DEV_OF(__entry->dev), __entry->binding, __entry->program,
		  __entry->slots)
);

/* A job was accepted; its done fence is number @fence of the context @context. */
TRACE_EVENT(rondo_submit,
	TP_PROTO(struct rondo_device *rdev, u32 queue, u64 tag, u32 replays, u64 context,
		 u64 fence),
	TP_ARGS(rdev, queue, tag, replays, context, fence),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u32, queue)
		__field(u64, tag)
		__field(u32, replays)
		__field(u64, context)
		__field(u64, fence)
	),
	TP_fast_assign(
		__entry->dev = rondo_trace_dev(rdev);
		__entry->queue = queue;
		__entry->tag = tag;
		__entry->replays = replays;
		__entry->context = context;
		__entry->fence = fence;
	),
	TP_printk(RONDO_TRACE_DEV "queue=%u tag=%llu replays=%u fence=%llu:%llu",
		  RONDO_TRACE_DEV_OF(__entry->dev), __entry->queue, __entry->tag, __entry->replays,
		  __entry->context, __entry->fence)
);

/* A job went into the ring, as its entries @first to @last. */
TRACE_EVENT(rondo_run,
	TP_PROTO(struct rondo_device *rdev, u32 queue, u64 tag, u64 first, u64 last),
	TP_ARGS(rdev, queue, tag, first, last),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u32, queue)
		__field(u64, tag)
		__field(u64, first)
		__field(u64, last)
	),
	TP_fast_assign(
		__entry->dev = rondo_trace_dev(rdev);
		__entry->queue = queue;
		__entry->tag = tag;
		__entry->first = first;
		__entry->last = last;
	),
	TP_printk(RONDO_TRACE_DEV "queue=%u tag=%llu entries=%llu..%llu",
		  RONDO_TRACE_DEV_OF(__entry->dev), __entry->queue, __entry->tag, __entry->first,
		  __entry->last)
);

/* A job has left the device; @result is of spec/results.def. */
TRACE_EVENT(rondo_done,
	TP_PROTO(struct rondo_device *rdev, u32 queue, u64 tag, u32 result),
	TP_ARGS(rdev, queue, tag, result),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u32, queue)
		__field(u64, tag)
		__field(u32, result)
	),
	TP_fast_assign(
		__entry->dev = rondo_trace_dev(rdev);
		__entry->queue = queue;
		__entry->tag = tag;
		__entry->result = result;
	),
	TP_printk(RONDO_TRACE_DEV "queue=%u tag=%llu result=%u", RONDO_TRACE_DEV_OF(__entry->dev),
		  __entry->queue, __entry->tag, __entry->result)
);

/* A replay failed, at @bundle if @result is one that has a bundle. */
TRACE_EVENT(rondo_fault,
	TP_PROTO(struct rondo_device *rdev, u32 queue, u64 seqno, u32 result, u32 bundle),
	TP_ARGS(rdev, queue, seqno, result, bundle),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u32, queue)
		__field(u64, seqno)
		__field(u32, result)
		__field(u32, bundle)
	),
	TP_fast_assign(
		__entry->dev = rondo_trace_dev(rdev);
		__entry->queue = queue;
		__entry->seqno = seqno;
		__entry->result = result;
		__entry->bundle = bundle;
	),
	TP_printk(RONDO_TRACE_DEV "queue=%u entry=%llu result=%u bundle=%u",
		  RONDO_TRACE_DEV_OF(__entry->dev), __entry->queue, __entry->seqno,
		  __entry->result, __entry->bundle)
);

/* clang-format on */

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH driver
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE rondo_trace
#include <trace/define_trace.h>
