/* SPDX-License-Identifier: MIT */
/*
 * check_guard - a holder that is killed, at whatever moment, leaves the freezer as it found it; a holder that
 * hangs is freed; and the guard is never in the way of the program that it belongs to.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hold_state.h"
#include "lab.h"
#include "suite.h"
#include "sys.h"

/* Generous for a busy machine, and less than any wait for something that never comes. */
#define SOON_MS 2000
/* Long enough for the guard to see a holder stuck twice over. */
#define STUCK_TWICE_MS (3 * HF_GUARD_STUCK_MS)

/* Holders are forks of the test, where libcheck's assertions do not reach. */
#define must(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			_exit(71); \
		} \
	} while (0)

/* ---- A holder, in a process of its own ------------------------------------------------------- */

/* What the test tells its holder, and what that tells back; in shared memory. */
struct play {
	char path[LAB_PATH];
	int message_fd, other_fd;
	int stop_at;		/* after this many writes; see perform() */
	bool half;
	pid_t target;
	_Atomic pid_t guard;
	_Atomic pid_t worker;
	_Atomic int result;
	_Atomic bool thawed;
	_Atomic uint64_t ms;
	int ready[2], go[2];
};

struct holder {
	pid_t pid;
	struct play *play;
};

static struct play *new_play(const char *path)
{
	struct play *play = mmap(NULL, sizeof(*play), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert(play != MAP_FAILED);
	snprintf(play->path, sizeof(play->path), "%s", path);
	play->message_fd = play->other_fd = -1;
	ck_assert_int_eq(pipe2(play->ready, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(play->go, O_CLOEXEC), 0);
	return play;
}

static void say_ready(struct play *play)
{
	must(write(play->ready[1], "", 1) == 1);
}

static void await_go(struct play *play)
{
	char byte;

	must(read(play->go[0], &byte, 1) == 1);
}

static void await_ready(const struct holder *h)
{
	struct pollfd p = { h->play->ready[0], POLLIN, 0 };
	char byte;

	ck_assert_int_eq(poll(&p, 1, (int)LAB_PATIENCE_MS), 1);
	ck_assert_msg(read(h->play->ready[0], &byte, 1) == 1, "the holder has failed");
}

static struct holder start_holder(struct play *play, void (*act)(struct play *play))
{
	struct holder h = { fork(), play };

	ck_assert_int_ge(h.pid, 0);
	if (h.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(play->ready[0]);
		close(play->go[1]);
		act(play);
		_exit(0);
	}
	close(play->ready[1]);
	close(play->go[0]);
	return h;
}

/* Forget a holder that has ended, and return how. */
static int reap_holder(const struct holder *h)
{
	int status;

	ck_assert_int_eq(waitpid(h->pid, &status, 0), h->pid);
	close(h->play->ready[0]);
	close(h->play->go[1]);
	munmap(h->play, sizeof(*h->play));
	return status;
}

static void kill_holder(const struct holder *h)
{
	kill(h->pid, SIGKILL);
	ck_assert_int_eq(WTERMSIG(reap_holder(h)), SIGKILL);
}

static void end_holder(const struct holder *h)
{
	int status;

	ck_assert_int_eq(write(h->play->go[1], "", 1), 1);
	status = reap_holder(h);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", status);
}

/* Its parent is dead, so it stays a zombie until the runner comes by. */
static void await_guards_end(pid_t guard)
{
	uint64_t begin = lab_ms();
	struct hf_nap nap = HF_NAP_INIT;
	char state;

	while ((state = lab_state(guard)) != 0 && state != 'Z')
		hf_nap(&nap, hf_deadline_in_ms(1000));
	ck_assert_uint_lt(lab_ms() - begin, SOON_MS);
}

static void await_frozen(struct lab *lab, const char *path, bool frozen)
{
	struct hf_deadline deadline = hf_deadline_in_ms(LAB_PATIENCE_MS);
	struct hf_nap nap = HF_NAP_INIT;

	while (lab_is_frozen(lab, path) != frozen)
		ck_assert_msg(hf_nap(&nap, deadline), "%s: %sfrozen", path, frozen ? "not " : "");
}

/* ---- Parts of a hold -------------------------------------------------------------------------- */

struct parts {
	struct hf_freezer f;
	struct hf_guard g;
};

static void open_parts(struct parts *p, const char *path, int message_fd)
{
	struct hf_error err = HF_ERROR_INIT;

	p->f = (struct hf_freezer)HF_FREEZER_INIT;
	p->g = (struct hf_guard)HF_GUARD_INIT;
	must(hf_freezer_open(&p->f, path, &err) == 0);
	must(hf_freezer_lock(&p->f, hf_deadline_in_ms(SOON_MS)) == 0);
	must(hf_freezer_find_levels(&p->f, true, &err) == 0);
	must(hf_guard_start(&p->g, &p->f, message_fd) == 0);
}

static void freeze(struct parts *p)
{
	struct hf_error err = HF_ERROR_INIT;

	must(hf_freeze(&p->f, false, hf_deadline_in_ms(SOON_MS), &err) == HF_FREEZE_WHOLE);
}

static void close_parts(struct parts *p)
{
	must(hf_freezer_restore(&p->f) == 0);
	hf_guard_end(&p->g, &p->f);
	hf_freezer_done(&p->f);
}

/* ---- The holder is killed ---------------------------------------------------------------------- */

/* One write of a hold: which level, and to what. */
struct step {
	size_t level;
	enum { THAW, FREEZE, FIND } to;
};

/* In order: freeze; thaw under the hold; and for the release freeze again, put back. */
static const struct step v1_steps[] = {
	{ 0, FREEZE }, { 1, THAW }, { 0, THAW }, { 1, FIND }, { 0, FREEZE }, { 1, FIND }, { 0, FIND },
};
static const struct step v2_steps[] = {
	{ 0, FREEZE }, { 0, FIND }, { 0, FREEZE }, { 0, FIND },
};

/* A step with death in the middle: noted and not written, or written and not noted. */
static void half_step(struct hf_freezer *f, struct hf_level *l, bool frozen)
{
	if (l->self_now == frozen)
		return;
	if (frozen != l->self_found)
		*l->noted = frozen;
	else if (f->version == 2)
		must(hf_write_fd(l->fd, frozen ? "1" : "0") == 0);
	else
		must(hf_write_fd(l->fd, frozen ? "FROZEN" : "THAWED") == 0);
}

static void perform(struct play *play)
{
	struct parts p;
	int i;

	open_parts(&p, play->path, -1);
	play->guard = p.g.pid;
	for (i = 0; i < play->stop_at; i++) {
		struct step s = p.f.version == 1 ? v1_steps[i] : v2_steps[i];
		struct hf_level *l = &p.f.levels[s.level];
		bool frozen = s.to == FIND ? l->self_found : s.to == FREEZE;

		if (play->half && i == play->stop_at - 1)
			half_step(&p.f, l, frozen);
		else
			must(hf_freezer_set(&p.f, s.level, frozen) == 0);
	}
	say_ready(play);
	pause();
}

/* A target with a cgroup in it, either of them found frozen or not. */
struct found {
	struct lab *lab;
	const char *a;
	struct lab_victim *in_top, *in_a;
};

static struct found new_found(int index)
{
	struct found t = { .lab = lab_new(index) };

	t.a = lab_cgroup(t.lab, t.lab->top, "a");
	t.in_top = lab_start(t.lab, t.lab->top, "spin", "2", NULL);
	t.in_a = lab_start(t.lab, t.a, "spin", "2", NULL);
	return t;
}

static void find(struct found *t, bool top, bool a)
{
	lab_freeze(t->lab, t->a, a);
	lab_freeze(t->lab, t->lab->top, top);
	t->in_top->still = top;
	t->in_a->still = top || a;
}

static void as_found(struct found *t)
{
	lab_untouched(t->lab);
	await_frozen(t->lab, t->lab->top, t->in_top->still);
	await_frozen(t->lab, t->a, t->in_a->still);
	lab_moving(t->lab);
}

START_TEST(killed_after_each_write_and_in_the_middle_of_it)
{
	struct found t = new_found(_i);
	int n_steps = t.lab->version == 1 ? (int)COUNT_OF(v1_steps) : (int)COUNT_OF(v2_steps);

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

/* A worker: forked by the holder's program while it holds, never exec'd.  Ends with the test. */
static pid_t start_worker(struct play *play)
{
	pid_t pid = fork();

	must(pid >= 0);
	if (pid == 0) {
		await_go(play);
		_exit(0);
	}
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
	lab_cycle(lab, lab->top);
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

static void freeze_and_wait(struct play *play)
{
	struct parts p;

	open_parts(&p, play->path, play->message_fd);
	freeze(&p);
	play->guard = p.g.pid;
	say_ready(play);
	pause();
}

START_TEST(nobody_comes_before_the_freezer_is_put_back)
{
	struct lab *lab = lab_new(_i);
	const char *a = lab_cgroup(lab, lab->top, "a");
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct lab_victim *v = lab_start(lab, a, "spin", "2", NULL);
	struct lab_attempt attempt;
	struct holder h;
	pid_t guard;

	lab_start(lab, lab->top, "spin", "2", NULL);
	opts.timeout_ms = 100;
	h = start_holder(new_play(a), freeze_and_wait);
	await_ready(&h);
	guard = h.play->guard;
	kill(guard, SIGSTOP);
	lab_await_state(guard, 'T');
	kill_holder(&h);
	lab_victim_still(lab, v, 10);
	lab_attempt(a, &opts, NULL, NULL, &attempt);
	ck_assert_int_eq(attempt.r, -EBUSY);
	/* Nor with the ancestors. */
	lab_attempt(lab->top, &opts, NULL, NULL, &attempt);
	ck_assert_int_eq(attempt.r, -EBUSY);
	kill(guard, SIGCONT);
	await_guards_end(guard);
	lab_as_before(lab);
	lab_cycle(lab, lab->top);
	lab_done(lab);
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
		sigpending(&pending);
		ck_assert(!sigismember(&pending, SIGCHLD));
	}
	lab_done(lab);
}
END_TEST

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
			await_frozen(lab, lab->top, false);
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
		await_frozen(t.lab, t.a, false);
		await_frozen(t.lab, t.lab->top, false);
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
	lab_add(tc, nobody_comes_before_the_freezer_is_put_back);
	lab_add(tc, it_says_what_it_has_done);
	lab_add(tc, nobody_waits_until_its_words_are_read);
	lab_add(tc, a_hold_survives_its_guard);
	lab_add(tc, the_program_is_told_nothing_of_its_guard);
	tc = lab_case(suite, "stuck");
	lab_add(tc, a_stuck_holder_is_freed_on_v1_alone);
	lab_add(tc, a_busy_holder_is_not_thawed_under);
	lab_add(tc, what_the_user_froze_on_v2_is_not_thawed);
	lab_add(tc, killed_after_the_guard_has_thawed);
	lab_add(tc, a_seize_that_hangs_comes_back);
	lab_add(tc, a_guard_that_does_not_finish_is_done_without);
	return hf_suite_run(suite);
}
