/* SPDX-License-Identifier: MIT */
/*
 * check_on_death - what becomes of the target when its holder dies, as the holder asked: resumed, frozen, or dead.
 * Seen from the victims; and how long it takes is measured and printed.
 */
#include "guard_play.h"
#include "rundir_play.h"

/* For being resumed; a busy machine gets more, and the figure is printed. */
#define PROMISED_MS 50

/* ---- The holder --------------------------------------------------------------------------------------- */

static void take_and_wait(struct play *play)
{
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	hf_hold *hold = NULL;

	opts.guard_message_fd = play->message_fd;
	opts.on_death = play->on_death;
	must(hf_hold_cgroup(play->path, &opts, &hold, NULL) == 0);
	play->guard = hold->guard.pid;
	say_ready(play);
	pause();
}

/* A holder that holds, and the pipe where its guard will speak. */
struct death {
	struct holder h;
	pid_t guard;
	int words;
};

static struct death hold_to_die(const char *path, enum hf_on_death on_death, void (*act)(struct play *play))
{
	struct play *play = new_play(path);
	struct death d;
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	play->message_fd = ends[1];
	play->on_death = on_death;
	play->stop_at = 3;
	d.h = start_holder(play, act);
	close(ends[1]);
	d.words = ends[0];
	await_ready(&d.h);
	d.guard = play->guard;
	return d;
}

/* Wait for the guard's end; it has said this. */
static void expect_words(struct death *d, const char *word, const char *path)
{
	char text[1024] = "";
	ssize_t n;

	await_guards_end(d->guard);
	n = read(d->words, text, sizeof(text) - 1);
	close(d->words);
	ck_assert_msg(n > 0, "the guard has said nothing");
	ck_assert_int_eq(text[n - 1], '\n');
	ck_assert_msg(!strncmp(text, "holdfast: guard: the holder died; ", 34), "%s", text);
	ck_assert_msg(strstr(text, word) != NULL, "%s", text);
	ck_assert_msg(!path || strstr(text, path), "%s", text);
}

static uint64_t count_of_all(struct lab *lab)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < lab->n_victims; i++)
		for (uint32_t slot = 0; slot < lab->victims[i].n; slot++)
			sum += atomic_load(&lab_slot(lab, &lab->victims[i], slot)->count);
	return sum;
}

/* ---- Resume ------------------------------------------------------------------------------------------- */

static int compare_ns(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* How long from the kill until one of them counts again. */
static uint64_t time_to_run(struct lab *lab, struct death *d)
{
	uint64_t before = count_of_all(lab), begin = hf_clock_ns(), ns;

	kill(d->h.pid, SIGKILL);
	while (count_of_all(lab) == before)
		ck_assert_uint_lt(hf_clock_ns() - begin, SOON_MS * 1000000ull);
	ns = hf_clock_ns() - begin;
	reap_holder(&d->h);
	return ns;
}

START_TEST(resumed_when_the_holder_dies)
{
	static const struct {
		const char *while_doing;
		void (*act)(struct play *play);
	} moments[] = { { "holding", take_and_wait }, { "frozen", freeze_and_wait } };
	struct lab *lab = lab_new(_i);
	struct lab_victim *stopped;
	uint64_t ns[9];

	lab_start(lab, lab->top, "spin", "2", NULL);
	lab_start(lab, lab->top, "sleepers", NULL);
	stopped = lab_start(lab, lab->top, "spin", "2", NULL);
	lab_stop(lab, stopped, SIGSTOP);
	for (size_t m = 0; m < COUNT_OF(moments); m++) {
		for (size_t i = 0; i < COUNT_OF(ns); i++) {
			struct death d = hold_to_die(lab->top, HF_ON_DEATH_RESUME, moments[m].act);

			lab_still(lab, 2);
			ns[i] = time_to_run(lab, &d);
			if (m == 1)
				expect_words(&d, "put back as it was found", NULL);
			else
				await_guards_end(d.guard);
			lab_as_before(lab);
			lab_await_state(stopped->pid, 'T');
		}
		qsort(ns, COUNT_OF(ns), sizeof(ns[0]), compare_ns);
		printf("v%d, %s: runs again after %.1f ms (median of %zu, at most %.1f; promised %d)\n", lab->version,
		       moments[m].while_doing, (double)ns[COUNT_OF(ns) / 2] / 1e6, COUNT_OF(ns),
		       (double)ns[COUNT_OF(ns) - 1] / 1e6, PROMISED_MS);
	}
	lab_done(lab);
}
END_TEST

/* ---- Stay --------------------------------------------------------------------------------------------- */

/* What is kept frozen is on record as long as it is; then recover forgets it. */
static void forget(struct rundir *dir)
{
	ck_assert_uint_eq(count_journals(dir), 1);
	ck_assert_int_eq(hf_recover(NULL, NULL, NULL, NULL), 0);
	ck_assert_uint_eq(count_journals(dir), 0);
}

START_TEST(frozen_for_good_when_that_was_asked)
{
	struct rundir dir = new_rundir();
	struct lab *lab = lab_new(_i);
	const char *a = lab_cgroup(lab, lab->top, "a");
	struct lab_victim *stopped;
	struct death d;
	uint64_t before;

	lab_start(lab, lab->top, "spin", "2", NULL);
	lab_start(lab, a, "spin", "2", NULL);
	stopped = lab_start(lab, a, "spin", "1", NULL);
	lab_stop(lab, stopped, SIGSTOP);
	d = hold_to_die(lab->top, HF_ON_DEATH_STAY, take_and_wait);
	/* Frozen already: not one instruction runs between the death and whatever comes then. */
	ck_assert(lab_own_bit(lab, lab->top));
	before = count_of_all(lab);
	kill_holder(&d.h);
	expect_words(&d, "stays frozen, as asked", lab->top);
	lab_still(lab, LAB_HOLD_MS);
	ck_assert_uint_eq(count_of_all(lab), before);
	ck_assert(lab_is_frozen(lab, lab->top));
	lab_freeze(lab, lab->top, false);
	lab_as_before(lab);
	lab_await_state(stopped->pid, 'T');
	forget(&dir);
	lab_done(lab);
	done_rundir(&dir);
}
END_TEST

START_TEST(what_was_found_frozen_below_stays_so)
{
	struct rundir dir = new_rundir();
	struct found t = new_found(_i);

	for (int in_gap = 0; in_gap < 2; in_gap++) {
		struct death d;

		find(&t, false, true);
		/* v1: thawed for the stops, all of it, when the holder dies. */
		d = hold_to_die(t.lab->top, HF_ON_DEATH_STAY, in_gap ? perform : take_and_wait);
		kill_holder(&d.h);
		expect_words(&d, "stays frozen", t.lab->top);
		lab_still(t.lab, 10);
		ck_assert(lab_own_bit(t.lab, t.lab->top));
		lab_freeze(t.lab, t.lab->top, false);
		as_found(&t);
		forget(&dir);
	}
	lab_done(t.lab);
	done_rundir(&dir);
}
END_TEST

START_TEST(letting_go_ends_it)
{
	static const enum hf_on_death ways[] = { HF_ON_DEATH_STAY, HF_ON_DEATH_KILL };
	struct found t = new_found(_i);

	for (size_t i = 0; i < COUNT_OF(ways); i++)
		for (int found = 0; found < 4; found++) {
			struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
			hf_hold *hold;

			find(&t, found & 1, found & 2);
			opts.on_death = ways[i];
			hold = lab_take(t.lab->top, &opts);
			lab_still(t.lab, 5);
			ck_assert(lab_is_frozen(t.lab, t.lab->top));
			lab_let_go(hold, HF_RELEASE_AS_FOUND);
			as_found(&t);
		}
	lab_done(t.lab);
}
END_TEST

/* ---- Kill --------------------------------------------------------------------------------------------- */

START_TEST(everybody_dies_when_that_was_asked)
{
	struct lab *lab = lab_new(_i);
	const char *a = lab_cgroup(lab, lab->top, "a");
	struct lab_victim *stopped;
	struct death d;
	uint64_t before;

	lab_start(lab, lab->top, "spin", "3", NULL);
	lab_start(lab, a, "tree", NULL);
	lab_start(lab, a, "deadleader", NULL);
	lab_start(lab, a, "vforkwait", NULL);
	stopped = lab_start(lab, lab->top, "spin", "1", NULL);
	lab_stop(lab, stopped, SIGSTOP);
	d = hold_to_die(lab->top, HF_ON_DEATH_KILL, take_and_wait);
	before = count_of_all(lab);
	kill_holder(&d.h);
	expect_words(&d, "killed everybody in cgroup", lab->top);
	lab_await_empty(lab, lab->top);
	ck_assert_uint_eq(count_of_all(lab), before);
	ck_assert(!lab_own_bit(lab, lab->top));
	ck_assert(!lab_own_bit(lab, a));
	lab_done(lab);
}
END_TEST

START_TEST(they_die_in_a_cgroup_that_was_found_frozen_and_it_stays_so)
{
	struct found t = new_found(_i);
	struct death d;

	find(&t, true, true);
	d = hold_to_die(t.lab->top, HF_ON_DEATH_KILL, take_and_wait);
	kill_holder(&d.h);
	expect_words(&d, "killed everybody", t.lab->top);
	lab_await_empty(t.lab, t.lab->top);
	ck_assert(lab_own_bit(t.lab, t.lab->top));
	ck_assert(lab_own_bit(t.lab, t.a));
	lab_done(t.lab);
}
END_TEST

/* The holder dies while it is thawed for the stops (v1), and they fork as fast as they can. */
START_TEST(nobody_escapes_by_forking)
{
	struct lab *lab = lab_new(_i);
	struct death d;

	lab_cgroup(lab, lab->top, "a");
	lab_start(lab, lab->top, "forkstorm", NULL);
	d = hold_to_die(lab->top, HF_ON_DEATH_KILL, perform);
	kill_holder(&d.h);
	expect_words(&d, "killed everybody", lab->top);
	lab_await_empty(lab, lab->top);
	ck_assert(!lab_own_bit(lab, lab->top));
	lab_done(lab);
}
END_TEST

/* ---- The dead man's switch ---------------------------------------------------------------------------- */

static void take_with_switch(struct play *play)
{
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	hf_hold *hold = NULL;

	opts.guard_message_fd = play->message_fd;
	opts.dead_man_ms = 300;
	must(hf_hold_cgroup(play->path, &opts, &hold, NULL) == 0);
	play->guard = hold->guard.pid;
	must(hold->guard.journal.page->dead_man_ns > hf_clock_ns());
}

static void take_and_sleep(struct play *play)
{
	take_with_switch(play);
	say_ready(play);
	pause();
}

/* In the kernel, where but a fatal signal is heard: until the child execs or ends. */
static void take_and_hang(struct play *play)
{
	take_with_switch(play);
	if (vfork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		say_ready(play);
		pause();
		_exit(0);
	}
}

static void await_death_of(const struct holder *h)
{
	int status = reap_holder(h);

	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void expect_switched(struct lab *lab, struct death *d)
{
	char text[1024] = "";

	await_death_of(&d->h);
	await_guards_end(d->guard);
	ck_assert_int_gt(read(d->words, text, sizeof(text) - 1), 0);
	close(d->words);
	ck_assert_msg(strstr(text, "the holder did not end by its time and was killed") != NULL, "%s", text);
	lab_as_before(lab);
}

START_TEST(a_holder_that_is_stopped_does_not_outlast_its_time)
{
	struct lab *lab = lab_new(_i);
	struct death d;

	lab_start(lab, lab->top, "spin", "2", NULL);
	d = hold_to_die(lab->top, HF_ON_DEATH_RESUME, take_and_sleep);
	kill(d.h.pid, SIGSTOP);
	lab_await_state(d.h.pid, 'T');
	lab_still(lab, 10);
	expect_switched(lab, &d);
	lab_done(lab);
}
END_TEST

START_TEST(a_holder_that_hangs_in_the_kernel_does_not_either)
{
	struct lab *lab = lab_new(_i);
	struct death d;

	lab_start(lab, lab->top, "spin", "2", NULL);
	d = hold_to_die(lab->top, HF_ON_DEATH_RESUME, take_and_hang);
	lab_await_state(d.h.pid, 'D');
	lab_still(lab, 10);
	expect_switched(lab, &d);
	lab_done(lab);
}
END_TEST

static void freeze_with_switch(struct play *play)
{
	struct parts p;

	open_parts(&p, play->path, play->message_fd);
	play->guard = p.g.pid;
	hf_guard_dead_man(&p.g, hf_clock_ns() + 300000000);
	freeze(&p);
	say_ready(play);
	pause();
}

START_TEST(nor_one_that_is_taking_its_hold)
{
	struct lab *lab = lab_new(_i);
	struct death d;

	lab_start(lab, lab->top, "spin", "2", NULL);
	d = hold_to_die(lab->top, HF_ON_DEATH_RESUME, freeze_with_switch);
	ck_assert(lab_is_frozen(lab, lab->top));
	expect_switched(lab, &d);
	lab_done(lab);
}
END_TEST

START_TEST(the_switch_is_off_when_it_should_be)
{
	struct lab *lab = lab_new(_i);
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	hf_hold *hold;

	lab_start(lab, lab->top, "spin", "2", NULL);
	/* While a hold stands that may stand for ever. */
	opts.dead_man_ms = HF_DEAD_MAN_STEPS;
	opts.timeout_ms = LAB_PATIENCE_MS;
	hold = lab_take(lab->top, &opts);
	ck_assert_uint_eq(hold->guard.journal.page->dead_man_ns, 0);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	hold = lab_take(lab->top, NULL);
	ck_assert_uint_eq(hold->guard.journal.page->dead_man_ns, 0);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	/* After a release in time: we are still there when that time has come. */
	opts.dead_man_ms = 200;
	hold = lab_take(lab->top, &opts);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	poll(NULL, 0, 400);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("on_death");
	TCase *tc;

	lab_init();
	tc = lab_case(suite, "resume");
	lab_add(tc, resumed_when_the_holder_dies);
	tc = lab_case(suite, "stay");
	lab_add(tc, frozen_for_good_when_that_was_asked);
	lab_add(tc, what_was_found_frozen_below_stays_so);
	lab_add(tc, letting_go_ends_it);
	tc = lab_case(suite, "kill");
	lab_add(tc, everybody_dies_when_that_was_asked);
	lab_add(tc, they_die_in_a_cgroup_that_was_found_frozen_and_it_stays_so);
	lab_add(tc, nobody_escapes_by_forking);
	tc = lab_case(suite, "dead_man");
	lab_add(tc, a_holder_that_is_stopped_does_not_outlast_its_time);
	lab_add(tc, a_holder_that_hangs_in_the_kernel_does_not_either);
	lab_add(tc, nor_one_that_is_taking_its_hold);
	lab_add(tc, the_switch_is_off_when_it_should_be);
	return hf_suite_run(suite);
}
