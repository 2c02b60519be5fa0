/* SPDX-License-Identifier: MIT */
/*
 * file - see file.h.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "own.h"
#include "sys.h"

static int find(const char *root, const char *path)
{
	static const struct open_how below = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	hf_owned_fd dir = -1;
	int fd;

	if (!root) {
		fd = open(path, O_PATH | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -errno : hf_sys_openat2(dir, path, &below);
}

int hf_file_open(const char *root, const char *path, struct stat *ret)
{
	hf_owned_fd found = find(root, path);
	char again[32];
	int fd;

	if (found < 0)
		return found;
	if (fstat(found, ret) < 0)
		return -errno;
	if (!S_ISREG(ret->st_mode))
		return -ENOEXEC;
	/* What has been looked at is what is opened. */
	snprintf(again, sizeof(again), "/proc/thread-self/fd/%d", found);
	fd = open(again, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Nobody but root and us. */
static bool is_safe(const struct stat *st)
{
	return (st->st_uid == 0 || st->st_uid == geteuid()) && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/* What a file that is shorter by now does not give is 0. */
static int read_whole(int fd, uint8_t *data, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = pread(fd, data + done, len - done, (off_t)done);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int hf_file_map(int fd, const struct stat *st, const uint8_t **ret)
{
	const bool safe = is_safe(st);
	const size_t len = (size_t)st->st_size;
	uint8_t *data;
	int r;

	if (len == 0)
		return -ENOEXEC;
	if (!safe && len > HF_FILE_COPY_MAX)
		return -EFBIG;
	data = mmap(NULL, len, safe ? PROT_READ : PROT_READ | PROT_WRITE, MAP_PRIVATE | (safe ? 0 : MAP_ANONYMOUS), safe ? fd : -1, 0);
	/* Our own memory is not short because somebody has a file of an exabyte. */
	if (data == MAP_FAILED)
		return errno == ENOMEM ? -EFBIG : -errno;
	r = safe ? 0 : read_whole(fd, data, len);
	if (r < 0)
		munmap(data, len);
	else
		*ret = data;
	return r;
}
