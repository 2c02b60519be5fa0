/* SPDX-License-Identifier: MIT */
/*
 * check_guard - a holder that is killed, at whatever moment, leaves the freezer as it found it; and the guard is
 * never in the way of the program that it belongs to.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "guard_play.h"

/* ---- The holder is killed ---------------------------------------------------------------------- */

START_TEST(killed_after_each_write_and_in_the_middle_of_it)
{
	struct found t = new_found(_i);
	int n_steps = play_steps(t.lab->version);

	for (int found = 0; found < 4; found++) {
		find(&t, found & 1, found & 2);
		for (int i = 0; i < 2 * n_steps + 1; i++) {
			struct play *play = new_play(t.lab->top);
			struct holder h;
			pid_t guard;

			play->stop_at = (i + 1) / 2;
			play->half = i % 2;
			h = start_holder(play, perform);
			await_ready(&h);
			guard = play->guard;
			kill_holder(&h);
			await_guards_end(guard);
			as_found(&t);
		}
	}
	lab_done(t.lab);
}
END_TEST

static void take_and_release(struct play *play)
{
	hf_hold *hold = NULL;

	say_ready(play);
	must(hf_hold_cgroup(play->path, NULL, &hold, NULL) == 0);
	must(hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, NULL) == 0);
	pause();
}

START_TEST(killed_at_any_moment_of_a_real_hold)
{
	struct found t = new_found(_i);

	for (int round = 0; round < 48; round++) {
		struct holder h;
		uint64_t at;

		find(&t, round & 1, round & 2);
		h = start_holder(new_play(t.lab->top), take_and_release);
		await_ready(&h);
		at = hf_clock_ns() + (uint64_t)round * 100000;
		while (hf_clock_ns() < at)
			;
		kill_holder(&h);
		lab_await_settings(t.lab);
		as_found(&t);
	}
	lab_done(t.lab);
}
END_TEST

static void take_and_wait(struct play *play)
{
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	hf_hold *hold = NULL;

	opts.guard_message_fd = play->message_fd;
	must(hf_hold_cgroup(play->path, &opts, &hold, NULL) == 0);
	play->guard = hold->guard.pid;
	say_ready(play);
	pause();
}

START_TEST(killed_while_holding_and_nothing_moves_that_was_frozen)
{
	struct found t = new_found(_i);

	for (int found = 0; found < 4; found++) {
		struct holder h;
		pid_t guard;

		find(&t, found & 1, found & 2);
		h = start_holder(new_play(t.lab->top), take_and_wait);
		await_ready(&h);
		lab_still(t.lab, 10);
		guard = h.play->guard;
		kill_holder(&h);
		await_guards_end(guard);
		as_found(&t);
	}
	lab_done(t.lab);
}
END_TEST

static int try_lock(const char *path)
{
	struct hf_freezer f = HF_FREEZER_INIT;
	int r;

	ck_assert_int_eq(hf_freezer_open(&f, path, NULL), 0);
	r = hf_freezer_lock(&f, hf_deadline_in_ms(20));
	hf_freezer_done(&f);
	return r;
}

/* A worker: forked by the holder's program while it holds, never exec'd.  Ends with the test. */
static pid_t start_worker(struct play *play)
{
	pid_t pid = fork();
	char byte;

	must(pid >= 0);
	if (pid == 0)
		_exit((int)read(play->go[0], &byte, 1));
	return pid;
}

static void freeze_with_worker(struct play *play)
{
	struct parts p;

	open_parts(&p, play->path, -1);
	freeze(&p);
	play->guard = p.g.pid;
	play->worker = start_worker(play);
	say_ready(play);
	pause();
}

START_TEST(a_child_of_the_holder_does_not_delay_it)
{
	struct lab *lab = lab_new(_i);
	struct holder h;
	pid_t guard, worker;

	lab_start(lab, lab->top, "spin", "2", NULL);
	h = start_holder(new_play(lab->top), freeze_with_worker);
	await_ready(&h);
	guard = h.play->guard;
	worker = h.play->worker;
	kill(h.pid, SIGKILL);
	await_guards_end(guard);
	lab_as_before(lab);
	ck_assert_int_ne(lab_state(worker), 0);
	ck_assert_int_ne(lab_state(worker), 'Z');
	/* Nor does it keep the locks. */
	ck_assert_int_eq(try_lock(lab->top), 0);
	reap_holder(&h);
	lab_done(lab);
}
END_TEST

START_TEST(a_child_of_the_holder_does_not_delay_the_end)
{
	struct lab *lab = lab_new(_i);
	struct play *play = new_play(lab->top);
	uint64_t best = UINT64_MAX;

	for (int round = 0; round < 3; round++) {
		struct parts p;
		pid_t worker;
		uint64_t begin;

		open_parts(&p, lab->top, -1);
		worker = start_worker(play);
		begin = lab_ms();
		hf_guard_end(&p.g, &p.f);
		if (lab_ms() - begin < best)
			best = lab_ms() - begin;
		kill(worker, SIGKILL);
		waitpid(worker, NULL, 0);
		close_parts(&p);
	}
	ck_assert_uint_lt(best, 100);
	lab_done(lab);
}
END_TEST

/* ---- Without what newer kernels have ----------------------------------------------------------- */

#if defined(__x86_64__)
#define AUDIT_ARCH_OURS AUDIT_ARCH_X86_64
#else
#define AUDIT_ARCH_OURS AUDIT_ARCH_AARCH64
#endif

/* From now on two system calls fail in this process and its children. */
static void forbid(unsigned int one, unsigned int other, unsigned int with)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_OURS, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, one, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, other, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | with),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { COUNT_OF(code), code };

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
	must(syscall(one, ~0u, ~0u, 0) < 0 && errno == (int)with);
}

static void freeze_with_little(struct play *play)
{
	static const struct {
		unsigned int other, with;
	} cases[] = {
		{ SYS_close_range, ENOSYS }, { SYS_close_range, EPERM }, { SYS_pidfd_open, ENOSYS },
	};
	struct parts p;

	/* Far away from all others. */
	must(dup3(play->other_fd, 900, O_CLOEXEC) == 900);
	close(play->other_fd);
	forbid(SYS_close_range, cases[play->stop_at].other, cases[play->stop_at].with);
	open_parts(&p, play->path, -1);
	close(900);
	freeze(&p);
	play->guard = p.g.pid;
	say_ready(play);
	pause();
}

START_TEST(killed_without_close_range_and_pidfd_open)
{
	struct lab *lab = lab_new(_i);

	lab_start(lab, lab->top, "spin", "2", NULL);
	for (int i = 0; i < 3; i++) {
		struct play *play = new_play(lab->top);
		struct pollfd p = { .events = POLLIN };
		struct holder h;
		int ends[2];
		pid_t guard;

		ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
		play->other_fd = ends[1];
		play->stop_at = i;
		h = start_holder(play, freeze_with_little);
		close(ends[1]);
		await_ready(&h);
		/* The guard has closed what is not its own, or this pipe would not end. */
		p.fd = ends[0];
		ck_assert_int_eq(poll(&p, 1, SOON_MS), 1);
		ck_assert_int_eq(p.revents, POLLHUP);
		close(ends[0]);
		guard = play->guard;
		kill_holder(&h);
		await_guards_end(guard);
		lab_as_before(lab);
	}
	lab_done(lab);
}
END_TEST

/* ---- Locks and messages --------------------------------------------------------------------------- */

START_TEST(the_locks_stay_until_the_freezer_is_put_back)
{
	struct lab *lab = lab_new(_i);
	const char *a = lab_cgroup(lab, lab->top, "a");
	struct lab_victim *v = lab_start(lab, a, "spin", "2", NULL);
	struct holder h;
	int in_a, in_top;
	pid_t guard;

	lab_start(lab, lab->top, "spin", "2", NULL);
	h = start_holder(new_play(a), freeze_and_wait);
	await_ready(&h);
	guard = h.play->guard;
	kill(guard, SIGSTOP);
	lab_await_state(guard, 'T');
	kill_holder(&h);
	lab_victim_still(lab, v, 10);
	in_a = try_lock(a);
	in_top = try_lock(lab->top);
	kill(guard, SIGCONT);
	ck_assert_int_eq(in_a, -ETIMEDOUT);
	ck_assert_int_eq(in_top, -ETIMEDOUT);
	await_guards_end(guard);
	ck_assert_int_eq(try_lock(a), 0);
	ck_assert_int_eq(try_lock(lab->top), 0);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* A change away from what was found is noted first, one back to it last: whoever is killed in between has told. */
START_TEST(what_the_guard_writes_is_noted_in_order)
{
	struct found t = new_found(_i);
	struct hf_journal_level *l;
	struct parts p;
	char link[64];
	int fd;

	find(&t, false, false);
	open_parts(&p, t.lab->top, -1);
	l = &p.g.journal.page->levels[0];
	ck_assert_int_eq(hf_journal_set(p.g.journal.page, 0, true), 0);
	ck_assert(l->now && lab_own_bit(t.lab, t.lab->top));
	/* What cannot be written is as it was, and the journal says so. */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", l->fd);
	fd = l->fd;
	l->fd = open(link, O_RDONLY | O_CLOEXEC);
	ck_assert_int_lt(hf_journal_set(p.g.journal.page, 0, false), 0);
	ck_assert(l->now);
	close(l->fd);
	l->fd = fd;
	ck_assert_int_eq(hf_journal_set(p.g.journal.page, 0, false), 0);
	ck_assert(!l->now && !lab_own_bit(t.lab, t.lab->top));
	close_parts(&p);
	lab_as_before(t.lab);
	lab_done(t.lab);
}
END_TEST

START_TEST(it_says_what_it_has_done)
{
	struct lab *lab = lab_new(_i);
	struct play *play = new_play(lab->top);
	char text[256] = "";
	struct holder h;
	pid_t guard;
	int ends[2];

	lab_start(lab, lab->top, "spin", "2", NULL);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	play->message_fd = ends[1];
	h = start_holder(play, freeze_and_wait);
	await_ready(&h);
	guard = play->guard;
	kill_holder(&h);
	await_guards_end(guard);
	ck_assert_int_gt(read(ends[0], text, sizeof(text) - 1), 0);
	ck_assert_ptr_nonnull(strstr(text, "holder died"));
	lab_as_before(lab);
	close(ends[0]);
	close(ends[1]);
	lab_done(lab);
}
END_TEST

START_TEST(nobody_waits_until_its_words_are_read)
{
	struct lab *lab = lab_new(_i);
	struct play *play = new_play(lab->top);
	struct holder h;
	pid_t guard;
	int ends[2];

	lab_start(lab, lab->top, "spin", "2", NULL);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	/* Full, and blocking: it is the guard's own care not to wait for ever. */
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	while (write(ends[1], "", 1) > 0)
		;
	fcntl(ends[1], F_SETFL, 0);
	play->message_fd = ends[1];
	h = start_holder(play, freeze_and_wait);
	await_ready(&h);
	guard = play->guard;
	kill_holder(&h);
	lab_cycle(lab, lab->top);
	await_guards_end(guard);
	lab_as_before(lab);
	close(ends[0]);
	close(ends[1]);
	lab_done(lab);
}
END_TEST

/* ---- Something happens to the guard -------------------------------------------------------------- */

START_TEST(a_hold_survives_its_guard)
{
	static const int signals[] = { SIGKILL, SIGSTOP, SIGTERM };
	struct lab *lab = lab_new(_i);

	lab_start(lab, lab->top, "spin", "2", NULL);
	for (size_t i = 0; i < COUNT_OF(signals); i++) {
		hf_hold *hold = lab_take(lab->top, NULL);
		pid_t guard = hold->guard.pid;
		uint64_t begin;

		kill(guard, signals[i]);
		if (signals[i] != SIGTERM)
			lab_await_state(guard, signals[i] == SIGKILL ? 'Z' : 'T');
		lab_still(lab, 10);
		begin = lab_ms();
		lab_let_go(hold, HF_RELEASE_AS_FOUND);
		ck_assert_uint_lt(lab_ms() - begin, SOON_MS);
		ck_assert_int_eq(lab_state(guard), 0);
		lab_as_before(lab);
	}
	lab_done(lab);
}
END_TEST

/* No threads are held here: those do cause SIGCHLD. */
START_TEST(the_program_is_told_nothing_of_its_guard)
{
	static const int signals[] = { 0, SIGKILL, SIGSTOP };
	struct lab *lab = lab_new(_i);
	sigset_t chld, pending;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	for (size_t i = 0; i < COUNT_OF(signals); i++) {
		struct parts p;
		pid_t guard;

		open_parts(&p, lab->top, -1);
		guard = p.g.pid;
		kill(guard, signals[i]);
		if (signals[i])
			lab_await_state(guard, signals[i] == SIGKILL ? 'Z' : 'T');
		/* The warden is a child of ours, too, and lives. */
		ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), 0);
		close_parts(&p);
		ck_assert_int_eq(lab_state(guard), 0);
		ck_assert_int_eq(waitpid(-1, NULL, WNOHANG | __WALL), 0);
		/* A stop is told to every parent, whatever it has asked for (kernel/signal.c). */
		sigpending(&pending);
		ck_assert(signals[i] == SIGSTOP || !sigismember(&pending, SIGCHLD));
	}
	lab_done(lab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guard");
	TCase *tc;

	lab_init();
	tc = lab_case(suite, "killed");
	lab_add(tc, killed_after_each_write_and_in_the_middle_of_it);
	lab_add(tc, killed_at_any_moment_of_a_real_hold);
	lab_add(tc, killed_while_holding_and_nothing_moves_that_was_frozen);
	lab_add(tc, killed_without_close_range_and_pidfd_open);
	tc = lab_case(suite, "manners");
	lab_add(tc, a_child_of_the_holder_does_not_delay_it);
	lab_add(tc, a_child_of_the_holder_does_not_delay_the_end);
	lab_add(tc, the_locks_stay_until_the_freezer_is_put_back);
	lab_add(tc, what_the_guard_writes_is_noted_in_order);
	lab_add(tc, it_says_what_it_has_done);
	lab_add(tc, nobody_waits_until_its_words_are_read);
	lab_add(tc, a_hold_survives_its_guard);
	lab_add(tc, the_program_is_told_nothing_of_its_guard);
	return hf_suite_run(suite);
}
