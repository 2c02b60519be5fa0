/* SPDX-License-Identifier: MIT */
/*
 * check_recover - what a holder and its guard leave behind that are killed both is found and put back, whenever it
 * was; and nothing else is.
 */
#include <sched.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "guard_play.h"
#include "rundir_play.h"

#define MB 1048576

/* ---- Recovering, and what it tells ------------------------------------------------------------------- */

struct told {
	int r;
	struct hf_error err;
	size_t n;
	struct {
		struct hf_leftover is;
		char path[LAB_PATH], text[1024];
	} at[16];
};

static void note_told(const struct hf_leftover *l, void *data)
{
	struct told *t = data;

	ck_assert_uint_lt(t->n, COUNT_OF(t->at));
	t->at[t->n].is = *l;
	snprintf(t->at[t->n].path, sizeof(t->at[0].path), "%s", l->path);
	snprintf(t->at[t->n].text, sizeof(t->at[0].text), "%s", l->text);
	t->n++;
}

static int recover(struct told *t, bool dry_run)
{
	struct hf_recover_options opts = HF_RECOVER_OPTIONS_INIT;

	memset(t, 0, sizeof(*t));
	opts.dry_run = dry_run;
	t->r = hf_recover(&opts, note_told, t, &t->err);
	return t->r;
}

static size_t count_told(const struct told *t, enum hf_leftover_kind kind)
{
	size_t i, n = 0;

	for (i = 0; i < t->n; i++)
		n += t->at[i].is.kind == kind;
	return n;
}

static void recover_expecting(struct told *t, bool dry_run, int r)
{
	recover(t, dry_run);
	if (t->r != r) {
		for (size_t i = 0; i < t->n; i++)
			fprintf(stderr, "told: %s: %s\n", hf_leftover_word(t->at[i].is.kind), t->at[i].text);
		ck_abort_msg("hf_recover: %d and not %d: %s [%s]", t->r, r, t->err.text, t->err.note);
	}
}

/* One thing is told, of this kind, and of this cgroup. */
static void expect_told(const struct told *t, enum hf_leftover_kind kind, const char *path)
{
	ck_assert_msg(t->n == 1, "%zu told: %s", t->n, t->n ? t->at[0].text : "");
	ck_assert_msg(t->at[0].is.kind == kind, "%s: %s", hf_leftover_word(t->at[0].is.kind), t->at[0].text);
	ck_assert_str_eq(t->at[0].path, path);
	ck_assert_ptr_nonnull(strstr(t->at[0].text, path));
}

/* ---- Leaving something behind ------------------------------------------------------------------------- */

static void kill_both(const struct holder *h, pid_t guard)
{
	kill(guard, SIGKILL);
	lab_await_state(guard, 'Z');
	kill_holder(h);
}

/* A holder that came that far and was killed together with its guard.  Returns its pid. */
static pid_t leave(const char *path, int stop_at, bool half, enum hf_on_death on_death)
{
	struct play *play = new_play(path);
	struct holder h;

	play->stop_at = stop_at;
	play->half = half;
	play->on_death = on_death;
	h = start_holder(play, perform);
	await_ready(&h);
	kill_both(&h, play->guard);
	return h.pid;
}

static pid_t leave_frozen(const char *path)
{
	return leave(path, 1, false, HF_ON_DEATH_RESUME);
}

/* A target that runs, and the directory for its journals. */
struct scene {
	struct rundir dir;
	struct lab *lab;
	struct lab_victim *v;
};

static struct scene new_scene(int index)
{
	struct scene s = { .dir = new_rundir(), .lab = lab_new(index) };

	s.v = lab_start(s.lab, s.lab->top, "spin", "2", NULL);
	return s;
}

static void done_scene(struct scene *s)
{
	lab_as_before(s->lab);
	lab_done(s->lab);
	done_rundir(&s->dir);
}

/* ---- At every moment ---------------------------------------------------------------------------------- */

static bool differs(const struct found *t, const struct lab_level *l)
{
	return lab_own_bit(t->lab, l->path) != l->frozen;
}

static int count_different(const struct found *t)
{
	return differs(t, &t->lab->levels[0]) + differs(t, &t->lab->levels[1]);
}

/* First told, then done, then forgotten. */
static void recover_all(struct found *t, struct rundir *dir)
{
	int different = count_different(t);
	struct told told;

	recover_expecting(&told, true, different);
	ck_assert_uint_eq(count_told(&told, HF_LEFTOVER_CHANGED), (size_t)different);
	ck_assert_int_eq(count_different(t), different);
	recover_expecting(&told, false, different);
	ck_assert_uint_eq(count_told(&told, HF_LEFTOVER_CHANGED), (size_t)different);
	for (size_t i = 0; i < told.n; i++) {
		ck_assert_int_ne(told.at[i].is.frozen_found, told.at[i].is.frozen_left);
		ck_assert_int_eq(told.at[i].is.version, t->lab->version);
	}
	as_found(t);
	ck_assert_uint_eq(count_journals(dir), 0);
	recover_expecting(&told, false, 0);
	ck_assert_uint_eq(told.n, 0);
}

START_TEST(both_killed_after_each_write_and_in_the_middle_of_it)
{
	struct rundir dir = new_rundir();
	struct found t = new_found(_i);

	for (int found = 0; found < 4; found++) {
		find(&t, found & 1, found & 2);
		for (int i = 0; i < 2 * play_steps(t.lab->version) + 1; i++) {
			leave(t.lab->top, (i + 1) / 2, i % 2, HF_ON_DEATH_RESUME);
			recover_all(&t, &dir);
		}
	}
	lab_done(t.lab);
	done_rundir(&dir);
}
END_TEST

/* Its guard, if it has one now. */
static pid_t child_of(pid_t pid)
{
	char path[64], text[64] = "";
	FILE *f;
	pid_t child = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	f = fopen(path, "r");
	if (f && fgets(text, sizeof(text), f))
		child = (pid_t)atoi(text);
	if (f)
		fclose(f);
	return child;
}

static void hold_again_and_again(struct play *play)
{
	say_ready(play);
	for (;;) {
		hf_hold *hold = NULL;

		must(hf_hold_cgroup(play->path, NULL, &hold, NULL) == 0);
		must(hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, NULL) == 0);
		hf_hold_free(hold);
	}
}

START_TEST(both_killed_at_any_moment_of_a_real_hold)
{
	struct rundir dir = new_rundir();
	struct found t = new_found(_i);
	int changed = 0;

	for (int round = 0; round < 40; round++) {
		struct holder h;
		struct told told;
		uint64_t at;
		pid_t guard;

		find(&t, round & 1, round & 2);
		h = start_holder(new_play(t.lab->top), hold_again_and_again);
		await_ready(&h);
		at = hf_clock_ns() + (uint64_t)round * 170000;
		while (hf_clock_ns() < at)
			;
		/* It stands still while its guard is looked for. */
		kill(h.pid, SIGSTOP);
		lab_await_state(h.pid, 'T');
		guard = child_of(h.pid);
		if (guard) {
			kill(guard, SIGKILL);
			lab_await_state(guard, 'Z');
		}
		kill_holder(&h);
		recover(&told, false);
		ck_assert_msg(told.r >= 0, "%s [%s]", told.err.text, told.err.note);
		changed += told.r;
		as_found(&t);
		ck_assert_uint_eq(count_journals(&dir), 0);
	}
	printf("v%d: %d settings were put back after 40 deaths\n", t.lab->version, changed);
	/* Else nothing was tried. */
	ck_assert_int_gt(changed, 0);
	lab_done(t.lab);
	done_rundir(&dir);
}
END_TEST

/* ---- What is told ------------------------------------------------------------------------------------- */

START_TEST(it_tells_what_whose_and_when)
{
	struct scene s = new_scene(_i);
	int64_t before = hf_clock_real_us();
	pid_t holder = leave_frozen(s.lab->top);
	struct told told;
	char number[32];

	recover_expecting(&told, true, 1);
	expect_told(&told, HF_LEFTOVER_CHANGED, s.lab->top);
	ck_assert_ptr_nonnull(strstr(told.at[0].text, "would thaw"));
	ck_assert_int_eq(told.at[0].is.version, s.lab->version);
	ck_assert_int_eq(told.at[0].is.frozen_found, 0);
	ck_assert_int_eq(told.at[0].is.frozen_left, 1);
	ck_assert_int_eq(told.at[0].is.holder, holder);
	snprintf(number, sizeof(number), "process %d ", (int)holder);
	ck_assert_ptr_nonnull(strstr(told.at[0].text, number));
	ck_assert_int_ge(told.at[0].is.since_us, before);
	ck_assert_int_le(told.at[0].is.since_us, hf_clock_real_us());
	ck_assert_uint_eq(count_journals(&s.dir), 1);
	ck_assert(lab_own_bit(s.lab, s.lab->top));
	recover_expecting(&told, false, 1);
	ck_assert_ptr_nonnull(strstr(told.at[0].text, "thawed cgroup"));
	done_scene(&s);
}
END_TEST

START_TEST(nobody_need_listen)
{
	struct scene s = new_scene(_i);
	struct hf_recover_options wrong = { .size = sizeof(wrong) + 1 };

	leave_frozen(s.lab->top);
	ck_assert_int_eq(hf_recover(&wrong, NULL, NULL, NULL), -EINVAL);
	ck_assert(lab_own_bit(s.lab, s.lab->top));
	ck_assert_int_eq(hf_recover(NULL, NULL, NULL, NULL), 1);
	done_scene(&s);
}
END_TEST

START_TEST(nothing_left_is_no_failure)
{
	struct rundir dir = new_rundir();
	struct told told;

	recover_expecting(&told, false, 0);
	ck_assert_uint_eq(told.n, 0);
	/* Nor is a directory that is not there: no journal was ever kept. */
	done_rundir(&dir);
	recover_expecting(&told, false, 0);
	ck_assert_uint_eq(told.n, 0);
}
END_TEST

START_TEST(a_directory_that_is_not_ours_is_a_failure)
{
	struct rundir dir = new_rundir();
	struct told told;

	ck_assert_int_eq(chmod(dir.path, 0777), 0);
	recover_expecting(&told, false, -EPERM);
	ck_assert_int_eq(told.err.undo, HF_UNDO_NONE);
	lab_says(&told.err, "belongs to somebody else");
	done_rundir(&dir);
}
END_TEST

/* ---- On purpose --------------------------------------------------------------------------------------- */

START_TEST(what_was_to_stay_frozen_stays_so)
{
	static const enum hf_on_death ways[] = { HF_ON_DEATH_STAY, HF_ON_DEATH_KILL };
	struct scene s = new_scene(_i);
	struct told told;

	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		leave(s.lab->top, 1, false, ways[i]);
		for (int again = 0; again < 3; again++) {
			recover_expecting(&told, again == 1, 0);
			expect_told(&told, HF_LEFTOVER_KEPT, s.lab->top);
			ck_assert_ptr_nonnull(strstr(told.at[0].text, "holdfast thaw"));
			ck_assert_int_eq(!!strstr(told.at[0].text, "killed"), ways[i] == HF_ON_DEATH_KILL);
			lab_still(s.lab, 10);
			ck_assert_uint_eq(count_journals(&s.dir), 1);
		}
		lab_freeze(s.lab, s.lab->top, false);
		recover_expecting(&told, false, 0);
		expect_told(&told, HF_LEFTOVER_FOREIGN, s.lab->top);
		ck_assert_uint_eq(count_journals(&s.dir), 0);
		lab_as_before(s.lab);
	}
	done_scene(&s);
}
END_TEST

/* v1: thawed for their stops, with one below that was found frozen. */
START_TEST(killed_in_the_gap_of_v1_what_was_found_frozen_below_is_so_again)
{
	struct rundir dir = new_rundir();
	struct found t = new_found(_i);
	struct told told;

	find(&t, false, true);
	if (t.lab->version == 1) {
		leave(t.lab->top, 3, false, HF_ON_DEATH_STAY);
		ck_assert(!lab_own_bit(t.lab, t.a));
		recover_expecting(&told, false, 1);
		expect_told(&told, HF_LEFTOVER_CHANGED, t.a);
		ck_assert_ptr_nonnull(strstr(told.at[0].text, "froze cgroup"));
	}
	as_found(&t);
	lab_done(t.lab);
	done_rundir(&dir);
}
END_TEST

/* ---- Somebody else's ---------------------------------------------------------------------------------- */

START_TEST(what_somebody_thawed_is_told_and_forgotten)
{
	struct scene s = new_scene(_i);
	struct told told;

	leave_frozen(s.lab->top);
	lab_freeze(s.lab, s.lab->top, false);
	recover_expecting(&told, true, 0);
	expect_told(&told, HF_LEFTOVER_FOREIGN, s.lab->top);
	recover_expecting(&told, false, 0);
	expect_told(&told, HF_LEFTOVER_FOREIGN, s.lab->top);
	/* From now on whoever freezes it does so on his own account. */
	lab_freeze(s.lab, s.lab->top, true);
	recover_expecting(&told, false, 0);
	ck_assert_uint_eq(told.n, 0);
	ck_assert(lab_own_bit(s.lab, s.lab->top));
	lab_freeze(s.lab, s.lab->top, false);
	done_scene(&s);
}
END_TEST

static void freeze_plainly(const char *path, bool thaw_first)
{
	struct hf_error err = HF_ERROR_INIT;

	ck_assert_msg(!thaw_first || hf_cgroup_thaw(path, NULL, NULL, &err) == 0, "%s", err.text);
	ck_assert_msg(hf_cgroup_freeze(path, NULL, NULL, &err) == 0, "%s", err.text);
}

/* It is as the dead holder left it, but it is not his doing any more; what he left elsewhere is. */
START_TEST(what_was_frozen_since_with_our_own_freeze_stays_so)
{
	struct scene s = new_scene(_i);
	const char *other = lab_cgroup(s.lab, s.lab->top, "other");
	const char *mine = lab_cgroup(s.lab, s.lab->top, "mine");
	struct told told;

	lab_start(s.lab, mine, "spin", "1", NULL)->still = true;
	lab_start(s.lab, other, "spin", "1", NULL);
	for (int thaw_first = 0; thaw_first < 2; thaw_first++) {
		leave_frozen(mine);
		leave_frozen(other);
		freeze_plainly(mine, thaw_first);
		ck_assert_uint_eq(count_journals(&s.dir), 1);
		recover_expecting(&told, false, 1);
		expect_told(&told, HF_LEFTOVER_CHANGED, other);
		ck_assert(lab_own_bit(s.lab, mine));
		ck_assert_int_eq(hf_cgroup_thaw(mine, NULL, NULL, NULL), 0);
	}
	s.lab->victims[1].still = false;
	done_scene(&s);
}
END_TEST

START_TEST(what_somebody_froze_above_hides_nothing)
{
	struct rundir dir = new_rundir();
	struct lab *lab = lab_new(_i);
	const char *a = lab_cgroup(lab, lab->top, "a");
	const char *b = lab_cgroup(lab, a, "b");
	struct told told;

	lab_cgroup(lab, b, "c");
	/* v1: found frozen, thawed for the hold, and then an ancestor is frozen: the state says frozen again. */
	lab_start(lab, b, "spin", "1", NULL)->still = true;
	lab_freeze(lab, b, true);
	leave(b, lab->version == 1 ? 3 : 1, false, HF_ON_DEATH_RESUME);
	lab_freeze(lab, a, true);
	recover_expecting(&told, false, lab->version == 1);
	lab_freeze(lab, a, false);
	lab_as_before(lab);
	lab_done(lab);
	done_rundir(&dir);
}
END_TEST

static void recover_while_held(const struct scene *s, const char *held, const char *left,
			       const struct lab_victim *in_left)
{
	struct told told;
	hf_hold *hold = lab_take(held, NULL);

	for (int dry_run = 1; dry_run >= 0; dry_run--) {
		recover_expecting(&told, dry_run, 0);
		expect_told(&told, HF_LEFTOVER_HELD, left);
		ck_assert(lab_own_bit(s->lab, left));
		lab_victim_still(s->lab, in_left, 10);
	}
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	ck_assert(lab_own_bit(s->lab, left));
	recover_expecting(&told, false, 1);
	expect_told(&told, HF_LEFTOVER_CHANGED, left);
}

START_TEST(what_another_holdfast_holds_now_is_left_to_that)
{
	struct scene s = new_scene(_i);
	const char *a = lab_cgroup(s.lab, s.lab->top, "a");
	const char *b = lab_cgroup(s.lab, a, "b");
	struct lab_victim *v = lab_start(s.lab, a, "spin", "1", NULL);

	lab_start(s.lab, b, "spin", "1", NULL);
	leave_frozen(a);
	recover_while_held(&s, a, a, v);
	leave_frozen(a);
	recover_while_held(&s, s.lab->top, a, v);
	/* On v1 nobody below a frozen cgroup can be held. */
	if (s.lab->version == 2) {
		leave_frozen(a);
		recover_while_held(&s, b, a, v);
	}
	done_scene(&s);
}
END_TEST

START_TEST(a_lock_without_a_hold_does_not_stop_it)
{
	struct scene s = new_scene(_i);
	int fd = open(s.lab->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct told told;

	leave_frozen(s.lab->top);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	recover_expecting(&told, false, 1);
	expect_told(&told, HF_LEFTOVER_CHANGED, s.lab->top);
	close(fd);
	done_scene(&s);
}
END_TEST

START_TEST(a_hold_that_stands_is_none_of_its_business)
{
	static const enum hf_on_death ways[] = { HF_ON_DEATH_RESUME, HF_ON_DEATH_STAY };
	struct scene s = new_scene(_i);
	struct told told;

	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
		hf_hold *hold;

		opts.on_death = ways[i];
		hold = lab_take(s.lab->top, &opts);
		ck_assert_uint_eq(count_journals(&s.dir), 1);
		recover_expecting(&told, false, 0);
		ck_assert_uint_eq(told.n, 0);
		ck_assert_uint_eq(count_journals(&s.dir), 1);
		ck_assert_int_eq(lab_own_bit(s.lab, s.lab->top), ways[i] == HF_ON_DEATH_STAY);
		lab_still(s.lab, 10);
		/* Not either when its guard is dead. */
		kill(hold->guard.pid, SIGKILL);
		lab_await_state(hold->guard.pid, 'Z');
		recover_expecting(&told, false, 0);
		ck_assert_uint_eq(told.n, 0);
		lab_still(s.lab, 10);
		lab_let_go(hold, HF_RELEASE_AS_FOUND);
		ck_assert_uint_eq(count_journals(&s.dir), 0);
	}
	done_scene(&s);
}
END_TEST

/* ---- Locks of the dead -------------------------------------------------------------------------------- */

START_TEST(a_guard_that_lives_is_told_of)
{
	struct scene s = new_scene(_i);
	struct play *play = new_play(s.lab->top);
	struct told told;
	struct holder h;
	char number[32];
	pid_t guard;

	play->stop_at = 1;
	h = start_holder(play, perform);
	await_ready(&h);
	guard = play->guard;
	kill(guard, SIGSTOP);
	lab_await_state(guard, 'T');
	kill_holder(&h);
	recover_expecting(&told, false, 0);
	expect_told(&told, HF_LEFTOVER_HELD, s.lab->top);
	snprintf(number, sizeof(number), "guard, process %d,", (int)guard);
	ck_assert_msg(strstr(told.at[0].text, number) != NULL, "%s", told.at[0].text);
	ck_assert(lab_own_bit(s.lab, s.lab->top));
	kill(guard, SIGCONT);
	await_guards_end(guard);
	recover_expecting(&told, false, 0);
	ck_assert_uint_eq(told.n, 0);
	done_scene(&s);
}
END_TEST

START_TEST(a_guard_at_work_is_waited_for)
{
	struct scene s = new_scene(_i);
	struct play *play = new_play(s.lab->top);
	struct told told;
	struct holder h;
	pid_t guard, waker;

	play->stop_at = 1;
	h = start_holder(play, perform);
	await_ready(&h);
	guard = play->guard;
	kill(guard, SIGSTOP);
	lab_await_state(guard, 'T');
	kill_holder(&h);
	waker = fork();
	if (waker == 0) {
		poll(NULL, 0, 50);
		kill(guard, SIGCONT);
		_exit(0);
	}
	/* It finds the work done. */
	recover_expecting(&told, false, 0);
	ck_assert_uint_eq(told.n, 0);
	ck_assert(!lab_own_bit(s.lab, s.lab->top));
	ck_assert_int_eq(waitpid(waker, NULL, 0), waker);
	await_guards_end(guard);
	done_scene(&s);
}
END_TEST

static void perform_with_worker(struct play *play)
{
	struct parts p;
	char byte;
	pid_t pid;

	open_parts(&p, play->path, -1);
	freeze(&p);
	play->guard = p.g.pid;
	pid = fork();
	must(pid >= 0);
	if (pid == 0)
		_exit((int)read(play->go[0], &byte, 1));
	play->worker = pid;
	say_ready(play);
	pause();
}

START_TEST(a_child_of_the_holder_that_lives_does_not_keep_it)
{
	struct scene s = new_scene(_i);
	struct holder h = start_holder(new_play(s.lab->top), perform_with_worker);
	struct told told;
	pid_t worker;

	await_ready(&h);
	worker = h.play->worker;
	kill(h.play->guard, SIGKILL);
	lab_await_state(h.play->guard, 'Z');
	kill(h.pid, SIGKILL);
	lab_await_state(h.pid, 'Z');
	/* It has the locks, of the journal and of the target. */
	ck_assert_int_eq(kill(worker, 0), 0);
	recover_expecting(&told, false, 1);
	expect_told(&told, HF_LEFTOVER_CHANGED, s.lab->top);
	ck_assert_int_eq(kill(worker, 0), 0);
	reap_holder(&h);
	done_scene(&s);
}
END_TEST

struct race {
	_Atomic int changed, others, failed;
};

static void race_told(const struct hf_leftover *l, void *data)
{
	struct race *race = data;

	if (l->kind == HF_LEFTOVER_CHANGED)
		race->changed++;
	else
		race->others++;
}

START_TEST(of_two_at_once_one_does_it)
{
	struct scene s = new_scene(_i);
	struct race *race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	for (int round = 1; round <= 10; round++) {
		pid_t pids[4];
		int go[2];

		leave_frozen(s.lab->top);
		ck_assert_int_eq(pipe2(go, O_CLOEXEC), 0);
		for (size_t i = 0; i < COUNT_OF(pids); i++) {
			pids[i] = fork();
			if (pids[i] == 0) {
				char byte;

				close(go[1]);
				must(read(go[0], &byte, 1) == 0);
				race->failed += hf_recover(NULL, race_told, race, NULL) < 0;
				_exit(0);
			}
		}
		close(go[0]);
		close(go[1]);
		for (size_t i = 0; i < COUNT_OF(pids); i++)
			ck_assert_int_eq(waitpid(pids[i], NULL, 0), pids[i]);
		ck_assert_int_eq(race->changed, round);
		ck_assert_int_eq(race->others, 0);
		ck_assert_int_eq(race->failed, 0);
	}
	munmap(race, sizeof(*race));
	done_scene(&s);
}
END_TEST

/* ---- Where is it now? --------------------------------------------------------------------------------- */

/* A cgroup that the lab does not know of, with a process that sleeps in it. */
static pid_t start_sleeper(const char *cgroup)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		lab_join(cgroup);
		pause();
		_exit(0);
	}
	return pid;
}

static void end_sleeper(pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static void await_members(struct lab *lab, const char *cgroup, size_t n)
{
	struct hf_deadline deadline = hf_deadline_in_ms(LAB_PATIENCE_MS);
	struct hf_nap nap = HF_NAP_INIT;

	while (lab_threads(lab, cgroup) != n)
		ck_assert(hf_nap(&nap, deadline));
}

static void remove_cgroup(const char *path)
{
	struct hf_deadline deadline = hf_deadline_in_ms(LAB_PATIENCE_MS);
	struct hf_nap nap = HF_NAP_INIT;

	while (rmdir(path) < 0)
		ck_assert_msg(hf_nap(&nap, deadline), "%s: %s", path, strerror(errno));
}

START_TEST(a_cgroup_that_is_gone_leaves_nothing_to_do)
{
	struct scene s = new_scene(_i);
	char x[LAB_PATH];
	struct told told;
	pid_t sleeper;

	snprintf(x, sizeof(x), "%s/x", s.lab->top);
	for (int again = 0; again < 2; again++) {
		ck_assert_int_eq(mkdir(x, 0755), 0);
		sleeper = start_sleeper(x);
		await_members(s.lab, x, 1);
		leave_frozen(x);
		lab_freeze(s.lab, x, false);
		end_sleeper(sleeper);
		remove_cgroup(x);
		if (again) {
			/* Another one of that name, which its owner has frozen. */
			ck_assert_int_eq(mkdir(x, 0755), 0);
			lab_freeze(s.lab, x, true);
		}
		recover_expecting(&told, true, 0);
		ck_assert_uint_eq(told.n, 0);
		ck_assert_uint_eq(count_journals(&s.dir), 1);
		recover_expecting(&told, false, 0);
		ck_assert_uint_eq(told.n, 0);
		ck_assert_uint_eq(count_journals(&s.dir), 0);
		if (again)
			ck_assert(lab_own_bit(s.lab, x));
	}
	remove_cgroup(x);
	done_scene(&s);
}
END_TEST

START_TEST(a_cgroup_that_was_renamed_is_found)
{
	struct scene s = new_scene(_i);
	char x[LAB_PATH], y[LAB_PATH];
	struct told told;
	pid_t sleeper;

	snprintf(x, sizeof(x), "%s/x", s.lab->top);
	snprintf(y, sizeof(y), "%s/y", s.lab->top);
	ck_assert_int_eq(mkdir(x, 0755), 0);
	sleeper = start_sleeper(x);
	await_members(s.lab, x, 1);
	/* v2's cannot be renamed. */
	if (rename(x, y) == 0) {
		ck_assert_int_eq(rename(y, x), 0);
		leave_frozen(x);
		ck_assert_int_eq(rename(x, y), 0);
		recover_expecting(&told, false, 1);
		ck_assert(!lab_own_bit(s.lab, y));
		ck_assert_int_eq(rename(y, x), 0);
	}
	end_sleeper(sleeper);
	remove_cgroup(x);
	done_scene(&s);
}
END_TEST

/* In a child process, from whose mounts the target cannot be seen (hidden), or not be written (not hidden). */
struct elsewhere {
	const char *path;
	bool hidden;
	struct told told;
};

static void recover_elsewhere(struct elsewhere *e)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		must(own_mounts());
		if (e->hidden) {
			/* Over both hierarchies: neither path nor id can be looked up. */
			must(mount("tmpfs", "/sys/fs", "tmpfs", 0, "") == 0);
		} else {
			must(mount(e->path, e->path, NULL, MS_BIND, NULL) == 0);
			must(mount(NULL, e->path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0);
		}
		recover(&e->told, false);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static struct elsewhere *new_elsewhere(const char *path, bool hidden)
{
	struct elsewhere *e = mmap(NULL, sizeof(*e), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert(e != MAP_FAILED);
	e->path = path;
	e->hidden = hidden;
	return e;
}

START_TEST(what_cannot_be_seen_from_here_is_not_taken_for_gone)
{
	struct scene s = new_scene(_i);
	struct elsewhere *e = new_elsewhere(s.lab->top, true);
	struct told told;

	leave_frozen(s.lab->top);
	recover_elsewhere(e);
	ck_assert_int_eq(e->told.r, -EXDEV);
	ck_assert_int_eq(e->told.err.undo, HF_UNDO_FAILED);
	expect_told(&e->told, HF_LEFTOVER_FAILED, s.lab->top);
	ck_assert_ptr_nonnull(strstr(e->told.at[0].text, "cannot be seen from here"));
	ck_assert_uint_eq(count_journals(&s.dir), 1);
	recover_expecting(&told, false, 1);
	munmap(e, sizeof(*e));
	done_scene(&s);
}
END_TEST

START_TEST(what_fails_is_told_and_the_rest_is_done)
{
	struct rundir dir = new_rundir();
	struct found t = new_found(_i);
	bool v1 = t.lab->version == 1;
	const char *stuck = v1 ? t.a : t.lab->top;
	struct elsewhere *e = new_elsewhere(stuck, false);
	struct told told;

	/* v1: target frozen, the one below, which was found frozen, thawed. */
	find(&t, false, v1);
	leave(t.lab->top, v1 ? 2 : 1, false, HF_ON_DEATH_RESUME);
	recover_elsewhere(e);
	ck_assert_int_eq(e->told.r, -EROFS);
	ck_assert_int_eq(e->told.err.undo, HF_UNDO_FAILED);
	ck_assert_uint_eq(count_told(&e->told, HF_LEFTOVER_FAILED), 1);
	ck_assert_uint_eq(count_told(&e->told, HF_LEFTOVER_CHANGED), v1);
	ck_assert_uint_eq(count_journals(&dir), 1);
	/* What was put back is nobody's but the user's now. */
	if (v1)
		lab_freeze(t.lab, t.lab->top, true);
	recover_expecting(&told, false, 1);
	expect_told(&told, HF_LEFTOVER_CHANGED, stuck);
	if (v1) {
		ck_assert(lab_own_bit(t.lab, t.lab->top));
		lab_freeze(t.lab, t.lab->top, false);
	}
	as_found(&t);
	lab_done(t.lab);
	munmap(e, sizeof(*e));
	done_rundir(&dir);
}
END_TEST

/* ---- Files that are none ------------------------------------------------------------------------------ */

static void write_at(const char *path, off_t at, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, bytes, size, at), (ssize_t)size);
	close(fd);
}

START_TEST(no_freeze_outlives_a_boot)
{
	struct scene s = new_scene(_i);
	struct told told;
	char journal[LAB_PATH];

	leave_frozen(s.lab->top);
	only_journal(&s.dir, journal);
	write_at(journal, offsetof(struct hf_journal_page, origin.boot), "01234567", 8);
	recover_expecting(&told, true, 0);
	ck_assert_uint_eq(count_journals(&s.dir), 1);
	recover_expecting(&told, false, 0);
	ck_assert_uint_eq(told.n, 0);
	ck_assert_uint_eq(count_journals(&s.dir), 0);
	ck_assert(lab_own_bit(s.lab, s.lab->top));
	lab_freeze(s.lab, s.lab->top, false);
	done_scene(&s);
}
END_TEST

static const struct bytes no_journals[] = {
	BYTES(""), BYTES("hello\n"), BYTES("hfjrnl1\n"), BYTES(HF_JOURNAL_MAGIC), BYTES("hfjrnl9\n"),
};

START_TEST(files_that_are_no_journals_are_left_there)
{
	struct scene s = new_scene(_i);
	struct told told;
	char path[LAB_PATH], other[LAB_PATH];

	snprintf(other, sizeof(other), "%s/notes.txt", s.dir.path);
	write_at(other, 0, "x", 1);
	snprintf(path, sizeof(path), "%s/0123456789abcdef.hold", s.dir.path);
	for (size_t i = 0; i < COUNT_OF(no_journals) + 4; i++) {
		if (i < COUNT_OF(no_journals))
			write_at(path, 0, no_journals[i].text, no_journals[i].len);
		else if (i == COUNT_OF(no_journals))
			ck_assert_int_eq(mkdir(path, 0700), 0);
		else if (i == COUNT_OF(no_journals) + 1)
			ck_assert_int_eq(symlink(other, path), 0);
		else if (i == COUNT_OF(no_journals) + 2)
			ck_assert_int_eq(mkfifo(path, 0600), 0);
		else
			/* Large, and without a disk block. */
			ck_assert_int_eq(truncate((write_at(path, 0, "x", 1), path), 80l * MB), 0);
		/* What is one is seen to all the same. */
		leave_frozen(s.lab->top);
		recover_expecting(&told, false, -EBADMSG);
		ck_assert_int_eq(told.err.undo, HF_UNDO_NONE);
		ck_assert_uint_eq(count_told(&told, HF_LEFTOVER_CHANGED), 1);
		ck_assert_uint_eq(count_told(&told, HF_LEFTOVER_UNREADABLE), 1);
		lab_says(&told.err, path);
		ck_assert_int_eq(access(path, F_OK), 0);
		ck_assert_uint_eq(count_journals(&s.dir), 1);
		ck_assert_int_eq(remove(path), 0);
	}
	ck_assert_int_eq(unlink(other), 0);
	done_scene(&s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("recover");
	TCase *tc;

	lab_init();
	tc = lab_case(suite, "moments");
	lab_add(tc, both_killed_after_each_write_and_in_the_middle_of_it);
	lab_add(tc, both_killed_at_any_moment_of_a_real_hold);
	tc = lab_case(suite, "told");
	lab_add(tc, it_tells_what_whose_and_when);
	lab_add(tc, nobody_need_listen);
	tcase_add_test(tc, nothing_left_is_no_failure);
	tcase_add_test(tc, a_directory_that_is_not_ours_is_a_failure);
	tc = lab_case(suite, "purpose");
	lab_add(tc, what_was_to_stay_frozen_stays_so);
	lab_add(tc, killed_in_the_gap_of_v1_what_was_found_frozen_below_is_so_again);
	tc = lab_case(suite, "others");
	lab_add(tc, what_somebody_thawed_is_told_and_forgotten);
	lab_add(tc, what_was_frozen_since_with_our_own_freeze_stays_so);
	lab_add(tc, what_somebody_froze_above_hides_nothing);
	lab_add(tc, what_another_holdfast_holds_now_is_left_to_that);
	lab_add(tc, a_lock_without_a_hold_does_not_stop_it);
	lab_add(tc, a_hold_that_stands_is_none_of_its_business);
	tc = lab_case(suite, "locks");
	lab_add(tc, a_guard_that_lives_is_told_of);
	lab_add(tc, a_guard_at_work_is_waited_for);
	lab_add(tc, a_child_of_the_holder_that_lives_does_not_keep_it);
	lab_add(tc, of_two_at_once_one_does_it);
	tc = lab_case(suite, "where");
	lab_add(tc, a_cgroup_that_is_gone_leaves_nothing_to_do);
	lab_add(tc, a_cgroup_that_was_renamed_is_found);
	lab_add(tc, what_cannot_be_seen_from_here_is_not_taken_for_gone);
	lab_add(tc, what_fails_is_told_and_the_rest_is_done);
	tc = lab_case(suite, "files");
	lab_add(tc, no_freeze_outlives_a_boot);
	lab_add(tc, files_that_are_no_journals_are_left_there);
	return hf_suite_run(suite);
}
