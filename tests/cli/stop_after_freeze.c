/* SPDX-License-Identifier: MIT */
/*
 * stop_after_freeze - for LD_PRELOAD: a holdfast that has just written to a freezer, and done nothing since, stops as
 * by kill -STOP.  The scripts kill it, and its guard, at that moment.
 */
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_freezing(const void *text, size_t n)
{
	return (n == 1 && !memcmp(text, "1", 1)) || (n == 6 && !memcmp(text, "FROZEN", 6));
}

/* What the C library calls pwrite64 on some architectures, and has both names for. */
ssize_t pwrite(int fd, const void *text, size_t n, off_t at)
{
	ssize_t r = syscall(SYS_pwrite64, fd, text, n, at);

	if (r > 0 && is_freezing(text, n))
		kill(getpid(), SIGSTOP);
	return r;
}

ssize_t pwrite64(int fd, const void *text, size_t n, off_t at)
{
	return pwrite(fd, text, n, at);
}
