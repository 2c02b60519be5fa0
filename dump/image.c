/* SPDX-License-Identifier: MIT */
/*
 * image - see image.h.
 */
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "file.h"
#include "io.h"
#include "own.h"
#include "frame_regs.h"

/* ---- The set ------------------------------------------------------------------------------------ */

static void image_free(struct hf_image *image)
{
	hf_cfi_done(&image->cfi);
	hf_debug_file_done(&image->debug);
	hf_debug_file_done(&image->mini);
	if (image->data && image->inode)
		munmap((void *)(uintptr_t)image->data, image->len);
	else
		free((void *)(uintptr_t)image->data);
	free(image);
}

void hf_images_done(struct hf_images *images)
{
	size_t i;

	for (i = 0; i < images->n; i++)
		image_free(images->all[i]);
	free(images->all);
	hf_slots_done(&images->slots);
	*images = (struct hf_images){ .arena = images->arena };
}

/* Who serves a file system chooses its inodes' numbers. */
static uint64_t hash_of(uint64_t dev, uint64_t inode)
{
	return (inode * (hf_slots_secret(0) | 1) + dev * (hf_slots_secret(1) | 1)) >> 32;
}

static void put(struct hf_images *images, const struct hf_image *image)
{
	hf_slots_put(&images->slots, hash_of(image->dev, image->inode), image->number);
}

static struct hf_image *find(const struct hf_images *images, uint64_t dev, uint64_t inode)
{
	uint64_t at = hash_of(dev, inode);
	uint32_t i;

	while (hf_slots_next(&images->slots, &at, &i))
		if (images->all[i]->inode == inode && images->all[i]->dev == dev)
			return images->all[i];
	return NULL;
}

static int grow(struct hf_images *images)
{
	size_t i, cap = images->cap ? images->cap * 2 : 32;
	struct hf_image **all = reallocarray(images->all, cap, sizeof(struct hf_image *));

	if (!all)
		return -ENOMEM;
	images->all = all;
	if (hf_slots_renew(&images->slots, cap) < 0)
		return -ENOMEM;
	images->cap = cap;
	for (i = 0; i < images->n; i++)
		if (images->all[i]->inode)
			put(images, images->all[i]);
	return 0;
}

static struct hf_image *append(struct hf_images *images)
{
	struct hf_image *image;

	if (images->n == images->cap && grow(images) < 0)
		return NULL;
	image = calloc(1, sizeof(*image));
	if (!image)
		return NULL;
	image->number = (uint32_t)images->n;
	images->all[images->n++] = image;
	return image;
}

static struct hf_image *add_file(struct hf_images *images, uint64_t dev, uint64_t inode)
{
	struct hf_image *image = append(images);

	if (!image)
		return NULL;
	image->dev = dev;
	image->inode = inode;
	put(images, image);
	return image;
}

/* Without a file behind it. */
static struct hf_image *add(struct hf_images *images)
{
	struct hf_image *image = append(images);

	if (!image)
		return NULL;
	image->before = images->of_bytes;
	images->of_bytes = image;
	return image;
}

#define DELETED " (deleted)"

static bool ends_with(const char *text, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len >= n && memcmp(text + len - n, end, n) == 0;
}

/* A newline is all that maps escapes, as "\012". */
char *hf_image_name(struct hf_arena *arena, const struct hf_map *map, bool *ret_deleted)
{
	bool deleted = map->inode && ends_with(map->name, map->name_len, DELETED);
	char *copy = hf_arena_copy(arena, map->name, map->name_len - (deleted ? strlen(DELETED) : 0)), *to, *from;

	if (!copy)
		return NULL;
	for (to = from = copy; *from; from++) {
		if (strncmp(from, "\\012", 4) == 0) {
			*to++ = '\n';
			from += 3;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
	*ret_deleted = deleted;
	return copy;
}

bool hf_image_is_named(const struct hf_image *image, const struct hf_map *map)
{
	return image->map_name_len == map->name_len && memcmp(image->map_name, map->name, map->name_len) == 0;
}

struct hf_image *hf_image_of_map(struct hf_images *images, const struct hf_map *map)
{
	uint64_t dev = makedev(map->dev_major, map->dev_minor);
	struct hf_image *image = find(images, dev, map->inode);

	if (image)
		return image;
	image = add_file(images, dev, map->inode);
	if (!image)
		return NULL;
	image->name = hf_image_name(images->arena, map, &image->deleted);
	image->map_name = hf_arena_copy(images->arena, map->name, map->name_len);
	image->map_name_len = map->name_len;
	return image->name && image->map_name ? image : NULL;
}

struct hf_image *hf_image_that_begins(const struct hf_images *images, const void *bytes, size_t n, size_t len)
{
	struct hf_image *image;

	for (image = images->of_bytes; image; image = image->before)
		if (image->len == len && memcmp(image->data, bytes, n) == 0)
			return image;
	return NULL;
}

/* ---- Opening ------------------------------------------------------------------------------------- */

static bool is_the_file(const struct hf_image *image, const struct stat *st)
{
	return st->st_ino == image->inode && st->st_dev == image->dev;
}

/*
 * Some file systems (overlayfs, btrfs) show another device in maps than to stat(2).  Then what can be trusted is
 * that the mapping is still there as it was: its link leads to what it maps.
 */
static bool is_still_mapped(const struct hf_image *image, const struct hf_mapped_at *at)
{
	struct hf_buf text = { 0 };
	struct hf_map map;
	struct hf_scan s;
	char path[64];
	bool same = false;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)at->pid);
	if (hf_read_at(AT_FDCWD, path, &text) == 0) {
		s = hf_scan_of(text.data, text.len);
		while (!same && hf_map_next(&s, &map) > 0)
			same = map.start == at->start && map.end == at->end && map.inode == image->inode &&
			       makedev(map.dev_major, map.dev_minor) == image->dev;
	}
	hf_buf_done(&text);
	return same;
}

static int open_mapped(const struct hf_image *image, const struct hf_mapped_at *at, struct stat *st)
{
	hf_owned_fd fd = -1;
	char path[96];

	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, (int)at->pid, at->start, at->end);
	fd = hf_file_open(NULL, path, st);
	if (fd >= 0 && !is_the_file(image, st) && !is_still_mapped(image, at))
		return -ESTALE;
	return fd < 0 ? fd : hf_take_fd(&fd);
}

static int open_named(const struct hf_image *image, const char *root, struct stat *st)
{
	hf_owned_fd fd = hf_file_open(root, image->name, st);

	if (fd >= 0 && !is_the_file(image, st))
		return -ESTALE;
	return fd < 0 ? fd : hf_take_fd(&fd);
}

static int open_file(const struct hf_image *image, const struct hf_mapped_at *at, struct stat *st)
{
	char root[32];
	int fd = open_mapped(image, at, st);

	if (fd < 0 && !image->deleted && image->name[0] == '/') {
		snprintf(root, sizeof(root), "/proc/%d/root", (int)at->pid);
		fd = open_named(image, root, st);
		/* The process may have ended since; then its root is gone, too. */
		if (fd == -ENOENT || fd == -ESRCH)
			fd = open_named(image, NULL, st);
	}
	return fd;
}

static const char *why_closed(const struct hf_image *image, int r)
{
	switch (r) {
	case -ENOEXEC:
		return "it is no ELF file for this machine";
	case -ESTALE:
		return "the file has been replaced since it was mapped";
	case -EACCES:
	case -EPERM:
		return "the file may not be read";
	case -ENOENT:
	case -ESRCH:
		return image->deleted ? "the file is deleted, and whoever had it mapped has ended" :
					"the file is not there";
	case -EFBIG:
		return "the file is too large to be read";
	default:
		return "the file cannot be read";
	}
}

static int read_image(struct hf_image *image)
{
	int r = hf_elf_open(&image->elf, image->data, image->len);

	if (r == 0 && image->elf.machine != HF_ELF_MACHINE)
		r = -ENOEXEC;
	if (r == 0)
		r = hf_cfi_open(&image->cfi, &image->elf);
	if (r == 0 && !hf_elf_build_id(&image->elf, &image->build_id, &image->n_build_id))
		image->build_id = NULL;
	return r;
}

/*
 * Two containers have each its own copy of a library: one set of tables serves both.  A build-id is what a file says of
 * itself, so that of another user's file is nothing to go by.
 */
static struct hf_image *with_build_id(const struct hf_images *images, const struct hf_image *of)
{
	size_t i;

	for (i = 0; of->build_id && i < images->n; i++) {
		struct hf_image *image = images->all[i];

		if (image != of && image->state == HF_IMAGE_READY && !image->same && image->build_id &&
		    (image->uid == 0 || image->uid == of->uid) && image->len == of->len && image->n_build_id == of->n_build_id &&
		    memcmp(image->build_id, of->build_id, of->n_build_id) == 0)
			return image;
	}
	return NULL;
}

struct hf_image *hf_image_open(struct hf_images *images, struct hf_image *image, const struct hf_mapped_at *at)
{
	hf_owned_fd fd = -1;
	struct stat st;
	int r;

	if (image->state != HF_IMAGE_UNSEEN)
		return image->same ? image->same : image;
	image->pid = at->pid;
	fd = open_file(image, at, &st);
	r = fd < 0 ? fd : hf_file_map(fd, &st, &image->data);
	if (r == 0) {
		image->len = (size_t)st.st_size;
		image->uid = st.st_uid;
		r = read_image(image);
	}
	if (r == -ENOMEM)
		return NULL;
	image->why = r < 0 ? why_closed(image, r) : NULL;
	/* Through another process that has it mapped, and lives, it may still be found. */
	if (r == -ENOENT || r == -ESRCH)
		return image;
	image->state = r < 0 ? HF_IMAGE_CLOSED : HF_IMAGE_READY;
	image->same = r < 0 ? NULL : with_build_id(images, image);
	return image->same ? image->same : image;
}

struct hf_image *hf_image_of_bytes(struct hf_images *images, const char *name, const void *bytes, size_t len)
{
	struct hf_image *image = add(images);
	void *copy;
	int r;

	if (!image)
		return NULL;
	image->name = name;
	copy = malloc(len ? len : 1);
	if (!copy)
		return NULL;
	memcpy(copy, bytes, len);
	image->data = copy;
	image->len = len;
	r = read_image(image);
	if (r == -ENOMEM)
		return NULL;
	image->state = r < 0 ? HF_IMAGE_CLOSED : HF_IMAGE_READY;
	image->why = r < 0 ? "it is no ELF file for this machine" : NULL;
	return image;
}
