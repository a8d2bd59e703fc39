// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/machine.h"
#include "plugins/onnxruntime/provider.h"

#define EXPORT __attribute__((visibility("default")))
#define OPTION(name) "ep." PROVIDER_NAME "." name

enum { INSTANCES_MAX = 16, OPTION_MAX = 4096 };

struct factory {
	struct ort_factory ort; /* the first */
	const struct ort_table *api;
};

void *provider_fail(const struct provider *p, int code, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	size_t at = (size_t)snprintf(text, sizeof(text), PROVIDER_NAME ": ");

	va_start(ap, fmt);
	vsnprintf(text + at, sizeof(text) - at, fmt, ap);
	va_end(ap);
	return ORT(p->api, CreateStatus)(code, text);
}

/* ---- Providers: one for each session ------------------------------------------------------- */

/* The value of @key for free(); NULL: there is none. */
static void *read_option(struct provider *p, const void *options, const char *key, char **value)
{
	size_t size = 0;
	int has = 0;
	void *status = ORT(p->api, HasSessionConfigEntry)(options, key, &has);

	*value = NULL;
	if (status || !has)
		return status;
	status = ORT(p->api, GetSessionConfigEntry)(options, key, NULL, &size);
	if (status || size > OPTION_MAX)
		return status ? status :
				provider_fail(p, ORT_INVALID_ARGUMENT, "%s is too long", key);
	*value = calloc(1, size + 1);
	if (!*value)
		return provider_fail(p, ORT_FAIL, "no memory");
	return ORT(p->api, GetSessionConfigEntry)(options, key, *value, &size);
}

static void *read_flag(struct provider *p, const void *options, const char *key, bool *flag)
{
	char *value;
	void *status = read_option(p, options, key, &value);

	if (!status && value && strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
		status = provider_fail(p, ORT_INVALID_ARGUMENT, "%s is 0 or 1, not \"%.40s\"", key,
				       value);
	*flag = value && !strcmp(value, "1");
	free(value);
	return status;
}

static void *read_instances(struct provider *p, const void *options)
{
	const char *key = OPTION("instances");
	char *value, *end;
	void *status = read_option(p, options, key, &value);
	unsigned long number = 1;

	if (!status && value) {
		number = strtoul(value, &end, 10);
		if (end == value || *end || !number || number > INSTANCES_MAX)
			status = provider_fail(p, ORT_INVALID_ARGUMENT,
					       "%s is 1 to %d, not \"%.40s\"", key, INSTANCES_MAX,
					       value);
	}
	p->instances = (u32)number;
	free(value);
	return status;
}

static void warn(const struct provider *p, const char *text)
{
	void *status = ORT(p->api, Logger_LogMessage)(p->logger, ORT_WARNING, text, __FILE__,
						      __LINE__, __func__);

	if (status)
		ORT(p->api, ReleaseStatus)(status);
}

static void *open_device(struct provider *p, const char *name)
{
	struct accel_error error = {};
	struct accel_info info = {};
	int ret = accel_device_open(name, &p->device, &error);

	if (ret == -ENODEV && !name) {
		warn(p, "rondo: there is no device; running in the emulator");
		ret = accel_device_open("emu", &p->device, &error);
	}
	if (!ret)
		ret = accel_device_info(p->device, &info, sizeof(info));
	p->machine = rondo_machine_name(rondo_machine_find(info.machine_hash));
	if (!ret && !p->machine)
		return provider_fail(p, ORT_FAIL, "the device is of a machine that is not known");
	if (!ret)
		return NULL;
	return provider_fail(p, ORT_FAIL, "device %.100s: %s", name ? name : "emu",
			     error.text[0] ? error.text : strerror(-ret));
}

static void *read_options(struct provider *p, const void *options)
{
	char *device = NULL;
	void *status = read_option(p, options, OPTION("device"), &device);

	if (!status)
		status = read_option(p, options, OPTION("report"), &p->report);
	if (!status)
		status = read_flag(p, options, OPTION("require_all"), &p->require_all);
	if (!status)
		status = read_flag(p, options, "ep.context_enable", &p->contexts);
	if (!status)
		status = read_instances(p, options);
	if (!status)
		status = open_device(p, device);
	free(device);
	return status;
}

static const char *provider_name(const struct ort_provider *self)
{
	(void)self;
	return PROVIDER_NAME;
}

static void release_provider(struct ort_factory *self, struct ort_provider *provider)
{
	struct provider *p = (struct provider *)provider;
	struct plan *plan;

	(void)self;
	if (!p)
		return;
	while (p->plans) {
		plan = p->plans;
		p->plans = plan->next;
		free(plan->file);
		free(plan);
	}
	if (p->failure)
		ORT(p->api, ReleaseStatus)(p->failure);
	accel_close(p->device);
	free(p->report);
	free(p);
}

static void *create_provider(struct ort_factory *self, const void *const *hardware,
			     const void *const *metadata, size_t count, const void *options,
			     const void *logger, struct ort_provider **provider)
{
	struct factory *f = (struct factory *)self;
	struct provider *p = calloc(1, sizeof(*p));
	void *status;

	(void)hardware;
	(void)metadata;
	(void)count;
	if (!p)
		return ORT(f->api, CreateStatus)(ORT_FAIL, "rondo: no memory");
	p->ort = (struct ort_provider){
		.version = ORT_VERSION,
		.name = provider_name,
		.capability = provider_capability,
		.compile = provider_compile,
		.release_computes = provider_release_computes,
	};
	p->api = f->api;
	p->logger = logger;
	status = read_options(p, options);
	if (status)
		release_provider(self, &p->ort);
	else
		*provider = &p->ort;
	return status;
}

/* ---- The factory --------------------------------------------------------------------------- */

static const char *factory_name(const struct ort_factory *self)
{
	(void)self;
	return PROVIDER_NAME;
}

static uint32_t vendor_id(const struct ort_factory *self)
{
	(void)self;
	return 0;
}

static const char *product_version(const struct ort_factory *self)
{
	(void)self;
	return RONDO_VERSION;
}

/* The runtime lists CPUs, GPUs and NPUs, but no accelerator nodes: the device stands for the CPU's.
 */
static void *list_devices(struct ort_factory *self, const void *const *hardware, size_t count,
			  void **devices, size_t room, size_t *used)
{
	struct factory *f = (struct factory *)self;
	const struct ort_table *api = ORT(f->api, GetEpApi)();
	void *status = NULL;

	*used = 0;
	for (size_t i = 0; i < count && *used < room && !*used && !status; i++) {
		if (ORT(f->api, HardwareDevice_Type)(hardware[i]) != ORT_DEVICE_CPU)
			continue;
		status = ((ort_create_device)api->at[ORT_EP_CREATE_DEVICE])(self, hardware[i], NULL,
									    NULL, &devices[0]);
		*used += !status;
	}
	return status;
}

/* Tensors are in the host's memory: the default allocator, and no copies. */
static void *no_allocator(struct ort_factory *self, const void *memory, const void *options,
			  void **allocator)
{
	(void)self;
	(void)memory;
	(void)options;
	*allocator = NULL;
	return NULL;
}

static void release_allocator(struct ort_factory *self, void *allocator)
{
	(void)self;
	(void)allocator;
}

static void *no_transfer(struct ort_factory *self, void **transfer)
{
	(void)self;
	*transfer = NULL;
	return NULL;
}

static bool has_streams(const struct ort_factory *self)
{
	(void)self;
	return false;
}

EXPORT void *CreateEpFactories(const char *registered_name, const struct ort_base *base,
			       const void *logger, struct ort_factory **factories, size_t room,
			       size_t *count);
EXPORT void *ReleaseEpFactory(struct ort_factory *factory);

/* What the runtime looks for, by this name. */
void *CreateEpFactories(const char *registered_name, const struct ort_base *base,
			const void *logger, struct ort_factory **factories, size_t room,
			size_t *count)
{
	const struct ort_table *api = base->get_table(ORT_VERSION);
	char text[128];
	struct factory *f;

	(void)registered_name;
	(void)logger;
	*count = 0;
	if (!api) {
		snprintf(text, sizeof(text), "rondo: ONNX Runtime %.20s is older than 1.%d",
			 base->get_version(), ORT_VERSION);
		return ORT(base->get_table(1), CreateStatus)(ORT_FAIL, text);
	}
	f = room ? calloc(1, sizeof(*f)) : NULL;
	if (!f)
		return ORT(api, CreateStatus)(ORT_FAIL, "rondo: no room for a factory");
	f->api = api;
	f->ort = (struct ort_factory){
		.version = ORT_VERSION,
		.name = factory_name,
		.vendor = factory_name,
		.devices = list_devices,
		.create = create_provider,
		.release = release_provider,
		.vendor_id = vendor_id,
		.product_version = product_version,
		.create_allocator = no_allocator,
		.release_allocator = release_allocator,
		.create_transfer = no_transfer,
		.has_streams = has_streams,
	};
	factories[0] = &f->ort;
	*count = 1;
	return NULL;
}

void *ReleaseEpFactory(struct ort_factory *factory)
{
	free(factory);
	return NULL;
}
