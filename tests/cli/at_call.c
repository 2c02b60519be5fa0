/* SPDX-License-Identifier: MIT */
/*
 * at_call - for LD_PRELOAD: a holdfast that sends itself a signal, as somebody else would with kill(2), right after
 * some call of the C library.
 *	AT_CALL		its number, among the calls below; or "freeze": the first write of a freeze; or "connect": before one
 *	AT_SIGNAL	number of the signal
 *	AT_COUNT	a file, where the number of calls is left at the end
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static atomic_long calls;
static long at = -1;
static int at_freeze, at_connect, sig;

static long number_of(const char *name)
{
	const char *text = getenv(name);

	return text ? atol(text) : -1;
}

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("AT_CALL");

	at = number_of("AT_CALL");
	at_freeze = text && !strcmp(text, "freeze");
	at_connect = text && !strcmp(text, "connect");
	sig = (int)number_of("AT_SIGNAL");
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("AT_COUNT");
	FILE *f = path ? fopen(path, "w") : NULL;

	if (f) {
		fprintf(f, "%ld\n", (long)calls);
		fclose(f);
	}
}

static void send_to_ourselves(void)
{
	int saved = errno;

	/* To stop here and now the thread has to take it itself; any other signal is for whoever takes it. */
	if (sig == SIGSTOP)
		syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), sig);
	else
		syscall(SYS_kill, getpid(), sig);
	errno = saved;
}

static long count(long r)
{
	if (atomic_fetch_add(&calls, 1) + 1 == at && !at_freeze && !at_connect)
		send_to_ourselves();
	return r;
}

static int is_freeze(const void *text, size_t n)
{
	return (n == 1 && !memcmp(text, "1", 1)) || (n == 6 && !memcmp(text, "FROZEN", 6));
}

ssize_t pwrite(int fd, const void *text, size_t n, off_t offset)
{
	ssize_t r = syscall(SYS_pwrite64, fd, text, n, offset);

	if (at_freeze && r > 0 && is_freeze(text, n))
		send_to_ourselves();
	return count(r);
}

/* Two names, one call, where off_t has 64 bits. */
ssize_t pwrite64(int fd, const void *text, size_t n, off_t offset)
{
	return pwrite(fd, text, n, offset);
}

ssize_t pread(int fd, void *text, size_t n, off_t offset)
{
	return count(syscall(SYS_pread64, fd, text, n, offset));
}

ssize_t pread64(int fd, void *text, size_t n, off_t offset)
{
	return pread(fd, text, n, offset);
}

ssize_t read(int fd, void *text, size_t n)
{
	return count(syscall(SYS_read, fd, text, n));
}

ssize_t write(int fd, const void *text, size_t n)
{
	return count(syscall(SYS_write, fd, text, n));
}

int openat(int dir, const char *path, int flags, ...)
{
	va_list ap;
	int mode;

	va_start(ap, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, int) : 0;
	va_end(ap);
	return (int)count(syscall(SYS_openat, dir, path, flags, mode));
}

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
	if (at_connect)
		send_to_ourselves();
	return (int)count(syscall(SYS_connect, fd, to, len));
}

int flock(int fd, int how)
{
	return (int)count(syscall(SYS_flock, fd, how));
}

long ptrace(int request, ...)
{
	va_list ap;
	long pid, address, data;

	va_start(ap, request);
	pid = va_arg(ap, int);
	address = va_arg(ap, long);
	data = va_arg(ap, long);
	va_end(ap);
	return count(syscall(SYS_ptrace, (long)request, pid, address, data));
}

int poll(struct pollfd *p, nfds_t n, int ms)
{
	const struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	return (int)count(syscall(SYS_ppoll, p, n, ms < 0 ? NULL : &t, NULL, 0));
}

int ppoll(struct pollfd *p, nfds_t n, const struct timespec *t, const sigset_t *mask)
{
	struct timespec left = t ? *t : (struct timespec){ 0, 0 };

	return (int)count(syscall(SYS_ppoll, p, n, t ? &left : NULL, mask, _NSIG / 8));
}
