/* SPDX-License-Identifier: MIT */
/*
 * unit_bus - see unit_bus.h.
 */
#include "unit_bus.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "err.h"

#if HF_SYSTEMD
#include <systemd/sd-bus.h>

#define MANAGER "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define PROPERTIES "org.freedesktop.DBus.Properties"

/*
 * Loaded when a unit is asked for, and for nothing else: to link it, with the half a dozen libraries that it brings along,
 * would take every command a third of the time that it needs to start.
 */
#define FUNCTIONS(X) \
	X(sd_bus_open_user) X(sd_bus_open_system) X(sd_bus_is_ready) X(sd_bus_process) X(sd_bus_wait) \
	X(sd_bus_close_unref) X(sd_bus_call) X(sd_bus_error_free) X(sd_bus_error_has_name) \
	X(sd_bus_message_new_method_call) X(sd_bus_message_append) X(sd_bus_message_read) \
	X(sd_bus_message_set_auto_start) X(sd_bus_message_unref)

static struct {
	void *library;
	char why[128];		/* it cannot be loaded */
#define MEMBER(name) __typeof__(name) *(name);
	FUNCTIONS(MEMBER)
#undef MEMBER
} lib;

static bool find_function(const char *name, void *ret)
{
	void *at = dlsym(lib.library, name);

	memcpy(ret, &at, sizeof(at));
	return at != NULL;
}

static int load(void)
{
	bool all = true;

	if (lib.library)
		return 0;
	lib.library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
	if (!lib.library) {
		snprintf(lib.why, sizeof(lib.why), "%s", dlerror());
		return -ELIBACC;
	}
#define FIND(name) all = find_function(#name, &lib.name) && all;
	FUNCTIONS(FIND)
#undef FIND
	if (all)
		return 0;
	dlclose(lib.library);
	lib.library = NULL;
	snprintf(lib.why, sizeof(lib.why), "libsystemd.so.0 is of another version");
	return -ELIBACC;
}

/* One connection, and the time by which we are done with it. */
struct talk {
	sd_bus *bus;
	struct hf_deadline deadline;
	unsigned int timeout_ms;
	sd_bus_error error;
};

static uint64_t left_us(const struct talk *t)
{
	uint64_t ns = hf_deadline_left_ns(t->deadline);

	/* sd_bus_call() takes 0 for its default, which is 25 s. */
	return ns < 1000 ? 1 : ns / 1000;
}

/*
 * Connect and wait until the bus has welcomed us.  A call on a bus that is not there yet would wait for it
 * for as long as 90 s, whatever time the call was given (libsystemd 252).
 */
static int connect_to(struct talk *t, bool user)
{
	int r = load();

	if (r == 0)
		r = user ? lib.sd_bus_open_user(&t->bus) : lib.sd_bus_open_system(&t->bus);
	while (r >= 0 && (r = lib.sd_bus_is_ready(t->bus)) == 0) {
		if (hf_deadline_passed(t->deadline))
			return -ETIMEDOUT;
		r = lib.sd_bus_process(t->bus, NULL);
		if (r == 0)
			r = lib.sd_bus_wait(t->bus, left_us(t));
		if (r == -EINTR)
			r = 0;
	}
	return r < 0 ? r : 0;
}

static void hang_up(struct talk *t)
{
	if (!lib.library)
		return;
	lib.sd_bus_error_free(&t->error);
	lib.sd_bus_close_unref(t->bus);	/* sends nothing and waits for nobody */
}

/* Send what was made (r: how that went) and read one value of these types.  0 or -errno, and t->error. */
static int converse(struct talk *t, int r, sd_bus_message *m, const char *types, char *ret, size_t cap)
{
	sd_bus_message *reply = NULL;
	const char *text = NULL;

	/* Where systemd does not run, nobody shall be started in its place. */
	if (r >= 0)
		r = lib.sd_bus_message_set_auto_start(m, 0);
	lib.sd_bus_error_free(&t->error);
	if (r >= 0)
		r = lib.sd_bus_call(t->bus, m, left_us(t), &t->error, &reply);
	if (r >= 0)
		r = types[0] == 'v' ? lib.sd_bus_message_read(reply, "v", "s", &text)
				    : lib.sd_bus_message_read(reply, types, &text);
	if (r >= 0 && strlen(text) >= cap)
		r = -ENAMETOOLONG;
	if (r >= 0)
		memcpy(ret, text, strlen(text) + 1);
	lib.sd_bus_message_unref(reply);
	lib.sd_bus_message_unref(m);
	return r < 0 ? r : 0;
}

static int find_object(struct talk *t, const char *name, char *ret, size_t cap)
{
	sd_bus_message *m = NULL;
	int r = lib.sd_bus_message_new_method_call(t->bus, &m, MANAGER, MANAGER_PATH, MANAGER ".Manager", "GetUnit");

	if (r >= 0)
		r = lib.sd_bus_message_append(m, "s", name);
	return converse(t, r, m, "o", ret, cap);
}

static int property(struct talk *t, const char *object, const char *interface, const char *what, char *ret,
		    size_t cap)
{
	sd_bus_message *m = NULL;
	int r = lib.sd_bus_message_new_method_call(t->bus, &m, MANAGER, object, PROPERTIES, "Get");

	if (r >= 0)
		r = lib.sd_bus_message_append(m, "ss", interface, what);
	return converse(t, r, m, "v", ret, cap);
}

static bool is_error(const struct talk *t, const char *name)
{
	return lib.library && lib.sd_bus_error_has_name(&t->error, name) > 0;
}

/* Whether it means that systemd is not there at all. */
static bool is_nobody(const struct talk *t, int r)
{
	return r == -ENOENT || r == -ENOMEDIUM || is_error(t, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	       is_error(t, SD_BUS_ERROR_NAME_HAS_NO_OWNER);
}

/* Why there was no answer, in words. */
static void tell_reason(const struct talk *t, int r, char *ret, size_t cap)
{
	if (r == -ETIMEDOUT || is_error(t, SD_BUS_ERROR_NO_REPLY) || is_error(t, SD_BUS_ERROR_TIMEOUT))
		snprintf(ret, cap, "no answer within %u ms", t->timeout_ms);
	else if (r == -ELIBACC)
		snprintf(ret, cap, "%s", lib.why);
	else
		snprintf(ret, cap, "%s", t->error.message ? t->error.message : strerror(-r));
}

/* The unit is loaded, but has no cgroup. */
static int tell_state(struct talk *t, const char *name, const char *object, struct hf_error *err)
{
	char state[64] = "", sub[64] = "";

	if (property(t, object, MANAGER ".Unit", "ActiveState", state, sizeof(state)) < 0 ||
	    property(t, object, MANAGER ".Unit", "SubState", sub, sizeof(sub)) < 0)
		state[0] = '\0';
	return hf_fail(err, ESRCH, HF_STAGE_LOOK, 0, "unit %s has no processes%s%s%s%s%s", name,
		       state[0] ? ": systemd says that it is " : "", state, state[0] ? " (" : "", state[0] ? sub : "",
		       state[0] ? ")" : "");
}

static int ask(struct talk *t, const char *name, const char *interface, char ret[PATH_MAX], char *note,
	       struct hf_error *err)
{
	char object[PATH_MAX];
	int r = find_object(t, name, object, sizeof(object));

	if (is_error(t, MANAGER ".NoSuchUnit"))
		return hf_fail(err, ENOENT, HF_STAGE_LOOK, 0, "systemd has no unit %s: it is not running, or there is none "
			       "of that name", name);
	if (r == 0)
		r = property(t, object, interface, "ControlGroup", ret, PATH_MAX);
	if (r == -EACCES || r == -EPERM)
		return hf_fail(err, EACCES, HF_STAGE_LOOK, 0, "systemd does not tell this user where unit %s is: %s", name,
			       t->error.message ? t->error.message : strerror(-r));
	if (r < 0) {
		if (!is_nobody(t, r))
			tell_reason(t, r, note, HF_NOTE_MAX);
		return 0;
	}
	if (!ret[0])
		return tell_state(t, name, object, err);
	if (ret[0] != '/' || strstr(ret, "/../"))
		return hf_fail(err, EBADMSG, HF_STAGE_LOOK, 0, "systemd says that unit %s is in cgroup '%s', which is no "
			       "absolute path", name, ret);
	return 1;
}

int hf_unit_bus_ask(const char *name, const char *interface, bool user, unsigned int timeout_ms,
		    char ret[PATH_MAX], char *note, struct hf_error *err)
{
	struct talk t = { .deadline = hf_deadline_in_ms(timeout_ms), .timeout_ms = timeout_ms };
	int r = connect_to(&t, user);

	note[0] = '\0';
	if (r < 0 && !is_nobody(&t, r))
		tell_reason(&t, r, note, HF_NOTE_MAX);
	r = r < 0 ? 0 : ask(&t, name, interface, ret, note, err);
	hang_up(&t);
	return r;
}

bool hf_unit_bus_built(void)
{
	return true;
}

int hf_unit_bus_probe(bool user, unsigned int timeout_ms, char *ret, size_t cap)
{
	struct talk t = { .deadline = hf_deadline_in_ms(timeout_ms), .timeout_ms = timeout_ms };
	int r = connect_to(&t, user);

	if (r == 0)
		r = property(&t, MANAGER_PATH, MANAGER ".Manager", "Version", ret, cap);
	if (r < 0)
		tell_reason(&t, r, ret, cap);
	hang_up(&t);
	return r == 0;
}

#else

int hf_unit_bus_ask(const char *name, const char *interface, bool user, unsigned int timeout_ms,
		    char ret[PATH_MAX], char *note, struct hf_error *err)
{
	(void)name, (void)interface, (void)user, (void)timeout_ms, (void)ret, (void)err;
	note[0] = '\0';
	return 0;
}

bool hf_unit_bus_built(void)
{
	return false;
}

int hf_unit_bus_probe(bool user, unsigned int timeout_ms, char *ret, size_t cap)
{
	(void)user, (void)timeout_ms;
	if (cap)
		ret[0] = '\0';
	return 0;
}

#endif
