// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The Rondo device as a PCI function of QEMU. So far one BAR of scratch memory
 * whose accesses are traced.
 */
#include "qemu/osdep.h"
#include "hw/pci/pci.h"
#include "trace.h"

#define TYPE_RONDO "rondo"
OBJECT_DECLARE_SIMPLE_TYPE(RondoState, RONDO)

struct RondoState {
	PCIDevice pci;
	MemoryRegion bar;
	uint64_t scratch;
};

static uint64_t rondo_read(void *opaque, hwaddr offset, unsigned size)
{
	RondoState *s = opaque;

	trace_rondo_mmio_read(offset, s->scratch, size);
	return s->scratch;
}

static void rondo_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
	RondoState *s = opaque;

	trace_rondo_mmio_write(offset, value, size);
	s->scratch = value;
}

static const MemoryRegionOps rondo_ops = {
	.read = rondo_read,
	.write = rondo_write,
	.endianness = DEVICE_LITTLE_ENDIAN,
};

static void rondo_realize(PCIDevice *pci, Error **errp)
{
	RondoState *s = RONDO(pci);

	memory_region_init_io(&s->bar, OBJECT(s), &rondo_ops, s, "rondo", 4096);
	pci_register_bar(pci, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->bar);
}

static void rondo_class_init(ObjectClass *klass, void *data)
{
	PCIDeviceClass *k = PCI_DEVICE_CLASS(klass);

	k->realize = rondo_realize;
	k->vendor_id = PCI_VENDOR_ID_QEMU;
	k->device_id = 0x11e9;
	k->class_id = PCI_CLASS_OTHERS;
	DEVICE_CLASS(klass)->desc = "Rondo neural accelerator";
}

static const TypeInfo rondo_info = {
	.name = TYPE_RONDO,
	.parent = TYPE_PCI_DEVICE,
	.instance_size = sizeof(RondoState),
	.class_init = rondo_class_init,
	.interfaces = (InterfaceInfo[]){{INTERFACE_CONVENTIONAL_PCI_DEVICE}, {}},
};

static void rondo_register(void)
{
	type_register_static(&rondo_info);
}

type_init(rondo_register)
