/* SPDX-License-Identifier: MIT */
/*
 * fuzz_procfs - the parsers of base/procfs.c on any bytes.  What must hold: no access outside of
 * the text, outputs untouched on failure, and members within their limits on success.
 */
#include "procfs.h"

#include <errno.h>
#include <string.h>

#include "fuzz.h"

static void fuzz_stat(const char *text, size_t len)
{
	struct hf_stat st;
	int r;

	memset(&st, FUZZ_FILLER, sizeof(st));
	r = hf_stat_parse(text, len, &st);
	FUZZ_REQUIRE(r == 0 || r == -EBADMSG);
	if (r < 0) {
		FUZZ_REQUIRE(fuzz_is_untouched(&st, sizeof(st)));
		return;
	}
	FUZZ_REQUIRE(memchr(st.comm, '\0', sizeof(st.comm)));
	FUZZ_REQUIRE(st.pid >= 0 && st.ppid >= 0 && st.pgid >= -1 && st.sid >= -1);
	FUZZ_REQUIRE(st.state > ' ');
}

static void fuzz_status(const char *text, size_t len)
{
	struct hf_status st;
	size_t i;
	int r;

	memset(&st, FUZZ_FILLER, sizeof(st));
	r = hf_status_parse(text, len, &st);
	FUZZ_REQUIRE(r == 0 || r == -EBADMSG);
	if (r < 0) {
		FUZZ_REQUIRE(fuzz_is_untouched(&st, sizeof(st)));
		return;
	}
	FUZZ_REQUIRE(memchr(st.comm, '\0', sizeof(st.comm)));
	FUZZ_REQUIRE(st.pid >= 0 && st.tgid >= 0 && st.ppid >= 0 && st.tracer >= 0);
	FUZZ_REQUIRE(st.n_nspid >= 1 && st.n_nspid <= HF_NS_DEPTH);
	for (i = 0; i < st.n_nspid; i++)
		FUZZ_REQUIRE(st.nspid[i] >= 0);
	FUZZ_REQUIRE(st.seccomp >= -1);
}

static void fuzz_syscall(const char *text, size_t len)
{
	struct hf_syscall sc;
	int r;

	memset(&sc, FUZZ_FILLER, sizeof(sc));
	r = hf_syscall_parse(text, len, &sc);
	FUZZ_REQUIRE(r == 0 || r == -EBADMSG);
	if (r < 0)
		FUZZ_REQUIRE(fuzz_is_untouched(&sc, sizeof(sc)));
	else
		FUZZ_REQUIRE(sc.nr >= -1 && !(sc.running && sc.nr != -1));
}

static void fuzz_cgroup(const char *text, size_t len, int version)
{
	const char *path = NULL;
	size_t path_len = 0;
	int r = hf_proc_cgroup_find(text, len, version, &path, &path_len);

	FUZZ_REQUIRE(r == 0 || r == -ENOENT || r == -EBADMSG);
	if (r < 0) {
		FUZZ_REQUIRE(path == NULL && path_len == 0);
		return;
	}
	FUZZ_REQUIRE(path_len > 0 && *path == '/' && !memchr(path, '\n', path_len));
	FUZZ_REQUIRE(path > text && path + path_len < text + len);
}

/* cap is part of the input too: it decides between a path and -ENAMETOOLONG. */
static void fuzz_mountinfo(const char *text, size_t len, int version, size_t cap)
{
	char path[256];
	int r;

	memset(path, FUZZ_FILLER, sizeof(path));
	r = hf_mountinfo_find_cgroup(text, len, version, path, cap);
	FUZZ_REQUIRE(r == 0 || r == -ENOENT || r == -EBADMSG || r == -ENAMETOOLONG);
	if (r < 0) {
		FUZZ_REQUIRE(fuzz_is_untouched(path, sizeof(path)));
		return;
	}
	FUZZ_REQUIRE(path[0] == '/' && strlen(path) < cap);
	FUZZ_REQUIRE(fuzz_is_untouched(path + strlen(path) + 1, sizeof(path) - strlen(path) - 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;

	if (size == 0)
		return 0;
	size--;
	switch ((data[0] - '0') & 7) {
	case 0:
		fuzz_stat(text, size);
		break;
	case 1:
		fuzz_status(text, size);
		break;
	case 2:
		fuzz_syscall(text, size);
		break;
	case 3:
		fuzz_cgroup(text, size, 1);
		break;
	case 4:
		fuzz_cgroup(text, size, 2);
		break;
	case 5:
		fuzz_mountinfo(text, size, 1, 256);
		break;
	case 6:
		fuzz_mountinfo(text, size, 2, 256);
		break;
	case 7:
		fuzz_mountinfo(text, size, 2, size % 40);
		break;
	}
	return 0;
}
