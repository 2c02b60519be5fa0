/* SPDX-License-Identifier: MIT */
/*
 * procfs - see procfs.h.
 *
 * stat and status are read once for every thread of a target, and there may be 20 000 of them
 * standing still meanwhile: one pass over the bytes, no allocation, no scanf.  Every parser fills a
 * struct of its own and hands it over when all of it is known.
 */
#include "procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scan.h"

/* ---- Pieces ------------------------------------------------------------------------------- */

static int scan_u32(struct hf_scan *s, uint32_t *ret)
{
	uint64_t value;
	int r = hf_scan_number(s, 10, UINT32_MAX, &value);

	if (r < 0)
		return r;
	*ret = (uint32_t)value;
	return 0;
}

/* pgid and sid are -1 in stat for a task on its way out, which has lost its sighand. */
static int scan_id_or_none(struct hf_scan *s, pid_t *ret)
{
	if (!hf_scan_skip(s, "-1"))
		return hf_scan_id(s, ret);
	*ret = -1;
	return 0;
}

/* State letters: proc(5).  Letters that are not known yet are let through. */
static int scan_letter(struct hf_scan *s, char *ret)
{
	char c = s->len ? *s->at : '\0';

	if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
		return -EBADMSG;
	hf_scan_advance(s, 1);
	*ret = c;
	return 0;
}

/*
 * A name ends at its NUL in the kernel, so one with a NUL inside is not a name.  One that is
 * longer than any kernel makes them is cut: it is for people to read, and no reason to fail a hold.
 */
static int copy_comm(struct hf_scan s, bool escaped, char ret[HF_COMM_MAX])
{
	size_t n = 0;

	if (memchr(s.at, '\0', s.len))
		return -EBADMSG;
	while (s.len && n < HF_COMM_MAX - 1) {
		if (escaped && hf_scan_skip(&s, "\\n")) {
			ret[n++] = '\n';
			continue;
		}
		if (escaped && s.len > 1 && s.at[0] == '\\' && s.at[1] == '\\')
			hf_scan_skip(&s, "\\");
		ret[n++] = *s.at;
		hf_scan_advance(&s, 1);
	}
	ret[n] = '\0';
	return 0;
}

/* ---- stat --------------------------------------------------------------------------------- */

/* Field nr of proc(5); moves over what it took. */
static int scan_stat_field(unsigned int nr, struct hf_scan *s, struct hf_stat *st)
{
	switch (nr) {
	case 3:
		return scan_letter(s, &st->state);
	case 4:
		return hf_scan_id(s, &st->ppid);
	case 5:
		return scan_id_or_none(s, &st->pgid);
	case 6:
		return scan_id_or_none(s, &st->sid);
	case 9:
		return scan_u32(s, &st->flags);
	case 20:
		return scan_u32(s, &st->n_threads);
	case 22:
		return hf_scan_number(s, 10, UINT64_MAX, &st->start_time_ticks);
	default:	/* not wanted */
		hf_scan_advance(s, s->len);
		return 0;
	}
}

/* From behind the name: " R 1 2 3 ...".  More fields follow the last one that is wanted. */
static int scan_stat_fields(struct hf_scan *s, struct hf_stat *st)
{
	struct hf_scan field;
	unsigned int nr;

	if (!hf_scan_skip(s, " "))
		return -EBADMSG;
	for (nr = 3; nr <= 22; nr++) {
		if (!hf_scan_field(s, ' ', &field) || field.len == 0)
			return -EBADMSG;
		if (scan_stat_field(nr, &field, st) < 0 || field.len)
			return -EBADMSG;
	}
	return 0;
}

int hf_stat_parse(const char *text, size_t len, struct hf_stat *ret)
{
	struct hf_scan s = hf_scan_of(text, len), name;
	struct hf_stat st = { 0 };
	const char *end;

	if (hf_scan_id(&s, &st.pid) < 0 || !hf_scan_skip(&s, " ("))
		return -EBADMSG;
	/* A name may contain ") R 1 2 3", and no field behind it a parenthesis: the last one counts. */
	end = memrchr(s.at, ')', s.len);
	if (!end)
		return -EBADMSG;
	name = (struct hf_scan){ s.at, (size_t)(end - s.at) };
	hf_scan_advance(&s, name.len + 1);
	if (copy_comm(name, false, st.comm) < 0 || scan_stat_fields(&s, &st) < 0)
		return -EBADMSG;
	*ret = st;
	return 0;
}

/* ---- status ------------------------------------------------------------------------------- */

enum status_key {
	KEY_NAME,
	KEY_STATE,
	KEY_TGID,
	KEY_PID,
	KEY_PPID,
	KEY_TRACER,
	KEY_UID,
	KEY_GID,
	KEY_THREADS,
	KEY_NSPID,	/* from here on a kernel may lack them */
	KEY_SIGPND,
	KEY_SHDPND,
	KEY_SIGBLK,
	KEY_SIGIGN,
	KEY_SIGCGT,
	KEY_SECCOMP,
	KEY_COUNT
};

#define KEYS_NEEDED ((1u << KEY_NSPID) - 1)
#define KEYS_ALL ((1u << KEY_COUNT) - 1)

static const struct {
	char text[12];
	size_t len;
} status_keys[KEY_COUNT] = {
#define KEY(text) { text, sizeof(text) - 1 }
	[KEY_NAME] = KEY("Name:"),
	[KEY_STATE] = KEY("State:"),
	[KEY_TGID] = KEY("Tgid:"),
	[KEY_PID] = KEY("Pid:"),
	[KEY_PPID] = KEY("PPid:"),
	[KEY_TRACER] = KEY("TracerPid:"),
	[KEY_UID] = KEY("Uid:"),
	[KEY_GID] = KEY("Gid:"),
	[KEY_THREADS] = KEY("Threads:"),
	[KEY_NSPID] = KEY("NSpid:"),
	[KEY_SIGPND] = KEY("SigPnd:"),
	[KEY_SHDPND] = KEY("ShdPnd:"),
	[KEY_SIGBLK] = KEY("SigBlk:"),
	[KEY_SIGIGN] = KEY("SigIgn:"),
	[KEY_SIGCGT] = KEY("SigCgt:"),
	[KEY_SECCOMP] = KEY("Seccomp:"),
#undef KEY
};

/* Which key a line begins with, KEY_COUNT for one that is not wanted; line moves behind it. */
static enum status_key scan_key(struct hf_scan *line)
{
	char first = line->len ? *line->at : '\0';
	enum status_key key;

	for (key = 0; key < KEY_COUNT; key++) {
		size_t len = status_keys[key].len;

		/* The first byte settles most of them without a call. */
		if (first == status_keys[key].text[0] && line->len >= len &&
		    memcmp(line->at, status_keys[key].text, len) == 0) {
			hf_scan_advance(line, len);
			break;
		}
	}
	return key;
}

/* Real, effective, saved and file system id.  uid_t and gid_t are the same type everywhere. */
static int scan_four(struct hf_scan *s, uid_t *real, uid_t *effective, uid_t *saved, uid_t *fs)
{
	uid_t *const ids[] = { real, effective, saved, fs };
	size_t i;
	int r;

	for (i = 0; i < 4; i++) {
		hf_scan_blanks(s);
		r = scan_u32(s, ids[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int scan_nspid(struct hf_scan *s, struct hf_status *st)
{
	size_t n = 0;

	while (s->len) {
		if (n == HF_NS_DEPTH || hf_scan_id(s, &st->nspid[n]) < 0)
			return -EBADMSG;
		n++;
		hf_scan_blanks(s);
	}
	st->n_nspid = n;
	return n ? 0 : -EBADMSG;
}

static int scan_state(struct hf_scan *s, char *ret)
{
	int r = scan_letter(s, ret);

	/* "R (running)": the word is derived from the letter. */
	if (r == 0 && hf_scan_skip(s, " "))
		hf_scan_advance(s, s->len);
	return r;
}

static int scan_seccomp(struct hf_scan *s, int *ret)
{
	uint64_t value;
	int r = hf_scan_number(s, 10, INT_MAX, &value);

	if (r == 0)
		*ret = (int)value;
	return r;
}

static int scan_value(enum status_key key, struct hf_scan *s, struct hf_status *st)
{
	hf_scan_blanks(s);
	switch (key) {
	case KEY_STATE:
		return scan_state(s, &st->state);
	case KEY_TGID:
		return hf_scan_id(s, &st->tgid);
	case KEY_PID:
		return hf_scan_id(s, &st->pid);
	case KEY_PPID:
		return hf_scan_id(s, &st->ppid);
	case KEY_TRACER:
		return hf_scan_id(s, &st->tracer);
	case KEY_UID:
		return scan_four(s, &st->uid, &st->euid, &st->suid, &st->fsuid);
	case KEY_GID:
		return scan_four(s, &st->gid, &st->egid, &st->sgid, &st->fsgid);
	case KEY_THREADS:
		return scan_u32(s, &st->n_threads);
	case KEY_NSPID:
		return scan_nspid(s, st);
	case KEY_SIGPND:
		return hf_scan_number(s, 16, UINT64_MAX, &st->sig_pending);
	case KEY_SHDPND:
		return hf_scan_number(s, 16, UINT64_MAX, &st->shared_pending);
	case KEY_SIGBLK:
		return hf_scan_number(s, 16, UINT64_MAX, &st->sig_blocked);
	case KEY_SIGIGN:
		return hf_scan_number(s, 16, UINT64_MAX, &st->sig_ignored);
	case KEY_SIGCGT:
		return hf_scan_number(s, 16, UINT64_MAX, &st->sig_caught);
	case KEY_SECCOMP:
		return scan_seccomp(s, &st->seccomp);
	case KEY_NAME:
	case KEY_COUNT:
		break;
	}
	return -EBADMSG;
}

static int take_line(enum status_key key, struct hf_scan value, struct hf_status *st)
{
	int r;

	if (key == KEY_NAME)	/* one tab, and then spaces may belong to the name */
		return hf_scan_skip(&value, "\t") ? copy_comm(value, true, st->comm) : -EBADMSG;
	r = scan_value(key, &value, st);
	if (r < 0)
		return r;
	hf_scan_blanks(&value);
	return value.len ? -EBADMSG : 0;
}

int hf_status_parse(const char *text, size_t len, struct hf_status *ret)
{
	struct hf_scan s = hf_scan_of(text, len), line;
	struct hf_status st = { .seccomp = -1 };
	unsigned int seen = 0;
	enum status_key key;
	int r;

	/* The rest is mostly the masks of CPUs and memory nodes: long, and not wanted. */
	while (seen != KEYS_ALL) {
		r = hf_scan_line(&s, &line);
		if (r < 0)
			return r;
		if (r == 0)
			break;
		key = scan_key(&line);
		if (key == KEY_COUNT || (seen & (1u << key)))
			continue;
		r = take_line(key, line, &st);
		if (r < 0)
			return r;
		seen |= 1u << key;
	}
	if ((seen & KEYS_NEEDED) != KEYS_NEEDED)
		return -EBADMSG;
	if (st.n_nspid == 0) {
		st.n_nspid = 1;
		st.nspid[0] = st.pid;
	}
	*ret = st;
	return 0;
}

/* ---- syscall ------------------------------------------------------------------------------ */

/* " 0x7f00" */
static int scan_address(struct hf_scan *s, uint64_t *ret)
{
	return hf_scan_skip(s, " 0x") ? hf_scan_number(s, 16, UINT64_MAX, ret) : -EBADMSG;
}

int hf_syscall_parse(const char *text, size_t len, struct hf_syscall *ret)
{
	struct hf_scan s = hf_scan_of(text, len), line;
	struct hf_syscall sc = { .nr = -1 };
	uint64_t nr;
	bool outside;
	size_t i;

	if (hf_scan_line(&s, &line) <= 0)
		return -EBADMSG;
	if (hf_scan_is(line, "running")) {
		sc.running = true;
		*ret = sc;
		return 0;
	}
	/* Any negative number: older x86 kernels left the vector of an interrupt there. */
	outside = hf_scan_skip(&line, "-");
	if (hf_scan_number(&line, 10, INT_MAX, &nr) < 0)
		return -EBADMSG;
	if (!outside) {
		sc.nr = (long)nr;
		for (i = 0; i < 6; i++)
			if (scan_address(&line, &sc.args[i]) < 0)
				return -EBADMSG;
	}
	if (scan_address(&line, &sc.sp) < 0 || scan_address(&line, &sc.pc) < 0 || line.len)
		return -EBADMSG;
	*ret = sc;
	return 0;
}

/* ---- children ----------------------------------------------------------------------------- */

int hf_children_next(const char *text, size_t len, size_t *pos, pid_t *ret_id)
{
	struct hf_scan s;
	pid_t id;

	if (*pos >= len)
		return 0;
	s = hf_scan_of(text + *pos, len - *pos);
	if (hf_scan_id(&s, &id) < 0 || !hf_scan_skip(&s, " "))
		return -EBADMSG;
	*pos = len - s.len;
	*ret_id = id;
	return 1;
}

/* ---- cgroup and mountinfo ----------------------------------------------------------------- */

/* "ID:controllers:path"; the v2 hierarchy is ID 0 without controllers (cgroups(7)). */
int hf_proc_cgroup_find(const char *text, size_t len, int version, const char **ret_path,
			size_t *ret_path_len)
{
	struct hf_scan s = hf_scan_of(text, len), line, id, controllers;
	bool found;
	int r;

	while ((r = hf_scan_line(&s, &line)) > 0) {
		if (!hf_scan_field(&line, ':', &id) || !hf_scan_field(&line, ':', &controllers))
			continue;
		found = version == 2 ? hf_scan_is(id, "0") && controllers.len == 0 :
				       hf_scan_list_has(controllers, "freezer");
		/* What is left may contain more colons: they belong to the path. */
		if (found && line.len && *line.at == '/') {
			*ret_path = line.at;
			*ret_path_len = line.len;
			return 0;
		}
	}
	return r < 0 ? r : -ENOENT;
}

/*
 * One line of mountinfo (proc(5)): 1-6 ID, parent, device, root, mount point, options; any number
 * of optional fields; "-"; type, source, options of the file system.  Whether it mounts the
 * hierarchy that is wanted, where, and which part of it, both still with escapes.
 */
static bool scan_mount(struct hf_scan line, int version, struct hf_scan *ret_where, struct hf_scan *ret_root)
{
	struct hf_scan field, where = { "", 0 }, root = { "", 0 }, type;
	unsigned int nr;

	for (nr = 1; nr <= 6; nr++) {
		if (!hf_scan_field(&line, ' ', &field))
			return false;
		if (nr == 4)
			root = field;
		if (nr == 5)
			where = field;
	}
	while (!hf_scan_is(field, "-"))
		if (!hf_scan_field(&line, ' ', &field))
			return false;
	/* A source may be empty; a blank in it would be escaped. */
	if (!hf_scan_field(&line, ' ', &type) || !hf_scan_field(&line, ' ', &field))
		return false;
	if (where.len == 0 || *where.at != '/')
		return false;
	*ret_where = where;
	*ret_root = root;
	return version == 2 ? hf_scan_is(type, "cgroup2") :
			      hf_scan_is(type, "cgroup") && hf_scan_list_has(line, "freezer");
}

/* The next byte of an escaped string: the kernel writes blanks and backslashes as "\040". */
static char next_unescaped(struct hf_scan *s)
{
	unsigned int value = 0, i;
	char c = *s->at;

	for (i = 1; c == '\\' && i <= 3; i++) {
		if (i >= s->len || s->at[i] < '0' || s->at[i] > '7')
			break;
		value = value * 8 + (unsigned int)(s->at[i] - '0');
	}
	if (c == '\\' && i == 4 && value <= UCHAR_MAX) {
		hf_scan_advance(s, 4);
		return (char)value;
	}
	hf_scan_advance(s, 1);
	return c;
}

/* First without a destination, for the length: the caller's buffer is untouched on failure. */
static int unescape(struct hf_scan s, char *ret, size_t cap)
{
	size_t n = 0;

	while (s.len) {
		char c = next_unescaped(&s);

		if (c == '\0')
			return -EBADMSG;
		if (n + 1 >= cap)
			return -ENAMETOOLONG;
		if (ret)
			ret[n] = c;
		n++;
	}
	if (ret)
		ret[n] = '\0';
	return 0;
}

int hf_mountinfo_find_cgroup(const char *text, size_t len, int version, char *ret_path, size_t cap)
{
	struct hf_scan s = hf_scan_of(text, len), line, where, root;
	int r;

	while ((r = hf_scan_line(&s, &line)) > 0)
		if (scan_mount(line, version, &where, &root)) {
			r = unescape(where, NULL, cap);
			return r < 0 ? r : unescape(where, ret_path, cap);
		}
	return r < 0 ? r : -ENOENT;
}

/* What of `path` is behind `top`, if that is it or above it: "" or "/...".  NULL if not. */
static const char *behind(const char *path, const char *top)
{
	size_t n = strcmp(top, "/") ? strlen(top) : 0;

	return !strncmp(path, top, n) && (!path[n] || path[n] == '/') ? path + n : NULL;
}

/* It shows what is not below the root of our cgroup namespace, of which /proc tells nothing but that. */
static bool is_outside(const char *root)
{
	return behind(root, "/..") != NULL;
}

int hf_mountinfo_within(const char *text, size_t len, int version, const char *path, char *ret, size_t cap,
			size_t *ret_mount_len)
{
	struct hf_scan s = hf_scan_of(text, len), line, where, root;
	char point[PATH_MAX] = "", top[PATH_MAX] = "";
	const char *rest, *best = NULL;
	int n = 0;

	while (hf_scan_line(&s, &line) > 0) {
		if (!scan_mount(line, version, &where, &root) || unescape(where, point, sizeof(point)) < 0 ||
		    unescape(root, top, sizeof(top)) < 0)
			continue;
		rest = behind(path, point);
		/* What was mounted later, in the same place, hides the earlier. */
		if (!rest || (best && rest < best))
			continue;
		best = rest;
		n = is_outside(top) ? -1 : snprintf(ret, cap, "%s%s", strcmp(top, "/") ? top : "", rest);
	}
	if (!best || n < 0)
		return -ENOENT;
	if ((size_t)n >= cap)
		return -ENAMETOOLONG;
	*ret_mount_len = (size_t)(best - path);
	return 0;
}

int hf_mountinfo_directory(const char *text, size_t len, int version, const char *within, char *ret, size_t cap)
{
	struct hf_scan s = hf_scan_of(text, len), line, where, root;
	char point[PATH_MAX] = "", top[PATH_MAX] = "";
	const char *rest;

	if (is_outside(within))
		return -ENOENT;
	while (hf_scan_line(&s, &line) > 0) {
		if (!scan_mount(line, version, &where, &root) || unescape(where, point, sizeof(point)) < 0 ||
		    unescape(root, top, sizeof(top)) < 0 || is_outside(top))
			continue;
		rest = behind(within, top);
		if (rest)
			return (size_t)snprintf(ret, cap, "%s%s", point, rest) < cap ? 0 : -ENAMETOOLONG;
	}
	return -ENOENT;
}

/* ---- Readers ------------------------------------------------------------------------------ */

int hf_stat_read(int dirfd, const char *name, struct hf_buf *buf, struct hf_stat *ret)
{
	int r = hf_read_at(dirfd, name, buf);

	return r < 0 ? r : hf_stat_parse(buf->data, buf->len, ret);
}

int hf_status_read(int dirfd, const char *name, struct hf_buf *buf, struct hf_status *ret)
{
	int r = hf_read_at(dirfd, name, buf);

	return r < 0 ? r : hf_status_parse(buf->data, buf->len, ret);
}

#define TID_PATH_MAX 96

/* /proc/TID is there for every thread, though only those of processes are listed (proc(5)). */
static const char *tid_path(char path[TID_PATH_MAX], pid_t tid, const char *name)
{
	snprintf(path, TID_PATH_MAX, "/proc/%d/%s", tid, name);
	return path;
}

static ssize_t tid_read(pid_t tid, const char *name, char *text, size_t cap)
{
	char path[TID_PATH_MAX];

	return hf_read_small_at(AT_FDCWD, tid_path(path, tid, name), text, cap);
}

int hf_tid_stat(pid_t tid, struct hf_stat *ret)
{
	char text[2048];	/* 52 numbers of at most 20 digits, and the name */
	char name[64];
	ssize_t n;

	/* The thread's own: /proc/TID/stat adds up the times of all threads of its process, each time. */
	snprintf(name, sizeof(name), "task/%d/stat", (int)tid);
	n = tid_read(tid, name, text, sizeof(text));
	return n < 0 ? (int)n : hf_stat_parse(text, (size_t)n, ret);
}

int hf_thread_state(pid_t tgid, pid_t tid, char *ret)
{
	char path[TID_PATH_MAX], text[128];	/* behind the name, which has less than 64 bytes, is the state */
	const char *end;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)tgid, (int)tid);
	n = hf_read_small_at(AT_FDCWD, path, text, sizeof(text));
	if (n < 0)
		return (int)n;
	end = memrchr(text, ')', (size_t)n);
	if (!end || text + n - end < 3)
		return -EBADMSG;
	*ret = end[2];
	return 0;
}

/* Nanoseconds that it ran, which are brought up to date by each tick; that it waited; how often it was put on a processor. */
int hf_thread_turns(pid_t tgid, pid_t tid, uint64_t *ret)
{
	char path[TID_PATH_MAX], text[128];
	uint64_t numbers[3];
	struct hf_scan s;
	ssize_t n;
	size_t i;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", (int)tgid, (int)tid);
	n = hf_read_small_at(AT_FDCWD, path, text, sizeof(text));
	if (n < 0)
		return (int)n;
	s = hf_scan_of(text, (size_t)n);
	for (i = 0; i < 3; i++) {
		hf_scan_blanks(&s);
		if (hf_scan_number(&s, 10, UINT64_MAX, &numbers[i]) < 0)
			return -EBADMSG;
	}
	*ret = numbers[0] + numbers[2];
	return *ret ? 0 : -ENODATA;
}

int hf_tid_status(pid_t tid, struct hf_status *ret)
{
	struct hf_buf buf = { 0 };
	char path[TID_PATH_MAX], text[4096];
	ssize_t n = tid_read(tid, "status", text, sizeof(text));
	int r;

	if (n < 0)
		return (int)n;
	if ((size_t)n < sizeof(text) - 1)
		return hf_status_parse(text, (size_t)n, ret);
	/* It may have been cut: "Groups:" comes early and has up to 65536 numbers. */
	r = hf_status_read(AT_FDCWD, tid_path(path, tid, "status"), &buf, ret);
	hf_buf_done(&buf);
	return r;
}

int hf_tid_wchan(pid_t tid, char ret[HF_WCHAN_MAX])
{
	char text[HF_WCHAN_MAX];
	ssize_t n = tid_read(tid, "wchan", text, sizeof(text));

	if (n < 0)
		return (int)n;
	/* "0", without a newline: it runs, or the reader may not trace it, or names are not built in. */
	if (strcmp(text, "0") == 0)
		n = 0;
	memcpy(ret, text, (size_t)n);
	ret[n] = '\0';
	return 0;
}

int hf_tid_syscall(pid_t tid, struct hf_syscall *ret)
{
	char text[256];
	ssize_t n = tid_read(tid, "syscall", text, sizeof(text));

	return n < 0 ? (int)n : hf_syscall_parse(text, (size_t)n, ret);
}

int hf_proc_is_ours(void)
{
	struct hf_buf buf = { 0 };
	struct hf_status st;
	int r = hf_status_read(AT_FDCWD, "/proc/self/status", &buf, &st);

	hf_buf_done(&buf);
	/* One of a namespace above ours has a second number for us; one below, or beside it, does not know us. */
	if (r == 0)
		return st.n_nspid == 1 && st.pid == getpid() ? 0 : -EXDEV;
	return r == -ENOENT && access("/proc/version", F_OK) == 0 ? -EXDEV : r;
}

bool hf_is_gone(int r)
{
	return r == -ENOENT || r == -ESRCH || r == -ENODEV;
}
