/* SPDX-License-Identifier: MIT */
/*
 * fuzz_varlink - what a keeper is sent, and what its callers are answered (keeper/wire, methods, calls).  The input
 * is a stream of bytes: it is cut into messages the same however it arrives; each is answered by one valid message, or by
 * none where that was asked for; and as an answer it is taken for one or refused, with nothing written where it is.
 */
#include <errno.h>
#include <json.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "hold.h"
#include "methods.h"
#include "wire.h"

/* ---- A hold of nobody, which cannot be released ------------------------------------------------ */

static struct hf_hold_info nobody = { .kind = HF_TARGET_CGROUP, .target = "cgroup /x", .path = "/x", .version = 2 };
static const struct hf_task_set nothing;

const struct hf_hold_info *hf_hold_info(hf_hold *hold)
{
	(void)hold;
	return &nobody;
}

int hf_hold_attend(hf_hold *hold, struct hf_error *err)
{
	(void)hold;
	(void)err;
	return 0;
}

int hf_hold_release(hf_hold *hold, enum hf_release how, const struct hf_release_options *opts, struct hf_error *err)
{
	(void)hold;
	(void)opts;
	FUZZ_REQUIRE((unsigned int)how <= HF_RELEASE_FROZEN);
	*err = (struct hf_error){ .code = EBUSY, .stage = HF_STAGE_RELEASE, .undo = HF_UNDO_DONE };
	return -EBUSY;
}

const struct hf_task_set *hf_hold_tasks(const hf_hold *hold)
{
	(void)hold;
	return &nothing;
}

size_t hf_hold_count_processes(const hf_hold *hold)
{
	(void)hold;
	return 0;
}

size_t hf_hold_regroup(hf_hold *hold)
{
	(void)hold;
	return 0;
}

const char *hf_hold_level_path(const hf_hold *hold, uint16_t level)
{
	(void)hold;
	(void)level;
	return NULL;
}

bool hf_hold_level_found_frozen(const hf_hold *hold, uint16_t level)
{
	(void)hold;
	(void)level;
	return false;
}

int hf_hold_check_tracer(const hf_hold *hold, struct hf_error *err)
{
	(void)hold;
	(void)err;
	return 0;
}

void hf_hold_note_collect(hf_hold *hold, uint64_t us)
{
	(void)hold;
	(void)us;
}

int hf_hold_registers(hf_hold *hold, pid_t tid, int type, void *buf, size_t *size, struct hf_error *err)
{
	(void)hold;
	(void)tid;
	(void)type;
	(void)buf;
	(void)size;
	(void)err;
	return -ESRCH;
}

int hf_hold_regs(hf_hold *hold, pid_t tid, struct hf_regs *ret, struct hf_error *err)
{
	(void)hold;
	(void)tid;
	(void)ret;
	(void)err;
	return -ESRCH;
}

enum hf_restart hf_hold_restart_of(const hf_hold *hold, const struct hf_task *t, const struct hf_regs *regs)
{
	(void)hold;
	(void)t;
	(void)regs;
	return HF_RESTART_NONE;
}

/* ---- Calls ------------------------------------------------------------------------------------- */

static void require_answer(const char *message, size_t len)
{
	struct hf_kept kept = { .name = "x", .taken_by_comm = "\xff" };
	struct hf_reply reply = HF_REPLY_INIT;
	json_object *o;

	FUZZ_REQUIRE(hf_methods_answer(&kept, message, len, &reply) == 0);
	/* That kind of a hold is released by nobody. */
	FUZZ_REQUIRE(!kept.released);
	if (reply.text.len) {
		FUZZ_REQUIRE(!memchr(reply.text.data, '\0', reply.text.len));
		o = json_tokener_parse(reply.text.data);
		FUZZ_REQUIRE(json_object_is_type(o, json_type_object));
		FUZZ_REQUIRE(json_object_object_get_ex(o, "parameters", NULL));
		FUZZ_REQUIRE(!reply.hang_up || json_object_object_get_ex(o, "error", NULL));
		json_object_put(o);
	} else {
		FUZZ_REQUIRE(!reply.hang_up);
	}
	hf_reply_done(&reply);
}

static void require_understood(const char *message, size_t len)
{
	struct hf_error err = HF_ERROR_INIT;
	struct hf_keeper_info info;
	int64_t number;
	struct hf_kept_threads threads = { .regs = NULL };
	size_t text_len = 0, i;
	char *text = NULL;
	int r;

	r = hf_reply_plain(message, len, &err);
	FUZZ_REQUIRE(r <= 0 && (r == 0 || err.code == -r));
	memset(&info, FUZZ_FILLER, sizeof(info));
	r = hf_reply_info(message, len, &info, &err);
	FUZZ_REQUIRE(r < 0 ? fuzz_is_untouched(&info, sizeof(info)) :
			     memchr(info.name, '\0', sizeof(info.name)) && memchr(info.target, '\0', sizeof(info.target)));
	memset(&number, FUZZ_FILLER, sizeof(number));
	r = hf_reply_number(message, len, "stopped_us", &number, &err);
	FUZZ_REQUIRE(r == 0 || fuzz_is_untouched(&number, sizeof(number)));
	r = hf_reply_threads(message, len, &threads, &err);
	for (i = 0; r == 0 && i < threads.set.n; i++)
		FUZZ_REQUIRE(threads.set.tasks[i].tid > 0 && threads.regs[i].size <= HF_REGS_SIZE_MAX);
	hf_kept_threads_done(&threads);
	err = (struct hf_error)HF_ERROR_INIT;
	r = hf_reply_text(message, len, &text, &text_len, &err);
	FUZZ_REQUIRE((r == 0) == (text != NULL));
	FUZZ_REQUIRE(!text || text[text_len] == '\0');
	free(text);
}

/* ---- The stream -------------------------------------------------------------------------------- */

/* Hand the bytes over in pieces of this size; what comes out is told to fn.  Returns how many messages there were. */
static size_t each_message(const uint8_t *data, size_t size, size_t piece, void (*fn)(const char *text, size_t len))
{
	struct hf_wire w;
	const char *text;
	size_t len, n = 0, i;
	int ends[2], r = 0;

	FUZZ_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	w = (struct hf_wire)HF_WIRE_INIT(ends[0], 2048);
	for (i = 0; i < size && r >= 0; i += piece) {
		size_t some = size - i < piece ? size - i : piece;

		FUZZ_REQUIRE(send(ends[1], data + i, some, 0) == (ssize_t)some);
		FUZZ_REQUIRE(hf_wire_read(&w) == 1);
		while ((r = hf_wire_next(&w, &text, &len)) > 0) {
			FUZZ_REQUIRE(len <= 2048 && text[len] == '\0' && !memchr(text, '\0', len));
			n++;
			if (fn)
				fn(text, len);
		}
		FUZZ_REQUIRE(r == 0 || r == -EMSGSIZE);
	}
	hf_wire_done(&w);
	close(ends[1]);
	return n;
}

static void require_both(const char *text, size_t len)
{
	char *exact = fuzz_exact(text, len);

	require_answer(exact, len);
	require_understood(exact, len);
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n = each_message(data, size, 4096, require_both);

	FUZZ_REQUIRE(each_message(data, size, 7, NULL) == n || memchr(data, '\0', size) == NULL || size > 2048);
	/* What never got an end is looked at, too. */
	require_both((const char *)data, size);
	return 0;
}
