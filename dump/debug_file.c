/* SPDX-License-Identifier: MIT */
/*
 * debug_file - see debug_file.h.
 */
#include "debug_file.h"

#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "file.h"
#include "own.h"

#define ROOT "/usr/lib/debug/.build-id/"
#define PATH_ROOM (sizeof(ROOT) + 2 * (size_t)HF_ELF_BUILD_ID_MAX + sizeof("/.debug"))

/* Two digits, a slash, the others, ".debug". */
static void path_of(const uint8_t *build_id, size_t n, char ret[PATH_ROOM])
{
	size_t i, len = (size_t)snprintf(ret, PATH_ROOM, ROOT "%02x/", build_id[0]);

	for (i = 1; i < n; i++)
		len += (size_t)snprintf(ret + len, PATH_ROOM - len, "%02x", build_id[i]);
	snprintf(ret + len, PATH_ROOM - len, ".debug");
}

static bool has_build_id(const struct hf_elf *elf, const uint8_t *build_id, size_t n)
{
	const uint8_t *own;
	size_t n_own;

	return hf_elf_build_id(elf, &own, &n_own) && n_own == n && memcmp(own, build_id, n) == 0;
}

static bool map(struct hf_debug_file *f, const char *root, const char *path)
{
	struct stat st;
	hf_owned_fd fd = hf_file_open(root, path, &st);
	const uint8_t *data;

	if (fd < 0 || hf_file_map(fd, &st, &data) < 0)
		return false;
	f->mapped = true;
	if (hf_elf_open(&f->elf, data, (size_t)st.st_size) == 0)
		return true;
	munmap((void *)(uintptr_t)data, (size_t)st.st_size);
	*f = (struct hf_debug_file){ 0 };
	return false;
}

static bool open_below(struct hf_debug_file *f, const uint8_t *build_id, size_t n, const char *root)
{
	char path[PATH_ROOM];

	path_of(build_id, n, path);
	if (!map(f, root, path))
		return false;
	if (has_build_id(&f->elf, build_id, n))
		return true;
	hf_debug_file_done(f);
	return false;
}

bool hf_debug_file_open(struct hf_debug_file *f, const uint8_t *build_id, size_t n, pid_t pid)
{
	char root[32];

	*f = (struct hf_debug_file){ 0 };
	if (n < 2 || n > HF_ELF_BUILD_ID_MAX)
		return false;
	snprintf(root, sizeof(root), "/proc/%d/root", (int)pid);
	return open_below(f, build_id, n, NULL) || (pid && open_below(f, build_id, n, root));
}

/* ---- Mini debug info -------------------------------------------------------------------------------- */

#define UNPACKED_MAX ((size_t)256 * 1024 * 1024)
#define UNPACK_MEMORY_MAX ((uint64_t)128 * 1024 * 1024)

/* All of the stream into memory that doubles as it is needed.  NULL when it does not end well. */
static uint8_t *unpack(const struct hf_elf_part *packed, size_t *ret_len)
{
	lzma_stream s = LZMA_STREAM_INIT;
	size_t cap = packed->len < 65536 ? 262144 : packed->len * 4;
	uint8_t *data = NULL, *more;
	lzma_ret r = lzma_stream_decoder(&s, UNPACK_MEMORY_MAX, LZMA_CONCATENATED);

	s.next_in = packed->data;
	s.avail_in = packed->len;
	for (; r == LZMA_OK && cap <= UNPACKED_MAX; cap *= 2) {
		more = realloc(data, cap);
		if (!more)
			break;
		data = more;
		s.next_out = data + s.total_out;
		s.avail_out = cap - (size_t)s.total_out;
		do
			r = lzma_code(&s, LZMA_FINISH);
		while (r == LZMA_OK && s.avail_out);
	}
	*ret_len = (size_t)s.total_out;
	lzma_end(&s);
	if (r == LZMA_STREAM_END)
		return data;
	free(data);
	return NULL;
}

bool hf_debug_file_unpack(struct hf_debug_file *f, const struct hf_elf *elf)
{
	struct hf_elf_part packed;
	uint8_t *data;
	size_t len;

	*f = (struct hf_debug_file){ 0 };
	if (!hf_elf_section(elf, ".gnu_debugdata", &packed))
		return false;
	data = unpack(&packed, &len);
	if (data && hf_elf_open(&f->elf, data, len) == 0)
		return true;
	free(data);
	*f = (struct hf_debug_file){ 0 };
	return false;
}

void hf_debug_file_done(struct hf_debug_file *f)
{
	void *data = (void *)(uintptr_t)f->elf.data;

	if (f->mapped && data)
		munmap(data, f->elf.len);
	else
		free(data);
	*f = (struct hf_debug_file){ 0 };
}
