/* SPDX-License-Identifier: MIT */
/*
 * stopped SIGNAL - a parent that counts and logs every event of its child; the child has two
 * counting threads and has been stopped by SIGNAL.  The child is a process group of its own, as a
 * shell's job is, so that SIGTSTP and its like work (they are ignored in an orphaned group).
 * The log begins with that one CLD_STOPPED.  The child's pid is the value of its first slot.
 */
#include "victim.h"

__attribute__((noreturn)) static void child_main(uint32_t slot)
{
	setpgid(0, 0);
	victim_spinner(slot + 1, 0);
	victim_spin(slot, 0);
}

int main(int argc, char **argv)
{
	int sig = (int)victim_arg(argc, argv, 1, SIGSTOP);
	siginfo_t info;
	uint32_t first;
	pid_t child;

	victim_begin();
	first = victim_claim(3);
	child = fork();
	if (child < 0)
		victim_die("fork");
	if (child == 0)
		child_main(first);
	atomic_store(&board->slots[first].value, (uint64_t)child);
	victim_await(first, 2);
	if (kill(child, sig) < 0 || waitid(P_PID, (id_t)child, &info, WSTOPPED) < 0)
		victim_die("stopping the child");
	victim_log(board, info.si_pid, info.si_code, info.si_status);
	victim_spinner(first + 2, 0);
	victim_await(first + 2, 1);
	victim_ready();
	victim_watch_children();
}
