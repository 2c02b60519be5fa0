/* SPDX-License-Identifier: MIT */
/*
 * kernel - what is asked of /proc after the release: how threads were found and what they are called, where the hold does
 * not know, and in which kernel function each waits.  While it is held that cannot be asked, for it has left its wait for
 * our trap.  After the release it goes back to where it was; when /proc/TID/syscall shows the same system call, or none,
 * with the same stack and instruction pointer, its state and the kernel function (wchan) are those of the wait we
 * interrupted.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

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

static bool waits_as_before(int dirfd, const struct hf_copied_thread *t)
{
	struct hf_syscall now;
	char text[256];
	ssize_t len = read_file(dirfd, t->is.tid, "syscall", text, sizeof(text));

	if (len <= 0 || hf_syscall_parse(text, (size_t)len, &now) < 0 || now.running)
		return false;
	/* A sleep for a time goes on as restart_syscall(2). */
	return (now.nr == t->is.syscall || (t->is.syscall >= 0 && now.nr == SYS_restart_syscall)) &&
	       now.sp == t->regs.r[HF_REG_SP] &&
	       (now.pc == t->regs.r[HF_REG_IP] || now.pc == t->regs.r[HF_REG_IP] + HF_CALL_BACK);
}

static void ask_for_call(int dirfd, struct hf_copied_thread *t)
{
	struct hf_syscall now;
	char text[256];
	ssize_t len = read_file(dirfd, t->is.tid, "syscall", text, sizeof(text));

	if (len > 0 && hf_syscall_parse(text, (size_t)len, &now) == 0 && !now.running)
		t->is.syscall = now.nr;
}

/*
 * Who was woken out of a call that is to be made again slept, as its registers have shown.  Of the others those wait that
 * do so again: in a page fault, or in a call that has told what it had done by then; all who are elsewhere by now ran when
 * the stop came.
 */
static char ask_state(int dirfd, const struct hf_copied_thread *t)
{
	char letter;

	if (t->has_regs && !waits_as_before(dirfd, t))
		return 'R';
	/* Of a hold that stands all are in a trap. */
	return hf_thread_state(t->is.pid, t->is.tid, &letter) < 0 || !strchr("SDI", letter) ? 'R' : letter;
}

/* An empty name is one, too. */
static void ask_name(struct hf_stacks *s, int dirfd, struct hf_copied_thread *t)
{
	char text[HF_WCHAN_MAX];
	ssize_t len = read_file(dirfd, t->is.tid, "comm", text, sizeof(text));

	if (len > 0 && text[len - 1] == '\n')
		t->is.comm = hf_arena_copy(&s->arena, text, (size_t)len - 1);
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
	else if (!t->has_regs || !waits_as_before(dirfd, t))
		return;
	len = read_file(dirfd, t->is.tid, "wchan", text, sizeof(text));
	/* Of a hold that stands, or who is frozen, the wait is not to be seen: it waits for the tracer, or the thaw, now. */
	if (len > 0 && text[0] != '0' && strncmp(text, "ptrace_stop", 11) != 0 && strncmp(text, "get_signal", 10) != 0 &&
	    strncmp(text, "do_freezer_trap", 15) != 0)
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

/* Before kinds are made: they differ by it. */
static void ask_states(struct hf_stacks *s, struct tasks_dir *dir)
{
	size_t i;

	for (i = 0; i < s->n_threads; i++) {
		struct hf_copied_thread *t = &s->threads[i];

		if (t->is.found == '?' && t->is.state == HF_THREAD_HELD)
			t->is.found = ask_state(dir_of(dir, t->is.pid), t);
	}
}

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

	ask_states(s, &dir);
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
