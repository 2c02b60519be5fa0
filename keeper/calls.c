/* SPDX-License-Identifier: MIT */
/*
 * calls - the caller's side of methods.h: making calls, reading replies.  A reply is what somebody sent: every member
 * is looked at before it is believed.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "err.h"
#include "jsonc.h"
#include "members.h"
#include "methods.h"
#include "print.h"

#define HOLD "org.holdfast.Hold"

/* ---- Calls ----------------------------------------------------------------------------------- */

/* Takes parameters, which may be NULL. */
static int make(struct hf_buf *text, const char *method, json_object *parameters, bool failed)
{
	hf_owned_json *call = json_object_new_object();

	hf_json_put_text(call, "method", method, &failed);
	if (parameters)
		hf_json_put(call, "parameters", parameters, &failed);
	return hf_json_text(text, call, failed);
}

int hf_call_plain(struct hf_buf *text, const char *method)
{
	return make(text, method, NULL, false);
}

int hf_call_number(struct hf_buf *text, const char *method, const char *key, int64_t n)
{
	json_object *parameters = json_object_new_object();
	bool failed = !parameters;

	hf_json_put_int(parameters, key, n, &failed);
	return make(text, method, parameters, failed);
}

int hf_call_release(struct hf_buf *text, enum hf_release how)
{
	static const char *const ways[] = {
		[HF_RELEASE_AS_FOUND] = "run", [HF_RELEASE_STOPPED] = "stop", [HF_RELEASE_DEAD] = "kill",
		[HF_RELEASE_FROZEN] = "frozen",
	};
	json_object *parameters = json_object_new_object();
	bool failed = !parameters;

	hf_json_put_text(parameters, "how", ways[how], &failed);
	return make(text, HOLD ".Release", parameters, failed);
}

int hf_call_format(struct hf_buf *text, enum hf_format format, unsigned int flags)
{
	json_object *parameters = json_object_new_object();
	bool failed = !parameters;

	hf_json_put_text(parameters, "format", format == HF_FORMAT_JSON ? "json" : format == HF_FORMAT_DOT ? "dot" : "text",
			 &failed);
	hf_json_put(parameters, "pretty", json_object_new_boolean((flags & HF_FORMAT_PRETTY) != 0), &failed);
	hf_json_put(parameters, "colour", json_object_new_boolean((flags & HF_FORMAT_COLOUR) != 0), &failed);
	hf_json_put(parameters, "ascii", json_object_new_boolean((flags & HF_FORMAT_ASCII) != 0), &failed);
	hf_json_put(parameters, "effects", json_object_new_boolean((flags & HF_KEEPER_EFFECTS) != 0), &failed);
	return make(text, HOLD ".Format", parameters, failed);
}

/* ---- Replies --------------------------------------------------------------------------------- */

static const char *word_of(json_object *o, const char *key)
{
	json_object *word = hf_json_get(o, key, json_type_string);

	return word ? json_object_get_string(word) : "";
}

static int64_t number_of(json_object *o, const char *key)
{
	json_object *n = hf_json_get(o, key, json_type_int);

	return n ? json_object_get_int64(n) : 0;
}

static bool bool_of(json_object *o, const char *key)
{
	json_object *b = hf_json_get(o, key, json_type_boolean);

	return b && json_object_get_boolean(b);
}

static int not_understood(struct hf_error *err)
{
	return hf_fail(err, EBADMSG, HF_STAGE_NONE, 0, "the keeper's answer is not understood: another version of holdfast?");
}

static enum hf_stage stage_of(const char *name)
{
	int stage;

	for (stage = HF_STAGE_NONE; stage <= HF_STAGE_RELEASE; stage++)
		if (!strcmp(hf_stage_name((enum hf_stage)stage), name))
			return (enum hf_stage)stage;
	return HF_STAGE_NONE;
}

static int error_of(const char *name, json_object *parameters, struct hf_error *err)
{
	int64_t code = number_of(parameters, "code");
	const char *note;

	if (!strcmp(name, HOLD ".NoSuchProcess"))
		return hf_fail(err, ESRCH, HF_STAGE_HOLD, (pid_t)number_of(parameters, "pid"),
			       "process %d is not in the hold", (int)number_of(parameters, "pid"));
	if (!strcmp(name, "org.varlink.service.PermissionDenied"))
		return hf_fail(err, EACCES, HF_STAGE_NONE, 0, "the hold belongs to another user");
	if (strcmp(name, HOLD ".Failed") != 0 || code <= 0 || code > 4095)
		return hf_fail(err, EBADMSG, HF_STAGE_NONE, 0, "the keeper does not do that: %s", name);
	hf_fail(err, (int)code, stage_of(word_of(parameters, "stage")), 0, "%s", word_of(parameters, "text"));
	note = word_of(parameters, "note");
	if (*note)
		hf_fail_note(err, bool_of(parameters, "not_undone") ? HF_UNDO_FAILED : HF_UNDO_DONE, "%s", note);
	return -(int)code;
}

/* The parameters of a reply, which belong to *ret_whole.  0, or the error that it tells. */
static int open_reply(const char *text, size_t len, json_object **ret_whole, json_object **ret, struct hf_error *err)
{
	const char *error;

	*ret_whole = hf_json_parse(text, len);
	*ret = hf_json_get(*ret_whole, "parameters", json_type_object);
	error = word_of(*ret_whole, "error");
	if (!json_object_is_type(*ret_whole, json_type_object))
		return not_understood(err);
	return *error ? error_of(error, *ret, err) : 0;
}

int hf_reply_plain(const char *text, size_t len, struct hf_error *err)
{
	hf_owned_json *whole = NULL;
	json_object *in;

	return open_reply(text, len, &whole, &in, err);
}

int hf_reply_number(const char *text, size_t len, const char *key, int64_t *ret, struct hf_error *err)
{
	hf_owned_json *whole = NULL;
	json_object *in;
	int r = open_reply(text, len, &whole, &in, err);

	if (r < 0)
		return r;
	if (!hf_json_get(in, key, json_type_int))
		return not_understood(err);
	*ret = number_of(in, key);
	return 0;
}

int hf_reply_text(const char *text, size_t len, char **ret, size_t *ret_len, struct hf_error *err)
{
	hf_owned_json *whole = NULL;
	json_object *in, *word;
	int r = open_reply(text, len, &whole, &in, err);
	size_t n;
	char *copy;

	if (r < 0)
		return r;
	word = hf_json_get(in, "text", json_type_string);
	if (!word)
		return not_understood(err);
	n = (size_t)json_object_get_string_len(word);
	copy = malloc(n + 1);
	if (!copy)
		return hf_fail(err, ENOMEM, HF_STAGE_NONE, 0, "out of memory");
	memcpy(copy, json_object_get_string(word), n + 1);
	*ret = copy;
	*ret_len = n;
	return 0;
}

static enum hf_target_kind kind_of(const char *word)
{
	if (!strcmp(word, "processes"))
		return HF_TARGET_PROCESSES;
	return strcmp(word, "machine") ? HF_TARGET_CGROUP : HF_TARGET_MACHINE;
}

static enum hf_freezer_state found_of(const char *word)
{
	static const enum hf_freezer_state states[] = { HF_FREEZER_FREEZING, HF_FREEZER_FROZEN };
	size_t i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (!strcmp(hf_freezer_word(states[i]), word))
			return states[i];
	return HF_FREEZER_THAWED;
}

int hf_reply_info(const char *text, size_t len, struct hf_keeper_info *ret, struct hf_error *err)
{
	struct hf_keeper_info i = { .left_ms = -1 };
	hf_owned_json *whole = NULL;
	json_object *in, *from;
	int r = open_reply(text, len, &whole, &in, err);

	if (r < 0)
		return r;
	from = hf_json_get(in, "info", json_type_object);
	if (!from || !*word_of(from, "name"))
		return not_understood(err);
	snprintf(i.name, sizeof(i.name), "%s", word_of(from, "name"));
	i.kind = kind_of(word_of(from, "kind"));
	snprintf(i.target, sizeof(i.target), "%s", word_of(from, "target"));
	i.keeper = (pid_t)number_of(from, "keeper");
	i.uid = (uid_t)number_of(from, "uid");
	i.taken_by = (pid_t)number_of(from, "taken_by");
	snprintf(i.taken_by_comm, sizeof(i.taken_by_comm), "%s", word_of(from, "taken_by_comm"));
	i.held_since_us = number_of(from, "held_since_us");
	i.took_us = (uint64_t)number_of(from, "took_us");
	i.stopped_us = (uint64_t)number_of(from, "stopped_us");
	if (hf_json_has(from, "left_ms"))
		i.left_ms = number_of(from, "left_ms");
	i.processes = (size_t)number_of(from, "processes");
	i.threads = (size_t)number_of(from, "threads");
	i.held = (size_t)number_of(from, "held");
	i.armed = (size_t)number_of(from, "armed");
	i.skipped = (size_t)number_of(from, "skipped");
	i.outside = (size_t)number_of(from, "outside");
	i.armed_other = (size_t)number_of(from, "armed_other");
	i.blind = bool_of(from, "blind");
	i.died = (size_t)number_of(from, "died");
	i.newcomers = (size_t)number_of(from, "newcomers");
	i.freezer_changed = bool_of(from, "freezer_changed");
	i.version = (int)number_of(from, "version");
	i.found = found_of(word_of(from, "found"));
	*ret = i;
	return 0;
}

/* ---- Threads --------------------------------------------------------------------------------- */

void hf_kept_threads_done(struct hf_kept_threads *t)
{
	hf_task_set_done(&t->set);
	free(t->regs);
	t->regs = NULL;
}

static enum hf_task_state state_of(const char *word)
{
	static const enum hf_task_state states[] = {
		HF_TASK_HELD, HF_TASK_ARMED, HF_TASK_DEAD_LEADER, HF_TASK_SKIPPED, HF_TASK_OUTSIDE, HF_TASK_KERNEL,
	};
	size_t i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (!strcmp(hf_thread_word(hf_members_state(states[i])), word))
			return states[i];
	return HF_TASK_DIED;
}

static int digit_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Hexadecimal digits.  Nothing is no error. */
static bool read_regs(const char *digits, struct hf_regs *ret)
{
	unsigned char set[HF_REGS_SIZE_MAX];
	size_t len = strlen(digits), i;

	if (!len)
		return true;
	if (len % 2 || len / 2 > sizeof(set))
		return false;
	for (i = 0; i < len / 2; i++) {
		int high = digit_of(digits[2 * i]), low = digit_of(digits[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		set[i] = (unsigned char)(high * 16 + low);
	}
	return hf_regs_decode(set, len / 2, ret) == 0;
}

static int add_thread(struct hf_kept_threads *to, json_object *from, struct hf_error *err)
{
	int64_t tid = number_of(from, "tid"), pid = number_of(from, "pid");
	struct hf_task *t;

	if (tid <= 0 || tid > INT_MAX || pid <= 0 || pid > INT_MAX || hf_task_set_find(&to->set, (pid_t)tid))
		return not_understood(err);
	t = hf_task_set_add(&to->set, (pid_t)tid);
	if (!t)
		return hf_fail(err, ENOMEM, HF_STAGE_NONE, 0, "out of memory");
	t->tgid = (pid_t)pid;
	t->state = (uint8_t)state_of(word_of(from, "state"));
	t->found = word_of(from, "found")[0];
	return read_regs(word_of(from, "registers"), &to->regs[to->set.n - 1]) ? 0 : not_understood(err);
}

int hf_reply_threads(const char *text, size_t len, struct hf_kept_threads *ret, struct hf_error *err)
{
	struct hf_kept_threads got = { .regs = NULL };
	hf_owned_json *whole = NULL;
	json_object *in, *list;
	size_t i, n;
	int r = open_reply(text, len, &whole, &in, err);

	if (r < 0)
		return r;
	list = hf_json_get(in, "threads", json_type_array);
	if (!list)
		return not_understood(err);
	n = json_object_array_length(list);
	got.regs = calloc(n + 1, sizeof(*got.regs));
	if (!got.regs)
		return hf_fail(err, ENOMEM, HF_STAGE_NONE, 0, "out of memory");
	for (i = 0; r == 0 && i < n; i++)
		r = add_thread(&got, json_object_array_get_idx(list, i), err);
	if (r < 0)
		hf_kept_threads_done(&got);
	else
		*ret = got;
	return r;
}
