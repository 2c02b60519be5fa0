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
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "err.h"
#include "freezer_files.h"
#include "guard_memory.h"
#include "guard_undo.h"
#include "own.h"
#include "sys.h"

#define SETTLED_MS 20	/* its setting up takes less than one */
#define KILLED_MS 5000	/* it can but die, on however busy a machine; unreaped it would stay a zombie of the caller's */
#define END_MS 200	/* a guard that has nothing to do ends at once */
#define THAW_MS 1000	/* one that has begun to thaw is waited for, and then killed */

/* Descriptors that are closed one by one where close_range(2) is missing (Linux 5.9). */
#define CLOSE_MAX 65536u

/* Set in the journal's turn, see hf_guard_enter(): thawed under the holder once, and once more. */
#define STUCK (UINT64_C(1) << 63)
#define STUCK_STILL (UINT64_C(1) << 62)

/* ---- In the guard ----------------------------------------------------------------------------- */

/*
 * Noted as the holder does it: should that be dead by the end of this, a level that was found frozen is frozen
 * again.  Those come only where it does not help to thaw what the holder has frozen: nobody else in them is to run.
 */
static void thaw_under_holder(struct hf_journal_page *page, bool found_too)
{
	size_t i;

	for (i = page->n; i-- > 0;) {
		const struct hf_journal_level *l = &page->levels[i];

		if (l->now && l->fd >= 0 && (!l->found || found_too))
			hf_journal_set(page, i, false);
	}
	page->thawed++;
}

/* The holder has been in one call, and we have waited, for as long as that is watched. */
static void free_holder(struct hf_journal_page *page, uint64_t turn)
{
	if (!(turn & 1) || (turn & STUCK_STILL))
		return;
	if (atomic_compare_exchange_strong(&page->turn, &turn, turn | (turn & STUCK ? STUCK_STILL : STUCK)))
		thaw_under_holder(page, turn & STUCK);
}

static void end_holder(const struct hf_guard_post *post)
{
	const pid_t holder = post->page->holder.pid;

	/* Without a pidfd a holder that has died is not noticed while a child of it lives: its pid may be another's. */
	if (post->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, post->pidfd, SIGKILL, NULL, 0);
	else if (syscall(SYS_getppid) == holder)
		syscall(SYS_kill, holder, SIGKILL);
	post->page->dead_man_ns = 0;
	post->page->overdue = true;
}

/* When to look next, in milliseconds from now; -1 for when something happens. */
static int next_look(const struct hf_journal_page *page)
{
	uint64_t now, due = page->dead_man_ns;
	int ms = page->watched ? HF_GUARD_STUCK_MS : -1;

	if (!due)
		return ms;
	now = hf_clock_ns();
	due = due > now ? (due - now) / 1000000 + 1 : 0;
	return ms < 0 || due < (uint64_t)ms ? (int)(due < INT_MAX ? due : INT_MAX) : ms;
}

/* Returns when the holder is dead, or has said that it is done. */
static void await_end_of_holder(const struct hf_guard_post *post)
{
	struct hf_journal_page *page = post->page;
	struct pollfd p[] = {
		{ .fd = post->socket_fd, .events = POLLIN },
		{ .fd = post->pidfd, .events = POLLIN },
	};
	char byte;
	long n;

	for (;;) {
		uint64_t turn = page->turn;

		n = hf_guard_poll(p, 2, next_look(page));
		if (page->dead_man_ns && hf_clock_ns() >= page->dead_man_ns)
			end_holder(post);
		if (n == 0)
			free_holder(page, turn);
		if (n == 0 || (n < 0 && errno == EINTR))
			continue;
		if (n > 0 && p[1].revents)
			return;
		/* A byte is but a knock: look at the page again. */
		n = syscall(SYS_read, post->socket_fd, &byte, 1);
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return;
		/* Want of memory is no death: who leaves his post for it does not see the death that comes. */
		if (n < 0 && errno != EINTR)
			hf_guard_poll(NULL, 0, 1);
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

__attribute__((noreturn)) static void be_guard(const struct hf_guard_post *post)
{
	struct hf_guard_post own;
	struct hf_journal journal;
	struct hf_freezer freezer;

	/* Before anything else: while we have it the holder's death is no end of the file. */
	syscall(SYS_close, post->holders_fd);
	step_aside();
	prctl(PR_SET_NAME, "holdfast-guard");
	close_all_but(post->kept, post->n_kept);
	if (chdir("/") < 0) {
		/* It only keeps a file system busy. */
	}
	/* Nothing that the holder has on its heap is needed from here on. */
	own = *post;
	journal = *post->journal;
	freezer = *post->freezer;
	own.journal = &journal;
	own.freezer = &freezer;
	hf_guard_drop_memory();
	/* SIGPIPE is blocked like everything else. */
	syscall(SYS_write, own.socket_fd, "", 1);
	await_end_of_holder(&own);
	/* What a living holder has failed to put back is tried once more. */
	if (own.page->ended)
		hf_journal_put_back(own.page);
	else
		hf_guard_undo(&own);
	hf_journal_remove_settled(own.journal);
	_exit(0);
}

/* ---- In the holder ---------------------------------------------------------------------------- */

static int compare_fds(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/*
 * The settings, and the locks, which last until all who have them close them: no other holdfast may
 * come before the freezer is put back.  Whatever else the holder has open is not the guard's.
 */
static int list_kept(struct hf_guard_post *post)
{
	const struct hf_freezer *f = post->freezer;
	const int own[] = {
		post->socket_fd, post->pidfd, post->message_fd, f->dirfd,
		post->journal->fd, post->journal->dirfd,
	};
	size_t i;

	post->kept = calloc(sizeof(own) / sizeof(own[0]) + f->n_locks + 2 * f->n_levels, sizeof(int));
	if (!post->kept)
		return -ENOMEM;
	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (own[i] >= 0)
			post->kept[post->n_kept++] = own[i];
	for (i = 0; i < f->n_locks; i++)
		post->kept[post->n_kept++] = f->locks[i];
	for (i = 0; i < f->n_levels; i++) {
		if (f->levels[i].fd >= 0)
			post->kept[post->n_kept++] = f->levels[i].fd;
		if (f->levels[i].self_fd >= 0)
			post->kept[post->n_kept++] = f->levels[i].self_fd;
	}
	qsort(post->kept, post->n_kept, sizeof(int), compare_fds);
	return 0;
}

/*
 * fork(2), but without a SIGCHLD at its end, and without the handlers of pthread_atfork(3).  Where the kernel
 * and our rights allow (Linux 5.7), into the root of the v2 hierarchy: who kills or freezes the holder's own
 * cgroup, as a service manager may, does not meet the guard there.
 */
static pid_t fork_aside(int root_fd)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .cgroup = (uint64_t)root_fd };
	pid_t pid = -1;

	if (root_fd >= 0)
		pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	return pid >= 0 ? pid : (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
}

static pid_t fork_silently(int root_fd)
{
	sigset_t all, before;
	pid_t pid;

	/*
	 * The guard must not run a handler of the program, nor end by Ctrl-C: it blocks everything, and
	 * so not by sigfillset(3), which leaves out the C library's own two.
	 */
	memset(&all, 0xff, sizeof(all));
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, _NSIG / 8);
	pid = fork_aside(root_fd);
	if (pid != 0)
		syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, _NSIG / 8);
	return pid;
}

/* A freezer of v2 knows where that is mounted; but what is mounted may be a part of it, and the very target. */
static int open_v2_root(const struct hf_freezer *f)
{
	char mount[PATH_MAX];

	/* What is mounted from the root of our cgroup namespace may be anything above. */
	if (f->version == 2 && !f->within[0])
		return -1;
	if (f->version != 2 || !f->mount_len || f->mount_len >= sizeof(mount) ||
	    strcmp(f->within, f->path + f->mount_len) != 0)
		return hf_freezer_open_root(2);
	memcpy(mount, f->path, f->mount_len);
	mount[f->mount_len] = '\0';
	return open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* With everything made that it needs.  0 or -errno. */
static int post_guard(struct hf_guard *g, struct hf_freezer *f, int message_fd)
{
	hf_owned_fd ours = -1, theirs = -1, pidfd = -1, root_fd = -1;
	hf_owned int *kept = NULL;
	struct hf_guard_post post;
	int ends[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	ours = ends[0];
	theirs = ends[1];
	/* Made while we live, so it means us for certain, however soon we die. */
	pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	root_fd = open_v2_root(f);
	post = (struct hf_guard_post){
		.page = g->journal.page, .journal = &g->journal, .freezer = f,
		.socket_fd = theirs, .holders_fd = ours, .pidfd = pidfd, .message_fd = message_fd,
	};
	r = list_kept(&post);
	kept = post.kept;
	if (r < 0)
		return r;
	g->pid = fork_silently(root_fd);
	if (g->pid == 0)
		be_guard(&post);
	if (g->pid < 0) {
		r = -errno;
		g->pid = 0;
		return r;
	}
	g->journal.page->guard = hf_process_id_of(g->pid);
	g->fd = hf_take_fd(&ours);
	return 0;
}

/*
 * It has all that it needs from the start, and will see our death whenever it comes to look; but while it sets itself
 * up it takes a processor from those who are to be frozen, who then stand still for longer.
 */
static void await_settled(const struct hf_guard *g)
{
	struct pollfd p = { .fd = g->fd, .events = POLLIN };
	char byte;

	if (poll(&p, 1, SETTLED_MS) > 0 && read(g->fd, &byte, 1) < 0) {
		/* It has been killed: nothing is lost but this wait. */
	}
}

int hf_guard_start(struct hf_guard *g, struct hf_freezer *f, const struct hf_guard_options *opts)
{
	int r = hf_journal_make(&g->journal, f, !opts->no_file);

	if (r == 0 && !opts->no_process)
		r = post_guard(g, f, opts->message_fd);
	if (r < 0) {
		hf_journal_end(&g->journal, f);
		return r;
	}
	hf_journal_show(&g->journal);
	if (g->pid > 0)
		await_settled(g);
	return 0;
}

int hf_guard_post(struct hf_guard *g, struct hf_freezer *f, bool no_guard, bool no_journal, int message_fd,
		  struct hf_error *err)
{
	const struct hf_guard_options opts = {
		.message_fd = message_fd > 0 ? message_fd : -1,
		.no_process = no_guard,
		.no_file = no_journal,
	};
	int r;

	if (opts.message_fd >= 0 && fcntl(opts.message_fd, F_GETFD) < 0)
		return hf_fail(err, EBADF, HF_STAGE_LOOK, 0, "guard_message_fd %d is not open", message_fd);
	r = hf_guard_start(g, f, &opts);
	if (r < 0)
		return hf_fail(err, -r, HF_STAGE_LOOK, 0, "cannot start the guard process: %s",
			       strerror(-r));
	return 0;
}

/* Without a pidfd (Linux before 5.3, or a filter), or should a signal cut the first wait short, by asking again and again. */
static bool await_end(const struct hf_guard *g, unsigned int ms)
{
	struct hf_deadline deadline = hf_deadline_in_ms(ms);
	struct hf_nap nap = HF_NAP_INIT;
	hf_owned_fd pidfd = -1;
	int status, r = hf_sys_wait(g->pid, &status);
	struct pollfd p = { .events = POLLIN };

	if (r != 0)
		return true;
	p.fd = pidfd = hf_sys_pidfd_open(g->pid);
	if (pidfd >= 0)
		poll(&p, 1, (int)ms);
	while ((r = hf_sys_wait(g->pid, &status)) == 0 && hf_nap(&nap, deadline))
		;
	return r != 0;
}

/* Within ms, or else by force: somebody may have stopped it.  The journal goes on without it. */
static void end_process(struct hf_guard *g, unsigned int ms)
{
	if (g->pid > 0 && !await_end(g, ms)) {
		hf_sys_kill(g->pid, SIGKILL);
		await_end(g, KILLED_MS);
	}
	hf_own_close(&g->fd);
	g->pid = 0;
	g->fd = -1;
}

void hf_guard_end(struct hf_guard *g, struct hf_freezer *f)
{
	/*
	 * The end of the file, whoever else has our end of the socket.  What is still to be put back,
	 * because we failed to, the guard tries once more.
	 */
	if (g->journal.page) {
		g->journal.page->ended = true;
		/* Should the guard be too slow for us, and we be killed next, it does not stay behind. */
		hf_journal_remove_settled(&g->journal);
	}
	if (g->fd >= 0)
		shutdown(g->fd, SHUT_WR);
	end_process(g, END_MS);
	hf_journal_end(&g->journal, f);
}

/* ---- Watching the holder ------------------------------------------------------------------------ */

static bool can_hang(const struct hf_guard *g)
{
	return g->pid > 0 && g->journal.page->version == 1;
}

/* Wake the guard up, so that it looks at the page.  Should it have been killed, we must not die of SIGPIPE. */
static void knock(struct hf_guard *g)
{
	char byte = 0;

	while (send(g->fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno == EINTR)
		;
}

void hf_guard_on_death(struct hf_guard *g, enum hf_on_death what)
{
	if (g->journal.page)
		g->journal.page->on_death = what;
}

void hf_guard_dead_man(struct hf_guard *g, uint64_t at_ns)
{
	if (g->pid <= 0 || g->journal.page->dead_man_ns == at_ns)
		return;
	g->journal.page->dead_man_ns = at_ns;
	knock(g);
}

void hf_guard_watch(struct hf_guard *g, bool on)
{
	if (!can_hang(g))
		return;
	g->journal.page->watched = on;
	/* Switched off, it finds out when its time is up. */
	if (on)
		knock(g);
}

void hf_guard_enter(struct hf_guard *g)
{
	if (can_hang(g))
		atomic_fetch_add(&g->journal.page->turn, 1);
}

/* turn: as it was when the call returned. */
static bool await_thaw(const struct hf_guard *g, uint64_t turn)
{
	unsigned int times = turn & STUCK_STILL ? 2 : 1;
	struct hf_deadline deadline = hf_deadline_in_ms(THAW_MS);
	struct hf_nap nap = HF_NAP_INIT;

	while (g->journal.page->thawed < times)
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

	end_process(g, 0);
	for (i = f->n_levels; i-- > 0;) {
		/* As far as it came, its writing was ours. */
		hf_level_read_self(f, &f->levels[i], &f->levels[i].self_now);
		hf_freezer_set(f, i, false);
	}
}

bool hf_guard_leave(struct hf_guard *g, struct hf_freezer *f)
{
	uint64_t turn;

	if (!can_hang(g))
		return false;
	turn = atomic_fetch_add(&g->journal.page->turn, 1);
	if (!(turn & STUCK))
		return false;
	if (await_thaw(g, turn)) {
		take_notice(f);
		g->journal.page->thawed = 0;
		atomic_fetch_and(&g->journal.page->turn, ~(STUCK | STUCK_STILL));
	} else {
		thaw_without_guard(g, f);
	}
	return true;
}
