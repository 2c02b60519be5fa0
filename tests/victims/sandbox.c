/* SPDX-License-Identifier: MIT */
/*
 * sandbox MODE - a process that is shut in, and counts:
 *	strict		seccomp's first mode: any system call but read, write and two more kills it
 *	filter		a seccomp filter that kills it for any system call
 *	undumpable	PR_SET_DUMPABLE 0, as programs that keep secrets do
 *	suid		as a set-uid program runs: real uid another than the effective one
 *	userns		in a user namespace of its own, as root in there
 */
#include "victim.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>

static void forbid_everything(void)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS) };
	struct sock_fprog program = { 1, code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(97);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	uint32_t slot;
	int r = 0;

	victim_begin();
	slot = victim_claim(1);
	if (strcmp(mode, "undumpable") == 0)
		r = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	else if (strcmp(mode, "suid") == 0)
		r = setresuid(65534, 0, 0);
	else if (strcmp(mode, "userns") == 0)
		r = unshare(CLONE_NEWUSER);
	if (r < 0)
		victim_die(mode);
	victim_take(slot, VICTIM_MOVES);
	victim_count(slot);
	victim_ready();
	if (strcmp(mode, "filter") == 0)
		forbid_everything();
	else if (strcmp(mode, "strict") == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) < 0)
		_exit(97);
	/* Not one system call from here on. */
	for (;;)
		victim_count(slot);
}
