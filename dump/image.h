/* SPDX-License-Identifier: MIT */
/*
 * image - one file that has code which is mapped somewhere in the target: opened and mapped once, whoever maps it.
 *
 * It is opened through /proc/PID/map_files where that is allowed, so that it is the file that was mapped, in
 * whatever mount namespace, deleted or replaced; else by its name below /proc/PID/root, if it
 * still is the same inode.  Opening can wait for a file system, so it is done after the release.
 */
#ifndef HF_IMAGE_H
#define HF_IMAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "arena.h"
#include "cfi.h"
#include "debug_file.h"
#include "elf_file.h"
#include "maps.h"
#include "slots.h"

enum hf_image_state {
	HF_IMAGE_UNSEEN = 0,	/* not opened yet; or it was not found, and `why` says so */
	HF_IMAGE_READY,
	HF_IMAGE_CLOSED,	/* could not be opened, or is no ELF file of this machine: `why` */
};

struct hf_image {
	const char *name;		/* path as the target sees it; "[vdso]" */
	const char *map_name;		/* the same as maps writes it */
	size_t map_name_len;
	uint64_t dev, inode;		/* as maps shows them; inode 0: from memory */
	enum hf_image_state state;
	bool deleted;
	const char *why;
	const uint8_t *data;
	size_t len;
	uid_t uid;			/* whose the file is */
	struct hf_elf elf;
	struct hf_cfi cfi;
	const uint8_t *build_id;	/* NULL when it has none */
	size_t n_build_id;
	pid_t pid;			/* the process it was opened for */
	struct hf_debug_file debug;	/* its separate file of symbols, once they are wanted */
	struct hf_debug_file mini;	/* and those that are compressed in it */
	struct hf_image *before;	/* of those from memory */
	struct hf_image *same;		/* another inode with this build-id, which stands for it; or NULL */
	uint32_t number;
};

struct hf_images {
	struct hf_arena *arena;		/* where names live; lent */
	struct hf_image **all;
	size_t n, cap;
	struct hf_slots slots;		/* of files, by device and inode */
	struct hf_image *of_bytes;	/* those from memory: the last, and those before it */
};

void hf_images_done(struct hf_images *images);

/* The image of a file, by device and inode; made UNSEEN the first time.  NULL when memory is short. */
struct hf_image *hf_image_of_map(struct hf_images *images, const struct hf_map *map);
/* Whether a mapping of it shows it under the name that the first one did. */
bool hf_image_is_named(const struct hf_image *image, const struct hf_map *map);
/* The name of a mapping as it is, in the arena; NULL when memory is short.  *ret_deleted: " (deleted)" was behind it. */
char *hf_image_name(struct hf_arena *arena, const struct hf_map *map, bool *ret_deleted);
/* The image whose bytes these are (the vdso), copied the first time. */
struct hf_image *hf_image_of_bytes(struct hf_images *images, const char *name, const void *bytes, size_t len);
/* The one that begins with these bytes and has this length, or NULL. */
struct hf_image *hf_image_that_begins(const struct hf_images *images, const void *bytes, size_t n, size_t len);

/* Where a mapping of it is, for opening. */
struct hf_mapped_at {
	pid_t pid;		/* a process (or thread) that has it mapped */
	uint64_t start, end;
};

/*
 * Open it if that has not been tried, and return the image that stands for it (itself, or one with the same
 * build-id).  What could not be done is said in its `why`.  NULL when memory is short.
 */
struct hf_image *hf_image_open(struct hf_images *images, struct hf_image *image, const struct hf_mapped_at *at);

#endif
