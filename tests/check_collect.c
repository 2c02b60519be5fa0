/* SPDX-License-Identifier: MIT */
/*
 * check_collect - tests of pstree/collect.c: the set by process, and the dead that it does not have.
 */
#include <limits.h>

#include "still.h"

/* pids have come round; above 4 million there are none, so that nobody is met. */
START_TEST(the_first_thread_comes_first_whatever_its_tid)
{
	static const pid_t pid = 5000005, tids[] = { 5000001, 5000005, 5000003, 5000009, 5000007 };
	static const pid_t sorted[] = { 5000005, 5000001, 5000003, 5000007, 5000009 };
	const struct hf_process *p;
	size_t i;

	for (i = 0; i < COUNT_OF(tids); i++)
		fake_hold_add(hold, tids[i], pid, HF_TASK_DIED, 'S');
	p = collect_and_find(pid);
	ck_assert_uint_eq(p->n_threads, COUNT_OF(sorted));
	for (i = 0; i < COUNT_OF(sorted); i++)
		ck_assert_int_eq(p->threads[i].tid, sorted[i]);
}
END_TEST

static void *be_second(void *unused)
{
	shared->tids[0] = hf_sys_gettid();
	say_ready();
	return stand_still(unused);
}

static void two_threads(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, be_second, NULL) != 0)
		_exit(1);
}

/* Its tids have come round since they were noted: a first thread, and a second one, of others. */
START_TEST(a_thread_is_shown_in_the_process_that_it_is_of)
{
	pid_t pid = start(two_threads), other = start(be_named);
	const struct hf_process *p;

	wait_ready(2);
	fake_hold_add(hold, pid, other, HF_TASK_HELD, 'S');
	fake_hold_add(hold, shared->tids[0], shared->tids[0], HF_TASK_HELD, 'S');
	p = collect_and_find(pid);
	ck_assert_uint_eq(p->n_threads, 2);
	ck_assert_int_eq(p->threads[1].tid, shared->tids[0]);
	ck_assert_int_eq(p->threads[1].found, '?');
	ck_assert_ptr_null(hf_tree_find(tree, other));
	ck_assert_ptr_null(hf_tree_find(tree, shared->tids[0]));
	end(pid);
	end(other);
}
END_TEST

START_TEST(the_tree_outlives_the_hold)
{
	pid_t pid = start(be_bad_parent);
	char path[] = "/pod";

	wait_ready(1);
	wait_state(shared->child, 'Z');
	fake_hold_add_level(hold, path, false);
	fake_hold_add(hold, pid, pid, HF_TASK_ASKED, 'S');
	collect();
	fake_hold_free(hold);
	hold = NULL;
	memset(path, 'x', sizeof(path) - 1);
	end(pid);
	ck_assert_str_eq(hf_tree_find(tree, pid)->cgroup, "/pod");
	ck_assert_int_eq(hf_tree_find(tree, shared->child)->ppid, pid);
}
END_TEST

/* ---- The dead ---------------------------------------------------------------------------- */

START_TEST(a_zombie_belongs_to_its_parent)
{
	pid_t pid = start(be_bad_parent);
	const struct hf_process *p, *z;

	wait_ready(1);
	wait_state(shared->child, 'Z');
	p = collect_one(pid, HF_TASK_ASKED, 'S');
	z = p->first_child;
	ck_assert_ptr_nonnull(z);
	ck_assert_ptr_null(z->next_sibling);
	ck_assert_ptr_null(z->first_child);
	ck_assert_int_eq(z->pid, shared->child);
	ck_assert_int_eq(z->ppid, pid);
	ck_assert_int_eq(z->found, HF_FOUND_ZOMBIE);
	ck_assert_ptr_null(z->exe);
	ck_assert_uint_eq(z->cmdline_len, 0);
	ck_assert_str_eq(z->cmdline, "");
	ck_assert_str_eq(z->comm, p->comm);
	ck_assert_uint_eq(z->n_threads, 1);
	ck_assert_int_eq(z->threads[0].tid, z->pid);
	ck_assert_int_eq(z->threads[0].state, HF_THREAD_ZOMBIE);
	ck_assert_int_eq(z->threads[0].found, 'Z');
	ck_assert_int_eq(z->threads[0].nstid[0], z->pid);
	end(pid);
}
END_TEST

static bool in_tree(pid_t pid)
{
	return hf_tree_find(tree, pid) != NULL;
}

START_TEST(a_zombie_of_others_does_not_belong)
{
	pid_t victim = start(be_named), stranger = start(be_bad_parent);

	wait_ready(2);
	wait_state(shared->child, 'Z');
	fake_hold_add_level(hold, "/no/cgroup/of/ours", false);
	fake_hold_add(hold, victim, victim, HF_TASK_ASKED, 'S');
	collect();
	ck_assert(in_tree(victim));
	ck_assert(!in_tree(shared->child));
	ck_assert(!in_tree(stranger));
	end(victim);
	end(stranger);
}
END_TEST

static void be_parent_of_survivor(void)
{
	pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		lose_leader();
	}
	shared->child = child;
	say_ready();
}

/* A dead leader looks like a zombie; without its threads in the hold it is none of ours. */
START_TEST(a_dead_leader_is_no_zombie)
{
	pid_t pid = start(be_parent_of_survivor);
	const struct hf_process *p;

	wait_ready(2);
	wait_state(shared->child, 'Z');
	p = collect_one(pid, HF_TASK_ASKED, 'S');
	ck_assert_ptr_null(p->first_child);
	end(pid);
}
END_TEST

START_TEST(a_zombie_belongs_to_its_cgroup)
{
	pid_t victim = start(be_named), stranger = start(be_bad_parent);
	char path[PATH_MAX];

	wait_ready(2);
	wait_state(shared->child, 'Z');
	if (v2_path_of(shared->child, path, sizeof(path))) {
		fake_hold_add_level(hold, path, false);
		fake_hold_add(hold, victim, victim, HF_TASK_ASKED, 'S');
		collect();
		ck_assert(in_tree(shared->child));
		ck_assert(!in_tree(stranger));
		ck_assert_str_eq(hf_tree_find(tree, shared->child)->cgroup, path);
	}
	end(victim);
	end(stranger);
}
END_TEST

/* ---- Refusals ---------------------------------------------------------------------------- */

START_TEST(a_released_hold_has_no_tree)
{
	struct hf_error err = HF_ERROR_INIT;

	fake_hold_info(hold)->released_us = 1;
	ck_assert_int_eq(hf_tree_collect(hold, NULL, &tree, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "released"));
	ck_assert_int_eq(err.stage, HF_STAGE_COLLECT);
	ck_assert_ptr_null(tree);
	ck_assert_uint_eq(fake_hold_noted(hold), 0);
}
END_TEST

static void collect_in_brief(void)
{
	struct hf_tree_options opts = HF_TREE_OPTIONS_INIT;

	opts.brief = 1;
	ck_assert_int_eq(hf_tree_collect(hold, &opts, &tree, NULL), 0);
}

static char *text_of_tree(void)
{
	char *text = NULL;

	ck_assert_int_eq(hf_tree_format(tree, hold, HF_FORMAT_TEXT, 0, &text, NULL, NULL), 0);
	hf_tree_free(tree);
	tree = NULL;
	return text;
}

/* The same text, without what it does not show. */
START_TEST(a_brief_tree_has_what_text_shows)
{
	struct hf_error err = HF_ERROR_INIT;
	pid_t pid = start(two_threads);
	const struct hf_process *p;
	char *full, *brief;

	wait_ready(1);
	fake_hold_add(hold, pid, pid, HF_TASK_HELD_STOPPED, 'T')->signal = SIGTSTP;
	fake_hold_add(hold, shared->tids[0], pid, HF_TASK_HELD, 'S');
	collect();
	full = text_of_tree();
	ck_assert_ptr_nonnull(strstr(full, "[stopped by SIGTSTP]"));
	collect_in_brief();
	p = hf_tree_find(tree, pid);
	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_null(p->exe);
	ck_assert_uint_eq(p->n_nspid, 1);
	ck_assert_int_eq(p->nspid[0], pid);
	ck_assert_int_eq(p->ppid, getpid());
	ck_assert_uint_eq(p->n_threads, 2);
	ck_assert_int_eq(p->threads[1].found, 'S');
	ck_assert_str_eq(p->threads[1].comm, "");
	ck_assert_int_eq(hf_tree_format(tree, hold, HF_FORMAT_JSON, 0, &brief, NULL, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "brief"));
	brief = text_of_tree();
	ck_assert_str_eq(brief, full);
	free(brief);
	free(full);
	end(pid);
}
END_TEST

START_TEST(who_is_out_of_the_ordinary_is_read_in_full)
{
	pid_t pid = start(two_threads);
	const struct hf_process *p;

	wait_ready(1);
	fake_hold_add(hold, pid, pid, HF_TASK_HELD, 'S');
	fake_hold_add(hold, shared->tids[0], pid, HF_TASK_ARMED, 'D');
	collect_in_brief();
	p = hf_tree_find(tree, pid);
	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_nonnull(p->exe);
	ck_assert_str_ne(p->threads[1].comm, "");
	end(pid);
}
END_TEST

/* Its pid has come round to a thread of another: the one it was has ended, whose place that is none of. */
START_TEST(a_brief_tree_sees_who_is_of_another_process)
{
	pid_t pid = start(two_threads);

	wait_ready(1);
	fake_hold_add(hold, shared->tids[0], shared->tids[0], HF_TASK_HELD, 'S');
	collect_in_brief();
	ck_assert_ptr_null(hf_tree_find(tree, shared->tids[0]));
	ck_assert_ptr_nonnull(hf_tree_find(tree, pid));
	end(pid);
}
END_TEST

START_TEST(options_must_have_a_size)
{
	struct hf_tree_options opts = { 0 };

	ck_assert_int_eq(hf_tree_collect(hold, &opts, &tree, NULL), -EINVAL);
	opts.size = sizeof(opts);
	ck_assert_int_eq(hf_tree_collect(hold, &opts, &tree, NULL), 0);
	ck_assert_ptr_null(hf_tree_roots(tree));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("collect");
	TCase *tc;

	tc = add_case(suite, "set");
	tcase_add_test(tc, the_first_thread_comes_first_whatever_its_tid);
	tcase_add_test(tc, a_thread_is_shown_in_the_process_that_it_is_of);
	tcase_add_test(tc, the_tree_outlives_the_hold);
	tc = add_case(suite, "brief");
	tcase_add_test(tc, a_brief_tree_has_what_text_shows);
	tcase_add_test(tc, who_is_out_of_the_ordinary_is_read_in_full);
	tcase_add_test(tc, a_brief_tree_sees_who_is_of_another_process);
	tc = add_case(suite, "the dead");
	tcase_add_test(tc, a_zombie_belongs_to_its_parent);
	tcase_add_test(tc, a_zombie_of_others_does_not_belong);
	tcase_add_test(tc, a_zombie_belongs_to_its_cgroup);
	add_for_root(tc, a_dead_leader_is_no_zombie, "a dead leader that is not held");
	tc = add_case(suite, "refusals");
	tcase_add_test(tc, a_released_hold_has_no_tree);
	tcase_add_test(tc, options_must_have_a_size);
	return hf_suite_run(suite);
}
