/* SPDX-License-Identifier: MIT */
/*
 * guard - see guard.h.
 *
 * The guard is a fork of a program we know nothing about, perhaps with other threads in the middle
 * of malloc(): it uses system calls only, allocates nothing, and touches little of the memory that it shares
 * copy-on-write with the holder.
 */
#include "guard.h"

#include <errno.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "own.h"
#include "sys.h"

/* A guard that has nothing to do ends at once. */
#define END_MS 200

#define NOT_WATCHED 0
#define STUCK UINT64_MAX

struct hf_guard_level {
	int fd;			/* its setting, open for writing */
	bool found;
	_Atomic bool now;	/* noted by the holder before it writes */
};

struct hf_guard_page {
	/*
	 * Counts the holder's progress; NOT_WATCHED, or STUCK once the guard has decided to thaw.
	 * Whoever changes it first, decides: a holder that finds STUCK waits for the thaw.
	 */
	_Atomic uint64_t steps;
	_Atomic bool thawed;		/* the thaw under a stuck holder is written */
	int version;
	int lock_fd;
	size_t n;
	struct hf_guard_level levels[];
};

/* ---- In the guard ----------------------------------------------------------------------------- */

static const char *word_for(int version, bool frozen)
{
	if (version == 2)
		return frozen ? "1" : "0";
	return frozen ? "FROZEN" : "THAWED";
}

/*
 * A level is put back only while it is as the holder left it: if somebody else has changed it since,
 * it is theirs.  v2's file says what was written; v1's says THAWED, or one of two other words.
 */
static bool is_as_noted(int version, int fd, bool noted)
{
	char text[16];
	ssize_t n = pread(fd, text, sizeof(text), 0);

	if (n <= 0)
		return false;
	return noted == (version == 2 ? text[0] == '1' : text[0] != 'T');
}

static bool put_back(struct hf_guard_page *page, size_t i)
{
	struct hf_guard_level *l = &page->levels[i];
	const char *word = word_for(page->version, l->found);
	/* v1's file shows what is in effect: below a frozen target it says nothing of the level. */
	bool hidden = page->version == 1 && i > 0 && page->levels[0].now;
	ssize_t n;

	if (l->now == l->found || (!hidden && !is_as_noted(page->version, l->fd, l->now)))
		return false;
	do
		n = pwrite(l->fd, word, strlen(word), 0);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

static void say(int fd, const char *text)
{
	/* Should nobody read it, what counts has been done. */
	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		return;
}

/* Children first, as in hf_freezer_restore(). */
static void put_all_back(struct hf_guard_page *page, int message_fd)
{
	bool any = false;
	size_t i;

	for (i = page->n; i-- > 0;)
		any |= put_back(page, i);
	if (any)
		say(message_fd,
		    "holdfast: guard: the holder died; the freezer was put back as it was found\n");
}

static void thaw_under_holder(struct hf_guard_page *page)
{
	const char *word = word_for(page->version, false);
	size_t i;

	for (i = page->n; i-- > 0;)
		if (pwrite(page->levels[i].fd, word, strlen(word), 0) < 0)
			continue;
	page->thawed = true;
}

static void guard_loop(struct hf_guard_page *page, int socket_fd, int message_fd)
{
	struct pollfd p = { .fd = socket_fd, .events = POLLIN };
	char byte;
	ssize_t n;

	for (;;) {
		uint64_t steps = page->steps;
		bool watch = steps != NOT_WATCHED && steps != STUCK;

		if (poll(&p, 1, watch ? HF_GUARD_STUCK_MS : -1) == 0) {
			if (atomic_compare_exchange_strong(&page->steps, &steps, STUCK))
				thaw_under_holder(page);
			continue;
		}
		/* A byte is but a knock: look at the page again.  The end of the file is the holder's. */
		n = read(socket_fd, &byte, 1);
		if (n == 0) {
			put_all_back(page, message_fd);
			return;
		}
	}
}

/*
 * Keep the socket, the settings, the place for messages, and the lock, which lasts until all of its
 * holders have closed it: no other holdfast may come before the freezer is put back.  Whatever else
 * the holder had open is not ours.
 */
static void close_others(const struct hf_guard_page *page, int socket_fd, int message_fd)
{
	int keep[3], low, next;
	size_t i;

	keep[0] = socket_fd;
	keep[1] = message_fd;
	keep[2] = page->lock_fd;
	for (low = -1;; low = next) {
		next = -1;
		for (i = 0; i < 3; i++)
			if (keep[i] > low && (next < 0 || keep[i] < next))
				next = keep[i];
		for (i = 0; i < page->n; i++)
			if (page->levels[i].fd > low && (next < 0 || page->levels[i].fd < next))
				next = page->levels[i].fd;
		if (next < 0) {
			close_range((unsigned int)low + 1, ~0u, 0);
			return;
		}
		if (next > low + 1)
			close_range((unsigned int)low + 1, (unsigned int)next - 1, 0);
	}
}

static void be_guard(struct hf_guard_page *page, int socket_fd, int message_fd)
{
	setsid();
	prctl(PR_SET_NAME, "holdfast-guard");
	close_others(page, socket_fd, message_fd);
	if (chdir("/") < 0) {
		/* It only keeps a file system busy. */
	}
	guard_loop(page, socket_fd, message_fd);
	_exit(0);
}

/* ---- In the holder ---------------------------------------------------------------------------- */

static size_t count_settings(const struct hf_freezer *f)
{
	size_t i, n = 0;

	for (i = 0; i < f->n_levels; i++)
		n += f->levels[i].fd >= 0;
	return n;
}

static void share_settings(struct hf_guard_page *page, struct hf_freezer *f)
{
	size_t i;

	page->version = f->version;
	page->lock_fd = f->dirfd;
	for (i = 0; i < f->n_levels; i++) {
		struct hf_level *l = &f->levels[i];

		if (l->fd < 0)
			continue;
		page->levels[page->n] = (struct hf_guard_level){
			.fd = l->fd, .found = l->self_found, .now = l->self_now,
		};
		l->noted = &page->levels[page->n].now;
		page->n++;
	}
}

/* fork(2), but without a SIGCHLD at its end, and without the handlers of pthread_atfork(3). */
static pid_t fork_silently(void)
{
	sigset_t all, before;
	pid_t pid;

	/* The guard must not run a handler of the program, nor end by Ctrl-C: it blocks everything. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
	if (pid != 0)
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static void drop_page(struct hf_guard *g, struct hf_freezer *f)
{
	size_t i;

	for (i = 0; i < f->n_levels; i++)
		f->levels[i].noted = NULL;
	if (g->page)
		munmap(g->page, g->page_size);
	g->page = NULL;
}

int hf_guard_start(struct hf_guard *g, struct hf_freezer *f, int message_fd)
{
	hf_owned_fd ours = -1, theirs = -1;
	int ends[2];
	void *page;

	g->page_size = sizeof(*g->page) + count_settings(f) * sizeof(g->page->levels[0]);
	page = mmap(NULL, g->page_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return -errno;
	g->page = page;
	share_settings(g->page, f);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
		int r = -errno;

		drop_page(g, f);
		return r;
	}
	theirs = ends[0];
	ours = ends[1];
	g->pid = fork_silently();
	if (g->pid == 0)
		be_guard(g->page, theirs, message_fd);
	if (g->pid < 0) {
		int r = -errno;

		g->pid = 0;
		drop_page(g, f);
		return r;
	}
	g->fd = hf_take_fd(&ours);
	return 0;
}

static bool await_end(const struct hf_guard *g, unsigned int ms)
{
	struct hf_deadline deadline = hf_deadline_in_ms(ms);
	struct hf_nap nap = HF_NAP_INIT;
	int status, r;

	while ((r = hf_sys_wait(g->pid, &status)) == 0 && hf_nap(&nap, deadline))
		;
	return r != 0;
}

void hf_guard_end(struct hf_guard *g, struct hf_freezer *f)
{
	/*
	 * The end of the file, as when we die: what is still to be put back then, because we failed to,
	 * the guard tries once more.  It may have been stopped by somebody, and must not be waited for
	 * without end.
	 */
	hf_own_close(&g->fd);
	if (g->pid > 0 && !await_end(g, END_MS)) {
		hf_sys_kill(g->pid, SIGKILL);
		await_end(g, END_MS);
	}
	drop_page(g, f);
	*g = (struct hf_guard)HF_GUARD_INIT;
}

/* Wake the guard up, so that it looks at the page.  Should it have been killed, we must not die of SIGPIPE. */
static void knock(struct hf_guard *g)
{
	char byte = 0;

	while (send(g->fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno == EINTR)
		;
}

void hf_guard_watch_begin(struct hf_guard *g)
{
	if (g->pid == 0)
		return;
	g->page->thawed = false;
	g->page->steps = NOT_WATCHED + 1;
	knock(g);
}

void hf_guard_step(struct hf_guard *g)
{
	uint64_t steps;

	if (g->pid == 0)
		return;
	steps = g->page->steps;
	if (steps != NOT_WATCHED && steps != STUCK)
		atomic_compare_exchange_strong(&g->page->steps, &steps, steps + 1);
}

bool hf_guard_watch_end(struct hf_guard *g, struct hf_freezer *f)
{
	struct hf_deadline deadline = hf_deadline_in_ms(END_MS);
	struct hf_nap nap = HF_NAP_INIT;
	size_t i;

	if (g->pid == 0 || atomic_exchange(&g->page->steps, NOT_WATCHED) != STUCK)
		return false;
	/* The guard is about to write, or has written: what is frozen before that would be thawed. */
	while (!g->page->thawed && hf_nap(&nap, deadline))
		;
	/* What the guard wrote is not somebody else's doing. */
	for (i = 0; i < f->n_levels; i++)
		if (f->levels[i].fd >= 0) {
			f->levels[i].self_now = false;
			*f->levels[i].noted = false;
		}
	return true;
}
