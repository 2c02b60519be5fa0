/* SPDX-License-Identifier: MIT */
/*
 * check_print_text - tests of pstree/print_text.c.
 */
#include "made_tree.h"

#define HEADLINE "/sys/fs/cgroup/pod (cgroup v2): 5 processes, 6 threads, 3 held, 2 armed, 1 died, " \
	"1 skipped, 1 zombie, stopped for 2.7 ms\n"

START_TEST(a_tree_is_drawn)
{
	char *text = format_sample(HF_FORMAT_TEXT, 0);

	ck_assert_str_eq(text, HEADLINE
			 "100 server (4 threads)  server -f 'it'\\''s here'\n"
			 "├─ thread 105 flusher [armed: in folio_wait]\n"
			 "├─ thread 107 late [died while held]\n"
			 "├─ 101 w [stopped by SIGTSTP]  w\n"
			 "│  └─ 102 sh [zombie]\n"
			 "└─ 103 make [frozen when found, armed: waits for child 104]  make -j\n"
			 "104 cc1 [traced by 77]  cc1\n");
	free(text);
}
END_TEST

static const struct hf_effect effects[] = {
	{ HF_EFFECT_TIMEOUT, 105, "epoll_wait waits" }, { HF_EFFECT_WATCHDOG, 0, "systemd barks" },
};

START_TEST(effects_are_drawn_below_the_threads)
{
	struct hf_process procs[3];
	char *text;

	memcpy(procs, sample, sizeof(procs));
	procs[0].effects = effects;
	procs[0].n_effects = 2;
	procs[1].effects = effects + 1;
	procs[1].n_effects = 1;
	text = format(procs, 3, &sample_info, HF_FORMAT_TEXT, 0);
	ck_assert_str_eq(strchr(text, '\n') + 1,
			 "100 server (4 threads)  server -f 'it'\\''s here'\n"
			 "├─ thread 105 flusher [armed: in folio_wait]\n"
			 "├─ thread 107 late [died while held]\n"
			 "├─ ! thread 105: epoll_wait waits\n"
			 "├─ ! systemd barks\n"
			 "└─ 101 w [stopped by SIGTSTP]  w\n"
			 "   ├─ ! systemd barks\n"
			 "   └─ 102 sh [zombie]\n");
	free(text);
	procs[1].ppid = 1;
	text = format(procs, 1, &sample_info, HF_FORMAT_TEXT, HF_FORMAT_ASCII);
	ck_assert_ptr_nonnull(strstr(text, "|- ! thread 105: epoll_wait waits\n`- ! systemd barks\n"));
	free(text);
}
END_TEST

START_TEST(a_tree_is_drawn_in_ascii)
{
	char *text = format_sample(HF_FORMAT_TEXT, HF_FORMAT_ASCII);

	ck_assert_str_eq(text, HEADLINE
			 "100 server (4 threads)  server -f 'it'\\''s here'\n"
			 "|- thread 105 flusher [armed: in folio_wait]\n"
			 "|- thread 107 late [died while held]\n"
			 "|- 101 w [stopped by SIGTSTP]  w\n"
			 "|  `- 102 sh [zombie]\n"
			 "`- 103 make [frozen when found, armed: waits for child 104]  make -j\n"
			 "104 cc1 [traced by 77]  cc1\n");
	free(text);
}
END_TEST

START_TEST(colours_are_only_added)
{
	char *plain = format_sample(HF_FORMAT_TEXT, 0);
	char *text = format_sample(HF_FORMAT_TEXT, HF_FORMAT_COLOUR), *in, *out;

	ck_assert_ptr_null(strchr(plain, '\033'));
	ck_assert_ptr_nonnull(strstr(text, "\033[2m101 \033[0m\033[1mw\033[0m \033[33m[stopped by"));
	ck_assert_ptr_nonnull(strstr(text, "\033[31m[zombie]\033[0m"));
	for (in = out = text; *in;) {
		if (*in == '\033')
			in += strcspn(in, "m") + 1;
		else
			*out++ = *in++;
	}
	*out = '\0';
	ck_assert_str_eq(text, plain);
	free(text);
	free(plain);
}
END_TEST

static const struct {
	struct bytes cmdline;
	const char *shown;
} cmdlines[] = {
	{ BYTES(""), "" },
	{ BYTES("\0"), "" },
	{ BYTES("\0\0\0"), "" },
	{ BYTES("a\0"), "  a" },
	{ BYTES("a\0\0b\0"), "  a '' b" },
	{ BYTES("postgres: writer\0\0\0\0"), "  'postgres: writer'" },
	{ BYTES("sh\0-c\0a; b\n\0"), "  sh -c 'a; b\\n'" },
	{ BYTES("a\0'\0\"\0"), "  a ''\\''' '\"'" },
	{ BYTES("a\0\xff\0"), "  a \\xff" },
};

START_TEST(arguments_are_told_apart)
{
	struct bytes cmdline = cmdlines[_i].cmdline;
	char want[256], *copy = exact_copy(cmdline), *text;
	struct hf_process p;
	struct hf_thread t;

	p = named(&t, 5, 1, "n", copy, cmdline.len);
	text = format(&p, 1, &sample_info, HF_FORMAT_TEXT, 0);
	snprintf(want, sizeof(want), "5 n%s\n", cmdlines[_i].shown);
	ck_assert_str_eq(strchr(text, '\n') + 1, want);
	free(text);
	free(copy);
}
END_TEST

START_TEST(odd_threads_are_drawn_below_their_process)
{
	struct hf_process p = sample[0];
	char *text = format(&p, 1, &sample_info, HF_FORMAT_TEXT, HF_FORMAT_ASCII);

	ck_assert_ptr_nonnull(strstr(text, "here'\n"
				     "|- thread 105 flusher [armed: in folio_wait]\n"
				     "`- thread 107 late [died while held]\n"));
	free(text);
}
END_TEST

START_TEST(many_processes_as_text)
{
	char *text = format_many(sizes[_i].n, sizes[_i].width, HF_FORMAT_TEXT, HF_FORMAT_COLOUR);

	ck_assert_uint_eq(count_lines(text, 300), sizes[_i].n + 1);
	free(text);
}
END_TEST

START_TEST(deep_levels_say_their_depth)
{
	enum { DEPTH = 50 };
	struct hf_process procs[DEPTH];
	struct hf_thread threads[DEPTH];
	char *text, *line;
	size_t i;

	for (i = 0; i < DEPTH; i++)
		procs[i] = named(&threads[i], (pid_t)i + 100, (pid_t)i + 99, "n", ARGS("n"));
	text = format(procs, DEPTH, &sample_info, HF_FORMAT_TEXT, HF_FORMAT_ASCII);
	ck_assert_ptr_nonnull(line = strstr(text, "`- 140 n  n\n"));
	ck_assert_ptr_null(strstr(text, "[depth 40]"));
	ck_assert_ptr_nonnull(strstr(line, "\n" "   "));
	ck_assert_ptr_nonnull(strstr(line, "   [depth 41] 141 n  n\n"));
	ck_assert_ptr_nonnull(strstr(line, "   [depth 49] 149 n  n\n"));
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("print_text");
	TCase *tc;

	tc = add_case(suite, "text");
	tcase_add_test(tc, a_tree_is_drawn);
	tcase_add_test(tc, a_tree_is_drawn_in_ascii);
	tcase_add_test(tc, effects_are_drawn_below_the_threads);
	tcase_add_test(tc, colours_are_only_added);
	tcase_add_loop_test(tc, arguments_are_told_apart, 0, (int)COUNT_OF(cmdlines));
	tcase_add_test(tc, odd_threads_are_drawn_below_their_process);
	tcase_add_test(tc, deep_levels_say_their_depth);
	tc = add_case(suite, "size");
	tcase_add_loop_test(tc, many_processes_as_text, 0, (int)COUNT_OF(sizes));
	return hf_suite_run(suite);
}
