// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The Rondo device as a PCI Express function of QEMU: -device rondo.
 *
 *	machine=edge		its machine description
 *	memory=SIZE		most that the guest may make the device allocate, in sum; by
 *				default twice the guest's memory
 *	faults=on		offers the fault interface: BAR 4 and the property `fault`
 *	fault=NAME=VALUE	sets a fault of emulator/device/faults.def, at the start or by
 *				qom-set; qom-get reads all of them, as NAME=VALUE/HITS
 *
 * Locks. Register accesses come under QEMU's big lock (BQL), and the device
 * answers them at once. The device's own threads take the BQL only for what QEMU
 * does under it: to map through an IOMMU, whose faults raise interrupts, and to
 * reach another device's registers. So a guest can make the device's own DMA
 * unplug the device. Nobody therefore waits for the threads: unrealize tells the
 * device to stop, and RondoState lives until the device says that it is gone.
 * Messages are sent by a bottom half in the main loop.
 *
 * Compiles with QEMU 7.2 to 11; what differs stands in rondo_pci.h.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/module.h"
#include "qemu/rcu.h"
#include "qapi/error.h"
#include "hw/pci/msix.h"
#include "exec/address-spaces.h"
#include "migration/vmstate.h"
#include "trace.h"

#include "core/machine.h"
#include "rondo_pci.h"

/* What the device asks of its host. */

static DMADirection direction(bool write)
{
	return write ? DMA_DIRECTION_FROM_DEVICE : DMA_DIRECTION_TO_DEVICE;
}

/* An IOMMU translates: its code wants the BQL. */
static void enter_iommu(RondoState *s)
{
	if (s->iommu)
		bql_lock();
}

static void leave_iommu(RondoState *s)
{
	if (s->iommu)
		bql_unlock();
}

static void *map(RondoState *s, u64 addr, dma_addr_t *len, DMADirection dir)
{
	/* A mapping of nothing would be a bounce buffer, and no error. */
	if (!dma_memory_valid(pci_get_address_space(&s->pci), addr, *len, dir,
			      MEMTXATTRS_UNSPECIFIED))
		return NULL;
	return pci_dma_map(&s->pci, addr, len, dir);
}

static void unmap(RondoState *s, void *p, dma_addr_t len, DMADirection dir, dma_addr_t done)
{
	enter_iommu(s);
	pci_dma_unmap(&s->pci, p, len, dir, done);
	leave_iommu(s);
	rcu_read_unlock();
}

/* Whether the device is plugged in and a bus master. */
static bool may_copy(RondoState *s)
{
	return qatomic_read(&s->dev) &&
	       pci_get_word(s->pci.config + PCI_COMMAND) & PCI_COMMAND_MASTER;
}

/*
 * The device may be unplugged at any time, by what happens in here too. From here to unmap() the
 * RCU read lock keeps its address space. A copy is counted first, and made only if the device may
 * make it then: so await_copies() sees all that are made.
 */
static void *host_dma_map(void *opaque, u64 addr, u64 *size, bool write)
{
	RondoState *s = opaque;
	dma_addr_t len = MIN(*size, COPY_BYTES_MAX);
	void *p = NULL;

	rcu_read_lock();
	enter_iommu(s);
	if (qatomic_read(&s->dev))
		p = map(s, addr, &len, direction(write));
	leave_iommu(s);
	if (!p) {
		rcu_read_unlock();
		return NULL;
	}
	qatomic_inc(&s->copies);
	smp_mb();
	if (!len || !may_copy(s)) {
		qatomic_dec(&s->copies);
		unmap(s, p, len, direction(write), 0);
		return NULL;
	}
	*size = len;
	return p;
}

static void host_dma_unmap(void *opaque, void *p, u64 size, bool write)
{
	RondoState *s = opaque;

	qatomic_dec(&s->copies);
	unmap(s, p, size, direction(write), size);
}

/* When may_copy() has become false: waits for copies under way, which wait for nothing. */
static void await_copies(RondoState *s)
{
	smp_mb();
	while (qatomic_read(&s->copies))
		g_thread_yield();
}

/* From now on the device copies nothing. */
static void stop_copies(RondoState *s)
{
	qatomic_set(&s->dev, NULL);
	await_copies(s);
}

static void host_irq(void *opaque, u32 vector)
{
	RondoState *s = opaque;

	qatomic_or(&s->vectors, 1u << vector);
	qemu_bh_schedule(s->bh);
}

static void send_messages(void *opaque)
{
	RondoState *s = opaque;
	unsigned int vectors = qatomic_xchg(&s->vectors, 0);
	int i;

	if (!s->dev)
		return;
	for (i = 0; i < RONDO_IRQ_VECTORS; i++)
		if (vectors & 1u << i)
			msix_notify(&s->pci, i);
}

static u64 host_clock_ns(void *opaque)
{
	return qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
}

/* The guest hears of it too, and may ask again as often as it likes. */
static void host_refused(void *opaque, u32 program, const char *why)
{
	warn_report_once("rondo: program %u is not loaded: %s", program, why);
}

static void host_trace(void *opaque, const char *event, u64 a, u64 b)
{
	trace_rondo_event(event, a, b);
}

static void host_thread_begin(void *opaque)
{
	rcu_register_thread();
}

static void host_thread_end(void *opaque)
{
	rcu_unregister_thread();
}

/* Runs in the main loop: the bottom half of messages is not running. */
static void forget_device(void *opaque)
{
	RondoState *s = opaque;

	qemu_bh_delete(s->bh);
	object_unref(OBJECT(s));
}

static void host_released(void *opaque)
{
	aio_bh_schedule_oneshot(qemu_get_aio_context(), forget_device, opaque);
}

static const struct emu_host_ops host_ops = {
	.dma_map = host_dma_map,
	.dma_unmap = host_dma_unmap,
	.irq = host_irq,
	.clock_ns = host_clock_ns,
	.refused = host_refused,
	.trace = host_trace,
	.thread_begin = host_thread_begin,
	.thread_end = host_thread_end,
	.released = host_released,
};

/* What the guest does. Nobody answers an access to a device that is being unplugged. */

static uint64_t bar_read(void *opaque, hwaddr offset, unsigned int size)
{
	struct rondo_bar *bar = opaque;
	uint64_t value = bar->s->dev ? emu_mmio_read(bar->s->dev, bar->number, offset, size) :
				       UINT64_MAX;

	trace_rondo_mmio_read(bar->number, offset, value, size);
	return value;
}

static void bar_write(void *opaque, hwaddr offset, uint64_t value, unsigned int size)
{
	struct rondo_bar *bar = opaque;

	trace_rondo_mmio_write(bar->number, offset, value, size);
	if (bar->s->dev)
		emu_mmio_write(bar->s->dev, bar->number, offset, value, size);
}

/* The device itself judges size and alignment. */
static const MemoryRegionOps bar_ops = {
	.read = bar_read,
	.write = bar_write,
	.endianness = DEVICE_LITTLE_ENDIAN,
	.valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
	.impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

static void add_bar(RondoState *s, unsigned int number, uint64_t bytes, const char *name)
{
	struct rondo_bar *bar = &s->bar[number];

	bar->s = s;
	bar->number = number;
	memory_region_init_io(&bar->region, OBJECT(s), &bar_ops, bar, name, bytes);
	pci_register_bar(&s->pci, number, PCI_BASE_ADDRESS_SPACE_MEMORY, &bar->region);
}

/* Who has taken bus mastering from the device finds that it has written all that it ever will. */
static void rondo_config_write(PCIDevice *pci, uint32_t addr, uint32_t value, int size)
{
	RondoState *s = RONDO(pci);

	pci_default_write_config(pci, addr, value, size);
	pcie_cap_flr_write_config(pci, addr, value, size);
	if (!may_copy(s))
		await_copies(s);
}

static void rondo_reset(DeviceState *qdev)
{
	RondoState *s = RONDO(qdev);

	/* The guest has not run yet when this happens first, and all IOMMUs are there. */
	s->iommu = pci_device_iommu_address_space(&s->pci) != &address_space_memory;
	if (s->dev)
		emu_reset(s->dev);
}

/* Life. */

/* Fills *@m with the configuration called @name, if this process may have it. */
static bool find_machine(const char *name, struct rondo_machine *m, Error **errp)
{
	char why[EMU_REASON_BYTES];
	u32 id = rondo_machine_named(name);

	if (id == RONDO_MACHINES) {
		error_setg(errp, "no machine is called '%s'", name);
		return false;
	}
	rondo_machine_init(m, id);
	if (!rondo_machine_supported(m)) {
		error_setg(errp, "machine '%s' is not supported by this version", name);
		return false;
	}
	if (emu_fits(m, why))
		return true;
	error_setg(errp, "%s", why);
	return false;
}

/* What stays of the device ends by itself: see host_released(). */
static void rondo_exit(PCIDevice *pci)
{
	RondoState *s = RONDO(pci);
	struct emu_device *dev = s->dev;

	stop_copies(s);
	msix_uninit_exclusive_bar(pci);
	emu_unplug(dev);
}

static void rondo_realize(PCIDevice *pci, Error **errp)
{
	RondoState *s = RONDO(pci);
	struct rondo_machine machine;
	int i;

	if (!find_machine(s->machine, &machine, errp) ||
	    msix_init_exclusive_bar(pci, RONDO_IRQ_VECTORS, RONDO_BAR_MSIX, errp))
		return;
	for (i = 0; i < RONDO_IRQ_VECTORS; i++)
		msix_vector_use(pci, i);
	if (pcie_endpoint_cap_init(pci, EXPRESS_CAP) > 0)
		pcie_cap_flr_init(pci);

	s->bh = qemu_bh_new(send_messages, s);
	if (!s->memory)
		s->memory = 2 * current_machine->ram_size;
	s->dev = emu_create(&machine, &host_ops, s, s->memory);
	if (!s->dev) {
		error_setg(errp, "no memory or threads for the device");
		msix_uninit_exclusive_bar(pci);
		qemu_bh_delete(s->bh);
		return;
	}
	object_ref(OBJECT(s));
	if (s->first_fault && !rondo_set_fault(s, s->first_fault, errp)) {
		rondo_exit(pci);
		return;
	}
	add_bar(s, RONDO_BAR_REGS, RONDO_REGS_BYTES, "rondo-regs");
	add_bar(s, RONDO_BAR_BELLS, RONDO_BELLS * RONDO_BELL_BYTES, "rondo-bells");
	if (s->faults)
		add_bar(s, RONDO_BAR_FAULTS, RONDO_REGS_BYTES, "rondo-faults");
}

static void rondo_init(Object *obj)
{
	RONDO(obj)->machine = g_strdup(rondo_machine_name(RONDO_MACHINE_edge));
}

static void rondo_finalize(Object *obj)
{
	rondo_free_properties(RONDO(obj));
}

static const VMStateDescription rondo_vmstate = {
	.name = TYPE_RONDO,
	.unmigratable = 1,
};

static void rondo_class_init(ObjectClass *klass, ClassData *data)
{
	PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
	DeviceClass *dc = DEVICE_CLASS(klass);

	pc->realize = rondo_realize;
	pc->exit = rondo_exit;
	pc->config_write = rondo_config_write;
	pc->vendor_id = RONDO_PCI_VENDOR;
	pc->device_id = RONDO_PCI_DEVICE;
	pc->class_id = RONDO_PCI_CLASS;
	device_class_set_legacy_reset(dc, rondo_reset);
	dc->vmsd = &rondo_vmstate;
	dc->desc = "Rondo neural accelerator";
	set_bit(DEVICE_CATEGORY_MISC, dc->categories);
	rondo_add_properties(klass);
}

static const TypeInfo rondo_info = {
	.name = TYPE_RONDO,
	.parent = TYPE_PCI_DEVICE,
	.instance_size = sizeof(RondoState),
	.instance_init = rondo_init,
	.instance_finalize = rondo_finalize,
	.class_init = rondo_class_init,
	.interfaces = (InterfaceInfo[]){ { INTERFACE_PCIE_DEVICE }, {} },
};

static void rondo_register(void)
{
	type_register_static(&rondo_info);
}

type_init(rondo_register)
