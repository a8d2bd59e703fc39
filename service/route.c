// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/route.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* '*' stands for a name, '#' for a version. */
static const struct {
	const char *method, *path;
	enum endpoint endpoint;
} routes[] = {
	{ "GET", "v2", SERVER_METADATA },
	{ "GET", "v2/health/live", SERVER_LIVE },
	{ "GET", "v2/health/ready", SERVER_READY },
	{ "GET", "v2/models/stats", ALL_STATISTICS },
	{ "GET", "v2/models/*", MODEL_METADATA },
	{ "GET", "v2/models/*/ready", MODEL_READY },
	{ "GET", "v2/models/*/stats", MODEL_STATISTICS },
	{ "POST", "v2/models/*/infer", MODEL_INFER },
	{ "GET", "v2/models/*/versions/#", MODEL_METADATA },
	{ "GET", "v2/models/*/versions/#/ready", MODEL_READY },
	{ "GET", "v2/models/*/versions/#/stats", MODEL_STATISTICS },
	{ "POST", "v2/models/*/versions/#/infer", MODEL_INFER },
	{ "POST", "v2/repository/index", REPOSITORY_INDEX },
	{ "POST", "v2/repository/models/*/load", REPOSITORY_LOAD },
	{ "POST", "v2/repository/models/*/unload", REPOSITORY_UNLOAD },
	{ "GET", "metrics", METRICS },
};

enum { ROUTES = sizeof(routes) / sizeof(routes[0]) };

bool model_name_valid(const char *name)
{
	size_t length = strlen(name);

	if (!length || length > MODEL_NAME_MAX || *name == '.')
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("_-.", *name))
			return false;
	return true;
}

u32 model_version_parse(const char *text)
{
	unsigned long number;
	size_t length = strspn(text, "0123456789");

	if (text[length] || length > 10 || *text == '0')
		return 0;
	number = strtoul(text, NULL, 10);
	return number > UINT32_MAX ? 0 : (u32)number;
}

/* The first part of *@path, which is moved behind it. */
static size_t next_part(const char **path, const char **part)
{
	size_t length;

	*part = *path;
	length = strcspn(*part, "/");
	*path += length + ((*part)[length] == '/');
	return length;
}

/* Whether @path has the form @form; what stands for a name and a version goes to @route. */
static bool matches(const char *form, const char *path, struct route *route)
{
	const char *wanted, *is;
	char text[MODEL_NAME_MAX + 1];

	while (*form) {
		size_t wanted_length = next_part(&form, &wanted), length = next_part(&path, &is);

		if (*wanted != '*' && *wanted != '#') {
			if (length != wanted_length || memcmp(is, wanted, length) != 0)
				return false;
			continue;
		}
		if (!length || length > MODEL_NAME_MAX)
			return false;
		memcpy(text, is, length);
		text[length] = 0;
		if (*wanted == '*')
			memcpy(route->model, text, length + 1);
		else
			route->version = model_version_parse(text);
		if (*wanted == '#' ? !route->version : !model_name_valid(text))
			return false;
	}
	return !*path;
}

int route_parse(const char *method, const char *path, struct route *route, struct refusal *why)
{
	const char *other = NULL;

	for (int i = 0; i < ROUTES && *path == '/'; i++) {
		*route = (struct route){ .endpoint = routes[i].endpoint };
		if (!matches(routes[i].path, path + 1, route))
			continue;
		if (!strcmp(method, routes[i].method) ||
		    (!strcmp(method, "HEAD") && !strcmp(routes[i].method, "GET")))
			return 0;
		other = routes[i].method;
	}
	if (other)
		return refuse(why, 405, "%.16s %.128s: the method is %s", method, path, other);
	return refuse(why, 404, "%.128s: there is nothing of this name", path);
}
