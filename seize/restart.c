/* SPDX-License-Identifier: MIT */
/*
 * restart - see restart.h.
 *
 * How a call is made again.  On x86-64 the result is changed from -EINTR to -ERESTARTNOHAND, before the kernel looks at
 * it: if a signal handler is to run the caller sees EINTR as POSIX has it, if not the call is made again.  So a
 * signal that arrives at any moment is handled right.  On aarch64 the kernel has decided already
 * (regs.c), and pc and the first argument are put back instead, which no handler would undo: not where one is
 * about to run, nor where the call has a signal mask of its own, whose point is that no signal goes unseen.
 *
 * Nothing else of a thread is ever changed.  In particular not a time-out: registers and memory are the program's, and a
 * compiler may count on a system call giving them back as they were.  When a call began the kernel does not tell;
 * what is left of a relative time-out is therefore unknown, and it begins anew.  Only when the hold has lasted longer
 * than all of it is it known that nothing is left: an epoll_wait() then returns what it would have, 0, unless there is an
 * event to be returned.
 */
#include "restart.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "own.h"
#include "procfs.h"
#include "sys.h"

#ifndef IORING_ENTER_GETEVENTS
#define IORING_ENTER_GETEVENTS (1u << 0)
#define IORING_ENTER_EXT_ARG (1u << 3)		/* Linux 5.11 */
#endif
#ifndef IORING_ENTER_ABS_TIMER
#define IORING_ENTER_ABS_TIMER (1u << 5)	/* Linux 6.12 */
#endif

/* ---- The table ------------------------------------------------------------------------------------ */

/* What kind of call it is, and so what must hold for it to have had no effect. */
enum kind {
	KIND_EPOLL,	/* EINTR only when no event was handed over (fs/eventpoll.c, ep_poll()) */
	KIND_WHOLE,	/* all or nothing: semaphores, a signal that was taken, aio events */
	KIND_RING,	/* nothing to be submitted, only waiting (io_uring_enter()) */
	KIND_RECEIVE,	/* recv, accept, and read of a socket: EINTR only when nothing was taken */
	KIND_SEND,	/* send, and write to a socket: EINTR only when nothing was queued */
};

/* Where its time-out is.  Sockets return EINTR only where they have one (sock_intr_errno()). */
enum timeout {
	TIMEOUT_NONE,
	TIMEOUT_MS,		/* an int; negative is for ever */
	TIMEOUT_POINTER,	/* relative; NULL is for ever */
	TIMEOUT_RING,		/* relative if there is one, unless IORING_ENTER_ABS_TIMER */
	TIMEOUT_SOCKET,
};

#define NO_FLAGS 6		/* it takes no flags: one more than there are arguments */
#define NOT_THERE (-1)

struct call {
	int x86_64, aarch64;	/* its numbers */
	uint8_t kind, timeout;
	uint8_t at;		/* which argument the time-out is; of KIND_SEND the flags */
};

static const struct call calls[] = {
	{ 232, NOT_THERE, KIND_EPOLL, TIMEOUT_MS, 3 },	/* epoll_wait */
	{ 281, 22, KIND_EPOLL, TIMEOUT_MS, 3 },		/* epoll_pwait */
	{ 441, 441, KIND_EPOLL, TIMEOUT_POINTER, 3 },	/* epoll_pwait2 */
	{ 65, 193, KIND_WHOLE, TIMEOUT_NONE, 0 },	/* semop */
	{ 220, 192, KIND_WHOLE, TIMEOUT_POINTER, 3 },	/* semtimedop */
	{ 128, 137, KIND_WHOLE, TIMEOUT_POINTER, 2 },	/* rt_sigtimedwait */
	{ 208, 4, KIND_WHOLE, TIMEOUT_POINTER, 4 },	/* io_getevents */
	{ 426, 426, KIND_RING, TIMEOUT_RING, 0 },	/* io_uring_enter */
	{ 45, 207, KIND_RECEIVE, TIMEOUT_SOCKET, 0 },	/* recvfrom */
	{ 47, 212, KIND_RECEIVE, TIMEOUT_SOCKET, 0 },	/* recvmsg */
	{ 299, 243, KIND_RECEIVE, TIMEOUT_SOCKET, 0 },	/* recvmmsg */
	{ 43, 202, KIND_RECEIVE, TIMEOUT_SOCKET, 0 },	/* accept */
	{ 288, 242, KIND_RECEIVE, TIMEOUT_SOCKET, 0 },	/* accept4 */
	{ 0, 63, KIND_RECEIVE, TIMEOUT_SOCKET, 0 },	/* read */
	{ 19, 65, KIND_RECEIVE, TIMEOUT_SOCKET, 0 },	/* readv */
	{ 44, 206, KIND_SEND, TIMEOUT_SOCKET, 3 },	/* sendto */
	{ 46, 211, KIND_SEND, TIMEOUT_SOCKET, 2 },	/* sendmsg */
	{ 1, 64, KIND_SEND, TIMEOUT_SOCKET, NO_FLAGS },	/* write */
	{ 20, 66, KIND_SEND, TIMEOUT_SOCKET, NO_FLAGS },	/* writev */
	/*
	 * Not here: connect, which goes on by itself and would say EALREADY; sendmmsg and sendfile, which nobody needed;
	 * and whatever signal(7) does not list.  An EINTR that a file system's server or a driver gave is theirs.
	 */
};

static const struct call *find_call(const struct hf_regs *regs)
{
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (regs->nr == (regs->arch == HF_ARCH_X86_64 ? calls[i].x86_64 : calls[i].aarch64))
			return &calls[i];
	return NULL;
}

static enum hf_restart with_timeout(const struct call *call, const struct hf_regs *regs)
{
	bool timed = false;

	switch ((enum timeout)call->timeout) {
	case TIMEOUT_NONE:
		break;
	case TIMEOUT_MS:
		timed = (int32_t)regs->args[call->at] > 0;
		break;
	case TIMEOUT_POINTER:
		timed = regs->args[call->at] != 0;
		break;
	case TIMEOUT_RING:
		/* With this flag the argument is a struct, which is there for its time-out. */
		timed = (regs->args[3] & IORING_ENTER_EXT_ARG) &&
			!(regs->args[3] & IORING_ENTER_ABS_TIMER);
		break;
	case TIMEOUT_SOCKET:
		timed = true;
		break;
	}
	return timed ? HF_RESTART_IN_FULL : HF_RESTART_CALL;
}

/*
 * MSG_FASTOPEN has sent with the connection request, MSG_ZEROCOPY counts its calls, MSG_OOB has a mark of its own: only flags
 * that change nothing about when data is queued.
 */
static bool send_flags_ok(const struct call *call, const struct hf_regs *regs)
{
	return call->at == NO_FLAGS || !((uint32_t)regs->args[call->at] & ~(uint32_t)MSG_NOSIGNAL);
}

/* Whether it must be known, on aarch64, which descriptor the first argument was: the result is in its place. */
static enum hf_restart_ask ask_first(const struct hf_regs *regs, enum hf_restart_ask what)
{
	return regs->arch == HF_ARCH_AARCH64 ? what : HF_ASK_NOTHING;
}

static bool is_safe(const struct call *call, const struct hf_regs *regs, enum hf_restart_ask *ret_ask)
{
	bool arm = regs->arch == HF_ARCH_AARCH64;

	switch ((enum kind)call->kind) {
	case KIND_EPOLL:
		*ret_ask = ask_first(regs, HF_ASK_EPOLL);
		/* epoll_wait() is this with a NULL mask. */
		return !arm || regs->args[4] == 0;
	case KIND_RING:
		*ret_ask = ask_first(regs, HF_ASK_RING);
		/* An extended argument may have a mask in it. */
		return regs->args[1] == 0 && (regs->args[3] & IORING_ENTER_GETEVENTS) &&
		       (!arm || regs->args[4] == 0);
	case KIND_WHOLE:
		return !arm;
	case KIND_RECEIVE:
		*ret_ask = HF_ASK_RECEIVER;
		return !arm;
	case KIND_SEND:
		*ret_ask = HF_ASK_SENDER;
		return !arm && send_flags_ok(call, regs);
	}
	return false;
}

enum hf_restart hf_restart_of(const struct hf_regs *regs, enum hf_restart_ask *ret_ask)
{
	const struct call *call;

	*ret_ask = HF_ASK_NOTHING;
	/* Without a pc it is an io_uring worker, whose registers mean nothing. */
	if (regs->nr < 0 || regs->result != -EINTR || regs->pc == 0)
		return HF_RESTART_NONE;
	/* 32-bit threads have other numbers and other structs: left alone. */
	if (regs->arch != HF_ARCH_X86_64 && regs->arch != HF_ARCH_AARCH64)
		return HF_RESTART_LEFT;
	call = find_call(regs);
	if (!call || !is_safe(call, regs, ret_ask))
		return HF_RESTART_LEFT;
	return with_timeout(call, regs);
}

bool hf_restart_outlasts(const struct hf_regs *regs, uint64_t ns)
{
	const struct call *call = find_call(regs);
	int32_t ms;

	if (!call || call->timeout != TIMEOUT_MS)
		return false;
	ms = (int32_t)regs->args[call->at];
	return ms > 0 && (uint64_t)ms * 1000000 <= ns;
}

/* ---- Which descriptor ------------------------------------------------------------------------------- */

static bool option(int fd, int level, int name, int *ret)
{
	socklen_t len = sizeof(*ret);

	return getsockopt(fd, level, name, ret, &len) == 0;
}

/* TLS and other protocols above TCP have buffers of their own. */
static bool has_upper_protocol(int fd)
{
	char name[16];
	socklen_t len = sizeof(name);

	return getsockopt(fd, IPPROTO_TCP, TCP_ULP, name, &len) < 0 || len > 0;
}

/*
 * Protocols whose sources have been read for this: nothing was taken, or queued, where they return EINTR.  A datagram
 * that is being put together (UDP_CORK) is dropped by a failing send, so UDP sends are left alone; so is a
 * socket whose first send is its connection request.
 */
static bool is_plain_socket(int fd, bool sends)
{
	int domain, protocol, later;

	if (!option(fd, SOL_SOCKET, SO_DOMAIN, &domain) || !option(fd, SOL_SOCKET, SO_PROTOCOL, &protocol))
		return false;
	if (domain == AF_UNIX)
		return true;
	if (domain == AF_NETLINK)
		return !sends;
	if (domain != AF_INET && domain != AF_INET6)
		return false;
	if (protocol == IPPROTO_UDP)
		return !sends;
	if (protocol != IPPROTO_TCP || has_upper_protocol(fd))
		return false;
	return !sends || (option(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &later) && !later);
}

#define LINK_MAX 64

/* What /proc/TID/fd/N is a link to, cut; "" when it is none. */
static void read_fd_link(pid_t tid, const char *fd, char ret[LINK_MAX])
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%.20s", (int)tid, fd);
	n = readlink(path, ret, LINK_MAX - 1);
	ret[n > 0 ? n : 0] = '\0';
}

/*
 * A copy of the descriptor tells.  Where the kernel gave the one of another thread, with a table of its own,
 * the inode differs.
 */
static bool is_safe_socket(pid_t tid, pid_t tgid, int fd, bool sends)
{
	char name[16], link[LINK_MAX], same[LINK_MAX];
	hf_owned_fd copy = -1;
	struct stat st;

	snprintf(name, sizeof(name), "%d", fd);
	read_fd_link(tid, name, link);
	if (strncmp(link, "socket:", 7) != 0)
		return false;
	copy = hf_sys_getfd(tgid, tid, fd);
	if (copy < 0 || fstat(copy, &st) < 0)
		return false;
	snprintf(same, sizeof(same), "socket:[%llu]", (unsigned long long)st.st_ino);
	return strcmp(link, same) == 0 && is_plain_socket(copy, sends);
}

/*
 * aarch64: the call has returned EINTR, not EBADF or EINVAL, so its first argument was a descriptor of this kind.  When
 * the thread has exactly one, that was it.  -1 when there are more.
 */
static int only_descriptor(pid_t tid, const char *kind)
{
	char path[64], link[LINK_MAX];
	hf_owned_dir DIR *dir = NULL;
	const struct dirent *entry;
	int found = -1;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)tid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		read_fd_link(tid, entry->d_name, link);
		if (strcmp(link, kind) != 0)
			continue;
		if (found >= 0)
			return -1;
		found = (int)strtol(entry->d_name, NULL, 10);
	}
	return found;
}

/* aarch64: a handler that is about to run must find the call interrupted. */
static bool handler_waits(pid_t tid)
{
	struct hf_status st;

	return hf_tid_status(tid, &st) < 0 ||
	       ((st.sig_pending | st.shared_pending) & ~st.sig_blocked & st.sig_caught);
}

static bool find_first(pid_t tid, const char *kind, uint64_t *ret_first)
{
	int fd = handler_waits(tid) ? -1 : only_descriptor(tid, kind);

	*ret_first = (uint64_t)fd;
	return fd >= 0;
}

static bool is_answered(enum hf_restart_ask ask, pid_t tid, pid_t tgid, uint64_t *first)
{
	switch (ask) {
	case HF_ASK_NOTHING:
		return true;
	case HF_ASK_RECEIVER:
	case HF_ASK_SENDER:
		return is_safe_socket(tid, tgid, (int)*first, ask == HF_ASK_SENDER);
	case HF_ASK_EPOLL:
		return find_first(tid, "anon_inode:[eventpoll]", first);
	case HF_ASK_RING:
		return find_first(tid, "anon_inode:[io_uring]", first);
	}
	return false;
}

/* Asking an epoll descriptor whether it has events takes none. */
static bool has_no_events(pid_t tid, pid_t tgid, int fd)
{
	/*
	 * Of its own table or not at all: epoll descriptors cannot be told apart afterwards.  Before Linux 6.9 a pidfd is of
	 * a first thread, which nearly always has the same table.
	 */
	hf_owned_fd copy = hf_sys_getfd(hf_sys_shares_files(tid, tgid) ? tgid : tid, tid, fd);
	struct pollfd p = { .fd = copy, .events = POLLIN };

	return copy >= 0 && poll(&p, 1, 0) == 0;
}

/* ---- A thread ------------------------------------------------------------------------------------------ */

/*
 * x86-64 tells a call from anything else, but not whose numbers it has; aarch64 tells neither.  The instruction
 * does.  On aarch64 it cannot be told, either, that the thread is not just back from the handler of a signal
 * that had interrupted the call: in the moment of its rt_sigreturn() the same registers are seen.
 */
static bool is_back_from_call(pid_t tid, const struct hf_regs *regs)
{
	uint64_t code;
	bool again;

	return hf_sys_peek(tid, hf_regs_code_at(regs), &code) == 0 &&
	       hf_regs_is_call(regs, code, &again) && !again;
}

enum hf_restart hf_restart_judge(pid_t tid, pid_t tgid, const struct hf_regs *regs, uint64_t held_ns,
				 uint64_t *ret_first)
{
	enum hf_restart_ask ask;
	enum hf_restart verdict = hf_restart_of(regs, &ask);

	*ret_first = regs->args[0];
	if (verdict == HF_RESTART_NONE)
		return verdict;
	if (regs->arch == HF_ARCH_AARCH64 && !is_back_from_call(tid, regs))
		return HF_RESTART_NONE;
	if (verdict == HF_RESTART_LEFT)
		return verdict;
	if (regs->arch == HF_ARCH_X86_64 && !is_back_from_call(tid, regs))
		return HF_RESTART_LEFT;
	if (!is_answered(ask, tid, tgid, ret_first))
		return HF_RESTART_LEFT;
	if (hf_restart_outlasts(regs, held_ns) && has_no_events(tid, tgid, (int)*ret_first))
		return HF_RESTART_EXPIRED;
	return verdict;
}

enum hf_restart hf_restart_call(pid_t tid, pid_t tgid, uint64_t held_ns)
{
	struct hf_regs regs;
	enum hf_restart verdict;
	uint64_t first;

	/* ESRCH: it was killed, and its death is or will be there to be collected. */
	if (!hf_regs_may_be_eintr(tid) || hf_regs_read(tid, &regs) < 0)
		return HF_RESTART_NONE;
	verdict = hf_restart_judge(tid, tgid, &regs, held_ns, &first);
	if (verdict == HF_RESTART_NONE || verdict == HF_RESTART_LEFT)
		return verdict;
	if (verdict == HF_RESTART_EXPIRED)
		hf_regs_set_result(&regs, 0);
	else
		hf_regs_make_again(&regs, first);
	return hf_regs_write(tid, &regs) < 0 ? HF_RESTART_LEFT : verdict;
}
