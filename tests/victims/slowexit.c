/* SPDX-License-Identifier: MIT */
/*
 * slowexit [N [last]] - a process whose first thread ends when it is poked, and takes its time: on its way out it closes
 * N inotify descriptors of its own, each of which waits for a grace period of the kernel.  Meanwhile it is on no
 * list of its cgroup any more, and no zombie yet.  Two other threads count.  With "last" the descriptors are everybody's,
 * so that whichever thread ends last takes the time.
 * Slots: 0 the first thread, 1 and 2 the others.
 */
#include "victim.h"

#include <sched.h>
#include <sys/inotify.h>

int main(int argc, char **argv)
{
	unsigned int n = victim_arg(argc, argv, 1, 10);
	uint32_t first;
	char byte;

	victim_begin();
	first = victim_claim(3);
	victim_spinner(first + 1, 500);
	victim_spinner(first + 2, 500);
	if (argc < 3 && unshare(CLONE_FILES) < 0)
		victim_die("unshare");
	while (n--)
		if (inotify_add_watch(inotify_init1(IN_CLOEXEC), "/proc/self/exe", IN_MODIFY) < 0)
			victim_die("inotify");
	victim_await(first + 1, 2);
	victim_take(first, VICTIM_ENDED);
	victim_ready();
	if (read(victim_fd("VICTIM_POKE_FD"), &byte, 1) != 1)
		victim_die("read");
	syscall(SYS_exit, 0);
}
