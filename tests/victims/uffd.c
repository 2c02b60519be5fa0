/* SPDX-License-Identifier: MIT */
/*
 * uffd CGROUP - a process in CGROUP that never stops: its write(2) meets a page fault inside the kernel, and the
 * userfaultfd handler, its parent, which is not in CGROUP, does not answer before it is poked.  Asked to freeze or to
 * stop it goes round and round in the kernel, in state R.
 *
 * Slots: 0 the process, whose pid is the value, once its write has come back; 1 a second thread of it that counts.
 */
#include "victim.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

static void join(const char *cgroup)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		victim_die(path);
	close(fd);
}

__attribute__((noreturn)) static void fault(const char *cgroup, uint32_t first, int say)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	long size = sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK), pipe_fds[2];
	uint64_t told[2] = { (uint64_t)fd, (uint64_t)(uintptr_t)page };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "faulting");
	join(cgroup);
	reg.range.start = told[1];
	reg.range.len = (uint64_t)size;
	if (fd < 0 || page == MAP_FAILED || ioctl(fd, UFFDIO_API, &api) < 0 || ioctl(fd, UFFDIO_REGISTER, &reg) < 0 ||
	    pipe(pipe_fds) < 0)
		victim_die("preparing the page");
	victim_spinner(first + 1, 0);
	victim_await(first + 1, 1);
	victim_take(first, VICTIM_STAYS);
	if (write(say, told, sizeof(told)) != sizeof(told))
		victim_die("telling the handler");
	if (write(pipe_fds[1], page, 1) != 1)
		victim_die("write");
	victim_spin(first, 0);
}

int main(int argc, char **argv)
{
	struct uffdio_zeropage zero = { .mode = 0 };
	uint64_t told[2];
	uint32_t first;
	int fds[2], pidfd, fd;
	pid_t child;
	char byte;

	if (argc < 2)
		return 2;
	victim_begin();
	first = victim_claim(2);
	if (pipe(fds) < 0)
		victim_die("pipe");
	child = fork();
	if (child < 0)
		victim_die("fork");
	if (child == 0)
		fault(argv[1], first, fds[1]);
	atomic_store(&board->slots[first].value, (uint64_t)child);
	if (read(fds[0], told, sizeof(told)) != sizeof(told))
		victim_die("read");
	pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, (int)told[0], 0);
	if (fd < 0)
		victim_die("pidfd_getfd");
	/* The fault is there when its handler could read of it. */
	poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, -1);
	victim_ready();
	if (read(victim_fd("VICTIM_POKE_FD"), &byte, 1) != 1)
		victim_die("poke");
	zero.range.start = told[1];
	zero.range.len = (uint64_t)sysconf(_SC_PAGESIZE);
	if (ioctl(fd, UFFDIO_ZEROPAGE, &zero) < 0)
		victim_die("UFFDIO_ZEROPAGE");
	victim_watch_children();
}
