// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* rondo cdi: the devices of this machine, for container engines. */
#include <accel.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cdi.h"
#include "tools/options.h"
#include "tools/rondo.h"

enum { DEVICES_MAX = 256 };

static int take(void *context, enum option_id id, char *argument)
{
	const char **output = context;

	(void)id; /* it is the only one */
	*output = argument;
	return STATUS_OK;
}

static const struct command command = {
	.name = "cdi",
	.usage = "cdi [-o FILE]",
	.about = "Prints the devices of the kernel's driver as a specification of the Container "
		 "Device\n"
		 "Interface. In /etc/cdi/rondo.json container engines find it: then --device "
		 "rondo/accel=accel0,\n"
		 "or rondo/accel=all, brings a device file into a container, and nothing else. "
		 "Exit status 1:\n"
		 "there is no device.\n",
	.take = take,
	.takes = { [OPTION_OUTPUT] = true },
};

/* Prints the specification as text of its own, *@text; 0 or a negative errno. */
static int make_text(char **text, size_t *size)
{
	struct accel_device_entry *entries = calloc(DEVICES_MAX, sizeof(*entries));
	FILE *out = open_memstream(text, size);
	u32 count = DEVICES_MAX;
	int rc = -ENOMEM;

	if (entries && out)
		rc = accel_devices(entries, sizeof(*entries), &count);
	if (!rc && !cdi_print(out, entries, count < DEVICES_MAX ? count : DEVICES_MAX))
		rc = -ENODEV;
	if (out && fclose(out) && !rc)
		rc = -ENOMEM;
	free(entries);
	return rc;
}

int cmd_cdi(int argc, char **argv)
{
	const char *output = NULL;
	char *text = NULL;
	size_t size = 0;
	int first, status, rc;

	if (!options_read(&command, argc, argv, &output, &first, &status))
		return status;
	if (first < argc)
		return usage("expected no argument, not \"%.80s\"", argv[first]);
	rc = make_text(&text, &size);
	if (rc == -ENODEV)
		status = fail("/dev/accel", "there is no device of the driver");
	else if (rc)
		status = fail("listing the devices", "%s", strerror(-rc));
	else if (output)
		status = write_file(output, text, size);
	else
		fwrite(text, 1, size, stdout);
	free(text);
	return status;
}
