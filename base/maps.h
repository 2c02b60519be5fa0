/* SPDX-License-Identifier: MIT */
/*
 * maps - pure parser of /proc/PID/maps (proc(5)).  Same rules as procfs.h: any bytes, no opening,
 * -EBADMSG for what does not fit, outputs untouched on failure.
 */
#ifndef HF_MAPS_H
#define HF_MAPS_H

#include <stddef.h>
#include <stdint.h>

#include "scan.h"

#define HF_MAP_READ 1u
#define HF_MAP_WRITE 2u
#define HF_MAP_EXEC 4u
#define HF_MAP_SHARED 8u

/* One mapping.  The name is lent by the text, as the kernel wrote it: a newline in a path is "\012". */
struct hf_map {
	uint64_t start, end, offset, inode;
	uint32_t dev_major, dev_minor;
	uint32_t prot;		/* HF_MAP_ bits */
	const char *name;	/* a path, "[stack]", ...; not NUL-terminated */
	size_t name_len;	/* 0: anonymous memory */
};

/* The next line of the text.  1, 0 at the end, -EBADMSG. */
int hf_map_next(struct hf_scan *text, struct hf_map *ret);

/* Whether its name is exactly this. */
int hf_map_is(const struct hf_map *map, const char *name);

#endif
