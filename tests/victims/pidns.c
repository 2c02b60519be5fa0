/* SPDX-License-Identifier: MIT */
/*
 * pidns CGROUP [N] - makes a PID namespace whose init and N children of init count; all of them
 * move to CGROUP (where "" stands for staying), the maker does not.  It logs what becomes of init.
 * init's pid is the value of the first slot.
 */
#include "victim.h"

#include <fcntl.h>
#include <sched.h>

static void join(const char *cgroup)
{
	char path[512];
	int fd;

	if (!*cgroup)
		return;
	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		victim_die(path);
	close(fd);
}

__attribute__((noreturn)) static void init_main(const char *cgroup, uint32_t first, uint32_t n)
{
	join(cgroup);
	for (uint32_t i = 1; i <= n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			victim_die("fork");
		if (pid == 0)
			victim_spin(first + i, 0);
	}
	victim_spin(first, 0);
}

int main(int argc, char **argv)
{
	uint32_t n = victim_arg(argc, argv, 2, 3);
	uint32_t first;
	pid_t init;

	victim_begin();
	first = victim_claim(n + 1);
	if (unshare(CLONE_NEWPID) < 0)
		victim_die("unshare");
	init = fork();
	if (init < 0)
		victim_die("fork");
	if (init == 0)
		init_main(argc > 1 ? argv[1] : "", first, n);
	atomic_store(&board->slots[first].value, (uint64_t)init);
	victim_await(first, n + 1);
	victim_ready();
	victim_watch_children();
}
