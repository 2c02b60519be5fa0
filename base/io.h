/* SPDX-License-Identifier: MIT */
/*
 * io - read or write one small file whole.  Files of /proc and cgroupfs are made anew by each
 * open, so they are opened, read to the end and closed; the buffer is the caller's and is kept
 * from one read to the next.
 */
#ifndef HF_IO_H
#define HF_IO_H

#include <stddef.h>
#include <sys/types.h>

/* A growing buffer.  All zero is empty; hf_buf_done() empties it. */
struct hf_buf {
	char *data;	/* NUL-terminated after a read, the NUL not counted in len */
	size_t len;
	size_t cap;
};

void hf_buf_done(struct hf_buf *buf);
/* Room for at least len bytes and a NUL.  0 or -ENOMEM; the contents stay. */
int hf_buf_reserve(struct hf_buf *buf, size_t len);
/* Add bytes at the end.  0 or -ENOMEM. */
int hf_buf_add(struct hf_buf *buf, const void *bytes, size_t len);

/*
 * Replace the contents of buf by the whole file `name` below dirfd (AT_FDCWD: any path).  0 or
 * -errno, and then buf is empty.
 */
int hf_read_at(int dirfd, const char *name, struct hf_buf *buf);
/*
 * The same for at most so many bytes, from the beginning: of files that are as large as somebody else wants.  1 when it is
 * as long as that, or longer.
 */
int hf_read_head_at(int dirfd, const char *name, size_t limit, struct hf_buf *buf);

/*
 * The same into caller's memory with one read: at most cap - 1 bytes and a NUL; cap is at least 1.  For the files of
 * /proc and cgroups that are one record, which the kernel makes whole before it hands over any of it (fs/seq_file.c);
 * of a list it may be only the beginning.  Returns the length or -errno.  A length of cap - 1 may mean that more was there.
 */
ssize_t hf_read_small_at(int dirfd, const char *name, char *data, size_t cap);

/* The same of a file that is open, from its start whatever was read before: for what is looked at again and again. */
ssize_t hf_read_again(int fd, char *data, size_t cap);

/* Write text with one write(2), as cgroup files need it.  0 or -errno. */
int hf_write_fd(int fd, const char *text);

/* readlink below dirfd into buf.  0 or -errno, and then buf is empty. */
int hf_readlink_at(int dirfd, const char *name, struct hf_buf *buf);

#endif
