/* SPDX-License-Identifier: MIT */
/*
 * kernel - what is asked of /proc after the release: how threads were found and what they are called, where the hold does
 * not know, and in which kernel function each waits.  While it is held that cannot be asked, for it has left its wait for
 * our trap.  After the release it goes back to where it was; when /proc/TID/syscall shows the same system call, or none,
 * with the same stack and instruction pointer, its state and the kernel function (wchan) are those of the wait we
 * interrupted.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "io.h"
#include "kinds.h"
#include "own.h"
#include "procfs.h"
#include "stacks.h"

static ssize_t read_file(int dirfd, pid_t tid, const char *file, char *text, size_t cap)
{
	char name[64];

	snprintf(name, sizeof(name), "%d/%s", (int)tid, file);
	return hf_read_small_at(dirfd, name, text, cap);
}

/* Where a thread is that was stopped, and let go. */
enum place { RUNS, WAITS_AS_BEFORE, WAITS_ELSEWHERE };

static enum place place_of(int dirfd, const struct hf_copied_thread *t)
{
	struct hf_syscall now;
	char text[256];
	ssize_t len = read_file(dirfd, t->is.tid, "syscall", text, sizeof(text));

	if (len <= 0 || hf_syscall_parse(text, (size_t)len, &now) < 0)
		return WAITS_ELSEWHERE;
	if (now.running)
		return RUNS;
	/* A sleep for a time goes on as restart_syscall(2). */
	return (now.nr == t->is.syscall || (t->is.syscall >= 0 && now.nr == SYS_restart_syscall)) &&
		       now.sp == t->regs.r[HF_REG_SP] &&
		       (now.pc == t->regs.r[HF_REG_IP] || now.pc == t->regs.r[HF_REG_IP] + HF_CALL_BACK) ?
		       WAITS_AS_BEFORE :
		       WAITS_ELSEWHERE;
}

static void ask_for_call(int dirfd, struct hf_copied_thread *t)
{
	struct hf_syscall now;
	char text[256];
	ssize_t len = read_file(dirfd, t->is.tid, "syscall", text, sizeof(text));

	if (len > 0 && hf_syscall_parse(text, (size_t)len, &now) == 0 && !now.running)
		t->is.syscall = now.nr;
}

/* An empty name is one, too. */
static void ask_name(struct hf_stacks *s, int dirfd, struct hf_copied_thread *t)
{
	char text[HF_WCHAN_MAX];
	ssize_t len = read_file(dirfd, t->is.tid, "comm", text, sizeof(text));

	if (len > 0 && text[len - 1] == '\n')
		t->is.comm = hf_arena_copy(&s->arena, text, (size_t)len - 1);
}

/*
 * Of a hold that stands, or who is frozen, the wait is not to be seen: it waits for the tracer, or the thaw, now.  And a
 * nanosleep(2) that goes on shows what had made its call, and no function of its own.
 */
static bool is_wait(const char *wchan)
{
	static const char *const none[] = {
		"0", "ptrace_stop", "get_signal", "do_freezer_trap", "do_syscall_64", "invoke_syscall", "el0_svc",
	};
	size_t i;

	for (i = 0; i < sizeof(none) / sizeof(*none); i++)
		if (strncmp(wchan, none[i], strlen(none[i])) == 0)
			return false;
	return true;
}

static void ask(struct hf_stacks *s, int dirfd, struct hf_copied_thread *t)
{
	char text[HF_WCHAN_MAX];
	ssize_t len;

	if (!t->is.comm)
		ask_name(s, dirfd, t);
	/* One that is only armed has never left its wait, and its call could not be read from its registers. */
	if (t->is.state == HF_THREAD_ARMED)
		ask_for_call(dirfd, t);
	else if (!t->has_regs || place_of(dirfd, t) != WAITS_AS_BEFORE)
		return;
	len = read_file(dirfd, t->is.tid, "wchan", text, sizeof(text));
	if (len > 0 && is_wait(text))
		t->is.wchan = hf_arena_copy(&s->arena, text, (size_t)len);
}

/* The directory of a process's threads, which are asked one after the other. */
struct tasks_dir {
	pid_t pid;
	int fd;
};

static int dir_of(struct tasks_dir *dir, pid_t pid)
{
	char path[64];

	if (pid == dir->pid)
		return dir->fd;
	hf_own_close(&dir->fd);
	dir->pid = pid;
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return dir->fd;
}

/* ---- Slept or ran ---------------------------------------------------------------------------------------- */

/* Right after the release not everybody has had a processor, to go back to his wait. */
#define SETTLED_MS 100

struct unsettled {
	struct hf_copied_thread *t;
	uint64_t turns;		/* when it was asked first */
	bool ran;		/* since then */
};

/*
 * Of who was not proven to have slept by his registers those had who wait again where they were: in a page fault, or in a
 * call that had told how far it came.  Who is elsewhere, or had a processor and runs on, ran.  False: not yet to be told.
 */
static bool settle(struct unsettled *u, int dirfd)
{
	struct hf_copied_thread *t = u->t;
	enum place place = RUNS;
	uint64_t turns;
	char letter;

	if (t->has_regs)
		place = place_of(dirfd, t);
	else if (hf_thread_state(t->is.pid, t->is.tid, &letter) == 0 && letter != 'R')
		place = WAITS_AS_BEFORE;
	if (place == RUNS && !u->ran && hf_thread_turns(t->is.pid, t->is.tid, &turns) == 0) {
		u->ran = u->turns && turns != u->turns;
		u->turns = turns;
		return false;
	}
	t->is.found = 'R';
	/* Of a hold that stands all are in a trap. */
	if (place == WAITS_AS_BEFORE && hf_thread_state(t->is.pid, t->is.tid, &letter) == 0 && strchr("SDI", letter))
		t->is.found = letter;
	return true;
}

/* Before kinds are made: they differ by it. */
static int settle_all(struct hf_stacks *s, struct tasks_dir *dir)
{
	struct hf_deadline deadline = hf_deadline_in_ms(SETTLED_MS);
	struct hf_nap nap = HF_NAP_INIT;
	hf_owned struct unsettled *all = calloc(s->n_threads + 1, sizeof(*all));
	size_t i, n = 0, left;

	if (!all)
		return -ENOMEM;
	for (i = 0; i < s->n_threads; i++)
		if (s->threads[i].is.found == '?' && s->threads[i].is.state == HF_THREAD_HELD)
			all[n++].t = &s->threads[i];
	do {
		for (i = left = 0; i < n; i++)
			if (!settle(&all[i], dir_of(dir, all[i].t->is.pid)))
				all[left++] = all[i];
		n = left;
	} while (n > 0 && hf_nap(&nap, deadline));
	while (n > 0)
		all[--n].t->is.found = 'R';
	return 0;
}

/* ---- All ------------------------------------------------------------------------------------------------- */

/* Threads of one kind nearly always wait in the same place: a few are asked, unless each is to be. */
#define ASKED_MAX 16

static void ask_kind(struct hf_stacks *s, const struct hf_kind *kind, struct tasks_dir *dir)
{
	const bool each = s->opts.each_wchan || kind->threads[0]->is.state == HF_THREAD_ARMED;
	size_t i;

	for (i = 0; i < kind->n && (i < ASKED_MAX || each); i++)
		if (dir_of(dir, kind->threads[i]->is.pid) >= 0)
			ask(s, dir->fd, &s->threads[kind->threads[i] - s->threads]);
}

int hf_stacks_ask_kernel(struct hf_stacks *s)
{
	struct tasks_dir dir = { .fd = -1 };
	struct hf_kinds kinds;
	size_t i;
	int r;

	r = settle_all(s, &dir);
	if (r == 0)
		r = hf_kinds_find(&kinds, s, HF_KINDS_OF_STACKS);
	for (i = 0; r == 0 && i < kinds.n; i++)
		ask_kind(s, &kinds.all[i], &dir);
	hf_own_close(&dir.fd);
	if (r < 0)
		return r;
	hf_kinds_done(&kinds);
	for (i = 0; i < s->n_threads; i++)
		if (!s->threads[i].is.comm)
			s->threads[i].is.comm = s->threads[i].is.process;
	return 0;
}
