/* SPDX-License-Identifier: MIT */
/*
 * made - made-up directories for readers: a temporary directory with files of any bytes.  `check`
 * forks for every test, so one directory at a time is enough.
 */
#ifndef HF_TESTS_MADE_H
#define HF_TESTS_MADE_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "suite.h"

static char made_path[64];
static int made_fd = -1;

/* Checked fixtures: the directory is made and removed for each test. */
static inline void made_setup(void)
{
	snprintf(made_path, sizeof(made_path), "/tmp/hf-made-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(made_path));
	made_fd = open(made_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(made_fd, 0);
}

static inline void made_teardown(void)
{
	DIR *dir = opendir(made_path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			unlinkat(made_fd, entry->d_name, 0);
	if (dir)
		closedir(dir);
	close(made_fd);
	rmdir(made_path);
}

static inline void made_file(const char *name, struct bytes content)
{
	int fd = openat(made_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, content.text, content.len), (ssize_t)content.len);
	close(fd);
}

#endif
