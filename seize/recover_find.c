/* SPDX-License-Identifier: MIT */
/*
 * recover_find - see recover_find.h.
 */
#include "recover_find.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "own.h"

#define FIND_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

/* The handle of a cgroup directory is its id, which is its inode, too (Linux 5.5; fs/kernfs/mount.c). */
#define HANDLE_KERNFS 0xfe

/* v1 and v2 give the same numbers. */
static bool is_the_one(int fd, const struct hf_journal_page *page, size_t level)
{
	struct statfs fs;
	struct stat st;

	return fstatfs(fd, &fs) == 0 && fstat(fd, &st) == 0 && st.st_ino == page->levels[level].inode &&
	       fs.f_type == (page->version == 2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC);
}

/* -ESTALE: there is no such cgroup.  Takes CAP_DAC_READ_SEARCH. */
static int open_by_id(const struct hf_journal_page *page, size_t level)
{
	hf_owned_fd root = hf_freezer_open_mount(page->version);
	struct {
		struct file_handle head;
		uint64_t id;
	} handle = { .head = { sizeof(uint64_t), HANDLE_KERNFS }, .id = page->levels[level].inode };
	int fd;

	if (root < 0)
		return root;
	fd = open_by_handle_at(root, &handle.head, FIND_FLAGS);
	return fd < 0 ? -errno : fd;
}

/* What is wanted is not where it was. */
static int find_elsewhere(const struct hf_journal_page *page, size_t level, const struct hf_origin *here)
{
	hf_owned_fd root = -1;
	int fd = open_by_id(page, level);

	if (fd >= 0 || fd == -ENOMEM || fd == -EMFILE || fd == -ENFILE)
		return fd;
	if (fd == -ESTALE)
		return -ENOENT;
	/* This user or this kernel cannot ask for it: believe the path, where paths mean the same as for the holder. */
	root = hf_freezer_open_mount(page->version);
	return root >= 0 && hf_origin_same_paths(&page->origin, here) ? -ENOENT : -EXDEV;
}

static int find_level(const struct hf_journal_page *page, size_t level, int top, const struct hf_origin *here)
{
	const char *path = level ? hf_journal_name(page, level) : hf_journal_path(page);
	hf_owned_fd fd = openat(level ? top : AT_FDCWD, path, FIND_FLAGS | O_NOFOLLOW);

	if (fd >= 0 && is_the_one(fd, page, level))
		return hf_take_fd(&fd);
	if (fd < 0 && errno != ENOENT && errno != ENOTDIR && errno != ELOOP && errno != ENODEV)
		return -errno;
	return find_elsewhere(page, level, here);
}

int hf_recover_find_top(const struct hf_journal_page *page, const struct hf_origin *here)
{
	return find_level(page, 0, -1, here);
}

static int open_file(int dir, const char *name, int flags)
{
	int fd = openat(dir, name, flags | O_CLOEXEC);

	return fd >= 0 ? fd : errno == ENODEV ? -ENOENT : -errno;
}

void hf_recover_open(struct hf_journal_page *page, size_t level, int top, const struct hf_origin *here)
{
	struct hf_journal_level *l = &page->levels[level];
	hf_owned_fd found = -1;
	int dir = top;

	if (level && top >= 0)
		dir = found = find_level(page, level, top, here);
	if (dir < 0) {
		l->fd = l->self_fd = dir;
		return;
	}
	l->fd = open_file(dir, page->version == 2 ? "cgroup.freeze" : "freezer.state", O_RDWR);
	l->self_fd = open_file(dir, page->version == 2 ? "cgroup.freeze" : "freezer.self_freezing", O_RDONLY);
	/* A handle reaches the directory of a cgroup that is just going. */
	if (l->fd >= 0 && l->self_fd < 0) {
		hf_own_close(&l->fd);
		l->fd = l->self_fd;
	}
}
