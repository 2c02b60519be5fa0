/* SPDX-License-Identifier: MIT */
/*
 * kernel - what is asked of /proc after the release: names of threads that the hold does not know, and in which kernel
 * function each waits.  While it is held that cannot be asked, for it has left its wait for our trap.  After the
 * release it goes back to where it was; when /proc/TID/syscall shows the same system call with the same stack and
 * instruction pointer, the kernel function (wchan) is that of the wait we interrupted.
 */
#include <fcntl.h>
#include <stdio.h>
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

	/* A sleep that goes on as restart_syscall(2) waits, as far as can be seen, in that. */
	return len > 0 && hf_syscall_parse(text, (size_t)len, &now) == 0 && !now.running && now.nr == t->is.syscall &&
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
	else if (!t->has_regs || t->is.syscall < 0 || !waits_as_before(dirfd, t))
		return;
	len = read_file(dirfd, t->is.tid, "wchan", text, sizeof(text));
	/* Of a hold that stands, or who is frozen, the wait is not to be seen: it waits for the tracer, or the thaw, now. */
	if (len > 0 && text[0] != '0' && strncmp(text, "ptrace_stop", 11) != 0 && strncmp(text, "get_signal", 10) != 0 &&
	    strncmp(text, "do_freezer_trap", 15) != 0)
		t->is.wchan = hf_arena_copy(&s->arena, text, (size_t)len);
}

/* Threads of one kind nearly always wait in the same place: a few are asked, unless each is to be. */
#define ASKED_MAX 16

static void ask_kind(struct hf_stacks *s, const struct hf_kind *kind)
{
	const bool each = s->opts.each_wchan || kind->threads[0]->is.state == HF_THREAD_ARMED;
	hf_owned_fd fd = -1;
	char path[64];
	pid_t pid = 0;
	size_t i;

	for (i = 0; i < kind->n && (i < ASKED_MAX || each); i++) {
		struct hf_copied_thread *t = &s->threads[kind->threads[i] - s->threads];

		if (t->is.pid != pid) {
			pid = t->is.pid;
			if (fd >= 0)
				close(hf_take_fd(&fd));
			snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
			fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		}
		if (fd >= 0)
			ask(s, fd, t);
	}
}

int hf_stacks_ask_kernel(struct hf_stacks *s)
{
	struct hf_kinds kinds;
	int r = hf_kinds_find(&kinds, s, HF_KINDS_OF_STACKS);
	size_t i;

	if (r < 0)
		return r;
	for (i = 0; i < kinds.n; i++)
		ask_kind(s, &kinds.all[i]);
	hf_kinds_done(&kinds);
	for (i = 0; i < s->n_threads; i++)
		if (!s->threads[i].is.comm)
			s->threads[i].is.comm = s->threads[i].is.process;
	return 0;
}
