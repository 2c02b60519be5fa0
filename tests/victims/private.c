/* SPDX-License-Identifier: MIT */
/*
 * private UID - becomes UID and forbids to be looked into (PR_SET_DUMPABLE 0), as ssh-agent and
 * others do: then even its own user may not trace it.
 */
#include "victim.h"

#include <grp.h>
#include <sys/prctl.h>

int main(int argc, char **argv)
{
	unsigned int uid = victim_arg(argc, argv, 1, 65534);
	uint32_t slot;

	victim_begin();
	slot = victim_claim(1);
	if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
		victim_die("changing the user");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		victim_die("PR_SET_DUMPABLE");
	victim_ready_and_spin(slot, 0);
}
