/* SPDX-License-Identifier: MIT */
/*
 * rundir_play - a runtime directory for one test, and the journals in it.  It is made below the one that the test
 * run has (tests/run.sh), where nothing is overlooked that is left behind.
 */
#ifndef HF_TESTS_RUNDIR_PLAY_H
#define HF_TESTS_RUNDIR_PLAY_H

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "lab.h"

struct rundir {
	char *path;
};

static inline struct rundir new_rundir(void)
{
	const char *above = getenv("HOLDFAST_RUNTIME_DIR");
	char path[LAB_PATH];

	snprintf(path, sizeof(path), "%s/play.XXXXXX", above ? above : "/tmp");
	ck_assert_msg(mkdtemp(path) != NULL, "%s: %s", path, strerror(errno));
	setenv("HOLDFAST_RUNTIME_DIR", path, 1);
	return (struct rundir){ strdup(path) };
}

/* Calls fn, which may be NULL, for each journal; returns their number. */
static inline size_t each_journal(const struct rundir *dir, void (*fn)(const char *path, void *arg), void *arg)
{
	char path[LAB_PATH];
	DIR *d = opendir(dir->path);
	struct dirent *e;
	size_t n = 0;

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d))) {
		if (!strstr(e->d_name, ".hold"))
			continue;
		n++;
		snprintf(path, sizeof(path), "%s/%s", dir->path, e->d_name);
		if (fn)
			fn(path, arg);
	}
	closedir(d);
	return n;
}

static inline size_t count_journals(const struct rundir *dir)
{
	return each_journal(dir, NULL, NULL);
}

static inline void copy_path(const char *path, void *arg)
{
	snprintf(arg, LAB_PATH, "%s", path);
}

static inline void only_journal(const struct rundir *dir, char ret[LAB_PATH])
{
	ck_assert_uint_eq(each_journal(dir, copy_path, ret), 1);
}

/* Fails when something is left in it. */
static inline void done_rundir(struct rundir *dir)
{
	ck_assert_msg(rmdir(dir->path) == 0, "%s: %s", dir->path, strerror(errno));
	free(dir->path);
	dir->path = NULL;
}

/* A mount namespace of this process's own: what it mounts goes away with it.  False where that cannot be. */
static inline bool own_mounts(void)
{
	return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

#endif
