/* SPDX-License-Identifier: MIT */
/*
 * rundir - see rundir.h.
 */
#include "rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "own.h"

static int print(char *ret, size_t cap, const char *top, const char *below)
{
	int n = snprintf(ret, cap, "%s%s", top, below);

	return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}

int hf_rundir_path(char *ret, size_t cap)
{
	/* Not from the environment of whoever runs a set-uid program (secure_getenv(3)). */
	const char *own = secure_getenv(HF_RUNDIR_ENV), *xdg = secure_getenv("XDG_RUNTIME_DIR");
	char user[64];

	if (own && own[0] == '/')
		return print(ret, cap, own, "");
	/* Root's own is the machine's, also under sudo(8), which may leave the user's in the environment. */
	if (geteuid() == 0)
		return print(ret, cap, "/run", "/holdfast");
	if (xdg && xdg[0] == '/')
		return print(ret, cap, xdg, "/holdfast");
	snprintf(user, sizeof(user), "/run/user/%u", (unsigned int)geteuid());
	if (faccessat(AT_FDCWD, user, W_OK, AT_EACCESS) < 0)
		return -ENXIO;
	return print(ret, cap, user, "/holdfast");
}

int hf_rundir_open(bool create)
{
	char path[PATH_MAX];
	hf_owned_fd fd = -1;
	struct stat st;
	int r = hf_rundir_path(path, sizeof(path));

	if (r < 0)
		return r;
	if (create && mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	/* What is read from there is believed. */
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return -EPERM;
	return hf_take_fd(&fd);
}
