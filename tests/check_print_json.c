/* SPDX-License-Identifier: MIT */
/*
 * check_print_json - tests of pstree/print_json.c.  What is written is read back with json-c.
 */
#include <json.h>

#include "made_tree.h"

START_TEST(the_json_of_a_tree)
{
	char *text = format(sample, 3, &sample_info, HF_FORMAT_JSON, 0);

	ck_assert_str_eq(text,
		"{\"schema\":1,\"holdfast\":\"" HF_VERSION "\",\"time\":\"2026-11-21T10:00:00.123456Z\","
		"\"target\":{\"kind\":\"cgroup\",\"path\":\"/sys/fs/cgroup/pod\",\"version\":2,"
		"\"found\":\"thawed\",\"freezer_changed\":false},"
		"\"timing_us\":{\"freeze\":310,\"seize\":1400,\"thaw\":20,\"wait\":15,\"collect\":900,"
		"\"stopped\":2650},"
		"\"counts\":{\"processes\":3,\"threads\":5,\"held\":3,\"armed\":1,\"zombies\":1,"
		"\"skipped\":0,\"died\":1,\"restarted\":1,\"restarted_in_full\":1,\"expired\":0,\"left_interrupted\":0},"
		"\"processes\":["
		"{\"pid\":100,\"ppid\":1,\"nspid\":[100,7],\"pgid\":100,\"sid\":99,\"comm\":\"server\","
		"\"exe\":\"/usr/bin/server\",\"exe_deleted\":true,"
		"\"cmdline\":[\"server\",\"-f\",\"it's here\",\"\"],\"uid\":33,\"gid\":34,"
		"\"start_time_ticks\":12345,\"cgroup\":\"/pod\",\"found\":\"running\","
		"\"stop_signal\":null,\"tracer\":null,\"kind\":\"process\",\"threads\":["
		"{\"tid\":100,\"nstid\":[100,7],\"comm\":\"server\",\"state\":\"held\","
		"\"found\":\"sleeping\",\"syscall\":232,\"wchan\":null,\"restart\":\"in-full\"},"
		"{\"tid\":105,\"nstid\":[105,8],\"comm\":\"flusher\",\"state\":\"armed\","
		"\"found\":\"disk-sleep\",\"syscall\":74,\"wchan\":\"folio_wait\"},"
		"{\"tid\":106,\"nstid\":[106,9],\"comm\":\"iou-wrk-100\",\"state\":\"held\","
		"\"found\":\"sleeping\",\"syscall\":null,\"wchan\":null,\"kind\":\"io-worker\"},"
		"{\"tid\":107,\"nstid\":[107,10],\"comm\":\"late\",\"state\":\"died\","
		"\"found\":\"running\",\"syscall\":null,\"wchan\":null}],\"children\":[101]},"
		"{\"pid\":101,\"ppid\":100,\"nspid\":[101],\"pgid\":0,\"sid\":0,\"comm\":\"w\","
		"\"exe\":\"/w\",\"exe_deleted\":false,\"cmdline\":[\"w\"],\"uid\":0,\"gid\":0,"
		"\"start_time_ticks\":12346,\"cgroup\":\"/pod\",\"found\":\"stopped\","
		"\"stop_signal\":20,\"tracer\":null,\"kind\":\"process\",\"threads\":["
		"{\"tid\":101,\"nstid\":[101],\"comm\":\"w\",\"state\":\"held\",\"found\":\"stopped\","
		"\"syscall\":0,\"wchan\":null}],\"children\":[102]},"
		"{\"pid\":102,\"ppid\":101,\"nspid\":[102],\"pgid\":0,\"sid\":0,\"comm\":\"sh\","
		"\"exe\":null,\"exe_deleted\":false,\"cmdline\":[],\"uid\":0,\"gid\":0,"
		"\"start_time_ticks\":12347,\"cgroup\":null,\"found\":\"zombie\","
		"\"stop_signal\":null,\"tracer\":null,\"kind\":\"process\",\"threads\":["
		"{\"tid\":102,\"nstid\":[102],\"comm\":\"sh\",\"state\":\"zombie\",\"found\":\"zombie\","
		"\"syscall\":null,\"wchan\":null}],\"children\":[]}],"
		"\"roots\":[100],\"warnings\":[\"1 thread died while it was held\"]}\n");
	free(text);
}
END_TEST

static json_object *parse(const char *text)
{
	enum json_tokener_error error = json_tokener_success;
	json_object *object = json_tokener_parse_verbose(text, &error);

	ck_assert_msg(object != NULL, "%s", json_tokener_error_desc(error));
	return object;
}

static json_object *member(json_object *of, const char *key)
{
	json_object *value = NULL;

	ck_assert_msg(json_object_object_get_ex(of, key, &value), "no key %s", key);
	return value;
}

static json_object *first_process(json_object *tree)
{
	return json_object_array_get_idx(member(tree, "processes"), 0);
}

START_TEST(indented_json_says_the_same)
{
	char *plain = format_sample(HF_FORMAT_JSON, 0);
	char *pretty = format_sample(HF_FORMAT_JSON, HF_FORMAT_PRETTY);
	json_object *a = parse(plain), *b = parse(pretty);

	ck_assert_ptr_eq(strchr(plain, '\n'), plain + strlen(plain) - 1);
	ck_assert_ptr_nonnull(strstr(pretty, "\n  \"schema\": 1,\n"));
	ck_assert_ptr_nonnull(strstr(pretty, "\n      \"pid\": 100,\n"));
	ck_assert_int_ne(json_object_equal(a, b), 0);
	json_object_put(a);
	json_object_put(b);
	free(plain);
	free(pretty);
}
END_TEST

START_TEST(waits_and_warnings_are_in_the_json)
{
	struct hf_hold_info info = sample_info;
	json_object *tree, *process, *thread;
	char *text;

	info.newcomers = 2;
	info.armed_other = 1;
	info.kernel = 1;
	info.freezer_changed = 1;
	text = format(sample + 3, 2, &info, HF_FORMAT_JSON, 0);
	tree = parse(text);
	process = first_process(tree);
	thread = json_object_array_get_idx(member(process, "threads"), 0);
	ck_assert_int_eq(json_object_get_int(member(thread, "waits_for")), 104);
	process = json_object_array_get_idx(member(tree, "processes"), 1);
	ck_assert_int_eq(json_object_get_int(member(process, "tracer")), 77);
	ck_assert_uint_eq(json_object_array_length(member(tree, "warnings")), 5);
	ck_assert(json_object_get_boolean(member(member(tree, "target"), "freezer_changed")));
	ck_assert_uint_eq(json_object_array_length(member(tree, "roots")), 2);
	json_object_put(tree);
	free(text);
}
END_TEST

static void check_hex(const char *hex, const char *bytes)
{
	size_t i, len = strlen(bytes);
	unsigned int byte;

	ck_assert_uint_eq(strlen(hex), 2 * len);
	for (i = 0; i < len; i++) {
		ck_assert_int_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
		ck_assert_uint_eq(byte, (unsigned char)bytes[i]);
	}
}

/* What a reader makes of NAME alone: every byte that is no UTF-8 as \xHH. */
static void check_shown(const char *shown, const char *bytes)
{
	size_t i;

	for (i = 0; i < 127; i++)
		ck_assert_int_eq(shown[i], bytes[i]);
	shown += i;
	for (; i < 255; i++, shown += 4) {
		char want[5];

		snprintf(want, sizeof(want), "\\x%02x", (unsigned int)i + 1);
		ck_assert_int_eq(strncmp(shown, want, 4), 0);
	}
	ck_assert_str_eq(shown, "");
}

START_TEST(any_bytes_survive_json)
{
	const char *bytes = all_bytes();
	struct hf_hold_info info = sample_info;
	char cmdline[260] = "plain";
	json_object *tree, *process, *thread, *target;
	struct hf_process p;
	struct hf_thread t;
	char *text;

	memcpy(cmdline + 6, "\xfe", 2);
	info.path = bytes;
	p = named(&t, 5, 1, bytes, cmdline, 8);
	text = format(&p, 1, &info, HF_FORMAT_JSON, _i ? HF_FORMAT_PRETTY : 0);
	check_utf8(text);
	tree = parse(text);
	process = first_process(tree);
	thread = json_object_array_get_idx(member(process, "threads"), 0);
	target = member(tree, "target");
	check_shown(json_object_get_string(member(process, "comm")), bytes);
	check_hex(json_object_get_string(member(process, "comm_hex")), bytes);
	check_hex(json_object_get_string(member(process, "exe_hex")), bytes);
	check_hex(json_object_get_string(member(process, "cgroup_hex")), bytes);
	check_hex(json_object_get_string(member(thread, "comm_hex")), bytes);
	check_hex(json_object_get_string(member(target, "path_hex")), bytes);
	ck_assert_str_eq(json_object_get_string(member(process, "cmdline")), "[ \"plain\", \"\\\\xfe\" ]");
	ck_assert_str_eq(json_object_get_string(member(process, "cmdline_hex")),
			 "[ \"706c61696e\", \"fe\" ]");
	json_object_put(tree);
	free(text);
}
END_TEST

START_TEST(hex_is_only_there_when_needed)
{
	struct hf_process p;
	struct hf_thread t;
	char *text;

	p = named(&t, 5, 1, "\"gr\xc3\xbc\xc3\x9f\\\n\x7f/", ARGS("\x01"));
	text = format(&p, 1, &sample_info, HF_FORMAT_JSON, 0);
	ck_assert_ptr_null(strstr(text, "_hex"));
	ck_assert_ptr_nonnull(strstr(text, "\"comm\":\"\\\"gr\xc3\xbc\xc3\x9f\\\\\\n\x7f/\""));
	free(text);
}
END_TEST

START_TEST(large_numbers_survive_json)
{
	struct hf_hold_info info = sample_info;
	json_object *tree;
	struct hf_process p;
	struct hf_thread t;
	char *text;

	p = named(&t, INT32_MAX, 1, "n", ARGS("n"));
	p.start_time_ticks = UINT64_MAX;
	p.euid = p.egid = UINT32_MAX - 1;
	info.timing_us.stopped = UINT64_MAX;
	text = format(&p, 1, &info, HF_FORMAT_JSON, 0);
	ck_assert_ptr_nonnull(strstr(text, "\"start_time_ticks\":18446744073709551615,"));
	ck_assert_ptr_nonnull(strstr(text, "\"stopped\":18446744073709551615}"));
	ck_assert_ptr_nonnull(strstr(text, "\"uid\":4294967294,\"gid\":4294967294,"));
	tree = parse(text);
	ck_assert_int_eq(json_object_get_int(member(first_process(tree), "pid")), INT32_MAX);
	json_object_put(tree);
	free(text);
}
END_TEST

static void check_many(size_t n, size_t width, unsigned int flags)
{
	char *text = format_many(n, width, HF_FORMAT_JSON, flags);
	json_object *object = parse(text);

	ck_assert_uint_eq(json_object_array_length(member(object, "processes")), n);
	json_object_put(object);
	free(text);
}

START_TEST(many_processes_as_json)
{
	check_many(sizes[_i].n, sizes[_i].width, 0);
	check_many(sizes[_i].n, sizes[_i].width, HF_FORMAT_PRETTY);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("print_json");
	TCase *tc;

	tc = add_case(suite, "json");
	tcase_add_test(tc, the_json_of_a_tree);
	tcase_add_test(tc, indented_json_says_the_same);
	tcase_add_test(tc, waits_and_warnings_are_in_the_json);
	tcase_add_loop_test(tc, any_bytes_survive_json, 0, 2);
	tcase_add_test(tc, hex_is_only_there_when_needed);
	tcase_add_test(tc, large_numbers_survive_json);
	tc = add_case(suite, "size");
	tcase_add_loop_test(tc, many_processes_as_json, 0, (int)COUNT_OF(sizes));
	return hf_suite_run(suite);
}
