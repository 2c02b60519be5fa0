/* SPDX-License-Identifier: MIT */
/*
 * sys - see sys.h.
 */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/openat2.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t hf_sys_gettid(void)
{
	return (pid_t)syscall(SYS_gettid);
}

int hf_sys_seize(pid_t tid, unsigned long options)
{
	return ptrace(PTRACE_SEIZE, tid, NULL, options) < 0 ? -errno : 0;
}

int hf_sys_interrupt(pid_t tid)
{
	return ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0 ? -errno : 0;
}

int hf_sys_detach(pid_t tid, int sig)
{
	return ptrace(PTRACE_DETACH, tid, NULL, (unsigned long)sig) < 0 ? -errno : 0;
}

int hf_sys_getregset(pid_t tid, int type, void *buf, size_t *size)
{
	struct iovec iov = { buf, *size };

	if (ptrace(PTRACE_GETREGSET, tid, (unsigned long)type, &iov) < 0)
		return -errno;
	*size = iov.iov_len;
	return 0;
}

int hf_sys_setregset(pid_t tid, int type, const void *buf, size_t size)
{
	struct iovec iov = { (void *)(uintptr_t)buf, size };

	return ptrace(PTRACE_SETREGSET, tid, (unsigned long)type, &iov) < 0 ? -errno : 0;
}

int hf_sys_peek(pid_t tid, uint64_t at, uint64_t *ret)
{
	long word;

	errno = 0;
	word = ptrace(PTRACE_PEEKTEXT, tid, (void *)(uintptr_t)at, NULL);
	if (word == -1 && errno)
		return -errno;
	*ret = (uint64_t)word;
	return 0;
}

int hf_sys_peek_user(pid_t tid, size_t at, uint64_t *ret)
{
	long word;

	errno = 0;
	word = ptrace(PTRACE_PEEKUSER, tid, (void *)at, NULL);
	if (word == -1 && errno)
		return -errno;
	*ret = (uint64_t)word;
	return 0;
}

int hf_sys_geteventmsg(pid_t tid, unsigned long *ret_msg)
{
	return ptrace(PTRACE_GETEVENTMSG, tid, NULL, ret_msg) < 0 ? -errno : 0;
}

ssize_t hf_sys_read_memory(pid_t pid, void *to, size_t len, const struct iovec *from, size_t n)
{
	struct iovec local = { to, len };
	ssize_t r = process_vm_readv(pid, &local, 1, from, n, 0);

	return r < 0 ? -errno : r;
}

int hf_sys_wait(pid_t tid, int *ret_status)
{
	pid_t r;

	do
		r = wait4(tid, ret_status, WNOHANG | __WALL, NULL);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	return r == tid;
}

static int wait_id(pid_t tid, int what, siginfo_t *info)
{
	int r;

	info->si_pid = 0;
	do
		r = waitid(P_PID, (id_t)tid, info, what | WNOHANG | __WALL);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

int hf_sys_wait_peek(pid_t tid)
{
	siginfo_t info;
	int r = wait_id(tid, WEXITED | WSTOPPED | WNOWAIT, &info);

	return r < 0 ? r : info.si_pid == tid;
}

int hf_sys_reap(pid_t tid)
{
	siginfo_t info;
	/* A tracee's stop is reported whether it was asked for or not (ptrace(2)): look before taking. */
	int r = wait_id(tid, WEXITED | WNOWAIT, &info);

	if (r < 0 || info.si_pid != tid || info.si_code == CLD_TRAPPED || info.si_code == CLD_STOPPED)
		return r;
	r = wait_id(tid, WEXITED, &info);
	return r < 0 ? r : 1;
}

int hf_sys_kill(pid_t pid, int sig)
{
	/* 0 and below mean groups to kill(2), our own among them. */
	if (pid <= 0)
		return -ESRCH;
	return kill(pid, sig) < 0 ? -errno : 0;
}

int hf_sys_pidfd_open(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

int hf_sys_pidfd_signal(int pidfd, int sig)
{
	return syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0 ? -errno : 0;
}

int hf_sys_tgkill(pid_t tgid, pid_t tid, int sig)
{
	return syscall(SYS_tgkill, tgid, tid, sig) < 0 ? -errno : 0;
}

int hf_sys_openat2(int dirfd, const char *path, const struct open_how *how)
{
	int fd = (int)syscall(SYS_openat2, dirfd, path, how, sizeof(*how));

	return fd < 0 ? -errno : fd;
}

bool hf_sys_shares_files(pid_t tid, pid_t other)
{
	return tid == other || syscall(SYS_kcmp, tid, other, KCMP_FILES, 0, 0) == 0;
}

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL	/* Linux 6.9 */
#endif

int hf_sys_getfd(pid_t tgid, pid_t tid, int fd)
{
	int pidfd = (int)syscall(SYS_pidfd_open, tid, PIDFD_THREAD), copy;

	if (pidfd < 0 && errno == EINVAL)
		pidfd = (int)syscall(SYS_pidfd_open, tgid, 0);
	if (pidfd < 0)
		return -errno;
	copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (copy < 0)
		copy = -errno;
	close(pidfd);
	return copy;
}
