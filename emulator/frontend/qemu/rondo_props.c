// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Properties of QEMU's Rondo device; rondo_pci.c says what they mean. They are
 * properties of the class, whose interface is the same in all versions.
 */
#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "rondo_pci.h"

bool rondo_set_fault(RondoState *s, const char *text, Error **errp)
{
	g_auto(GStrv) part = g_strsplit(text, "=", 2);
	enum emu_fault fault;
	unsigned int value;

	if (!s->faults) {
		error_setg(errp, "the fault interface is off: use -device rondo,faults=on");
		return false;
	}
	fault = part[0] ? emu_fault_find(part[0]) : EMU_FAULTS;
	if (fault == EMU_FAULTS) {
		error_setg(errp, "no fault is called '%s'", part[0] ? part[0] : "");
		return false;
	}
	if (!part[1] || qemu_strtoui(part[1], NULL, 0, &value)) {
		error_setg(errp, "fault '%s' needs a value, as in %s=1", part[0], part[0]);
		return false;
	}
	emu_fault_set(s->dev, fault, value);
	return true;
}

static void fault_set(Object *obj, const char *text, Error **errp)
{
	RondoState *s = RONDO(obj);

	if (s->dev) {
		rondo_set_fault(s, text, errp);
		return;
	}
	g_free(s->first_fault);
	s->first_fault = g_strdup(text);
}

static char *fault_get(Object *obj, Error **errp)
{
	GString *text = g_string_new(NULL);
	RondoState *s = RONDO(obj);
	u32 i;

	for (i = 0; s->dev && i < EMU_FAULTS; i++)
		g_string_append_printf(text, "%s%s=%u/%u", i ? " " : "", emu_fault_name(i),
				       emu_fault_value(s->dev, i), emu_fault_hits(s->dev, i));
	return g_string_free(text, false);
}

static char *machine_get(Object *obj, Error **errp)
{
	RondoState *s = RONDO(obj);

	return g_strdup(s->machine);
}

static void machine_set(Object *obj, const char *name, Error **errp)
{
	RondoState *s = RONDO(obj);

	if (s->dev) {
		error_setg(errp, "the machine is chosen when the device is created");
		return;
	}
	g_free(s->machine);
	s->machine = g_strdup(name);
}

static void memory_get(Object *obj, Visitor *v, const char *name, void *opaque, Error **errp)
{
	visit_type_size(v, name, &RONDO(obj)->memory, errp);
}

static void memory_set(Object *obj, Visitor *v, const char *name, void *opaque, Error **errp)
{
	RondoState *s = RONDO(obj);

	if (s->dev)
		error_setg(errp, "the memory is chosen when the device is created");
	else
		visit_type_size(v, name, &s->memory, errp);
}

static bool faults_get(Object *obj, Error **errp)
{
	return RONDO(obj)->faults;
}

static void faults_set(Object *obj, bool on, Error **errp)
{
	RondoState *s = RONDO(obj);

	if (s->dev)
		error_setg(errp, "faults are switched on when the device is created");
	else
		s->faults = on;
}

void rondo_free_properties(RondoState *s)
{
	g_free(s->machine);
	g_free(s->first_fault);
}

void rondo_add_properties(ObjectClass *klass)
{
	object_class_property_add_str(klass, "machine", machine_get, machine_set);
	object_class_property_add(klass, "memory", "size", memory_get, memory_set, NULL, NULL);
	object_class_property_add_bool(klass, "faults", faults_get, faults_set);
	object_class_property_add_str(klass, "fault", fault_get, fault_set);
}
