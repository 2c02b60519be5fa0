/* SPDX-License-Identifier: MIT */
/*
 * methods - see methods.h.  This is the keeper's side; the caller's is in calls.c.
 */
#include "methods.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "hold.h"
#include "jsonc.h"
#include "members.h"
#include "own.h"
#include "print.h"

#define HOLD "org.holdfast.Hold"
#define SERVICE "org.varlink.service"
#define URL ""

/* The text of org.holdfast.Hold.varlink, put in by the assembler (interface.S). */
extern const char hf_interface_text[];

static const char service_text[] =
	"# What every varlink service answers.\n"
	"interface org.varlink.service\n\n"
	"method GetInfo() -> (vendor: string, product: string, version: string, url: string, interfaces: []string)\n"
	"method GetInterfaceDescription(interface: string) -> (description: string)\n\n"
	"error InterfaceNotFound (interface: string)\n"
	"error MethodNotFound (method: string)\n"
	"error MethodNotImplemented (method: string)\n"
	"error InvalidParameter (parameter: string)\n"
	"error PermissionDenied ()\n"
	"error ExpectedMore ()\n";

void hf_reply_done(struct hf_reply *r)
{
	hf_buf_done(&r->text);
	hf_own_close(&r->fd);
	*r = (struct hf_reply)HF_REPLY_INIT;
}

/* ---- Replies --------------------------------------------------------------------------------- */

/* {"error":...,"parameters":{...}}; takes parameters. */
static int say(struct hf_reply *reply, const char *error, json_object *parameters, bool failed)
{
	hf_owned_json *o = json_object_new_object();

	if (error)
		hf_json_put_text(o, "error", error, &failed);
	hf_json_put(o, "parameters", parameters, &failed);
	return hf_json_text(&reply->text, o, failed);
}

static int say_with_word(struct hf_reply *reply, const char *error, const char *key, const char *word)
{
	json_object *parameters = json_object_new_object();
	bool failed = false;

	hf_json_put_text(parameters, key, word, &failed);
	return say(reply, error, parameters, failed);
}

static int invalid(struct hf_reply *reply, const char *parameter)
{
	return say_with_word(reply, SERVICE ".InvalidParameter", "parameter", parameter);
}

static int say_failed(struct hf_reply *reply, const struct hf_error *err)
{
	json_object *parameters = json_object_new_object();
	bool failed = false;

	hf_json_put_int(parameters, "code", err->code, &failed);
	hf_json_put_text(parameters, "stage", hf_stage_name(err->stage), &failed);
	hf_json_put_text(parameters, "text", err->text, &failed);
	hf_json_put_text(parameters, "note", err->note, &failed);
	hf_json_put(parameters, "not_undone", json_object_new_boolean(err->undo == HF_UNDO_FAILED), &failed);
	return say(reply, HOLD ".Failed", parameters, failed);
}

int hf_methods_failed(int code, const char *text, struct hf_reply *reply)
{
	struct hf_error err = HF_ERROR_INIT;

	hf_reply_done(reply);
	hf_fail(&err, code, HF_STAGE_HOLD, 0, "%s", text);
	return say_failed(reply, &err);
}

int hf_methods_refuse(struct hf_reply *reply)
{
	reply->hang_up = true;
	return say(reply, SERVICE ".PermissionDenied", json_object_new_object(), false);
}

int hf_methods_bad_message(const char *reason, struct hf_reply *reply)
{
	reply->hang_up = true;
	return say_with_word(reply, HOLD ".BadMessage", "reason", reason);
}

/* ---- org.varlink.service --------------------------------------------------------------------- */

static int get_info(struct hf_kept *kept, json_object *in, struct hf_reply *reply)
{
	json_object *parameters = json_object_new_object(), *interfaces = json_object_new_array();
	bool failed = !interfaces || json_object_array_add(interfaces, json_object_new_string(HOLD)) != 0 ||
		      json_object_array_add(interfaces, json_object_new_string(SERVICE)) != 0;

	(void)kept;
	(void)in;
	hf_json_put_text(parameters, "vendor", "holdfast", &failed);
	hf_json_put_text(parameters, "product", "holdfast", &failed);
	hf_json_put_text(parameters, "version", hf_version(), &failed);
	hf_json_put_text(parameters, "url", URL, &failed);
	hf_json_put(parameters, "interfaces", interfaces, &failed);
	return say(reply, NULL, parameters, failed);
}

static int get_description(struct hf_kept *kept, json_object *in, struct hf_reply *reply)
{
	json_object *word = hf_json_get(in, "interface", json_type_string);
	const char *name;

	(void)kept;
	if (!word)
		return invalid(reply, "interface");
	name = json_object_get_string(word);
	if (strcmp(name, HOLD) != 0 && strcmp(name, SERVICE) != 0)
		return say_with_word(reply, SERVICE ".InterfaceNotFound", "interface", name);
	return say_with_word(reply, NULL, "description", strcmp(name, HOLD) ? service_text : hf_interface_text);
}

/* ---- org.holdfast.Hold ----------------------------------------------------------------------- */

static void put_left(json_object *to, const struct hf_kept *kept, bool *failed)
{
	uint64_t now = hf_clock_ns();

	if (kept->end_ns)
		hf_json_put_int(to, "left_ms", kept->end_ns > now ? (int64_t)((kept->end_ns - now) / 1000000) : 0,
				failed);
	else
		hf_json_put_null(to, "left_ms", failed);
}

static int info(struct hf_kept *kept, json_object *in, struct hf_reply *reply)
{
	json_object *parameters = json_object_new_object(), *to = json_object_new_object();
	const struct hf_hold_info *i;
	bool failed = false;

	(void)in;
	hf_hold_attend(kept->hold, NULL);
	i = hf_hold_info(kept->hold);
	hf_json_put_text(to, "name", kept->name, &failed);
	hf_json_put_text(to, "kind", hf_target_word(i->kind), &failed);
	hf_json_put_text(to, "target", i->target, &failed);
	hf_json_put_int(to, "keeper", getpid(), &failed);
	hf_json_put_int(to, "uid", (int64_t)geteuid(), &failed);
	hf_json_put_int(to, "taken_by", kept->taken_by, &failed);
	hf_json_put_text(to, "taken_by_comm", kept->taken_by_comm, &failed);
	hf_json_put_int(to, "held_since_us", i->time_us, &failed);
	hf_json_put_int(to, "took_us", (int64_t)kept->took_us, &failed);
	hf_json_put_int(to, "stopped_us", (int64_t)i->timing_us.stopped, &failed);
	put_left(to, kept, &failed);
	hf_json_put_int(to, "processes", (int64_t)hf_hold_count_processes(kept->hold), &failed);
	hf_json_put_int(to, "threads", (int64_t)i->threads, &failed);
	hf_json_put_int(to, "held", (int64_t)i->held, &failed);
	hf_json_put_int(to, "armed", (int64_t)i->armed, &failed);
	hf_json_put_int(to, "skipped", (int64_t)i->skipped, &failed);
	hf_json_put_int(to, "outside", (int64_t)i->outside, &failed);
	hf_json_put_int(to, "armed_other", (int64_t)i->armed_other, &failed);
	hf_json_put(to, "blind", json_object_new_boolean(i->blind), &failed);
	hf_json_put_int(to, "died", (int64_t)i->died, &failed);
	hf_json_put_int(to, "newcomers", (int64_t)i->newcomers, &failed);
	hf_json_put(to, "freezer_changed", json_object_new_boolean(i->freezer_changed), &failed);
	hf_json_put_int(to, "version", i->version, &failed);
	if (i->path)
		hf_json_put_text(to, "found", hf_freezer_word(i->found), &failed);
	else
		hf_json_put_null(to, "found", &failed);
	hf_json_put(parameters, "info", to, &failed);
	return say(reply, NULL, parameters, failed);
}

static int format_tree(const struct hf_kept *kept, enum hf_format format, unsigned int flags, char **ret_text,
		       size_t *ret_len, struct hf_error *err)
{
	struct hf_tree_options opts = HF_TREE_OPTIONS_INIT;
	hf_tree *tree = NULL;
	int r;

	opts.effects = (flags & HF_KEEPER_EFFECTS) != 0;
	hf_hold_attend(kept->hold, NULL);
	r = hf_tree_collect(kept->hold, &opts, &tree, err);
	if (r == 0)
		r = hf_tree_format(tree, kept->hold, format, flags & ~HF_KEEPER_EFFECTS, ret_text, ret_len, err);
	hf_tree_free(tree);
	return r;
}

/* Text in text: as objects of json-c the tree would take many times the room of the hold itself. */
static int tree(struct hf_kept *kept, json_object *in, struct hf_reply *reply)
{
	static const char head[] = "{\"parameters\":{\"tree\":";
	struct hf_error err = HF_ERROR_INIT;
	hf_owned char *text = NULL;
	size_t len = 0;

	(void)in;
	if (format_tree(kept, HF_FORMAT_JSON, 0, &text, &len, &err) < 0)
		return say_failed(reply, &err);
	while (len && text[len - 1] == '\n')
		len--;
	if (hf_buf_add(&reply->text, head, sizeof(head) - 1) < 0 || hf_buf_add(&reply->text, text, len) < 0 ||
	    hf_buf_add(&reply->text, "}}", 2) < 0)
		return -ENOMEM;
	return 0;
}

/* A choice that may be missing; -1 when it is no boolean. */
static int choice(json_object *in, const char *key)
{
	json_object *o;

	if (!hf_json_has(in, key))
		return 0;
	o = hf_json_get(in, key, json_type_boolean);
	return o ? json_object_get_boolean(o) : -1;
}

static int format(struct hf_kept *kept, json_object *in, struct hf_reply *reply)
{
	static const struct {
		const char *key;
		unsigned int flag;
	} flags[] = {
		{ "pretty", HF_FORMAT_PRETTY }, { "colour", HF_FORMAT_COLOUR }, { "ascii", HF_FORMAT_ASCII },
		{ "effects", HF_KEEPER_EFFECTS },
	};
	static const char *const formats[] = {
		[HF_FORMAT_TEXT] = "text", [HF_FORMAT_JSON] = "json", [HF_FORMAT_DOT] = "dot",
	};
	json_object *word = hf_json_get(in, "format", json_type_string);
	struct hf_error err = HF_ERROR_INIT;
	hf_owned char *text = NULL;
	unsigned int wanted = 0, f;
	size_t i, len = 0;

	for (f = 0; word && f < sizeof(formats) / sizeof(formats[0]); f++)
		if (!strcmp(formats[f], json_object_get_string(word)))
			break;
	if (!word || f == sizeof(formats) / sizeof(formats[0]))
		return invalid(reply, "format");
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		int c = choice(in, flags[i].key);

		if (c < 0)
			return invalid(reply, flags[i].key);
		wanted |= c ? flags[i].flag : 0;
	}
	if (format_tree(kept, (enum hf_format)f, wanted, &text, &len, &err) < 0)
		return say_failed(reply, &err);
	return say_with_word(reply, NULL, "text", text);
}

static bool put_thread(struct hf_buf *to, struct hf_kept *kept, const struct hf_task *t, bool first)
{
	char text[160 + 2 * HF_REGS_SIZE_MAX];
	struct hf_regs regs;
	size_t i, len;

	len = (size_t)snprintf(text, sizeof(text), "%s{\"tid\":%d,\"pid\":%d,\"state\":\"%s\",\"found\":\"%c\"",
			       first ? "" : ",", t->tid, t->tgid,
			       hf_thread_word(hf_members_state((enum hf_task_state)t->state)),
			       t->found ? t->found : '?');
	/* Who dies meanwhile has none. */
	if (hf_task_is_held((enum hf_task_state)t->state) && hf_hold_regs(kept->hold, t->tid, &regs, NULL) == 0) {
		len += (size_t)snprintf(text + len, sizeof(text) - len, ",\"registers\":\"");
		for (i = 0; i < regs.size; i++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%02x", regs.set[i]);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "\"");
	}
	return hf_buf_add(to, text, len) == 0 && hf_buf_add(to, "}", 1) == 0;
}

/* Text, as with a tree. */
static int threads(struct hf_kept *kept, json_object *in, struct hf_reply *reply)
{
	static const char head[] = "{\"parameters\":{\"threads\":[";
	const struct hf_task_set *set = hf_hold_tasks(kept->hold);
	hf_owned const struct hf_task **members = NULL;
	bool good;
	size_t i, n;

	(void)in;
	hf_hold_attend(kept->hold, NULL);
	members = calloc(set->n + 1, sizeof(*members));
	if (!members)
		return -ENOMEM;
	n = hf_members_of(set, members);
	good = hf_buf_add(&reply->text, head, sizeof(head) - 1) == 0;
	for (i = 0; good && i < n; i++)
		good = put_thread(&reply->text, kept, members[i], i == 0);
	return good && hf_buf_add(&reply->text, "]}}", 3) == 0 ? 0 : -ENOMEM;
}

static int extend(struct hf_kept *kept, json_object *in, struct hf_reply *reply)
{
	json_object *ms = hf_json_get(in, "ms", json_type_int), *parameters;
	int64_t n = ms ? json_object_get_int64(ms) : -1;
	bool failed = false;

	if (n < 0 || n > UINT_MAX)
		return invalid(reply, "ms");
	/* Nobody might be left who could end it. */
	if (!n && hf_hold_info(kept->hold)->kind == HF_TARGET_MACHINE)
		return hf_methods_failed(EINVAL, "a hold of the machine always ends by itself; say for how long", reply);
	kept->end_ns = n ? hf_clock_ns() + (uint64_t)n * 1000000 : 0;
	parameters = json_object_new_object();
	put_left(parameters, kept, &failed);
	return say(reply, NULL, parameters, failed);
}

static bool is_held_process(const struct hf_kept *kept, pid_t pid)
{
	const struct hf_task_set *set = hf_hold_tasks(kept->hold);
	size_t i;

	for (i = 0; i < set->n; i++)
		if (set->tasks[i].tgid == pid && hf_task_is_ours((enum hf_task_state)set->tasks[i].state))
			return true;
	return false;
}

static int no_pidfd(struct hf_reply *reply, pid_t pid, int code)
{
	char text[128];

	snprintf(text, sizeof(text), "no descriptor of process %d: %s", (int)pid, strerror(code));
	return hf_methods_failed(code, text, reply);
}

/* A held process keeps its pid until we have reaped it, so the descriptor is of that very one. */
static int pidfd(struct hf_kept *kept, json_object *in, struct hf_reply *reply)
{
	json_object *o = hf_json_get(in, "pid", json_type_int), *parameters;
	int64_t pid = o ? json_object_get_int64(o) : 0;
	bool failed = false;

	if (!o || pid <= 0 || pid > INT_MAX)
		return invalid(reply, "pid");
	hf_hold_attend(kept->hold, NULL);
	if (is_held_process(kept, (pid_t)pid)) {
		reply->fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
		if (reply->fd >= 0)
			return say(reply, NULL, json_object_new_object(), false);
		if (errno != ESRCH)		/* killed just now */
			return no_pidfd(reply, (pid_t)pid, errno);
	}
	parameters = json_object_new_object();
	hf_json_put_int(parameters, "pid", pid, &failed);
	return say(reply, HOLD ".NoSuchProcess", parameters, failed);
}

static int release(struct hf_kept *kept, json_object *in, struct hf_reply *reply)
{
	static const char *const ways[] = {
		[HF_RELEASE_AS_FOUND] = "run", [HF_RELEASE_STOPPED] = "stop", [HF_RELEASE_DEAD] = "kill",
		[HF_RELEASE_FROZEN] = "frozen",
	};
	/* The keeper ends soon, which lets go of who cannot be detached. */
	static const struct hf_release_options opts = { .size = sizeof(opts), .leave_armed = 1 };
	json_object *word = hf_json_get(in, "how", json_type_string), *parameters;
	struct hf_error err = HF_ERROR_INIT;
	bool failed = false;
	unsigned int how;
	int r;

	for (how = 0; word && how < sizeof(ways) / sizeof(ways[0]); how++)
		if (!strcmp(ways[how], json_object_get_string(word)))
			break;
	if (!word || how == sizeof(ways) / sizeof(ways[0]))
		return invalid(reply, "how");
	r = hf_hold_release(kept->hold, (enum hf_release)how, &opts, &err);
	if (r < 0 && err.undo != HF_UNDO_FAILED)
		return say_failed(reply, &err);		/* it stands as before */
	kept->released = true;
	if (r < 0)
		return say_failed(reply, &err);
	parameters = json_object_new_object();
	hf_json_put_int(parameters, "stopped_us", (int64_t)hf_hold_info(kept->hold)->timing_us.stopped, &failed);
	return say(reply, NULL, parameters, failed);
}

/* ---- Which ----------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*answer)(struct hf_kept *kept, json_object *in, struct hf_reply *reply);
} methods[] = {
	{ HOLD ".Info", info },
	{ HOLD ".Tree", tree },
	{ HOLD ".Format", format },
	{ HOLD ".Threads", threads },
	{ HOLD ".Extend", extend },
	{ HOLD ".Pidfd", pidfd },
	{ HOLD ".Release", release },
	{ SERVICE ".GetInfo", get_info },
	{ SERVICE ".GetInterfaceDescription", get_description },
};

static int unknown(struct hf_reply *reply, const char *method)
{
	const char *dot = strrchr(method, '.');
	char interface[64];

	if (dot && (size_t)(dot - method) < sizeof(interface)) {
		memcpy(interface, method, (size_t)(dot - method));
		interface[dot - method] = '\0';
		if (!strcmp(interface, HOLD) || !strcmp(interface, SERVICE))
			return say_with_word(reply, SERVICE ".MethodNotFound", "method", method);
		return say_with_word(reply, SERVICE ".InterfaceNotFound", "interface", interface);
	}
	return say_with_word(reply, SERVICE ".InterfaceNotFound", "interface", method);
}

static int answer(struct hf_kept *kept, const char *method, json_object *in, struct hf_reply *reply)
{
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (!strcmp(methods[i].name, method))
			return methods[i].answer(kept, in, reply);
	return unknown(reply, method);
}

int hf_methods_answer(struct hf_kept *kept, const char *message, size_t len, struct hf_reply *reply)
{
	hf_owned_json *call = hf_json_parse(message, len);
	json_object *method, *in;
	int oneway, r;

	if (!call)
		return hf_methods_bad_message("it is not JSON", reply);
	method = hf_json_get(call, "method", json_type_string);
	if (!method)
		return hf_methods_bad_message("it is no object with a method", reply);
	in = hf_json_get(call, "parameters", json_type_object);
	if (!in && hf_json_has(call, "parameters"))
		return hf_methods_bad_message("its parameters are no object", reply);
	oneway = choice(call, "oneway");
	if (oneway < 0 || choice(call, "more") < 0 || choice(call, "upgrade") < 0)
		return hf_methods_bad_message("oneway, more and upgrade are true or false", reply);
	r = answer(kept, json_object_get_string(method), in, reply);
	/* Done, and nobody wants to hear of it. */
	if (oneway)
		hf_reply_done(reply);
	return r;
}
