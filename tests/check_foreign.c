/* SPDX-License-Identifier: MIT */
/*
 * check_foreign - others who write the same freezers: a freeze that is under way when we come, writes while a hold is
 * taken and while it stands, and other holdfasts.  What they set stays as they set it, and the one who is
 * second waits or fails; it never restores what was the first one's doing.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include "clock.h"
#include "lab.h"
#include "lab_internal.h"
#include "procfs.h"
#include "suite.h"
#include "sys.h"

#define NOBODY 65534

/* As another tool does it: the setting alone, without waiting for what comes of it. */
static void set(struct lab *lab, const char *path, bool frozen)
{
	for (unsigned int i = 0; i < lab->n_levels; i++)
		if (strcmp(lab->levels[i].path, path) == 0)
			lab->levels[i].frozen = frozen;
	ck_assert_int_eq(lab->version == 2 ? lab_write(path, "cgroup.freeze", frozen ? "1" : "0") :
					     lab_write(path, "freezer.state", frozen ? "FROZEN" : "THAWED"),
			 0);
}

/* As the test made them, also while a hold stands. */
static void settings_are(struct lab *lab)
{
	for (unsigned int i = 0; i < lab->n_levels; i++)
		ck_assert_int_eq(lab_own_bit(lab, lab->levels[i].path), lab->levels[i].frozen);
}

static pid_t faulting(struct lab *lab, const struct lab_victim *v)
{
	return (pid_t)atomic_load(&lab_slot(lab, v, 0)->value);
}

/* ---- Under way when we come ------------------------------------------------------------------- */

/* A holder on a thread of its own, who tells what it found and holds until it is let go. */
struct holder {
	const char *path;
	struct hf_take_options opts;
	pthread_t thread;
	_Atomic pid_t tid;
	_Atomic bool held, let_go;
	struct lab_attempt got;
};

static void *be_holder(void *arg)
{
	struct holder *h = arg;
	uint64_t begin = lab_ms();
	hf_hold *hold = NULL;

	atomic_store(&h->tid, hf_sys_gettid());
	h->got.r = hf_hold_cgroup(h->path, &h->opts, &hold, &h->got.err);
	h->got.ms = lab_ms() - begin;
	if (h->got.r == 0)
		h->got.info = *hf_hold_info(hold);
	atomic_store(&h->held, true);
	while (h->got.r == 0 && !atomic_load(&h->let_go))
		usleep(500);
	if (h->got.r == 0)
		h->got.release = hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, &h->got.err);
	hf_hold_free(hold);
	return NULL;
}

static bool is_locked(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool locked = flock(fd, LOCK_EX | LOCK_NB) < 0;

	close(fd);
	return locked;
}

/* It has begun: nobody else can have the target; and it sleeps between two looks. */
static void start_holder(struct holder *h)
{
	struct hf_syscall call = { .nr = -1 };

	ck_assert_int_eq(pthread_create(&h->thread, NULL, be_holder, h), 0);
	while (!is_locked(h->path) || hf_tid_syscall(h->tid, &call) < 0 || call.nr != SYS_ppoll) {
		ck_assert_msg(!atomic_load(&h->held), "it did not wait: %d, %s", h->got.r, h->got.err.text);
		usleep(500);
	}
}

static void await_held(struct holder *h)
{
	while (!atomic_load(&h->held))
		usleep(500);
	ck_assert_msg(h->got.r == 0, "%d: %s [%s]", h->got.r, h->got.err.text, h->got.err.note);
}

static void end_holder(struct holder *h)
{
	atomic_store(&h->let_go, true);
	ck_assert_int_eq(pthread_join(h->thread, NULL), 0);
}

START_TEST(a_freeze_under_way_is_waited_for_and_is_the_found_state)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, NULL, "uffd", lab->top, NULL);
	struct lab_victim *spin = lab_start(lab, lab->top, "spin", "2", NULL);
	struct holder h = { .path = lab->top, .opts = HF_TAKE_OPTIONS_INIT };

	set(lab, lab->top, true);
	lab_await_state(faulting(lab, v), 'R');
	ck_assert(!lab_is_frozen(lab, lab->top));
	start_holder(&h);
	settings_are(lab);
	lab_poke(lab);
	await_held(&h);
	ck_assert_int_eq(h.got.info.found, HF_FREEZER_FROZEN);
	ck_assert_uint_eq(h.got.info.held, 4);
	ck_assert_int_eq(h.got.info.freezer_changed, 0);
	lab_still(lab, 10);
	end_holder(&h);
	spin->still = v->still = true;
	lab_await_frozen(lab, lab->top, true);
	lab_as_before(lab);
	set(lab, lab->top, false);
	spin->still = v->still = false;
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* It was another tool's, which is done now: nobody wants it frozen any more. */
START_TEST(a_freeze_under_way_that_is_called_off_is_not_the_found_state)
{
	struct lab *lab = lab_new(_i);
	const char *inner = lab_cgroup(lab, lab->top, "inner");
	struct lab_victim *v = lab_start(lab, NULL, "uffd", inner, NULL);
	struct holder h = { .path = lab->top, .opts = HF_TAKE_OPTIONS_INIT };
	/* Of the target itself, or of a cgroup below it. */
	const char *whose = _i % 2 ? inner : lab->top;

	lab_start(lab, lab->top, "spin", "2", NULL);
	set(lab, whose, true);
	lab_await_state(faulting(lab, v), 'R');
	start_holder(&h);
	settings_are(lab);
	set(lab, whose, false);
	lab_poke(lab);
	await_held(&h);
	ck_assert_int_eq(h.got.info.found, HF_FREEZER_THAWED);
	ck_assert_uint_eq(h.got.info.held, 4);
	lab_still(lab, 10);
	end_holder(&h);
	ck_assert_int_eq(h.got.release, 0);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(a_freeze_under_way_that_does_not_end_fails_the_hold_and_goes_on)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, NULL, "uffd", lab->top, NULL);
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct lab_attempt a;

	opts.timeout_ms = 300;
	set(lab, lab->top, true);
	lab_await_state(faulting(lab, v), 'R');
	lab_attempt(lab->top, &opts, NULL, NULL, &a);
	ck_assert_int_eq(a.r, -ETIMEDOUT);
	ck_assert_int_eq(a.err.stage, HF_STAGE_LOOK);
	ck_assert_int_eq(a.err.undo, HF_UNDO_NONE);
	ck_assert_int_eq(a.err.tid, faulting(lab, v));
	lab_says(&a.err, "by somebody else");
	lab_says(&a.err, lab->top);
	lab_says(&a.err, "faulting");
	lab_untouched(lab);
	lab_poke(lab);
	lab_await_frozen(lab, lab->top, true);
	set(lab, lab->top, false);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* ---- While it stands ------------------------------------------------------------------------------ */

enum { TOP, INNER, N_PLACES };

/* Found thawed or frozen, at the target or below; written by somebody else during the hold. */
static void write_during_the_hold(int index, int place, bool found)
{
	struct lab *lab = lab_new(index);
	const char *inner = lab_cgroup(lab, lab->top, "inner");
	const char *path = place == TOP ? lab->top : inner;
	struct lab_victim *at_top = lab_start(lab, lab->top, "spin", "2", NULL);
	struct lab_victim *below = lab_start(lab, inner, "spin", "2", NULL);
	const struct hf_hold_info *info;
	hf_hold *hold;

	if (found)
		lab_freeze(lab, path, true);
	hold = lab_take(lab->top, NULL);
	info = hf_hold_info(hold);
	ck_assert_int_eq(info->freezer_changed, 0);
	ck_assert_ptr_null(info->changed_path);
	settings_are(lab);
	set(lab, path, !found);
	ck_assert_int_ge(hf_hold_attend(hold, NULL), 0);
	ck_assert_int_eq(hf_hold_info(hold)->freezer_changed, 1);
	ck_assert_str_eq(info->changed_path, path);
	lab_still(lab, 10);
	ck_assert_int_eq(hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, NULL), 0);
	ck_assert_int_eq(hf_hold_info(hold)->freezer_changed, 1);
	hf_hold_free(hold);
	below->still = !found;
	at_top->still = !found && place == TOP;
	if (!found)
		lab_await_frozen(lab, path, true);
	lab_as_before(lab);
	set(lab, path, false);
	at_top->still = below->still = false;
	lab_as_before(lab);
	lab_done(lab);
}

START_TEST(what_others_freeze_during_a_hold_stays_frozen)
{
	write_during_the_hold(_i, TOP, false);
	write_during_the_hold(_i, INNER, false);
}
END_TEST

START_TEST(what_others_thaw_during_a_hold_stays_thawed)
{
	write_during_the_hold(_i, TOP, true);
	write_during_the_hold(_i, INNER, true);
}
END_TEST

/* ---- While it is taken --------------------------------------------------------------------------- */

struct meddler {
	struct lab *lab;
	const char *path;
	_Atomic bool stop;
	_Atomic unsigned int writes;
	bool last;
};

static void *meddle(void *arg)
{
	struct meddler *m = arg;
	bool frozen = false;

	while (!atomic_load(&m->stop)) {
		frozen = !frozen;
		if (m->lab->version == 2)
			lab_write(m->path, "cgroup.freeze", frozen ? "1" : "0");
		else
			lab_write(m->path, "freezer.state", frozen ? "FROZEN" : "THAWED");
		m->last = frozen;
		atomic_fetch_add(&m->writes, 1);
		/* Mostly in quick succession, and then not for a while. */
		usleep(atomic_load(&m->writes) % 16 ? atomic_load(&m->writes) % 16 * 500 : 200000);
	}
	return NULL;
}

/*
 * Whoever wrote last before we looked is the found state, and a freeze may have been ours and theirs at once: so what
 * is asked is that every attempt ends, in time, as one of the documented ways, and that in the end nobody is traced and all run.
 */
static void meddled_with(int index, int place)
{
	struct lab *lab = lab_new(index);
	const char *inner = lab_cgroup(lab, lab->top, "inner");
	struct meddler m = { .lab = lab, .path = place == TOP ? lab->top : inner };
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	unsigned int taken = 0;
	pthread_t thread;

	lab_start(lab, lab->top, "spin", "3", NULL);
	lab_start(lab, inner, "spin", "3", NULL);
	lab_start(lab, inner, "forkstorm", "2", NULL);
	ck_assert_int_eq(pthread_create(&thread, NULL, meddle, &m), 0);
	/* However slow the machine is: the case has a time limit of its own. */
	for (int round = 0; round < 15 || taken == 0 || atomic_load(&m.writes) <= 15; round++) {
		struct lab_attempt a;

		opts.timeout_ms = 400;
		lab_attempt(lab->top, &opts, NULL, NULL, &a);
		ck_assert_msg(a.r == 0 || a.r == -EBUSY || a.r == -ETIMEDOUT, "%d: %s", a.r, a.err.text);
		ck_assert_msg(a.r == 0 || a.err.undo != HF_UNDO_FAILED, "%s", a.err.note);
		taken += a.r == 0;
	}
	atomic_store(&m.stop, true);
	pthread_join(thread, NULL);
	ck_assert_uint_gt(atomic_load(&m.writes), 15);
	set(lab, m.path, false);
	lab_as_before(lab);
	lab_done(lab);
}

START_TEST(others_who_freeze_and_thaw_all_the_time)
{
	meddled_with(_i, TOP);
	meddled_with(_i, INNER);
}
END_TEST

/* ---- Other holdfasts ------------------------------------------------------------------------------ */

struct tally {
	_Atomic unsigned int held, refused, failed;
	_Atomic int stop;
	struct lab_attempt worst;
};

/* Hold and let go, again and again, until told to stop. */
static pid_t start_contender(const char *path, struct tally *tally)
{
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid)
		return pid;
	opts.timeout_ms = 200;
	while (!atomic_load(&tally->stop)) {
		struct hf_error err = HF_ERROR_INIT;
		uint64_t begin = lab_ms();
		hf_hold *hold = NULL;
		int r = hf_hold_cgroup(path, &opts, &hold, &err);
		uint64_t ms = lab_ms() - begin;

		if (r == 0)
			r = hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, &err);
		hf_hold_free(hold);
		if (r == 0) {
			atomic_fetch_add(&tally->held, 1);
		} else if ((r == -EBUSY || r == -ETIMEDOUT) && err.undo != HF_UNDO_FAILED) {
			atomic_fetch_add(&tally->refused, 1);
		} else {
			atomic_fetch_add(&tally->failed, 1);
			tally->worst.r = r;
			tally->worst.ms = ms;
			tally->worst.err = err;
		}
	}
	_exit(0);
}

/* Two at it at once, each often enough; in the end everything is as it was found. */
static void contend(struct lab *lab, const char *a, const char *b)
{
	struct tally *tally = mmap(NULL, 2 * sizeof(*tally), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t begin = lab_ms();
	pid_t pids[2];

	ck_assert_ptr_ne(tally, MAP_FAILED);
	pids[0] = start_contender(a, &tally[0]);
	pids[1] = start_contender(b, &tally[1]);
	while (atomic_load(&tally[0].held) < 10 || atomic_load(&tally[1].held) < 10) {
		ck_assert_msg(lab_ms() - begin < LAB_PATIENCE_MS, "held %u and %u times, refused %u and %u",
			      tally[0].held, tally[1].held, tally[0].refused, tally[1].refused);
		usleep(1000);
	}
	for (int i = 0; i < 2; i++)
		atomic_store(&tally[i].stop, 1);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(waitpid(pids[i], NULL, 0), pids[i]);
		ck_assert_msg(atomic_load(&tally[i].failed) == 0, "%d after %d ms: %s [%s]", tally[i].worst.r,
			      (int)tally[i].worst.ms, tally[i].worst.err.text, tally[i].worst.err.note);
	}
	munmap(tally, 2 * sizeof(*tally));
	lab_as_before(lab);
}

START_TEST(two_holders_of_the_same_target)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "4", NULL);

	contend(lab, lab->top, lab->top);
	lab_freeze(lab, lab->top, true);
	v->still = true;
	contend(lab, lab->top, lab->top);
	lab_done(lab);
}
END_TEST

START_TEST(two_holders_of_which_one_has_the_others_target_inside)
{
	struct lab *lab = lab_new(_i);
	const char *inner = lab_cgroup(lab, lab->top, "inner");
	struct lab_victim *below;

	lab_start(lab, lab->top, "spin", "2", NULL);
	below = lab_start(lab, inner, "spin", "2", NULL);
	contend(lab, lab->top, inner);
	lab_freeze(lab, inner, true);
	below->still = true;
	contend(lab, lab->top, inner);
	lab_done(lab);
}
END_TEST

/* The same processes by way of the other hierarchy, where no lock tells: one tracer is all there can be. */
START_TEST(two_holders_of_the_same_processes_on_both_freezers)
{
	struct lab *lab = lab_new(_i);
	const char *other = lab_other(lab);
	struct lab_victim *v;

	if (other) {
		v = lab_start(lab, lab->top, "spin", "4", NULL);
		lab_move(other, v->pid);
		contend(lab, lab->top, other);
		ck_assert(!lab_other_own_bit(lab));
	}
	lab_done(lab);
}
END_TEST

/* ---- Locks ---------------------------------------------------------------------------------------- */

/*
 * Locks the target for good, as anybody can who may open it: a user of no rights.  A child of it, with more, freezes
 * now and then, or never.
 */
static pid_t start_squatter(struct lab *lab, uid_t uid, bool freezes)
{
	int fds[2];
	pid_t pid;
	char c;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		int fd = open(lab->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (freezes && fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			close(fd);
			for (;;) {
				lab_freeze(lab, lab->top, true);
				usleep(1000);
				lab_freeze(lab, lab->top, false);
				usleep(9000);
			}
		}
		if (flock(fd, LOCK_EX) < 0)
			_exit(1);
		lab_become_user(&uid);
		if (write(fds[1], "l", 1) != 1)
			_exit(1);
		pause();
	}
	ck_assert_int_eq(read(fds[0], &c, 1), 1);
	close(fds[0]);
	close(fds[1]);
	return pid;
}

static void end_squatter(struct lab *lab, pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	lab_freeze(lab, lab->top, false);
	lab_as_before(lab);
}

START_TEST(a_lock_of_a_stranger_who_does_nothing_is_no_hindrance)
{
	struct lab *lab = lab_new(_i);
	struct lab_attempt a;
	pid_t squatter;

	lab_start(lab, lab->top, "spin", "2", NULL);
	squatter = start_squatter(lab, NOBODY, false);
	lab_attempt(lab->top, NULL, NULL, NULL, &a);
	ck_assert_msg(a.r == 0, "%d: %s", a.r, a.err.text);
	ck_assert_uint_ge(a.ms, 1000);
	end_squatter(lab, squatter);
	lab_done(lab);
}
END_TEST

static void refused_by_lock(struct lab *lab, uid_t uid, bool freezes)
{
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	pid_t squatter = start_squatter(lab, uid, freezes);

	opts.timeout_ms = 500;
	for (int round = 0; round < 3; round++) {
		struct lab_attempt a;

		lab_attempt(lab->top, &opts, NULL, NULL, &a);
		ck_assert_msg(a.r == -EBUSY, "%d: %s", a.r, a.err.text);
		ck_assert_int_eq(a.err.undo, HF_UNDO_NONE);
	}
	end_squatter(lab, squatter);
}

START_TEST(a_lock_is_respected_of_root_and_of_who_is_seen_to_hold)
{
	struct lab *lab = lab_new(_i);

	lab_start(lab, lab->top, "spin", "2", NULL);
	refused_by_lock(lab, 0, false);
	refused_by_lock(lab, NOBODY, true);
	lab_done(lab);
}
END_TEST

/* ---- The other hierarchy --------------------------------------------------------------------------- */

START_TEST(what_the_other_freezer_has_frozen_is_held_on_v1_and_refused_on_v2)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "3", NULL);
	const char *other = lab_other(lab);
	char file[LAB_PATH + 32];
	struct lab_attempt a;

	if (!other) {
		lab_done(lab);
		return;
	}
	lab_move(other, v->pid);
	/* By the other one alone, and then by both. */
	for (int both = 0; both < 2; both++) {
		/* v2 last would not be reached: what v1 has frozen does not come to where v2 wants it. */
		if (both && lab->version == 2)
			lab_freeze(lab, lab->top, true);
		lab_other_freeze(lab, true);
		if (both && lab->version == 1)
			lab_freeze(lab, lab->top, true);
		v->still = true;
		lab_attempt(lab->top, NULL, NULL, NULL, &a);
		if (lab->version == 2) {
			snprintf(file, sizeof(file), "write THAWED to %s/freezer.state", other);
			ck_assert_int_eq(a.r, -EBUSY);
			ck_assert_int_eq(a.err.undo, HF_UNDO_NONE);
			lab_says(&a.err, file);
		} else {
			ck_assert_msg(a.r == 0, "%d: %s", a.r, a.err.text);
			ck_assert_uint_eq(a.info.held, 3);
			ck_assert_int_eq(a.info.found, both ? HF_FREEZER_FROZEN : HF_FREEZER_THAWED);
			ck_assert_int_eq(a.release, 0);
		}
		lab_still(lab, 10);
		lab_untouched(lab);
		ck_assert(lab_other_own_bit(lab));
		lab_other_freeze(lab, false);
		if (both)
			lab_still(lab, 10);
		lab_freeze(lab, lab->top, false);
		v->still = false;
		lab_as_before(lab);
	}
	lab_done(lab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("foreign");
	TCase *tc;

	lab_init();
	tc = lab_case(suite, "under way");
	lab_add(tc, a_freeze_under_way_is_waited_for_and_is_the_found_state);
	lab_add(tc, a_freeze_under_way_that_is_called_off_is_not_the_found_state);
	lab_add(tc, a_freeze_under_way_that_does_not_end_fails_the_hold_and_goes_on);
	tc = lab_case(suite, "during");
	lab_add(tc, what_others_freeze_during_a_hold_stays_frozen);
	lab_add(tc, what_others_thaw_during_a_hold_stays_thawed);
	tc = lab_case(suite, "meanwhile");
	lab_add(tc, others_who_freeze_and_thaw_all_the_time);
	tc = lab_case(suite, "holdfasts");
	lab_add(tc, two_holders_of_the_same_target);
	lab_add(tc, two_holders_of_which_one_has_the_others_target_inside);
	lab_add(tc, two_holders_of_the_same_processes_on_both_freezers);
	tc = lab_case(suite, "locks");
	lab_add(tc, a_lock_of_a_stranger_who_does_nothing_is_no_hindrance);
	lab_add(tc, a_lock_is_respected_of_root_and_of_who_is_seen_to_hold);
	tc = lab_case(suite, "both");
	lab_add(tc, what_the_other_freezer_has_frozen_is_held_on_v1_and_refused_on_v2);
	return hf_suite_run(suite);
}
