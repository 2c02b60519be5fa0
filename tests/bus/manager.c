/* SPDX-License-Identifier: MIT */
/*
 * manager - a small systemd for the tests of --unit: it owns org.freedesktop.systemd1 on the bus of
 * DBUS_SYSTEM_BUS_ADDRESS and knows the units it is given.
 *
 *	manager NAME=CGROUP...		a unit with this ControlGroup; with an empty one it is inactive (dead)
 *
 * As with systemd, ControlGroup is a property of the interface of the unit's type and not of Unit.  It says
 * "ready" once it can be asked, and then every call on a line of its own.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if HF_SYSTEMD
#include <systemd/sd-bus.h>

#define MANAGER "org.freedesktop.systemd1"

struct unit {
	const char *name, *cgroup;
	char path[64];
};
static struct unit units[16];
static size_t n_units;

static int get_unit(sd_bus_message *m, void *data, sd_bus_error *error)
{
	const char *name;
	size_t i;
	int r = sd_bus_message_read(m, "s", &name);

	(void)data;
	if (r < 0)
		return r;
	printf("GetUnit %s\n", name);
	for (i = 0; i < n_units; i++)
		if (strcmp(units[i].name, name) == 0)
			return sd_bus_reply_method_return(m, "o", units[i].path);
	return sd_bus_error_setf(error, MANAGER ".NoSuchUnit", "Unit %s not loaded.", name);
}

static int get_text(sd_bus *bus, const char *path, const char *interface, const char *property,
		    sd_bus_message *reply, void *data, sd_bus_error *error)
{
	const struct unit *unit = data;
	const char *text = "254.test";

	(void)bus, (void)path, (void)error;
	printf("Get %s %s\n", interface, property);
	if (strcmp(property, "ControlGroup") == 0)
		text = unit->cgroup;
	else if (strcmp(property, "ActiveState") == 0)
		text = unit->cgroup[0] ? "active" : "inactive";
	else if (strcmp(property, "SubState") == 0)
		text = unit->cgroup[0] ? "running" : "dead";
	return sd_bus_message_append(reply, "s", text);
}

static const sd_bus_vtable manager_table[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("GetUnit", "s", "o", get_unit, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Version", "s", get_text, 0, 0),
	SD_BUS_VTABLE_END
};
static const sd_bus_vtable unit_table[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("ActiveState", "s", get_text, 0, 0),
	SD_BUS_PROPERTY("SubState", "s", get_text, 0, 0),
	SD_BUS_VTABLE_END
};
static const sd_bus_vtable type_table[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("ControlGroup", "s", get_text, 0, 0),
	SD_BUS_VTABLE_END
};

static int add_unit(sd_bus *bus, char *word)
{
	struct unit *unit = &units[n_units];
	char *equal = strchr(word, '='), *dot, interface[64];
	int r;

	*equal = '\0';
	unit->name = word;
	unit->cgroup = equal + 1;
	snprintf(unit->path, sizeof(unit->path), "/org/freedesktop/systemd1/unit/u%zu", n_units++);
	dot = strrchr(word, '.');
	snprintf(interface, sizeof(interface), MANAGER ".%c%s", dot[1] - 'a' + 'A', dot + 2);
	r = sd_bus_add_object_vtable(bus, NULL, unit->path, MANAGER ".Unit", unit_table, unit);
	return r < 0 ? r : sd_bus_add_object_vtable(bus, NULL, unit->path, interface, type_table, unit);
}

int main(int argc, char **argv)
{
	sd_bus *bus = NULL;
	int i, r = sd_bus_open_system(&bus);

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (r >= 0)
		r = sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/systemd1", MANAGER ".Manager", manager_table,
					     NULL);
	for (i = 1; r >= 0 && i < argc && n_units < sizeof(units) / sizeof(*units); i++)
		r = add_unit(bus, argv[i]);
	if (r >= 0)
		r = sd_bus_request_name(bus, MANAGER, 0);
	if (r >= 0)
		puts("ready");
	while (r >= 0) {
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, (uint64_t)-1);
	}
	fprintf(stderr, "manager: %s\n", strerror(-r));
	return 1;
}
#else
int main(void)
{
	puts("built without libsystemd");
	return 77;
}
#endif
