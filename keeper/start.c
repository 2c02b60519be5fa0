/* SPDX-License-Identifier: MIT */
/*
 * start - the library's function that starts a keeper: what it is to do, the fork, and what both say to each other until
 * the caller can reach the hold, or it has been called off (keeper.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cancel.h"
#include "claim.h"
#include "clock.h"
#include "err.h"
#include "hold_state.h"
#include "keeper.h"
#include "own.h"
#include "procfs.h"

/* Longer than it takes to undo what was done. */
#define CALLED_OFF_MS (HF_UNDO_MAX_MS + 1500)

/* ---- What it is to do -------------------------------------------------------------------------- */

/* "pod" of "/sys/fs/cgroup/pod", what cannot be in a name made '_'; the first process; or "all". */
static void make_name(const struct hf_target *target, char ret[HF_KEEPER_NAME_MAX + 1])
{
	const char *last = target->path ? target->path : "";
	size_t len = strlen(last), i;

	while (len && last[len - 1] == '/')
		len--;
	for (i = len; i && last[i - 1] != '/'; i--)
		;
	last += i;
	len -= i;
	if (target->kind == HF_TARGET_PROCESSES)
		snprintf(ret, HF_KEEPER_NAME_MAX + 1, "%d", target->n_pids && target->pids ? (int)target->pids[0] : 0);
	else if (target->kind == HF_TARGET_MACHINE)
		snprintf(ret, HF_KEEPER_NAME_MAX + 1, "all");
	else
		snprintf(ret, HF_KEEPER_NAME_MAX + 1, "%.*s", (int)len, last);
	for (i = 0; ret[i]; i++)
		if (!hf_keeper_name_ok((const char[]){ 'x', ret[i], '\0' }))
			ret[i] = '_';
	if (!ret[0] || ret[0] == '-' || ret[0] == '.')
		ret[0] = '_';
}

static int read_options(struct hf_keeper_job *job, const struct hf_target *target, const struct hf_take_options *take,
			const struct hf_keeper_options *opts, struct hf_error *err)
{
	struct hf_stat st;
	int r = hf_target_copy(&job->target, target, err);

	job->take = (struct hf_take_options)HF_TAKE_OPTIONS_INIT;
	if (r == 0 && take)
		r = hf_options_copy(&job->take, take, take->size, sizeof(job->take), err);
	job->opts = (struct hf_keeper_options)HF_KEEPER_OPTIONS_INIT;
	if (r == 0 && opts)
		r = hf_options_copy(&job->opts, opts, opts->size, sizeof(job->opts), err);
	if (r < 0)
		return r;
	if (!job->opts.name)
		make_name(&job->target, job->name);
	else if (!hf_keeper_name_ok(job->opts.name))
		return hf_fail(err, EINVAL, HF_STAGE_NONE, 0,
			       "'%s' cannot be the name of a hold: up to %d of A-Z a-z 0-9 . _ : @ -, not beginning with '-' or '.'",
			       job->opts.name, HF_KEEPER_NAME_MAX);
	else
		snprintf(job->name, sizeof(job->name), "%s", job->opts.name);
	job->caller = getpid();
	if (hf_tid_stat(job->caller, &st) == 0)
		snprintf(job->caller_comm, sizeof(job->caller_comm), "%s", st.comm);
	return hf_kin_find(&job->kin, NULL, err);
}

/* ---- Fork and report --------------------------------------------------------------------------- */

/* Twice, so that the keeper is nobody's child whom we would have to wait for. */
static int fork_keeper(const struct hf_keeper_job *job, int keeper_end)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		pid = fork();
		if (pid == 0)
			hf_keeper_be(job, keeper_end);
		_exit(pid < 0 ? errno : 0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno == ECHILD ? 0 : -errno;	/* the program ignores SIGCHLD */
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

/* Out of the place of a standard stream, which is closed in the caller: the keeper's own are put there. */
static int move_up(int *fd)
{
	int up = *fd > STDERR_FILENO ? *fd : fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (up < 0)
		return -errno;
	if (up != *fd)
		close(*fd);
	*fd = up;
	return 0;
}

/* 1; 0 when there is none yet; -EPIPE when the keeper has ended, or will say no more. */
static int next_report(int fd, struct hf_keeper_report *ret)
{
	ssize_t n = recv(fd, ret, sizeof(*ret), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return n == (ssize_t)sizeof(*ret) ? 1 : -EPIPE;
}

/*
 * The keeper reads the end of our half, lets everybody go, and closes its own.  What became of it is noted in *err,
 * which r is of; but a failure that the keeper has met comes in its place.
 */
static int call_off(int fd, int r, struct hf_error *err)
{
	struct hf_deadline deadline = hf_deadline_in_ms(CALLED_OFF_MS);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct hf_keeper_report rep;
	int got;

	shutdown(fd, SHUT_WR);
	while ((got = next_report(fd, &rep)) == 0 || (got > 0 && rep.r == 0))
		if (poll(&p, 1, (int)(hf_deadline_left_ns(deadline) / 1000000)) == 0) {
			hf_fail_note(err, HF_UNDO_FAILED, "the keeper has not said that everybody was released");
			return r;
		}
	if (got < 0)
		hf_fail_note(err, HF_UNDO_DONE, "everybody was released");
	else if (err)
		*err = rep.err;
	return got < 0 ? r : rep.r;
}

/* Until the hold stands or has failed, which the keeper's own deadline bounds, or is called off. */
static int await_report(int fd, int cancel_fd, struct hf_error *err)
{
	struct pollfd fds[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = cancel_fd > 0 ? cancel_fd : -1, .events = POLLIN },
	};
	struct hf_keeper_report rep;
	int got;

	while ((got = next_report(fd, &rep)) == 0)
		if (poll(fds, 2, -1) > 0 && fds[1].revents)
			return call_off(fd, hf_fail(err, ECANCELED, HF_STAGE_NONE, 0, "cancelled while the hold was taken"),
					err);
	if (got < 0)
		return hf_fail(err, EPIPE, HF_STAGE_NONE, 0,
			       "the keeper ended before the hold stood; everybody was released");
	if (rep.r < 0 && err)
		*err = rep.err;
	return rep.r;
}

/* Once there is a way to the keeper, and so to the end of the hold, that is said to it: without that word it ends. */
static int connect_to_kept(int fd, const char *name, hf_keeper **ret_keeper, struct hf_error *err)
{
	int r = hf_keeper_open(name, ret_keeper, err);

	if (r < 0)
		return call_off(fd, r, err);
	/* If it has ended already, by its time, the handle tells. */
	send(fd, "", 1, MSG_NOSIGNAL);
	return 0;
}

HF_API int hf_keeper_start(const struct hf_target *target, const struct hf_take_options *take_opts,
			   const struct hf_keeper_options *opts, hf_keeper **ret_keeper, struct hf_error *err)
{
	HF_UNCANCELLED;
	hf_owned_fd ours = -1, theirs = -1;
	struct hf_keeper_job job = { .caller = 0 };
	int ends[2], r;

	if (!target || !ret_keeper)
		return hf_fail(err, EINVAL, HF_STAGE_NONE, 0, "no target was named");
	r = read_options(&job, target, take_opts, opts, err);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return hf_fail(err, errno, HF_STAGE_NONE, 0, "making a socket for the keeper: %s", strerror(errno));
	ours = ends[0];
	theirs = ends[1];
	r = move_up(&theirs);
	if (r == 0)
		r = fork_keeper(&job, theirs);
	if (r < 0)
		return hf_fail(err, -r, HF_STAGE_NONE, 0, "cannot start the keeper process: %s", strerror(-r));
	close(hf_take_fd(&theirs));
	r = await_report(ours, job.take.cancel_fd, err);
	return r < 0 ? r : connect_to_kept(ours, job.name, ret_keeper, err);
}
