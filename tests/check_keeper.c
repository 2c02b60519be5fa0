/* SPDX-License-Identifier: MIT */
/*
 * check_keeper - holds that are kept by a process of their own, through the library: from programs that have threads
 * and children, to every end that such a hold can have.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "lab.h"
#include "procfs.h"
#include "suite.h"

/* Names of holds: of this test process. */
static char name[HF_KEEPER_NAME_MAX + 1];

static struct hf_target cgroup_of(const char *path)
{
	struct hf_target target = HF_TARGET_INIT;

	target.path = path;
	return target;
}

static hf_keeper *start_as(const char *path, const struct hf_take_options *take, unsigned int limit_ms)
{
	struct hf_keeper_options opts = HF_KEEPER_OPTIONS_INIT;
	struct hf_target target = cgroup_of(path);
	struct hf_error err = HF_ERROR_INIT;
	hf_keeper *k = NULL;
	int r;

	snprintf(name, sizeof(name), "test-%d", getpid());
	opts.name = name;
	opts.limit_ms = limit_ms;
	r = hf_keeper_start(&target, take, &opts, &k, &err);
	ck_assert_msg(r == 0, "%d: %s [%s]", r, err.text, err.note);
	ck_assert_str_eq(hf_keeper_name(k), name);
	return k;
}

static hf_keeper *start(const char *path)
{
	return start_as(path, NULL, 0);
}

static hf_keeper *open_kept(void)
{
	struct hf_error err = HF_ERROR_INIT;
	hf_keeper *k = NULL;

	ck_assert_msg(hf_keeper_open(name, &k, &err) == 0, "%s", err.text);
	return k;
}

static struct hf_keeper_info info_of(hf_keeper *k)
{
	struct hf_keeper_info info;
	struct hf_error err = HF_ERROR_INIT;
	int r = hf_keeper_info(k, &info, &err);

	ck_assert_msg(r == 0, "%d: %s", r, err.text);
	return info;
}

static void release(hf_keeper *k, enum hf_release how)
{
	struct hf_error err = HF_ERROR_INIT;
	uint64_t stopped_us = 0;
	int r = hf_keeper_release(k, how, &stopped_us, &err);

	ck_assert_msg(r == 0, "%d: %s [%s]", r, err.text, err.note);
	ck_assert_uint_gt(stopped_us, 0);
	hf_keeper_close(k);
}

static void await_end(const hf_keeper *k)
{
	struct pollfd p = { .fd = hf_keeper_fd(k), .events = POLLIN };

	ck_assert_int_eq(poll(&p, 1, LAB_PATIENCE_MS), 1);
	ck_assert(p.revents & (POLLIN | POLLHUP));
}

static void is_gone(const char *which)
{
	struct hf_error err = HF_ERROR_INIT;
	hf_keeper *k = NULL;

	ck_assert_int_eq(hf_keeper_open(which, &k, &err), -ENOENT);
	lab_says(&err, "no hold is called");
}

/* Who dies closes his socket first, then lets go of his lock, and of his tracees. */
static void goes(const char *which)
{
	struct hf_deadline deadline = hf_deadline_in_ms(LAB_PATIENCE_MS / 4);
	struct hf_nap nap = HF_NAP_INIT;
	hf_keeper *k = NULL;

	while (hf_keeper_open(which, &k, NULL) != -ENOENT) {
		hf_keeper_close(k);
		k = NULL;
		ck_assert(hf_nap(&nap, deadline));
	}
	is_gone(which);
}

static void await_untraced(const struct lab_victim *v)
{
	struct hf_deadline deadline = hf_deadline_in_ms(LAB_PATIENCE_MS / 4);
	struct hf_nap nap = HF_NAP_INIT;
	struct hf_status st;

	while (hf_tid_status(v->pid, &st) == 0 && st.tracer)
		ck_assert(hf_nap(&nap, deadline));
}

/* ---- The life of a hold --------------------------------------------------------------------- */

START_TEST(a_hold_outlives_its_handle_and_is_found_by_name)
{
	struct lab *lab = lab_new(_i);
	struct hf_error err = HF_ERROR_INIT;
	struct hf_keeper_info info;
	char *text = NULL;
	size_t len = 0;
	hf_keeper *k;

	lab_start(lab, lab->top, "spin", "3", NULL);
	lab_start(lab, lab->top, "zombie", "1", NULL);
	hf_keeper_close(start(lab->top));
	lab_still(lab, LAB_HOLD_MS);
	k = open_kept();
	info = info_of(k);
	ck_assert_str_eq(info.name, name);
	ck_assert_int_eq(info.kind, HF_TARGET_CGROUP);
	ck_assert_str_eq(info.target + strlen("cgroup "), lab->top);
	ck_assert_int_eq(info.keeper, hf_keeper_pid(k));
	ck_assert_int_eq(info.taken_by, getpid());
	ck_assert_str_eq(info.taken_by_comm, "check_keeper");
	ck_assert_uint_eq(info.uid, geteuid());
	ck_assert_uint_eq(info.processes, 2);
	ck_assert_uint_eq(info.held, 4);
	ck_assert_int_gt(info.left_ms, HF_KEEPER_LIMIT_MS / 2);
	ck_assert_int_le(info.left_ms, HF_KEEPER_LIMIT_MS);
	ck_assert_int_eq(hf_keeper_tree(k, HF_FORMAT_JSON, 0, &text, &len, &err), 0);
	ck_assert_ptr_nonnull(strstr(text, "\"zombies\":1"));
	free(text);
	/* Bytes of the target's choosing come through whole. */
	ck_assert_int_eq(hf_keeper_tree(k, HF_FORMAT_TEXT, HF_FORMAT_ASCII, &text, NULL, &err), 0);
	ck_assert_ptr_nonnull(strstr(text, " spin (3 threads)"));
	free(text);
	release(k, HF_RELEASE_AS_FOUND);
	is_gone(name);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(it_ends_by_itself_at_its_time_which_can_be_moved)
{
	struct lab *lab = lab_new(_i);
	hf_keeper *k;

	lab_start(lab, lab->top, "spin", "2", NULL);
	k = start_as(lab->top, NULL, 100);
	await_end(k);
	hf_keeper_close(k);
	lab_as_before(lab);

	k = start_as(lab->top, NULL, HF_KEEPER_NO_LIMIT);
	ck_assert_int_eq(info_of(k).left_ms, -1);
	ck_assert_int_eq(hf_keeper_extend(k, 60000, NULL), 0);
	ck_assert_int_gt(info_of(k).left_ms, 30000);
	ck_assert_int_eq(hf_keeper_extend(k, HF_KEEPER_NO_LIMIT, NULL), 0);
	ck_assert_int_eq(info_of(k).left_ms, -1);
	lab_still(lab, LAB_HOLD_MS);
	ck_assert_int_eq(hf_keeper_extend(k, 1, NULL), 0);
	await_end(k);
	ck_assert_int_eq(hf_keeper_extend(k, 1, NULL), -EPIPE);
	hf_keeper_close(k);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(released_to_stopped_to_dead_and_frozen)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "2", NULL);

	release(start(lab->top), HF_RELEASE_FROZEN);
	ck_assert(lab_is_frozen(lab, lab->top));
	lab_still(lab, LAB_HOLD_MS);
	/* The next one finds it so, and nobody attached. */
	release(start(lab->top), HF_RELEASE_AS_FOUND);
	ck_assert(lab_is_frozen(lab, lab->top));
	lab_freeze(lab, lab->top, false);
	lab_as_before(lab);

	release(start(lab->top), HF_RELEASE_STOPPED);
	lab_await_state(v->pid, 'T');
	lab_untouched(lab);
	lab_await_told(lab, v->pid, "stopped 19");
	release(start(lab->top), HF_RELEASE_DEAD);
	lab_await_empty(lab, lab->top);
	lab_await_told(lab, v->pid, "stopped 19, killed 9");
	lab_done(lab);
}
END_TEST

/* Not one instruction between the two: the handed-over cgroup is taken by the next hold, and all the while nothing counts. */
START_TEST(nothing_runs_between_handing_over_and_the_next_hold)
{
	struct lab *lab = lab_new(_i);
	hf_hold *hold;

	lab_start(lab, lab->top, "spin", "2", NULL);
	lab_moving(lab);
	release(start(lab->top), HF_RELEASE_FROZEN);
	lab_still(lab, 10);
	hold = lab_take(lab->top, NULL);
	lab_still(lab, 10);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_freeze(lab, lab->top, false);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* ---- Ends that nobody wished ---------------------------------------------------------------- */

START_TEST(the_keeper_killed_lets_everybody_go_and_the_next_one_cleans_up)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *stopped, *runs;
	hf_keeper *k;

	runs = lab_start(lab, lab->top, "spin", "2", NULL);
	stopped = lab_start(lab, lab->top, "spin", "1", NULL);
	lab_stop(lab, stopped, SIGSTOP);
	k = start(lab->top);
	kill(info_of(k).keeper, SIGKILL);
	await_end(k);
	hf_keeper_close(k);
	await_untraced(runs);
	await_untraced(stopped);
	lab_await_settings(lab);
	lab_as_before(lab);
	lab_await_state(stopped->pid, 'T');
	goes(name);
	/* The name is free again. */
	release(start(lab->top), HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(on_death_stay_keeps_it_frozen_and_kill_kills)
{
	struct lab *lab = lab_new(_i);
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	hf_keeper *k;

	lab_start(lab, lab->top, "spin", "2", NULL);
	opts.on_death = HF_ON_DEATH_STAY;
	opts.no_journal = 1;
	k = start_as(lab->top, &opts, 0);
	kill(info_of(k).keeper, SIGKILL);
	await_end(k);
	hf_keeper_close(k);
	ck_assert(lab_is_frozen(lab, lab->top));
	lab_still(lab, LAB_HOLD_MS);
	goes(name);
	lab_freeze(lab, lab->top, false);
	lab_as_before(lab);

	opts.on_death = HF_ON_DEATH_KILL;
	k = start_as(lab->top, &opts, 0);
	kill(info_of(k).keeper, SIGKILL);
	await_end(k);
	hf_keeper_close(k);
	goes(name);
	lab_await_empty(lab, lab->top);
	lab_done(lab);
}
END_TEST

START_TEST(a_keeper_that_was_stopped_is_ended_at_its_time)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v;
	hf_keeper *k;

	v = lab_start(lab, lab->top, "spin", "2", NULL);
	k = start_as(lab->top, NULL, 200);
	kill(info_of(k).keeper, SIGSTOP);
	await_end(k);
	hf_keeper_close(k);
	goes(name);
	await_untraced(v);
	lab_await_settings(lab);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(a_hold_that_fails_says_why_and_leaves_nothing)
{
	struct hf_keeper_options opts = HF_KEEPER_OPTIONS_INIT;
	struct lab *lab = lab_new(_i);
	struct hf_target target = cgroup_of(lab->top);
	struct hf_error err = HF_ERROR_INIT;
	hf_keeper *k = NULL, *first;

	opts.name = "nobody";
	ck_assert_int_eq(hf_keeper_start(&target, NULL, &opts, &k, &err), -ESRCH);
	lab_says(&err, "is empty");
	is_gone("nobody");
	opts.name = "no/name";
	ck_assert_int_eq(hf_keeper_start(&target, NULL, &opts, &k, &err), -EINVAL);
	lab_start(lab, lab->top, "spin", "1", NULL);
	first = start(lab->top);
	opts.name = name;
	ck_assert_int_eq(hf_keeper_start(&target, NULL, &opts, &k, &err), -EEXIST);
	lab_says(&err, "is kept already");
	release(first, HF_RELEASE_AS_FOUND);
	ck_assert_ptr_null(k);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* A program that has closed its standard streams, whose numbers its next descriptors get. */
START_TEST(a_caller_without_standard_streams_holds_too)
{
	struct lab *lab = lab_new(_i);
	int status = -1;
	pid_t child;

	lab_start(lab, lab->top, "spin", "2", NULL);
	snprintf(name, sizeof(name), "test-%d", getpid());
	child = fork();
	if (child == 0) {
		struct hf_keeper_options opts = HF_KEEPER_OPTIONS_INIT;
		struct hf_target target = cgroup_of(lab->top);
		hf_keeper *k = NULL;

		opts.name = name;
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		_exit(-hf_keeper_start(&target, NULL, &opts, &k, NULL));
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	lab_still(lab, LAB_HOLD_MS);
	release(open_kept(), HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* With so many descriptors left to it a caller gets a hold, or it is not held: none that stands is told to have failed. */
static int start_with_few_descriptors(const char *path, int left)
{
	struct hf_keeper_options opts = HF_KEEPER_OPTIONS_INIT;
	struct hf_target target = cgroup_of(path);
	struct hf_error err = HF_ERROR_INIT;
	hf_keeper *k = NULL;
	int fd, r;

	opts.name = name;
	while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		;
	for (fd = 1023; left; fd--)
		left -= close(fd) == 0;
	r = hf_keeper_start(&target, NULL, &opts, &k, &err);
	if (r == -EMFILE && err.undo == HF_UNDO_FAILED)
		return EIO;
	return -r;
}

START_TEST(out_of_descriptors_a_caller_has_a_hold_or_nobody_has)
{
	const struct rlimit limit = { 1024, 1024 };
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "2", NULL);
	int left, status = -1, refused = 0;
	pid_t child;

	snprintf(name, sizeof(name), "test-%d", getpid());
	for (left = 0; status; left++) {
		child = fork();
		if (child == 0) {
			setrlimit(RLIMIT_NOFILE, &limit);
			_exit(start_with_few_descriptors(lab->top, left));
		}
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert(WIFEXITED(status));
		if (!status)
			break;
		ck_assert_int_eq(WEXITSTATUS(status), EMFILE);
		refused++;
		is_gone(name);
		await_untraced(v);
	}
	ck_assert_int_ge(refused, 3);	/* without a socket, with half of one, with one and no way to the keeper */
	lab_still(lab, LAB_HOLD_MS);
	release(open_kept(), HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* ---- While it is kept ----------------------------------------------------------------------- */

START_TEST(deaths_and_newcomers_are_told)
{
	struct lab *lab = lab_new(_i);
	const char *in = lab_cgroup(lab, lab->top, "in");
	struct lab_victim *v = lab_start(lab, in, "spin", "2", NULL), *late;
	hf_keeper *k = start(in);

	kill(v->pid, SIGKILL);
	v->still = true;
	/* Told to its parent without anybody asking: the keeper reaps at once. */
	lab_await_told(lab, v->pid, "killed 9");
	ck_assert_uint_eq(info_of(k).died, 2);
	late = lab_start(lab, in, "spin", "1", NULL);
	lab_victim_moving(lab, late);
	ck_assert_uint_eq(info_of(k).newcomers, 1);
	release(k, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(stacks_of_a_kept_hold_are_copied_by_another_program)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "5", NULL);
	struct hf_error err = HF_ERROR_INIT;
	hf_keeper *k = start(lab->top);
	const struct hf_stack *stack = NULL;
	hf_stacks *stacks = NULL;
	size_t n = 0;

	for (int again = 0; again < 2; again++) {
		ck_assert_msg(hf_keeper_stack_copy(k, NULL, &stacks, &err) == 0, "%s", err.text);
		ck_assert_msg(hf_stack_unwind(stacks, &err) == 0, "%s", err.text);
		for (n = 0, stack = NULL; (stack = hf_stack_next(stacks, stack)); n++) {
			ck_assert_int_eq(stack->pid, v->pid);
			ck_assert_int_eq(stack->state, HF_THREAD_HELD);
			ck_assert_uint_gt(stack->n_frames, 1);
		}
		ck_assert_uint_eq(n, 5);
		hf_stack_free(stacks);
		lab_still(lab, 5);
	}
	ck_assert_int_eq(hf_keeper_release(k, HF_RELEASE_AS_FOUND, NULL, &err), 0);
	ck_assert_int_eq(hf_keeper_stack_copy(k, NULL, &stacks, &err), -EPIPE);
	hf_keeper_close(k);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(newcomers_are_held_where_that_was_asked_for)
{
	struct lab *lab = lab_new(_i);
	const char *in = lab_cgroup(lab, lab->top, "in"), *out = lab_cgroup(lab, lab->top, "out");
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct lab_victim *first = lab_start(lab, in, "spin", "2", NULL);
	struct lab_victim *late = lab_start(lab, out, "spin", "2", NULL);
	hf_keeper *k;

	opts.on_newcomers = HF_ON_NEWCOMERS_HOLD;
	k = start_as(in, &opts, 0);
	lab_move(in, late->pid);
	/* By itself, within a second or two. */
	lab_await_state(late->pid, 't');
	lab_victim_still(lab, late, LAB_HOLD_MS);
	lab_victim_still(lab, first, LAB_HOLD_MS);
	ck_assert_uint_eq(info_of(k).held, 4);
	ck_assert_uint_eq(info_of(k).newcomers, 0);
	ck_assert(!lab_is_frozen(lab, in));
	release(k, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(a_descriptor_of_a_held_process_can_be_had)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "2", NULL);
	struct hf_error err = HF_ERROR_INIT;
	hf_keeper *k = start(lab->top);
	int fd = hf_keeper_pidfd(k, v->pid, &err);

	ck_assert_msg(fd >= 0, "%s", err.text);
	ck_assert_int_eq(hf_keeper_pidfd(k, getpid(), &err), -ESRCH);
	lab_says(&err, "is not in the hold");
	ck_assert_int_eq(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0), 0);
	lab_await_told(lab, v->pid, "killed 9");
	close(fd);
	release(k, HF_RELEASE_AS_FOUND);
	lab_done(lab);
}
END_TEST

START_TEST(a_descriptor_that_cannot_be_had_is_no_process_that_is_missing)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "1", NULL);
	struct rlimit before, none = { 0 };
	struct hf_error err = HF_ERROR_INIT;
	hf_keeper *k = start(lab->top);
	pid_t keeper = info_of(k).keeper;	/* it has let us in, and needs no descriptor for that any more */
	int fd;

	ck_assert_int_eq(prlimit(keeper, RLIMIT_NOFILE, NULL, &before), 0);
	none.rlim_max = before.rlim_max;
	ck_assert_int_eq(prlimit(keeper, RLIMIT_NOFILE, &none, NULL), 0);
	ck_assert_int_eq(hf_keeper_pidfd(k, v->pid, &err), -EMFILE);
	lab_says(&err, "no descriptor of process");
	ck_assert_int_eq(prlimit(keeper, RLIMIT_NOFILE, &before, NULL), 0);
	fd = hf_keeper_pidfd(k, v->pid, &err);
	ck_assert_msg(fd >= 0, "%s", err.text);
	close(fd);
	release(k, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* A program that cannot be a tracer: it waits for any child in one thread, and holds from another. */
static void *hold_from_a_thread(void *path)
{
	hf_keeper *k = start(path);

	ck_assert_uint_eq(info_of(k).held, 2);
	return k;
}

START_TEST(a_program_with_threads_and_children_of_its_own_is_left_alone)
{
	struct lab *lab = lab_new(_i);
	pthread_t thread;
	void *k = NULL;
	pid_t child;

	lab_start(lab, lab->top, "spin", "2", NULL);
	child = fork();
	if (child == 0)
		_exit(7);
	ck_assert_int_eq(pthread_create(&thread, NULL, hold_from_a_thread, (void *)(uintptr_t)lab->top), 0);
	pthread_join(thread, &k);
	/* The thread that asked for it has ended, and the hold stands. */
	lab_still(lab, LAB_HOLD_MS);
	release(k, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	lab_done(lab);
	/* Our own child is ours to reap, and nobody else is there. */
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
}
END_TEST

/* ---- What it costs -------------------------------------------------------------------------- */

static long number_in(pid_t pid, const char *file, const char *key)
{
	char path[64], line[256];
	long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			n = strtol(line + strlen(key), NULL, 10);
	fclose(f);
	return n;
}

START_TEST(a_thousand_threads_take_less_than_four_megabytes_and_no_wake_ups)
{
	struct lab *lab = lab_new(_i);
	struct timespec watched = { 2, 200000000 };
	long private_kb, wakes;
	hf_keeper *k;
	pid_t keeper;

	lab_start(lab, lab->top, "spin", "1000", "100000", NULL);
	k = start(lab->top);
	keeper = info_of(k).keeper;
	ck_assert_uint_eq(info_of(k).held, 1000);
	private_kb = number_in(keeper, "smaps_rollup", "Private_Clean:") +
		     number_in(keeper, "smaps_rollup", "Private_Dirty:");
	ck_assert_int_gt(private_kb, 0);
	ck_assert_int_lt(private_kb, 4096);
	/* Its one look for newcomers each second, and nothing else: this is the time that is watched, not waited for. */
	wakes = number_in(keeper, "status", "voluntary_ctxt_switches:");
	nanosleep(&watched, NULL);
	ck_assert_int_le(number_in(keeper, "status", "voluntary_ctxt_switches:") - wakes, 4);
	release(k, HF_RELEASE_AS_FOUND);
	lab_done(lab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("keeper");
	TCase *tc;

	lab_init();
	tc = lab_case(suite, "life");
	lab_add(tc, a_hold_outlives_its_handle_and_is_found_by_name);
	lab_add(tc, it_ends_by_itself_at_its_time_which_can_be_moved);
	lab_add(tc, released_to_stopped_to_dead_and_frozen);
	lab_add(tc, nothing_runs_between_handing_over_and_the_next_hold);
	tc = lab_case(suite, "ends");
	lab_add(tc, the_keeper_killed_lets_everybody_go_and_the_next_one_cleans_up);
	lab_add(tc, on_death_stay_keeps_it_frozen_and_kill_kills);
	lab_add(tc, a_keeper_that_was_stopped_is_ended_at_its_time);
	lab_add(tc, a_hold_that_fails_says_why_and_leaves_nothing);
	lab_add(tc, a_caller_without_standard_streams_holds_too);
	lab_add(tc, out_of_descriptors_a_caller_has_a_hold_or_nobody_has);
	tc = lab_case(suite, "kept");
	lab_add(tc, deaths_and_newcomers_are_told);
	lab_add(tc, stacks_of_a_kept_hold_are_copied_by_another_program);
	lab_add(tc, newcomers_are_held_where_that_was_asked_for);
	lab_add(tc, a_descriptor_of_a_held_process_can_be_had);
	lab_add(tc, a_descriptor_that_cannot_be_had_is_no_process_that_is_missing);
	lab_add(tc, a_program_with_threads_and_children_of_its_own_is_left_alone);
	tc = lab_case(suite, "costs");
	lab_add(tc, a_thousand_threads_take_less_than_four_megabytes_and_no_wake_ups);
	return hf_suite_run(suite);
}
