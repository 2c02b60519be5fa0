/* SPDX-License-Identifier: MIT */
/*
 * guard_play - what the tests of the guard share: a holder in a process of its own, which can be killed at a
 * chosen moment, the parts of a hold that it is made of, and a target in the four ways to find it.
 */
#ifndef HF_TESTS_GUARD_PLAY_H
#define HF_TESTS_GUARD_PLAY_H

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hold_state.h"
#include "lab.h"
#include "suite.h"

/* Generous for a busy machine, and less than any wait for something that never comes. */
#define SOON_MS 2000
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
	enum hf_on_death on_death;
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

static inline struct play *new_play(const char *path)
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

static inline void say_ready(struct play *play)
{
	must(write(play->ready[1], "", 1) == 1);
}

static inline void await_go(struct play *play)
{
	char byte;

	must(read(play->go[0], &byte, 1) == 1);
}

static inline void await_ready(const struct holder *h)
{
	struct pollfd p = { h->play->ready[0], POLLIN, 0 };
	char byte;

	ck_assert_int_eq(poll(&p, 1, (int)LAB_PATIENCE_MS), 1);
	ck_assert_msg(read(h->play->ready[0], &byte, 1) == 1, "the holder has failed");
}

static inline struct holder start_holder(struct play *play, void (*act)(struct play *play))
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
static inline int reap_holder(const struct holder *h)
{
	int status;

	ck_assert_int_eq(waitpid(h->pid, &status, 0), h->pid);
	close(h->play->ready[0]);
	close(h->play->go[1]);
	munmap(h->play, sizeof(*h->play));
	return status;
}

static inline void kill_holder(const struct holder *h)
{
	kill(h->pid, SIGKILL);
	ck_assert_int_eq(WTERMSIG(reap_holder(h)), SIGKILL);
}

static inline void end_holder(const struct holder *h)
{
	int status;

	ck_assert_int_eq(write(h->play->go[1], "", 1), 1);
	status = reap_holder(h);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", status);
}

/* Its parent is dead, so it stays a zombie until the runner comes by. */
static inline void await_guards_end(pid_t guard)
{
	uint64_t begin = lab_ms();
	struct hf_nap nap = HF_NAP_INIT;
	char state;

	while ((state = lab_state(guard)) != 0 && state != 'Z')
		hf_nap(&nap, hf_deadline_in_ms(1000));
	ck_assert_uint_lt(lab_ms() - begin, SOON_MS);
}

/* ---- Parts of a hold -------------------------------------------------------------------------- */

struct parts {
	struct hf_freezer f;
	struct hf_guard g;
};

static inline void open_parts(struct parts *p, const char *path, int message_fd)
{
	struct hf_error err = HF_ERROR_INIT;

	p->f = (struct hf_freezer)HF_FREEZER_INIT;
	p->g = (struct hf_guard)HF_GUARD_INIT;
	must(hf_freezer_open(&p->f, path, &err) == 0);
	must(hf_freezer_lock(&p->f, hf_deadline_in_ms(SOON_MS)) == 0);
	must(hf_freezer_find_levels(&p->f, true, &err) == 0);
	must(hf_guard_start(&p->g, &p->f, &(struct hf_guard_options){ .message_fd = message_fd }) == 0);
}

static inline void freeze(struct parts *p)
{
	struct hf_error err = HF_ERROR_INIT;

	must(hf_freeze(&p->f, false, hf_deadline_in_ms(SOON_MS), &err) == HF_FREEZE_WHOLE);
}

/* For start_holder(): frozen it waits to be killed. */
static inline void freeze_and_wait(struct play *play)
{
	struct parts p;

	open_parts(&p, play->path, play->message_fd);
	freeze(&p);
	play->guard = p.g.pid;
	say_ready(play);
	pause();
}

static inline void close_parts(struct parts *p)
{
	must(hf_freezer_restore(&p->f) == 0);
	hf_journal_settle(p->g.journal.page);
	hf_guard_end(&p->g, &p->f);
	hf_freezer_done(&p->f);
}

/* ---- The steps of a hold ---------------------------------------------------------------------- */

/* One write of a hold: which level, and to what. */
struct step {
	size_t level;
	enum { THAW, FREEZE, FIND } to;
};

/* In order: freeze; thaw under the hold; and for the release freeze again, put back. */
static const struct step v1_steps[] __attribute__((unused)) = {
	{ 0, FREEZE }, { 1, THAW }, { 0, THAW }, { 1, FIND }, { 0, FREEZE }, { 1, FIND }, { 0, FIND },
};
static const struct step v2_steps[] __attribute__((unused)) = {
	{ 0, FREEZE }, { 0, FIND }, { 0, FREEZE }, { 0, FIND },
};

static inline int play_steps(int version)
{
	return version == 1 ? (int)COUNT_OF(v1_steps) : (int)COUNT_OF(v2_steps);
}

/* A step with death in the middle: noted and not written, or written and not noted. */
static inline void half_step(struct hf_freezer *f, struct hf_level *l, bool frozen)
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

/* Up to some step, or into the middle of it, and no further. */
static inline void perform(struct play *play)
{
	struct parts p;
	int i;

	open_parts(&p, play->path, play->message_fd);
	hf_guard_on_death(&p.g, play->on_death);
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

/* ---- What is found ---------------------------------------------------------------------------- */

/* A target with a cgroup in it, either of them found frozen or not. */
struct found {
	struct lab *lab;
	const char *a;
	struct lab_victim *in_top, *in_a;
};

static inline struct found new_found(int index)
{
	struct found t = { .lab = lab_new(index) };

	t.a = lab_cgroup(t.lab, t.lab->top, "a");
	t.in_top = lab_start(t.lab, t.lab->top, "spin", "2", NULL);
	t.in_a = lab_start(t.lab, t.a, "spin", "2", NULL);
	return t;
}

static inline void find(struct found *t, bool top, bool a)
{
	lab_freeze(t->lab, t->a, a);
	lab_freeze(t->lab, t->lab->top, top);
	t->in_top->still = top;
	t->in_a->still = top || a;
}

static inline void as_found(struct found *t)
{
	lab_untouched(t->lab);
	lab_await_frozen(t->lab, t->lab->top, t->in_top->still);
	lab_await_frozen(t->lab, t->a, t->in_a->still);
	lab_moving(t->lab);
}

#endif
