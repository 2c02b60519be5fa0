/* SPDX-License-Identifier: MIT */
/*
 * lab_victim - starting victims (see lab.h), and the warden who is their parent; and tracers of them.
 *
 * The warden is a fork of the test, outside every target.  It starts victims on request, adopts
 * their orphans, reaps everybody, and writes what wait tells about the ones it started to the
 * board.  It ends with the test: the socket closes.
 */
#include "lab.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "lab_internal.h"
#include "procfs.h"
#include "sys.h"

#define ARGS_MAX 16
#define ARGS_BYTES 4096

/* Start something; with an empty name only: bring the record up to date.  Answered by a pid. */
struct request {
	char cgroup[LAB_PATH];
	char victim[32];
	unsigned int argc;
	char args[ARGS_BYTES];	/* each ended by NUL */
};

/* ---- Becoming a victim ---------------------------------------------------------------------- */

/* Victims live beside the tests: .../tests/check_hold, .../tests/victims/spin. */
static void victim_path(const char *name, char *ret_path, size_t cap)
{
	char self[PATH_MAX - 64];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[n < 0 ? 0 : n] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	snprintf(ret_path, cap, "%s/victims/%s", self, name);
}

static void set_number(const char *name, int value)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", value);
	setenv(name, text, 1);
}

__attribute__((noreturn)) static void become(const struct lab *lab, const struct request *q)
{
	char path[PATH_MAX], *argv[ARGS_MAX + 2], *p = (char *)(uintptr_t)q->args;
	unsigned int i;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* A group of its own in the test's session, as a job is: no orphan, so SIGTSTP works. */
	setpgid(0, 0);
	/* Inside a cgroup the sweep finds it, whatever it does; outside it must go with the warden. */
	if (!q->cgroup[0])
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (q->cgroup[0] && lab_write(q->cgroup, "cgroup.procs", "0") < 0)
		_exit(90);
	set_number("VICTIM_BOARD_FD", lab->board_fd);
	set_number("VICTIM_READY_FD", lab->ready_in);
	set_number("VICTIM_POKE_FD", lab->poke_out);
	victim_path(q->victim, path, sizeof(path));
	argv[0] = path;
	for (i = 0; i < q->argc; i++) {
		argv[i + 1] = p;
		p += strlen(p) + 1;
	}
	argv[i + 1] = NULL;
	execv(path, argv);
	fprintf(stderr, "lab: %s: %s\n", path, strerror(errno));
	_exit(91);
}

/* ---- The warden ----------------------------------------------------------------------------- */

struct warden {
	const struct lab *lab;
	pid_t started[LAB_VICTIMS];
	unsigned int n_started;
};

static bool is_ours(const struct warden *w, pid_t pid)
{
	for (unsigned int i = 0; i < w->n_started; i++)
		if (w->started[i] == pid)
			return true;
	return false;
}

static void reap(const struct warden *w)
{
	siginfo_t info;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WCONTINUED | WNOHANG) < 0 ||
		    info.si_pid == 0)
			return;
		/* Orphans come in thousands in a storm: only our own are of interest. */
		if (is_ours(w, info.si_pid))
			victim_log(w->lab->board, info.si_pid, info.si_code, info.si_status);
	}
}

/* False when the test is gone. */
static bool serve(struct warden *w, int sock)
{
	struct request q;
	ssize_t n = recv(sock, &q, sizeof(q), 0);
	pid_t pid = 0;

	if (n != (ssize_t)sizeof(q))
		return false;
	if (!q.victim[0]) {
		reap(w);
	} else {
		pid = fork();
		if (pid == 0)
			become(w->lab, &q);
		if (pid > 0 && w->n_started < LAB_VICTIMS)
			w->started[w->n_started++] = pid;
	}
	return send(sock, &pid, sizeof(pid), MSG_NOSIGNAL) == (ssize_t)sizeof(pid);
}

__attribute__((noreturn)) static void warden_main(const struct lab *lab, int sock)
{
	struct warden w = { .lab = lab };
	struct signalfd_siginfo drop[16];
	struct pollfd p[2] = { { sock, POLLIN, 0 }, { -1, POLLIN, 0 } };
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	p[1].fd = signalfd(-1, &chld, SFD_NONBLOCK | SFD_CLOEXEC);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			_exit(1);
		while (read(p[1].fd, drop, sizeof(drop)) > 0)
			;
		reap(&w);
		if (p[0].revents && !serve(&w, sock))
			_exit(0);
	}
}

static pid_t ask_warden(struct lab *lab, const struct request *q)
{
	struct pollfd p = { lab->warden, POLLIN, 0 };
	pid_t pid = -1;

	if (send(lab->warden, q, sizeof(*q), MSG_NOSIGNAL) < 0 ||
	    poll(&p, 1, (int)LAB_PATIENCE_MS) != 1 ||
	    recv(lab->warden, &pid, sizeof(pid), 0) != (ssize_t)sizeof(pid) || pid < 0)
		ck_abort_msg("lab: the warden does not answer");
	return pid;
}

void lab_sync_ward(struct lab *lab)
{
	struct request q = { 0 };

	ask_warden(lab, &q);
}

void lab_open_ward(struct lab *lab)
{
	int sock[2], ready[2], poke[2];

	/* The victims' ends stay open across exec; ours do not. */
	lab->board_fd = memfd_create("hf-test-board", 0);
	if (lab->board_fd < 0 || ftruncate(lab->board_fd, sizeof(*lab->board)) < 0 ||
	    pipe(ready) < 0 || pipe(poke) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) < 0)
		ck_abort_msg("lab: %s", strerror(errno));
	lab->board = mmap(NULL, sizeof(*lab->board), PROT_READ | PROT_WRITE, MAP_SHARED,
			  lab->board_fd, 0);
	if (lab->board == MAP_FAILED)
		ck_abort_msg("lab: mmap: %s", strerror(errno));
	lab->ready = ready[0];
	lab->ready_in = ready[1];
	lab->poke_out = poke[0];
	lab->poke = poke[1];
	fcntl(lab->ready, F_SETFD, FD_CLOEXEC);
	fcntl(lab->poke, F_SETFD, FD_CLOEXEC);
	lab->warden = sock[0];
	lab->warden_pid = fork();
	if (lab->warden_pid < 0)
		ck_abort_msg("lab: fork: %s", strerror(errno));
	if (lab->warden_pid == 0) {
		close(sock[0]);
		warden_main(lab, sock[1]);
	}
	close(sock[1]);
}

void lab_close_ward(struct lab *lab)
{
	close(lab->warden);
	while (waitpid(lab->warden_pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(lab->ready);
	close(lab->ready_in);
	close(lab->poke);
	close(lab->poke_out);
	close(lab->board_fd);
	munmap(lab->board, sizeof(*lab->board));
}

/* ---- Starting ------------------------------------------------------------------------------- */

static void make_request(struct request *q, const char *cgroup, const char *victim, va_list ap)
{
	const char *arg;
	size_t used = 0;

	*q = (struct request){ 0 };
	if (cgroup)
		snprintf(q->cgroup, sizeof(q->cgroup), "%s", cgroup);
	snprintf(q->victim, sizeof(q->victim), "%s", victim);
	while ((arg = va_arg(ap, const char *))) {
		size_t len = strlen(arg) + 1;

		if (q->argc == ARGS_MAX || used + len > sizeof(q->args))
			ck_abort_msg("lab: too many arguments for %s", victim);
		memcpy(q->args + used, arg, len);
		used += len;
		q->argc++;
	}
}

static struct lab_victim *await_ready(struct lab *lab, pid_t pid, uint32_t first, const char *name)
{
	struct lab_victim *v = &lab->victims[lab->n_victims];
	struct hf_deadline deadline = hf_deadline_in_ms(LAB_PATIENCE_MS);
	struct pollfd p = { lab->ready, POLLIN, 0 };
	int32_t said;

	if (lab->n_victims == LAB_VICTIMS)
		ck_abort_msg("lab: too many victims");
	while (poll(&p, 1, 20) != 1) {
		char state = lab_state(pid);

		/* A dead leader looks the same: its threads say ready. */
		if (!state || hf_deadline_passed(deadline)) {
			char wchan[HF_WCHAN_MAX] = "";

			hf_tid_wchan(pid, wchan);
			ck_abort_msg("lab: victim %s (%d) did not get ready, state %c %s", name,
				     (int)pid, state ? state : '-', wchan);
		}
	}
	if (read(lab->ready, &said, sizeof(said)) != (ssize_t)sizeof(said))
		ck_abort_msg("lab: reading the ready pipe: %s", strerror(errno));
	v->pid = pid;
	v->first = first;
	v->n = atomic_load(&lab->board->n_slots) - first;
	v->still = false;
	lab->n_victims++;
	return v;
}

struct lab_victim *lab_start(struct lab *lab, const char *cgroup, const char *victim, ...)
{
	uint32_t first = atomic_load(&lab->board->n_slots);
	struct request q;
	va_list ap;

	va_start(ap, victim);
	make_request(&q, cgroup, victim, ap);
	va_end(ap);
	return await_ready(lab, ask_warden(lab, &q), first, victim);
}

struct lab_victim *lab_start_own(struct lab *lab, const char *cgroup, const char *victim, ...)
{
	uint32_t first = atomic_load(&lab->board->n_slots);
	struct request q;
	va_list ap;
	pid_t pid;

	va_start(ap, victim);
	make_request(&q, cgroup, victim, ap);
	va_end(ap);
	pid = fork();
	if (pid < 0)
		ck_abort_msg("lab: fork: %s", strerror(errno));
	if (pid == 0)
		become(lab, &q);
	return await_ready(lab, pid, first, victim);
}

struct victim_slot *lab_slot(struct lab *lab, const struct lab_victim *victim, uint32_t i)
{
	if (i >= victim->n)
		ck_abort_msg("lab: the victim has no slot %u", i);
	return &lab->board->slots[victim->first + i];
}

void lab_poke(struct lab *lab)
{
	if (write(lab->poke, "!", 1) != 1)
		ck_abort_msg("lab: poking: %s", strerror(errno));
}

void lab_stop(struct lab *lab, struct lab_victim *victim, int sig)
{
	if (kill(victim->pid, sig) < 0)
		ck_abort_msg("lab: kill: %s", strerror(errno));
	/* The threads of a group stop one after the other. */
	lab_await_state(victim->pid, 'T');
	for (uint32_t i = 0; i < victim->n; i++)
		lab_await_state(atomic_load(&lab_slot(lab, victim, i)->tid), 'T');
	/* A SIGCONT that comes before the parent has looked would hide the stop from it. */
	lab_sync_ward(lab);
	victim->still = true;
}

void lab_continue(struct lab *lab, struct lab_victim *victim)
{
	(void)lab;
	if (kill(victim->pid, SIGCONT) < 0)
		ck_abort_msg("lab: kill: %s", strerror(errno));
	victim->still = false;
}

static void signal_one(pid_t pid, void *arg)
{
	kill(pid, *(int *)arg);
}

static void signal_level(const char *path, void *arg)
{
	lab_ids(path, "cgroup.procs", signal_one, arg);
}

void lab_signal_all(struct lab *lab, const char *path, int sig)
{
	(void)lab;
	lab_walk(path, false, signal_level, &sig);
}

/* ---- Tracers -------------------------------------------------------------------------------- */

pid_t lab_start_tracer(pid_t tid, const char *cgroup)
{
	int ready[2];
	pid_t pid;
	char c;

	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (cgroup)
			lab_join(cgroup);
		if (hf_sys_seize(tid, 0) < 0 || write(ready[1], "t", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return pid;
}

void lab_end_tracer(pid_t tracer)
{
	kill(tracer, SIGKILL);
	ck_assert_int_eq(waitpid(tracer, NULL, 0), tracer);
}

pid_t lab_tracer_of(pid_t tid)
{
	struct hf_status status;

	ck_assert_int_eq(hf_tid_status(tid, &status), 0);
	return status.tracer;
}
