/* SPDX-License-Identifier: MIT */
/*
 * guard - see guard.h.
 *
 * The guard is a fork of a program we know nothing about, perhaps with other threads in the middle
 * of malloc(): it allocates nothing, and touches little of the memory that it shares copy-on-write with the
 * holder.  Its system calls are bare ones where the C library's are cancellation points: the
 * thread that it is a copy of may have been cancelled.
 */
#include "guard.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "own.h"
#include "sys.h"

#define END_MS 200	/* a guard that has nothing to do ends at once */
#define THAW_MS 1000	/* one that has begun to thaw is waited for, and then killed */
#define SAY_MS 100

/* Descriptors that are closed one by one where close_range(2) is missing (Linux 5.9). */
#define CLOSE_MAX 65536u

struct hf_guard_level {
	int fd;			/* its setting, open for writing */
	bool found;
	_Atomic bool now;	/* noted by the holder before it writes */
};

struct hf_guard_page {
	/*
	 * Odd while the holder is inside PTRACE_SEIZE.  The guard adds STUCK when it has decided to
	 * thaw, if the number has not changed since it looked: who changes it first, decides.
	 */
	_Atomic uint64_t turn;
	_Atomic bool watched;
	_Atomic bool thawed;		/* what the guard has decided is written */
	_Atomic bool ended;		/* by hf_guard_end(): the holder lives */
	int version;
	size_t n;
	struct hf_guard_level levels[];
};
#define STUCK (UINT64_C(1) << 63)

/* What the guard takes along; made before the fork. */
struct post {
	struct hf_guard_page *page;
	const struct hf_freezer *freezer;
	int socket_fd, pidfd, message_fd;
	int holders_fd;		/* the other end of the socket */
	int *kept;		/* descriptors that stay open, in order */
	size_t n_kept;
};

/* ---- In the guard ----------------------------------------------------------------------------- */

static const char *word_for(int version, bool frozen)
{
	if (version == 2)
		return frozen ? "1" : "0";
	return frozen ? "FROZEN" : "THAWED";
}

static bool write_setting(const struct hf_guard_page *page, const struct hf_guard_level *l, bool frozen)
{
	const char *word = word_for(page->version, frozen);
	long n;

	/* An offset of 0 is the same wherever an architecture wants its halves. */
	do
		n = syscall(SYS_pwrite64, l->fd, word, strlen(word), 0L, 0L, 0L);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

/*
 * A level is put back only while it is as the holder left it: if somebody else has changed it since,
 * it is theirs.  v2's file says what was written; v1's says THAWED, or one of two other words.
 */
static bool shows(const struct hf_guard_page *page, const struct hf_guard_level *l, bool frozen)
{
	char text[16];
	long n = syscall(SYS_pread64, l->fd, text, sizeof(text), 0L, 0L, 0L);

	if (n <= 0)
		return false;
	return frozen == (page->version == 2 ? text[0] == '1' : text[0] != 'T');
}

static bool put_back(struct hf_guard_page *page, size_t i)
{
	struct hf_guard_level *l = &page->levels[i];
	/* v1's file shows what is in effect: below a frozen target it says nothing of the level. */
	bool hidden = page->version == 1 && i > 0 && shows(page, &page->levels[0], true);

	if (l->now == l->found || (!hidden && !shows(page, l, l->now)))
		return false;
	return write_setting(page, l, l->found);
}

/* Children first, as in hf_freezer_restore(). */
static bool put_all_back(struct hf_guard_page *page)
{
	bool any = false;
	size_t i;

	for (i = page->n; i-- > 0;)
		any |= put_back(page, i);
	return any;
}

/*
 * Noted before it is written, as the holder does it: should the holder be dead by the end of this, a
 * level that was found frozen is frozen again.
 */
static void thaw_under_holder(struct hf_guard_page *page)
{
	size_t i;

	for (i = page->n; i-- > 0;) {
		struct hf_guard_level *l = &page->levels[i];

		if (!l->now)
			continue;
		l->now = false;
		if (!write_setting(page, l, false))
			l->now = true;
	}
	page->thawed = true;
}

/* poll(2); arm64 and newer ones have but the long form. */
static int await(struct pollfd *p, unsigned int n, int ms)
{
#ifdef SYS_poll
	return (int)syscall(SYS_poll, p, n, ms);
#else
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	return (int)syscall(SYS_ppoll, p, n, ms < 0 ? NULL : &t, NULL, 0);
#endif
}

static int await_one(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	return await(&p, 1, ms);
}

/* Returns when the holder is dead, or has said that it is done. */
static void await_end_of_holder(const struct post *post)
{
	struct hf_guard_page *page = post->page;
	struct pollfd p[] = {
		{ .fd = post->socket_fd, .events = POLLIN },
		{ .fd = post->pidfd, .events = POLLIN },
	};
	char byte;
	long n;

	for (;;) {
		uint64_t turn = page->turn;

		n = await(p, 2, page->watched ? HF_GUARD_STUCK_MS : -1);
		if (n == 0 && (turn & 1) && !(turn & STUCK) &&
		    atomic_compare_exchange_strong(&page->turn, &turn, turn | STUCK))
			thaw_under_holder(page);
		if (n == 0 || (n < 0 && errno == EINTR))
			continue;
		if (n > 0 && p[1].revents)
			return;
		/* A byte is but a knock: look at the page again. */
		n = syscall(SYS_read, post->socket_fd, &byte, 1);
		if (n == 0 || (n < 0 && errno != EINTR))
			return;
	}
}

static void close_span(unsigned int first, unsigned int last)
{
	if (syscall(SYS_close_range, first, last, 0) == 0)
		return;
	for (; first <= last && first < CLOSE_MAX; first++)
		syscall(SYS_close, first);
}

/* fds in order. */
static void close_all_but(const int *fds, size_t n)
{
	unsigned int next = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if ((unsigned int)fds[i] > next)
			close_span(next, (unsigned int)fds[i] - 1);
		next = (unsigned int)fds[i] + 1;
	}
	close_span(next, ~0u);
}

/*
 * The holder is dead and its locks are ours.  Not before its tracees are let go, or the next
 * holdfast would find them traced; and by name, for a child of the holder's program may have them, too.
 */
static void unlock(const struct post *post)
{
	const struct hf_freezer *f = post->freezer;
	size_t i;

	if (post->pidfd >= 0)
		await_one(post->pidfd, POLLIN, END_MS);
	flock(f->dirfd, LOCK_UN);
	for (i = 0; i < f->n_locks; i++)
		flock(f->locks[i], LOCK_UN);
}

/* Should nobody read it, what counts has been done, and nothing is open any more that others wait for. */
static void say(int fd, const char *text)
{
	close_all_but(&fd, 1);
	if (await_one(fd, POLLOUT, SAY_MS) > 0)
		syscall(SYS_write, fd, text, strlen(text));
}

/*
 * Apart from the holder's terminal and process group, and never starved by the very target it guards: a
 * session of its own is an autogroup of its own (sched(7)), which waited for seconds beside busy threads
 * (measured).  Real-time scheduling is outside of autogroups; who may not have it stays in the session.
 */
static void step_aside(void)
{
	const struct sched_param first = { .sched_priority = 1 };

	if (syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &first) == 0)
		setsid();
	else
		setpgid(0, 0);
}

__attribute__((noreturn)) static void be_guard(const struct post *post)
{
	bool any;

	/* Before anything else: while we have it the holder's death is no end of the file. */
	syscall(SYS_close, post->holders_fd);
	step_aside();
	prctl(PR_SET_NAME, "holdfast-guard");
	close_all_but(post->kept, post->n_kept);
	if (chdir("/") < 0) {
		/* It only keeps a file system busy. */
	}
	await_end_of_holder(post);
	any = put_all_back(post->page);
	if (!post->page->ended) {
		unlock(post);
		if (any && post->message_fd >= 0)
			say(post->message_fd,
			    "holdfast: guard: the holder died; the freezer was put back as it was found\n");
	}
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

static void drop_page(struct hf_guard *g, struct hf_freezer *f)
{
	size_t i;

	for (i = 0; i < f->n_levels; i++)
		f->levels[i].noted = NULL;
	if (g->page)
		munmap(g->page, g->page_size);
	g->page = NULL;
}

static int make_page(struct hf_guard *g, struct hf_freezer *f)
{
	void *page;

	g->page_size = sizeof(*g->page) + count_settings(f) * sizeof(g->page->levels[0]);
	page = mmap(NULL, g->page_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return -errno;
	g->page = page;
	share_settings(g->page, f);
	return 0;
}

static int compare_fds(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/*
 * The settings, and the locks, which last until all who have them close them: no other holdfast may
 * come before the freezer is put back.  Whatever else the holder has open is not the guard's.
 */
static int list_kept(struct post *post)
{
	const struct hf_freezer *f = post->freezer;
	const int own[] = { post->socket_fd, post->pidfd, post->message_fd, f->dirfd };
	size_t i;

	post->kept = calloc(sizeof(own) / sizeof(own[0]) + f->n_locks + post->page->n, sizeof(int));
	if (!post->kept)
		return -ENOMEM;
	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (own[i] >= 0)
			post->kept[post->n_kept++] = own[i];
	for (i = 0; i < f->n_locks; i++)
		post->kept[post->n_kept++] = f->locks[i];
	for (i = 0; i < post->page->n; i++)
		post->kept[post->n_kept++] = post->page->levels[i].fd;
	qsort(post->kept, post->n_kept, sizeof(int), compare_fds);
	return 0;
}

/* fork(2), but without a SIGCHLD at its end, and without the handlers of pthread_atfork(3). */
static pid_t fork_silently(void)
{
	sigset_t all, before;
	pid_t pid;

	/*
	 * The guard must not run a handler of the program, nor end by Ctrl-C: it blocks everything, and
	 * so not by sigfillset(3), which leaves out the C library's own two.
	 */
	memset(&all, 0xff, sizeof(all));
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, _NSIG / 8);
	pid = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
	if (pid != 0)
		syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, _NSIG / 8);
	return pid;
}

/* With everything made that it needs.  0 or -errno. */
static int post_guard(struct hf_guard *g, struct hf_freezer *f, int message_fd)
{
	hf_owned_fd ours = -1, theirs = -1, pidfd = -1;
	hf_owned int *kept = NULL;
	struct post post;
	int ends[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	ours = ends[0];
	theirs = ends[1];
	/* Made while we live, so it means us for certain, however soon we die. */
	pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	post = (struct post){
		.page = g->page, .freezer = f, .socket_fd = theirs, .holders_fd = ours,
		.pidfd = pidfd, .message_fd = message_fd,
	};
	r = list_kept(&post);
	kept = post.kept;
	if (r < 0)
		return r;
	g->pid = fork_silently();
	if (g->pid == 0)
		be_guard(&post);
	if (g->pid < 0) {
		r = -errno;
		g->pid = 0;
		return r;
	}
	g->fd = hf_take_fd(&ours);
	return 0;
}

int hf_guard_start(struct hf_guard *g, struct hf_freezer *f, int message_fd)
{
	int r = make_page(g, f);

	if (r == 0)
		r = post_guard(g, f, message_fd);
	if (r < 0)
		drop_page(g, f);
	return r;
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

/* Within ms, or else by force: somebody may have stopped it. */
static void end_within(struct hf_guard *g, struct hf_freezer *f, unsigned int ms)
{
	if (g->pid > 0 && !await_end(g, ms)) {
		hf_sys_kill(g->pid, SIGKILL);
		await_end(g, END_MS);
	}
	hf_own_close(&g->fd);
	drop_page(g, f);
	*g = (struct hf_guard)HF_GUARD_INIT;
}

void hf_guard_end(struct hf_guard *g, struct hf_freezer *f)
{
	/*
	 * The end of the file, whoever else has our end of the socket.  What is still to be put back,
	 * because we failed to, the guard tries once more.
	 */
	if (g->page)
		g->page->ended = true;
	if (g->fd >= 0)
		shutdown(g->fd, SHUT_WR);
	end_within(g, f, END_MS);
}

/* ---- Watching the holder ------------------------------------------------------------------------ */

static bool can_hang(const struct hf_guard *g)
{
	return g->page && g->page->version == 1;
}

/* Wake the guard up, so that it looks at the page.  Should it have been killed, we must not die of SIGPIPE. */
static void knock(struct hf_guard *g)
{
	char byte = 0;

	while (send(g->fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno == EINTR)
		;
}

void hf_guard_watch(struct hf_guard *g, bool on)
{
	if (!can_hang(g))
		return;
	g->page->watched = on;
	/* Switched off, it finds out when its time is up. */
	if (on)
		knock(g);
}

void hf_guard_enter(struct hf_guard *g)
{
	if (can_hang(g))
		atomic_fetch_add(&g->page->turn, 1);
}

static bool await_thaw(const struct hf_guard *g)
{
	struct hf_deadline deadline = hf_deadline_in_ms(THAW_MS);
	struct hf_nap nap = HF_NAP_INIT;

	while (!g->page->thawed)
		if (!hf_nap(&nap, deadline))
			return false;
	return true;
}

/* What the guard wrote is not somebody else's doing. */
static void take_notice(struct hf_freezer *f)
{
	size_t i;

	for (i = 0; i < f->n_levels; i++)
		if (f->levels[i].noted)
			f->levels[i].self_now = *f->levels[i].noted;
}

/*
 * The guard was stopped or killed in the middle of its writing.  What it would write later would
 * thaw what is frozen by then: better no guard than this one, whose work is done here.
 */
static void thaw_without_guard(struct hf_guard *g, struct hf_freezer *f)
{
	size_t i;

	end_within(g, f, 0);
	for (i = f->n_levels; i-- > 0;)
		hf_freezer_set(f, i, false);
}

bool hf_guard_leave(struct hf_guard *g, struct hf_freezer *f)
{
	if (!can_hang(g) || !(atomic_fetch_add(&g->page->turn, 1) & STUCK))
		return false;
	if (await_thaw(g)) {
		take_notice(f);
		g->page->thawed = false;
		atomic_fetch_and(&g->page->turn, ~STUCK);
	} else {
		thaw_without_guard(g, f);
	}
	return true;
}
