/* SPDX-License-Identifier: MIT */
/*
 * probe_runtime - check's question where journals, and the sockets of holds that are kept, find a place.
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "own.h"
#include "rundir.h"

/* Whether a directory of that path, which is not there, could be made. */
static bool can_be_made(const char *path)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX];

	snprintf(parent, sizeof(parent), "%.*s", slash > path ? (int)(slash - path) : 1, path);
	return faccessat(AT_FDCWD, parent, W_OK, AT_EACCESS) == 0;
}

void hf_probe_runtime(struct hf_ability *able, struct hf_finding *ret)
{
	static const char remedy[] = "name a directory of this user's, in memory, in " HF_RUNDIR_ENV;
	char path[PATH_MAX] = "";
	int r = hf_rundir_path(path, sizeof(path));
	hf_owned_fd fd = r < 0 ? r : hf_rundir_open(false);

	(void)able;
	if (fd >= 0 || (fd == -ENOENT && can_be_made(path)))
		hf_found(ret, HF_VERDICT_OK, NULL, "journals and kept holds have their place in %s", path);
	else if (r < 0)
		hf_found(ret, HF_VERDICT_LIMITED, remedy,
			 "this user has no runtime directory: no journals for recover, and no holds kept by hold -d");
	else
		hf_found(ret, HF_VERDICT_LIMITED, remedy,
			 "%s: %s: no journals for recover, and no holds kept by hold -d", path,
			 fd == -EPERM ? "it belongs to somebody else, or others may write to it" : strerror(-fd));
}
