/* SPDX-License-Identifier: MIT */
/*
 * file - a file that the target, or somebody in it, has named: opened only if it is a regular one, and had whole in
 * memory.  Whoever owns it may be anybody: a path may lead through symbolic links to a device of ours, and a file
 * may become shorter while it is read.
 */
#ifndef HF_FILE_H
#define HF_FILE_H

#include <stdint.h>
#include <sys/stat.h>

/*
 * Open a regular file for reading, without waiting for the other end of a FIFO, and without opening a device even for a
 * moment, which can do things.  With `root`, a directory, links are followed as whoever has that for his root would
 * (openat2(2), Linux 5.6); else path is one of ours.  A descriptor that is the caller's to close; -ENOEXEC when it
 * is no regular file, or -errno.
 */
int hf_file_open(const char *root, const char *path, struct stat *ret);

/* Larger files that others may change are not read. */
#define HF_FILE_COPY_MAX ((uint64_t)1 << 30)

/*
 * All of it: mapped, if only root or we ourselves can change it, else copied, since what is behind the end of a
 * mapped file that somebody has cut raises SIGBUS.  *ret is for munmap(2), of st->st_size bytes.  0; -ENOEXEC when it is
 * empty; -EFBIG when it is too large to be copied, or to be mapped at all; -errno.
 */
int hf_file_map(int fd, const struct stat *st, const uint8_t **ret);

#endif
