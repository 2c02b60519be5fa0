/* SPDX-License-Identifier: MIT */
/*
 * fuzz_print - trees of which everything is made up (pstree/print*.c).  Whatever the bytes: JSON is JSON and
 * gives every name and argument back, text is lines of UTF-8 without a control character, a graph has its
 * quotes and brackets closed; and no process is left out.
 */
#include "print.h"

#include <json.h>

#include "fuzz.h"
#include "tree.h"

#define PROCS_MAX 6
#define NAME_MAX_MADE 24

struct made {
	struct hf_process procs[PROCS_MAX];
	struct hf_thread threads[PROCS_MAX][2];
	char names[PROCS_MAX][4][NAME_MAX_MADE];
	size_t n;
	struct hf_hold_info info;
};

/* ---- Making up ---------------------------------------------------------------------------- */

static uint8_t take_byte(struct fuzz_source *from)
{
	uint8_t byte;

	fuzz_take(from, &byte, 1);
	return byte;
}

/* Now and then none, where the contract allows that. */
static const char *take_name(struct fuzz_source *from, char *ret, int or_none)
{
	if (or_none && take_byte(from) % 4 == 3)
		return NULL;
	fuzz_take_string(from, ret, take_byte(from) % NAME_MAX_MADE + 1);
	return ret;
}

static void make_thread(struct fuzz_source *from, struct hf_thread *t, pid_t tid, const char *comm)
{
	uint8_t kind = take_byte(from), more = take_byte(from);

	*t = (struct hf_thread){
		.tid = tid, .nstid = &t->tid, .n_nstid = 1, .comm = comm,
		.state = (enum hf_thread_state)(HF_THREAD_HELD + kind % 7), .found = (char)('A' + more % 58),
		.io_worker = kind & 1, .syscall = (long)more - 1, .wchan = more & 2 ? "folio_wait" : NULL,
		.waits_for = more & 4 ? 17 : 0,
	};
}

static void make_process(struct fuzz_source *from, struct made *m, size_t i)
{
	struct hf_process *p = &m->procs[i];
	uint8_t kind = take_byte(from);
	size_t t;

	*p = (struct hf_process){
		.pid = (pid_t)(10 * (i + 1)), .ppid = (pid_t)(10 * (take_byte(from) % (PROCS_MAX + 1))),
		.nspid = &p->pid, .n_nspid = 1, .start_time_ticks = take_byte(from),
		.found = (enum hf_found)(HF_FOUND_RUNNING + kind % 6),
		.kind = kind & 64 ? HF_KIND_KTHREAD : HF_KIND_PROCESS, .exe_deleted = kind & 1,
		.stop_signal = kind / 6, .tracer = kind, .threads = m->threads[i], .n_threads = kind % 3,
	};
	p->comm = take_name(from, m->names[i][0], 0);
	p->exe = take_name(from, m->names[i][1], 1);
	p->cgroup = take_name(from, m->names[i][2], 1);
	p->cmdline = m->names[i][3];
	p->cmdline_len = take_byte(from) % NAME_MAX_MADE;
	fuzz_take(from, m->names[i][3], p->cmdline_len);
	if (p->cmdline_len)
		m->names[i][3][p->cmdline_len - 1] = '\0';
	for (t = 0; t < p->n_threads; t++)
		make_thread(from, &m->threads[i][t], p->pid + (pid_t)t, p->comm);
}

/* A cgroup; or named processes or the machine, which have no path. */
static void make_target(struct hf_hold_info *info, const char *path)
{
	static const pid_t pids[] = { 10, 20 };

	info->kind = (enum hf_target_kind)(HF_TARGET_CGROUP + strlen(path) % 3);
	info->target = info->kind == HF_TARGET_MACHINE ? "this machine" : "processes 10 and 20";
	if (info->kind == HF_TARGET_CGROUP) {
		info->path = path;
		info->version = 1;
	} else if (info->kind == HF_TARGET_PROCESSES) {
		info->pids = pids;
		info->n_pids = 2;
	}
}

static void make_up(struct fuzz_source from, struct made *m, const char *path)
{
	memset(m, 0, sizeof(*m));
	for (m->n = 0; m->n < PROCS_MAX && from.len; m->n++)
		make_process(&from, m, m->n);
	m->info = (struct hf_hold_info){
		.found = (enum hf_freezer_state)(m->n % 3), .newcomers = m->n, .armed_other = m->n,
		.time_us = (int64_t)m->n * 1234567890123,
	};
	make_target(&m->info, path);
}

static char *format(const hf_tree *tree, const struct made *m, enum hf_format how, unsigned int flags,
		    size_t *ret_len)
{
	struct hf_error err = HF_ERROR_INIT;
	char *text = NULL;

	FUZZ_REQUIRE(hf_tree_format_with(tree, &m->info, how, flags, &text, ret_len, &err) == 0);
	FUZZ_REQUIRE(strlen(text) == *ret_len && *ret_len && text[*ret_len - 1] == '\n');
	return text;
}

/* ---- JSON --------------------------------------------------------------------------------- */

static json_object *member(json_object *of, const char *key)
{
	json_object *value = NULL;

	FUZZ_REQUIRE(json_object_object_get_ex(of, key, &value));
	return value;
}

/* Whether a string of JSON is these bytes, or its twin has them in hexadecimal. */
static void require_bytes(json_object *shown, json_object *hex, const char *bytes)
{
	size_t i;

	if (!bytes) {
		FUZZ_REQUIRE(!shown && !hex);
		return;
	}
	if (!hex) {
		FUZZ_REQUIRE(strcmp(json_object_get_string(shown), bytes) == 0);
		return;
	}
	FUZZ_REQUIRE(json_object_get_string_len(hex) == (int)(2 * strlen(bytes)));
	for (i = 0; bytes[i]; i++) {
		char digits[3];

		snprintf(digits, sizeof(digits), "%02x", (unsigned char)bytes[i]);
		FUZZ_REQUIRE(memcmp(json_object_get_string(hex) + 2 * i, digits, 2) == 0);
	}
}

static void require_member(json_object *of, const char *key, const char *bytes)
{
	json_object *hex = NULL;
	char key_hex[32];

	snprintf(key_hex, sizeof(key_hex), "%s_hex", key);
	json_object_object_get_ex(of, key_hex, &hex);
	require_bytes(member(of, key), hex, bytes);
}

static void require_cmdline(json_object *process, const struct hf_process *p)
{
	json_object *shown = member(process, "cmdline"), *hex = NULL;
	size_t at, i = 0;

	json_object_object_get_ex(process, "cmdline_hex", &hex);
	for (at = 0; at < p->cmdline_len; at += strlen(p->cmdline + at) + 1, i++)
		require_bytes(json_object_array_get_idx(shown, i),
			      hex ? json_object_array_get_idx(hex, i) : NULL, p->cmdline + at);
	FUZZ_REQUIRE(json_object_array_length(shown) == i);
	FUZZ_REQUIRE(!hex || json_object_array_length(hex) == i);
}

static json_object *read_json(const char *text, size_t len)
{
	struct json_tokener *tokener = json_tokener_new();
	json_object *read;
	size_t at;

	FUZZ_REQUIRE(tokener != NULL);
	/* json-c lets control characters pass, RFC 8259 does not. */
	for (at = 0; at < len; at++)
		FUZZ_REQUIRE((unsigned char)text[at] >= ' ' || text[at] == '\n');
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	read = json_tokener_parse_ex(tokener, text, (int)len - 1);
	FUZZ_REQUIRE(read && json_tokener_get_parse_end(tokener) == len - 1);
	json_tokener_free(tokener);
	return read;
}

static void require_json(const hf_tree *tree, const struct made *m)
{
	size_t len, i;
	char *plain = format(tree, m, HF_FORMAT_JSON, 0, &len);
	json_object *read = read_json(plain, len), *processes = member(read, "processes"), *again;

	FUZZ_REQUIRE(strchr(plain, '\n') == plain + len - 1);
	require_member(member(read, "target"), "path", m->info.path);
	FUZZ_REQUIRE(json_object_array_length(processes) == m->n);
	for (i = 0; i < m->n; i++) {
		json_object *process = json_object_array_get_idx(processes, i);
		const struct hf_process *p = &m->procs[json_object_get_int(member(process, "pid")) / 10 - 1];

		require_member(process, "comm", p->comm);
		require_member(process, "exe", p->exe);
		require_member(process, "cgroup", p->cgroup);
		require_cmdline(process, p);
		FUZZ_REQUIRE(json_object_array_length(member(process, "threads")) == p->n_threads);
	}
	free(plain);
	plain = format(tree, m, HF_FORMAT_JSON, HF_FORMAT_PRETTY, &len);
	again = read_json(plain, len);
	FUZZ_REQUIRE(json_object_equal(read, again));
	json_object_put(again);
	json_object_put(read);
	free(plain);
}

/* ---- Text and graph ----------------------------------------------------------------------- */

/* Lines, and what is in them: no control character but the escapes of colours, if those are wanted. */
static size_t count_lines(const char *text, size_t len, int colour)
{
	size_t at, n, lines = 0;

	for (at = 0; at < len; at += n) {
		unsigned char c = (unsigned char)text[at];

		n = hf_utf8_len(text + at, len - at);
		FUZZ_REQUIRE(n > 0);
		FUZZ_REQUIRE((c >= ' ' && c != 0x7f) || c == '\n' || (colour && c == '\033'));
		FUZZ_REQUIRE(c != 0xc2 || (unsigned char)text[at + 1] >= 0xa0);
		lines += c == '\n';
	}
	return lines;
}

static void require_text(const hf_tree *tree, const struct made *m, unsigned int flags)
{
	size_t len, lines = 1 + m->n, i, t;
	char *text = format(tree, m, HF_FORMAT_TEXT, flags, &len);

	for (i = 0; i < m->n; i++)
		for (t = 1; t < m->procs[i].n_threads; t++)
			lines += m->threads[i][t].state != HF_THREAD_HELD;
	FUZZ_REQUIRE(count_lines(text, len, flags & HF_FORMAT_COLOUR) == lines);
	free(text);
}

static void require_graph(const hf_tree *tree, const struct made *m)
{
	size_t len, at, nodes = 0;
	char *text = format(tree, m, HF_FORMAT_DOT, 0, &len);
	int quoted = 0, depth = 0;

	for (at = 0; at < len; at++) {
		char c = text[at];

		if (quoted && c == '\\')
			FUZZ_REQUIRE(strchr("\\\"n", text[++at]));
		else if (c == '"')
			quoted = !quoted;
		else if (quoted)
			FUZZ_REQUIRE(c != '\n' && (c != '&' || strncmp(text + at, "&amp;", 5) == 0));
		else
			depth += (c == '[' || c == '{') - (c == ']' || c == '}');
		FUZZ_REQUIRE(depth >= 0 && depth <= 2);
		nodes += !quoted && strncmp(text + at, " [label=", 8) == 0;
	}
	FUZZ_REQUIRE(!quoted && depth == 0 && nodes == m->n);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct made m;
	char *path = fuzz_string(data, size % 40 < size ? size % 40 : size);
	hf_tree *tree = NULL;

	make_up((struct fuzz_source){ data, size }, &m, path);
	FUZZ_REQUIRE(hf_tree_of(m.procs, m.n, &tree) == 0);
	require_json(tree, &m);
	require_text(tree, &m, 0);
	require_text(tree, &m, HF_FORMAT_ASCII | HF_FORMAT_COLOUR);
	require_graph(tree, &m);
	hf_tree_free(tree);
	free(path);
	return 0;
}
