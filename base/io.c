/* SPDX-License-Identifier: MIT */
/*
 * io - see io.h.
 */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "own.h"

/* One page holds nearly every file we read, and most are filled a page per call at best. */
#define BUF_MIN 4096u

void hf_buf_done(struct hf_buf *buf)
{
	free(buf->data);
	*buf = (struct hf_buf){ 0 };
}

int hf_buf_reserve(struct hf_buf *buf, size_t len)
{
	size_t cap = buf->cap ? buf->cap : BUF_MIN;
	char *data;

	if (len < buf->cap)
		return 0;
	if (len >= SIZE_MAX / 2)
		return -ENOMEM;
	while (cap <= len)
		cap *= 2;
	data = realloc(buf->data, cap);
	if (!data)
		return -ENOMEM;
	buf->data = data;
	buf->cap = cap;
	return 0;
}

int hf_buf_add(struct hf_buf *buf, const void *bytes, size_t len)
{
	int r = len > SIZE_MAX - buf->len ? -ENOMEM : hf_buf_reserve(buf, buf->len + len);

	if (r < 0)
		return r;
	if (len)
		memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
	return 0;
}

static ssize_t read_some(int fd, char *data, size_t cap)
{
	ssize_t n;

	do
		n = read(fd, data, cap);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static void set_len(struct hf_buf *buf, size_t len)
{
	buf->len = len;
	if (buf->data)
		buf->data[len] = '\0';
}

int hf_read_head_at(int dirfd, const char *name, size_t limit, struct hf_buf *buf)
{
	hf_owned_fd fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	size_t len = 0;	/* becomes buf->len at the end: half a file is not for anybody to see */
	ssize_t n;
	int r;

	set_len(buf, 0);
	if (fd < 0)
		return -errno;
	while (len < limit) {
		size_t room;

		r = hf_buf_reserve(buf, len + 1);
		if (r < 0)
			return r;
		room = buf->cap - len - 1;
		n = read_some(fd, buf->data + len, room < limit - len ? room : limit - len);
		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	set_len(buf, len);
	return len == limit;
}

int hf_read_at(int dirfd, const char *name, struct hf_buf *buf)
{
	return hf_read_head_at(dirfd, name, SIZE_MAX, buf);
}

ssize_t hf_read_again(int fd, char *data, size_t cap)
{
	ssize_t n;

	do
		n = pread(fd, data, cap - 1, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	data[n] = '\0';
	return n;
}

ssize_t hf_read_small_at(int dirfd, const char *name, char *data, size_t cap)
{
	hf_owned_fd fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : hf_read_again(fd, data, cap);
}

int hf_write_fd(int fd, const char *text)
{
	size_t len = strlen(text);
	ssize_t n;

	do
		n = pwrite(fd, text, len, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int hf_readlink_at(int dirfd, const char *name, struct hf_buf *buf)
{
	size_t room = BUF_MIN - 1;
	ssize_t n;
	int r;

	set_len(buf, 0);
	for (;;) {
		r = hf_buf_reserve(buf, room);
		if (r < 0)
			return r;
		n = readlinkat(dirfd, name, buf->data, buf->cap - 1);
		if (n < 0)
			return -errno;
		if ((size_t)n < buf->cap - 1)
			break;
		room = buf->cap;	/* it may have been cut: ask for more */
	}
	set_len(buf, (size_t)n);
	return 0;
}
