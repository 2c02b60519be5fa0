/* SPDX-License-Identifier: MIT */
/*
 * guard_undo - see guard_undo.h.
 */
#include "guard_undo.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define DEATH_MS 200	/* the holder's last steps */
#define SAY_MS 100
#define KILL_MS 5000

int hf_guard_poll(struct pollfd *p, unsigned int n, int ms)
{
#ifdef SYS_poll
	return (int)syscall(SYS_poll, p, n, ms);
#else
	/* arm64 and newer ones have but the long form. */
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	return (int)syscall(SYS_ppoll, p, n, ms < 0 ? NULL : &t, NULL, 0);
#endif
}

static int await_one(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	return hf_guard_poll(&p, 1, ms);
}

/* ---- Words ------------------------------------------------------------------------------------ */

/* Put together without the C library's formatted output, which may allocate and lock. */
struct line {
	char text[PATH_MAX + 256];
	size_t len;
};

static void add(struct line *l, const char *text)
{
	size_t len = strlen(text), room = sizeof(l->text) - l->len;

	if (len > room)
		len = room;
	memcpy(l->text + l->len, text, len);
	l->len += len;
}

static void add_death(struct line *l, const struct hf_guard_post *post)
{
	add(l, post->page->overdue ? "holdfast: guard: the holder did not end by its time and was killed; " :
				     "holdfast: guard: the holder died; ");
}

static void add_path(struct line *l, const struct hf_guard_post *post)
{
	const char *p = hf_journal_path(post->page);
	char clean[2] = "";

	/* Any bytes but NUL can be in it; a terminal gets no control characters from us. */
	for (; *p; p++) {
		clean[0] = (unsigned char)*p < ' ' || *p == 0x7f ? '?' : *p;
		add(l, clean);
	}
}

/* Should nobody read it, what counts has been done. */
static void say(int fd, const struct line *l)
{
	if (l->len && fd >= 0 && await_one(fd, POLLOUT, SAY_MS) > 0)
		syscall(SYS_write, fd, l->text, l->len);
}

/* ---- Kill ------------------------------------------------------------------------------------- */

/*
 * SIGKILL to the process of every thread of one level.  Returns whether anybody was listed.  kill(2) takes the
 * id of any thread for its process; a list of processes cannot be read in a threaded cgroup.
 */
static bool kill_level(const struct hf_guard_post *post, size_t level)
{
	const char *name = hf_journal_name(post->page, level);
	char text[4096];
	bool any = false;
	long n, i;
	pid_t id = 0;
	int fd, dir;

	dir = (int)syscall(SYS_openat, post->freezer->dirfd, name[0] ? name : ".", O_PATH | O_CLOEXEC, 0);
	fd = (int)syscall(SYS_openat, dir, post->page->version == 2 ? "cgroup.threads" : "tasks",
			  O_RDONLY | O_CLOEXEC, 0);
	while (fd >= 0 && (n = syscall(SYS_read, fd, text, sizeof(text))) > 0)
		for (i = 0; i < n; i++) {
			if (text[i] >= '0' && text[i] <= '9') {
				id = id * 10 + (text[i] - '0');
				continue;
			}
			if (id > 0) {
				syscall(SYS_kill, id, SIGKILL);
				any = true;
			}
			id = 0;
		}
	if (fd >= 0)
		syscall(SYS_close, fd);
	if (dir >= 0)
		syscall(SYS_close, dir);
	return any;
}

static bool kill_listed(const struct hf_guard_post *post)
{
	bool any = false;
	size_t i;

	for (i = 0; i < post->page->n; i++)
		any |= kill_level(post, i);
	return any;
}

/* Linux 5.14, v2: all of it at once, also levels that were made since. */
static void kill_at_once(const struct hf_freezer *f)
{
	int fd = (int)syscall(SYS_openat, f->dirfd, "cgroup.kill", O_WRONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return;
	syscall(SYS_write, fd, "1", 1L);
	syscall(SYS_close, fd);
}

/* They are frozen, so nobody forks meanwhile; v1's die when they are thawed, before anything else. */
static bool kill_all(const struct hf_guard_post *post)
{
	int ms;
	size_t i;

	kill_at_once(post->freezer);
	if (!kill_listed(post))
		return true;
	for (i = post->page->n; i-- > 0;)
		if (post->page->levels[i].fd >= 0)
			hf_journal_set(post->page, i, false);
	for (ms = 0; ms < KILL_MS; ms++) {
		if (!kill_listed(post))
			return true;
		hf_guard_poll(NULL, 0, 1);
	}
	return false;
}

/* ---- The three ways --------------------------------------------------------------------------- */

static void resume(const struct hf_guard_post *post, struct line *l)
{
	struct hf_put_back count = hf_journal_put_back(post->page);

	if (count.failed) {
		add_death(l, post);
		add(l, "the freezer of cgroup ");
		add_path(l, post);
		add(l, " could not be put back: see holdfast recover\n");
	} else if (count.done) {
		add_death(l, post);
		add(l, "the freezer was put back as it was found\n");
	} else if (post->page->overdue) {
		add_death(l, post);
		add(l, "everybody was released\n");
	}
	if (!count.failed)
		hf_journal_settle(post->page);
}

/*
 * The holder kept it frozen; but it may have died while a v1 cgroup was thawed for its stops, and with it those below
 * that were found frozen.
 */
static void keep_frozen(const struct hf_guard_post *post, struct line *l)
{
	struct hf_journal_page *page = post->page;
	struct hf_journal_level *top = &page->levels[0];
	struct hf_put_back count = { 0, 0, 0 };
	size_t i;
	int r = 0;

	top->now = true;
	if (hf_journal_read(top) != 1)
		r = hf_journal_set(page, 0, true);
	for (i = 1; i < page->n; i++)
		hf_journal_put_back_one(page, i, &count);
	add_death(l, post);
	add(l, "cgroup ");
	add_path(l, post);
	add(l, r < 0 ? " could not be kept frozen\n" :
		       " stays frozen, as asked; holdfast thaw lets it go\n");
}

static void end_everybody(const struct hf_guard_post *post, struct line *l)
{
	bool dead = kill_all(post);
	struct hf_put_back count = hf_journal_put_back(post->page);

	add_death(l, post);
	add(l, dead ? "killed everybody in cgroup " : "could not kill everybody in cgroup ");
	add_path(l, post);
	add(l, dead ? ", as asked\n" : "\n");
	if (!count.failed)
		hf_journal_settle(post->page);
}

/*
 * The holder is dead and its locks are ours.  Not before its tracees are let go, or the next
 * holdfast would find them traced; and by name, for a child of the holder's program may have them, too.
 */
static void unlock(const struct hf_guard_post *post)
{
	const struct hf_freezer *f = post->freezer;
	size_t i;

	if (post->pidfd >= 0)
		await_one(post->pidfd, POLLIN, DEATH_MS);
	syscall(SYS_flock, f->dirfd, LOCK_UN);
	for (i = 0; i < f->n_locks; i++)
		syscall(SYS_flock, f->locks[i], LOCK_UN);
	if (post->journal->fd >= 0)
		syscall(SYS_flock, post->journal->fd, LOCK_UN);
}

void hf_guard_undo(const struct hf_guard_post *post)
{
	struct line l;

	l.len = 0;
	switch ((enum hf_on_death)post->page->on_death) {
	case HF_ON_DEATH_STAY:
		keep_frozen(post, &l);
		break;
	case HF_ON_DEATH_KILL:
		end_everybody(post, &l);
		break;
	case HF_ON_DEATH_RESUME:
	default:
		resume(post, &l);
		break;
	}
	unlock(post);
	say(post->message_fd, &l);
}
