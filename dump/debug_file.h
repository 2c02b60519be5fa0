/* SPDX-License-Identifier: MIT */
/*
 * debug_file - where the symbols of a stripped file are: in a separate file, found by the build-id, as distributions
 * install them below /usr/lib/debug; or in the file itself, compressed (.gnu_debugdata, "mini debug info").
 */
#ifndef HF_DEBUG_FILE_H
#define HF_DEBUG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "elf_file.h"

struct hf_debug_file {
	struct hf_elf elf;	/* data NULL: there is none */
	bool mapped;
};

/*
 * The separate file of a build-id, below the root of a process (0: ours alone), or below ours.  False when there is none.
 */
bool hf_debug_file_open(struct hf_debug_file *f, const uint8_t *build_id, size_t n, pid_t pid);

/* What is compressed in a file.  False when there is none, or it is damaged, or larger than we would hold. */
bool hf_debug_file_unpack(struct hf_debug_file *f, const struct hf_elf *elf);

void hf_debug_file_done(struct hf_debug_file *f);

#endif
