/* SPDX-License-Identifier: MIT */
/*
 * check_guard_stuck - a holder that hangs in PTRACE_SEIZE is freed by its guard, and only such a one.
 */
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "guard_play.h"
#include "sys.h"

/* Long enough for the guard to see a holder stuck twice over. */
#define STUCK_TWICE_MS (3 * HF_GUARD_STUCK_MS)

/* ---- A holder that hangs --------------------------------------------------------------------------- */

START_TEST(a_stuck_holder_is_freed_on_v1_alone)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "2", NULL);
	struct parts p;
	uint64_t begin;

	open_parts(&p, lab->top, -1);
	for (int round = 0; round < 2; round++) {
		freeze(&p);
		hf_guard_watch(&p.g, true);
		begin = lab_ms();
		hf_guard_enter(&p.g);
		if (lab->version == 1) {
			lab_await_frozen(lab, lab->top, false);
			ck_assert_uint_ge(lab_ms() - begin, HF_GUARD_STUCK_MS - 1);
			ck_assert_uint_lt(lab_ms() - begin, SOON_MS);
		} else {
			lab_still(lab, STUCK_TWICE_MS);
		}
		ck_assert_int_eq(hf_guard_leave(&p.g, &p.f), lab->version == 1);
		ck_assert_int_eq(p.f.levels[0].self_now, lab->version == 2);
		/* What is frozen from now on stays so, though we are still watched. */
		freeze(&p);
		lab_still(lab, STUCK_TWICE_MS);
		hf_guard_watch(&p.g, false);
		hf_guard_enter(&p.g);
		lab_victim_still(lab, v, STUCK_TWICE_MS);
		ck_assert(!hf_guard_leave(&p.g, &p.f));
		ck_assert(lab_is_frozen(lab, lab->top));
		must(hf_freezer_restore(&p.f) == 0);
		lab_as_before(lab);
	}
	close_parts(&p);
	lab_done(lab);
}
END_TEST

START_TEST(a_busy_holder_is_not_thawed_under)
{
	struct lab *lab = lab_new(_i);
	uint64_t turns = 0, end;
	struct parts p;

	lab_start(lab, lab->top, "spin", "2", NULL);
	open_parts(&p, lab->top, -1);
	freeze(&p);
	hf_guard_watch(&p.g, true);
	for (end = lab_ms() + 2 * STUCK_TWICE_MS; lab_ms() < end; turns++) {
		hf_guard_enter(&p.g);
		ck_assert(!hf_guard_leave(&p.g, &p.f));
	}
	hf_guard_watch(&p.g, false);
	ck_assert_uint_gt(turns, 1000);
	ck_assert(lab_is_frozen(lab, lab->top));
	close_parts(&p);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* Whoever was found frozen shall not run while it helps to thaw what the holder has frozen. */
START_TEST(what_was_found_frozen_is_thawed_last)
{
	struct found t = new_found(_i);
	bool seen = false;
	struct parts p;

	/* The guard waits in between; but on a busy machine we may miss it. */
	for (int round = 0; t.lab->version == 1 && !seen && round < 20; round++) {
		find(&t, false, true);
		open_parts(&p, t.lab->top, -1);
		freeze(&p);
		hf_guard_watch(&p.g, true);
		hf_guard_enter(&p.g);
		lab_await_frozen(t.lab, t.lab->top, false);
		seen = lab_own_bit(t.lab, t.a);
		/* In the end it comes, too: the holder may hang for somebody in there. */
		lab_await_frozen(t.lab, t.a, false);
		ck_assert(hf_guard_leave(&p.g, &p.f));
		ck_assert(!p.f.levels[0].self_now && !p.f.levels[1].self_now);
		hf_guard_watch(&p.g, false);
		close_parts(&p);
		as_found(&t);
	}
	ck_assert(seen || t.lab->version == 2);
	lab_done(t.lab);
}
END_TEST

START_TEST(what_the_user_froze_on_v2_is_not_thawed)
{
	struct found t = new_found(_i);
	struct parts p;

	if (t.lab->version == 2) {
		find(&t, true, true);
		open_parts(&p, t.lab->top, -1);
		freeze(&p);
		hf_guard_watch(&p.g, true);
		hf_guard_enter(&p.g);
		lab_still(t.lab, STUCK_TWICE_MS);
		lab_untouched(t.lab);
		ck_assert(!hf_guard_leave(&p.g, &p.f));
		close_parts(&p);
		as_found(&t);
	}
	lab_done(t.lab);
}
END_TEST

static void freeze_and_hang(struct play *play)
{
	struct parts p;

	open_parts(&p, play->path, -1);
	freeze(&p);
	play->guard = p.g.pid;
	hf_guard_watch(&p.g, true);
	hf_guard_enter(&p.g);
	say_ready(play);
	pause();
}

START_TEST(killed_after_the_guard_has_thawed)
{
	struct found t = new_found(_i);

	for (int found = 0; t.lab->version == 1 && found < 4; found++) {
		struct holder h;
		pid_t guard;

		find(&t, found & 1, found & 2);
		h = start_holder(new_play(t.lab->top), freeze_and_hang);
		await_ready(&h);
		lab_await_frozen(t.lab, t.a, false);
		lab_await_frozen(t.lab, t.lab->top, false);
		guard = h.play->guard;
		kill_holder(&h);
		await_guards_end(guard);
		as_found(&t);
	}
	lab_done(t.lab);
}
END_TEST

/* The call itself: a thread that was group-stopped when the freezer came. */
static void seize_stopped(struct play *play)
{
	struct parts p;
	uint64_t begin;

	open_parts(&p, play->path, -1);
	freeze(&p);
	hf_guard_watch(&p.g, true);
	hf_guard_enter(&p.g);
	begin = lab_ms();
	play->result = hf_sys_seize(play->target, 0);
	play->ms = lab_ms() - begin;
	play->thawed = hf_guard_leave(&p.g, &p.f);
	hf_guard_watch(&p.g, false);
	say_ready(play);
	await_go(play);
	close_parts(&p);
}

START_TEST(a_seize_that_hangs_comes_back)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "1", NULL);
	struct play *play = new_play(lab->top);
	struct holder h;

	lab_start(lab, lab->top, "spin", "2", NULL);
	lab_stop(lab, v, SIGSTOP);
	play->target = v->pid;
	h = start_holder(play, seize_stopped);
	await_ready(&h);
	ck_assert_int_eq(play->result, 0);
	ck_assert_int_eq(play->thawed, lab->version == 1);
	ck_assert_int_eq(lab_is_frozen(lab, lab->top), lab->version == 2);
	ck_assert_uint_lt(play->ms, SOON_MS);
	end_holder(&h);
	lab_as_before(lab);
	lab_await_state(v->pid, 'T');
	lab_done(lab);
}
END_TEST

/* ---- Something happens to the guard while it thaws ---------------------------------------------------- */

static void hang_and_leave(struct play *play)
{
	struct parts p;

	open_parts(&p, play->path, -1);
	freeze(&p);
	play->guard = p.g.pid;
	say_ready(play);
	await_go(play);
	hf_guard_watch(&p.g, true);
	hf_guard_enter(&p.g);
	await_go(play);
	play->thawed = hf_guard_leave(&p.g, &p.f);
	play->result = p.g.pid;
	say_ready(play);
	await_go(play);
	freeze(&p);
	close_parts(&p);
}

/* Let a traced process run until it is about to write. */
static void run_until_pwrite(pid_t pid)
{
	struct __ptrace_syscall_info info = { 0 };
	int status;

	ck_assert_int_eq(waitpid(pid, &status, __WALL), pid);
	do {
		ck_assert_int_eq(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		ck_assert_int_eq(waitpid(pid, &status, __WALL), pid);
		ck_assert(WIFSTOPPED(status));
		ck_assert_int_gt(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info), 0);
	} while (info.op != PTRACE_SYSCALL_INFO_ENTRY || info.entry.nr != SYS_pwrite64);
}

START_TEST(a_guard_that_does_not_finish_is_done_without)
{
	struct found t = new_found(_i);
	struct holder h;
	pid_t guard;
	int status;

	if (t.lab->version == 2) {
		lab_done(t.lab);
		return;
	}
	find(&t, false, true);
	h = start_holder(new_play(t.lab->top), hang_and_leave);
	await_ready(&h);
	guard = h.play->guard;
	ck_assert_int_eq(ptrace(PTRACE_SEIZE, guard, NULL, PTRACE_O_TRACESYSGOOD), 0);
	ck_assert_int_eq(ptrace(PTRACE_INTERRUPT, guard, NULL, NULL), 0);
	ck_assert_int_eq(write(h.play->go[1], "", 1), 1);
	run_until_pwrite(guard);
	ck_assert_int_eq(write(h.play->go[1], "", 1), 1);
	/* The tracer hears of its death first. */
	ck_assert_int_eq(waitpid(guard, &status, __WALL), guard);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	await_ready(&h);
	ck_assert(h.play->thawed);
	ck_assert_int_eq(h.play->result, 0);
	ck_assert(!lab_own_bit(t.lab, t.lab->top));
	ck_assert(!lab_own_bit(t.lab, t.a));
	end_holder(&h);
	as_found(&t);
	lab_done(t.lab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guard_stuck");
	TCase *tc;

	lab_init();
	tc = lab_case(suite, "stuck");
	lab_add(tc, a_stuck_holder_is_freed_on_v1_alone);
	lab_add(tc, a_busy_holder_is_not_thawed_under);
	lab_add(tc, what_was_found_frozen_is_thawed_last);
	lab_add(tc, what_the_user_froze_on_v2_is_not_thawed);
	lab_add(tc, killed_after_the_guard_has_thawed);
	lab_add(tc, a_seize_that_hangs_comes_back);
	lab_add(tc, a_guard_that_does_not_finish_is_done_without);
	return hf_suite_run(suite);
}
