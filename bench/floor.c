/* SPDX-License-Identifier: MIT */
/*
 * floor CGROUP [copy] - the smallest loop that holds and releases a v2 cgroup: freeze, list, SEIZE and INTERRUPT, thaw,
 * wait for each, [registers and 8 KiB of stack of each,] DETACH.  It checks nothing and undoes nothing: what the kernel
 * charges at least, to compare holdfast with.  Prints the microseconds of hold, copy and release.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STACK_BYTES 8192
#define BATCH 128

static pid_t tids[100000];
static size_t n;
static char path[4096];

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int open_file(const char *dir, const char *name, int flags)
{
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, flags);
	if (fd < 0)
		die(path);
	return fd;
}

static void freeze(int fd, int events)
{
	struct timespec nap = { 0, 20000 };
	char text[256];
	ssize_t len;

	if (write(fd, "1", 1) != 1)
		die("freeze");
	for (;;) {
		len = pread(events, text, sizeof(text) - 1, 0);
		text[len > 0 ? len : 0] = '\0';
		if (strstr(text, "frozen 1"))
			return;
		nanosleep(&nap, NULL);
		if (nap.tv_nsec < 1000000)
			nap.tv_nsec += nap.tv_nsec / 2;
	}
}

static void list(const char *dir)
{
	static char text[2000000];
	int fd = open_file(dir, "cgroup.threads", O_RDONLY);
	size_t len = 0;
	ssize_t got;
	char *p;

	while ((got = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = '\0';
	close(fd);
	for (p = text; *p; p = strchr(p, '\n') + 1)
		tids[n++] = atoi(p);
}

static void copy(void)
{
	char *bytes = malloc(n * STACK_BYTES);
	struct user_regs_struct *regs = malloc(n * sizeof(*regs));
	struct iovec from[BATCH], to;
	size_t i, j, k;

	if (!bytes || !regs)
		die("malloc");
	for (i = 0; i < n; i += k) {
		for (k = 0; k < BATCH && i + k < n; k++) {
			to = (struct iovec){ &regs[i + k], sizeof(*regs) };
			if (ptrace(PTRACE_GETREGSET, tids[i + k], NT_PRSTATUS, &to) < 0)
				die("registers");
#if defined(__x86_64__)
			from[k].iov_base = (void *)regs[i + k].rsp;
#else
			from[k].iov_base = (void *)regs[i + k].sp;
#endif
			from[k].iov_len = STACK_BYTES;
		}
		/* A piece that ends early ends the call: go on behind it. */
		for (j = 0; j < k; j++) {
			to = (struct iovec){ bytes + (i + j) * STACK_BYTES, (k - j) * STACK_BYTES };
			ssize_t got = process_vm_readv(tids[i], &to, 1, from + j, k - j, 0);

			if (got > 0)
				j += (size_t)got / STACK_BYTES;
		}
	}
}

int main(int argc, char **argv)
{
	int fd = open_file(argv[1], "cgroup.freeze", O_WRONLY), events = open_file(argv[1], "cgroup.events", O_RDONLY);
	uint64_t start = now_us(), held, copied, released;
	int status;
	size_t i;

	freeze(fd, events);
	list(argv[1]);
	for (i = 0; i < n; i++)
		if (ptrace(PTRACE_SEIZE, tids[i], NULL, NULL) < 0 || ptrace(PTRACE_INTERRUPT, tids[i], NULL, NULL) < 0)
			die("seize");
	if (write(fd, "0", 1) != 1)
		die("thaw");
	for (i = 0; i < n; i++)
		waitpid(tids[i], &status, __WALL);
	held = now_us();
	if (argc > 2)
		copy();
	copied = now_us();
	for (i = 0; i < n; i++)
		ptrace(PTRACE_DETACH, tids[i], NULL, NULL);
	released = now_us();
	printf("hold %llu copy %llu release %llu\n", (unsigned long long)(held - start),
	       (unsigned long long)(copied - held), (unsigned long long)(released - copied));
	return 0;
}
