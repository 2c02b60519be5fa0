/* SPDX-License-Identifier: MIT */
/*
 * check_print - tests of pstree/print.c: what all formats say in the same words, and the
 * public function.
 */
#include <errno.h>

#include "made_tree.h"

START_TEST(a_frozen_target_is_said)
{
	struct hf_hold_info info = sample_info;
	char *text;

	info.found = HF_FREEZER_FROZEN;
	info.version = 1;
	info.path = "/x\ny";
	info.timing_us.stopped = 12345678;
	text = format(NULL, 0, &info, HF_FORMAT_TEXT, 0);
	ck_assert_str_eq(text, "/x\\ny (cgroup v1, found frozen): 0 processes, 0 threads, "
			 "stopped for 12.3 s\n");
	free(text);
}
END_TEST

START_TEST(a_first_thread_speaks_for_the_process)
{
	struct hf_process p;
	struct hf_thread t;
	char *text;

	p = named(&t, 5, 1, "n", ARGS("n"));
	p.found = HF_FOUND_DEAD_LEADER;
	t.state = HF_THREAD_ZOMBIE;
	text = format(&p, 1, &sample_info, HF_FORMAT_TEXT, 0);
	ck_assert_ptr_nonnull(strstr(text, "\n5 n [dead leader]  n\n"));
	free(text);
	p.found = HF_FOUND_STOPPED;
	p.kind = HF_KIND_KTHREAD;
	t.state = HF_THREAD_DIED;
	text = format(&p, 1, &sample_info, HF_FORMAT_TEXT, 0);
	ck_assert_ptr_nonnull(strstr(text, "\n5 n [stopped, kernel thread, died while held]  n\n"));
	free(text);
}
END_TEST

START_TEST(the_hold_gives_target_and_times)
{
	hf_hold *hold = fake_hold_new();
	hf_tree *tree = NULL;
	char *text = NULL;

	fake_hold_info(hold)->timing_us.stopped = 1000;
	ck_assert_int_eq(hf_tree_of(NULL, 0, &tree), 0);
	ck_assert_int_eq(hf_tree_format(tree, hold, HF_FORMAT_TEXT, 0, &text, NULL, NULL), 0);
	ck_assert_str_eq(text, "/sys/fs/cgroup/fake (cgroup v2): 0 processes, 0 threads, "
			 "stopped for 1.0 ms\n");
	free(text);
	text = NULL;
	ck_assert_int_eq(hf_tree_format(tree, hold, (enum hf_format)99, 0, &text, NULL, NULL), -EINVAL);
	ck_assert_ptr_null(text);
	hf_tree_free(tree);
	fake_hold_free(hold);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("print");
	TCase *tc;

	tc = add_case(suite, "words");
	tcase_add_test(tc, a_frozen_target_is_said);
	tcase_add_test(tc, a_first_thread_speaks_for_the_process);
	tc = add_case(suite, "public");
	tcase_add_test(tc, the_hold_gives_target_and_times);
	return hf_suite_run(suite);
}
