/* SPDX-License-Identifier: MIT */
/*
 * freezer_open - find the cgroup that a path means, tell v1 from v2 by what its directory offers,
 * and record every level as it is found.  Changes nothing.
 */
#include "freezer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cgroupfs.h"
#include "err.h"
#include "freezer_files.h"
#include "own.h"
#include "procfs.h"

int hf_level_file(const struct hf_level *l, const char *file, char *ret, size_t cap)
{
	int n = snprintf(ret, cap, "%s%s%s", l->name, l->name[0] ? "/" : "", file);

	return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}

static const char *self_file(const struct hf_freezer *f)
{
	return f->version == 2 ? "cgroup.freeze" : "freezer.self_freezing";
}

static int read_bit(int dirfd, const char *name, bool *ret)
{
	char text[64];
	ssize_t n = hf_read_small_at(dirfd, name, text, sizeof(text));

	return n < 0 ? (int)n : hf_bit_parse(text, (size_t)n, ret);
}

int hf_level_read_self(const struct hf_freezer *f, const struct hf_level *l, bool *ret)
{
	const int fd = f->version == 2 ? l->fd : l->self_fd;
	char name[HF_LEVEL_NAME_MAX], text[64];
	ssize_t n;
	int r;

	if (fd >= 0) {
		n = hf_read_again(fd, text, sizeof(text));
		return n < 0 ? (int)n : hf_bit_parse(text, (size_t)n, ret);
	}
	r = hf_level_file(l, self_file(f), name, sizeof(name));
	return r < 0 ? r : read_bit(f->dirfd, name, ret);
}

int hf_level_read_frozen(const struct hf_freezer *f, const struct hf_level *l)
{
	char name[HF_LEVEL_NAME_MAX], text[512];
	struct hf_cgroup_events events;
	enum hf_freezer_state state;
	ssize_t n;

	if (hf_level_file(l, f->version == 2 ? "cgroup.events" : "freezer.state", name, sizeof(name)) < 0)
		return -ENAMETOOLONG;
	n = hf_read_small_at(f->dirfd, name, text, sizeof(text));
	if (n < 0)
		return (int)n;
	if (f->version == 1)
		return hf_freezer_state_parse(text, (size_t)n, &state) < 0 ? -EINVAL : state == HF_FREEZER_FROZEN;
	/* Nobody in it, nobody on the way. */
	if (hf_cgroup_events_parse(text, (size_t)n, &events) < 0)
		return -EINVAL;
	return events.frozen ? 1 : events.populated ? 0 : -ENOENT;
}

/* ---- Which directory is meant --------------------------------------------------------- */

static int mount_point(const struct hf_buf *mountinfo, int version, char *ret, size_t cap)
{
	return hf_mountinfo_find_cgroup(mountinfo->data, mountinfo->len, version, ret, cap);
}

/* Whether a cgroup directory has members, itself or below. */
static bool is_populated(int dirfd)
{
	char text[512];
	struct hf_cgroup_events events;
	ssize_t n = hf_read_small_at(dirfd, "cgroup.events", text, sizeof(text));

	if (n >= 0)
		return hf_cgroup_events_parse(text, (size_t)n, &events) == 0 && events.populated;
	return hf_read_small_at(dirfd, "tasks", text, sizeof(text)) > 0;
}

static int open_below_mount(const struct hf_buf *mountinfo, int version, const char *path)
{
	char mount[PATH_MAX], full[2 * PATH_MAX];
	int fd;

	if (mount_point(mountinfo, version, mount, sizeof(mount)) < 0)
		return -ENOENT;
	snprintf(full, sizeof(full), "%s/%s", mount, path);
	fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/*
 * Below both mounts there may be one of that name: a hybrid machine makes the same tree in both, with the same members, and
 * then v2 is meant.  Where that one is empty and the other is not, they are two: whoever has emptied the first and
 * comes again with the same words must not meet strangers.
 */
static int choose(const char *path, const struct hf_buf *mountinfo, int v1, int v2, struct hf_error *err)
{
	bool differ = !is_populated(v2) && is_populated(v1);
	char mount1[PATH_MAX] = "", mount2[PATH_MAX] = "";

	close(v1);
	if (!differ)
		return v2;
	close(v2);
	mount_point(mountinfo, 1, mount1, sizeof(mount1));
	mount_point(mountinfo, 2, mount2, sizeof(mount2));
	return hf_fail(err, EINVAL, HF_STAGE_LOOK, 0, "there are two cgroups %s: %s/%s, which is empty, and %s/%s; write which one",
		       path, mount2, path + strspn(path, "/"), mount1, path + strspn(path, "/"));
}

/*
 * An absolute path, or one that begins with a dot, is taken as it is where it exists.  Otherwise the path is looked for below the
 * v2 and the v1 freezer mount.
 */
static int open_target(const char *path, const struct hf_buf *mountinfo, struct hf_error *err)
{
	int fd = -ENOENT, v1, v2;

	/* "." and "../x" mean what they mean everywhere. */
	if (path[0] == '/' || path[0] == '.') {
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		fd = -errno;
	}
	if (fd == -ENOENT) {
		v2 = open_below_mount(mountinfo, 2, path);
		v1 = open_below_mount(mountinfo, 1, path);
		if (v2 >= 0 && v1 >= 0)
			return choose(path, mountinfo, v1, v2, err);
		if (v2 >= 0 || v1 >= 0)
			return v2 >= 0 ? v2 : v1;
		fd = v2 != -ENOENT ? v2 : v1;
	}
	switch (fd) {
	case -ENOENT:
		return hf_fail(err, ENOENT, HF_STAGE_LOOK, 0,
			       "no such cgroup: %s%s%s", path,
			       path[0] == '/' ? "" : " (looked below the v2 and the v1 freezer mount)",
			       path[strspn(path, "0123456789")] ? "" : "; a process is another kind of target (--pid)");
	case -ENOTDIR:
		return hf_fail(err, ENOTDIR, HF_STAGE_LOOK, 0,
			       "%s is not a directory; a cgroup is one", path);
	default:
		return hf_fail(err, -fd, HF_STAGE_LOOK, 0, "cannot open cgroup %s: %s", path,
			       strerror(-fd));
	}
}

/* ---- What kind of directory it is ------------------------------------------------------ */

static bool has_file(int dirfd, const char *name)
{
	return faccessat(dirfd, name, F_OK, 0) == 0;
}

static int tell_version(struct hf_freezer *f, const char *freezer_v1_mount, struct hf_error *err)
{
	struct statfs fs;

	if (fstatfs(f->dirfd, &fs) < 0)
		return hf_fail(err, errno, HF_STAGE_LOOK, 0, "cannot look at %s: %s", f->path,
			       strerror(errno));
	if (fs.f_type == CGROUP2_SUPER_MAGIC) {
		f->version = 2;
		if (has_file(f->dirfd, "cgroup.freeze"))
			return 0;
		if (!has_file(f->dirfd, "cgroup.events"))
			return hf_fail(err, EBUSY, HF_STAGE_LOOK, 0,
				       "%s is the root cgroup, which cannot be frozen; name a cgroup below it",
				       f->path);
		return hf_fail(err, EINVAL, HF_STAGE_LOOK, 0,
			       "%s has no cgroup.freeze: this kernel is older than Linux 5.2", f->path);
	}
	if (fs.f_type == CGROUP_SUPER_MAGIC) {
		f->version = 1;
		if (has_file(f->dirfd, "freezer.state"))
			return 0;
		if (!strcmp(f->path, freezer_v1_mount))
			return hf_fail(err, EBUSY, HF_STAGE_LOOK, 0,
				       "%s is the root cgroup, which cannot be frozen; name a cgroup below it",
				       f->path);
		return hf_fail(err, EINVAL, HF_STAGE_LOOK, 0,
			       "%s is in a v1 hierarchy without the freezer controller; name the cgroup below %s",
			       f->path,
			       freezer_v1_mount[0] ? freezer_v1_mount : "a mounted freezer hierarchy");
	}
	return hf_fail(err, EINVAL, HF_STAGE_LOOK, 0, "%s is not a cgroup directory", f->path);
}

/* ---- Levels ------------------------------------------------------------------------------ */

/* FNV-1a.  Whoever may make cgroups chooses their names. */
static uint64_t hash_of(const char *name)
{
	uint64_t hash = hf_slots_secret(0);

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 32;
}

static bool knows_level(const struct hf_freezer *f, const char *name)
{
	uint64_t at = hash_of(name);
	uint32_t i;

	while (hf_slots_next(&f->slots, &at, &i))
		if (!f->levels[i].gone && !strcmp(f->levels[i].name, name))
			return true;
	return false;
}

static void put_level(struct hf_freezer *f, size_t i)
{
	hf_slots_put(&f->slots, hash_of(f->levels[i].name), (uint32_t)i);
}

/* Room for one more level.  0 or -ENOMEM. */
static int grow_levels(struct hf_freezer *f)
{
	size_t cap = f->cap_levels ? f->cap_levels * 2 : 8, i;
	struct hf_level *levels;

	if (f->n_levels < f->cap_levels)
		return 0;
	levels = reallocarray(f->levels, cap, sizeof(*levels));
	if (!levels)
		return -ENOMEM;
	f->levels = levels;
	if (hf_slots_renew(&f->slots, cap) < 0)
		return -ENOMEM;
	f->cap_levels = cap;
	for (i = 0; i < f->n_levels; i++)
		put_level(f, i);
	return 0;
}

static bool read_threaded(const struct hf_freezer *f, const struct hf_level *l)
{
	char name[HF_LEVEL_NAME_MAX], text[64];

	/* v1 lets any thread be anywhere. */
	if (f->version == 1)
		return true;
	if (hf_level_file(l, "cgroup.type", name, sizeof(name)) < 0 ||
	    hf_read_small_at(f->dirfd, name, text, sizeof(text)) < 0)
		return false;
	return strncmp(text, "domain\n", 7) != 0;
}

/* Look at one level as it is.  -ENOENT or -ENODEV when it is gone. */
static int look_at_level(const struct hf_freezer *f, struct hf_level *l)
{
	int r = hf_level_read_self(f, l, &l->self_found);

	if (r < 0)
		return r;
	l->self_now = l->self_found;
	l->threaded = read_threaded(f, l);
	/* By an ancestor, or on its way there. */
	l->frozen_found = l->self_found || hf_level_read_frozen(f, l) > 0;
	return 0;
}

static int add_level(struct hf_freezer *f, const char *name)
{
	struct hf_level l = { .fd = -1, .self_fd = -1 };
	int r = grow_levels(f);

	if (r < 0)
		return r;
	l.name = strdup(name);
	if (!l.name)
		return -ENOMEM;
	r = look_at_level(f, &l);
	if (r < 0) {
		free(l.name);
		return hf_is_gone(r) ? 0 : r;
	}
	f->levels[f->n_levels] = l;
	put_level(f, f->n_levels++);
	return 0;
}

/* Add the children of one level that are not known.  A level that is gone has none. */
static int add_children(struct hf_freezer *f, size_t level)
{
	const char *name = f->levels[level].name[0] ? f->levels[level].name : ".";
	char entries[8192] __attribute__((aligned(8))), child[HF_LEVEL_NAME_MAX];
	hf_owned_fd fd = -1;
	struct stat st;
	ssize_t n, at;
	int r;

	/* Asked again and again while everybody stands still; the links of a cgroup's directory are its children and two. */
	if (fstatat(f->dirfd, name, &st, 0) == 0 && st.st_nlink == 2)
		return 0;
	fd = openat(f->dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return hf_is_gone(-errno) ? 0 : -errno;
	/* Read directly: readdir(3) would allocate 32 KiB, and the target may be frozen now. */
	while ((n = getdents64(fd, entries, sizeof(entries))) > 0)
		for (at = 0; at < n;) {
			const struct dirent64 *e = (const struct dirent64 *)(const void *)(entries + at);

			at += e->d_reclen;
			if (e->d_type != DT_DIR || !strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
				continue;
			r = hf_level_file(&f->levels[level], e->d_name, child, sizeof(child));
			if (r == 0 && !knows_level(f, child))
				r = add_level(f, child);
			if (r < 0)
				return r;
		}
	return n < 0 && !hf_is_gone(-errno) ? -errno : 0;
}

static int open_self(const struct hf_freezer *f, struct hf_level *l)
{
	char name[HF_LEVEL_NAME_MAX];

	if (f->version == 2)
		return 0;
	if (hf_level_file(l, self_file(f), name, sizeof(name)) == 0)
		l->self_fd = openat(f->dirfd, name, O_RDONLY | O_CLOEXEC);
	return l->self_fd;
}

/*
 * The setting of the target itself, and of each level that was found frozen by its own setting:
 * on v1 such a level has to be thawed for its tasks to stop, and frozen again.
 */
static int open_settings(struct hf_freezer *f)
{
	char name[HF_LEVEL_NAME_MAX];
	const char *file = f->version == 2 ? "cgroup.freeze" : "freezer.state";
	size_t i;

	for (i = 0; i < f->n_levels; i++) {
		struct hf_level *l = &f->levels[i];

		if (l->fd >= 0 || l->gone || (i > 0 && !l->self_found) ||
		    hf_level_file(l, file, name, sizeof(name)) < 0)
			continue;
		l->fd = openat(f->dirfd, name, O_RDWR | O_CLOEXEC);
		if (l->fd >= 0 && open_self(f, l) < 0) {
			hf_own_close(&l->fd);
			l->fd = -1;
		}
		if (l->fd < 0 && hf_is_gone(-errno) && i > 0)
			l->gone = true;
		else if (l->fd < 0)
			return -errno;
	}
	return 0;
}

int hf_freezer_rescan(struct hf_freezer *f)
{
	size_t i, known = f->n_levels;
	int r;

	/* The array grows while it is walked: parents come before their children. */
	for (i = 0; i < f->n_levels && i < HF_LEVEL_MAX; i++) {
		r = add_children(f, i);
		if (r < 0)
			return r;
	}
	if (i < f->n_levels)
		return -E2BIG;
	return f->writable && f->n_levels != known ? open_settings(f) : 0;
}

static bool is_below(const struct hf_level *l, const char *above)
{
	size_t len = strlen(above);

	return !len || (!strncmp(l->name, above, len) && (l->name[len] == '/' || !l->name[len]));
}

/* v2: somebody at or below `above` is not frozen. */
static bool anybody_thawed(const struct hf_freezer *f, const char *above)
{
	size_t i;

	for (i = 0; i < f->n_levels; i++)
		if (is_below(&f->levels[i], above) && hf_level_read_frozen(f, &f->levels[i]) == 0)
			return true;
	return false;
}

bool hf_freezer_is_set(const struct hf_freezer *f, size_t level)
{
	size_t i;

	for (i = 0; i < f->n_levels; i++)
		if (f->levels[i].self_now && is_below(&f->levels[level], f->levels[i].name))
			return true;
	return false;
}

bool hf_freezer_is_freezing(const struct hf_freezer *f)
{
	char ancestor[PATH_MAX];
	bool set;
	size_t i;

	for (i = 0; i < f->n_levels; i++) {
		if (!f->levels[i].self_now || hf_level_read_self(f, &f->levels[i], &set) < 0 || !set)
			continue;
		if (f->version == 1 ? hf_level_read_frozen(f, &f->levels[i]) == 0 :
				      anybody_thawed(f, f->levels[i].name))
			return true;
	}
	/* v1 is refused below a frozen ancestor, however far that is. */
	return f->version == 2 && hf_freezer_frozen_ancestor(f, ancestor, sizeof(ancestor)) &&
	       anybody_thawed(f, "");
}

int hf_freezer_find_again(struct hf_freezer *f)
{
	size_t i;
	int r;

	for (i = 0; i < f->n_levels; i++) {
		r = look_at_level(f, &f->levels[i]);
		if (hf_is_gone(r))
			f->levels[i].gone = true;
		else if (r < 0)
			return r;
	}
	r = hf_freezer_rescan(f);
	return r == 0 && f->writable ? open_settings(f) : r;
}

/* ---- Opening ----------------------------------------------------------------------------- */

/* What f->dirfd is: its path, version, and place within the hierarchy. */
static int identify(struct hf_freezer *f, const struct hf_buf *mountinfo, struct hf_error *err)
{
	char mount[PATH_MAX] = "", within[PATH_MAX], proc[64];
	int r;

	mount_point(mountinfo, 1, mount, sizeof(mount));
	snprintf(proc, sizeof(proc), "/proc/thread-self/fd/%d", f->dirfd);
	f->path = realpath(proc, NULL);
	if (!f->path)
		return hf_fail(err, errno, HF_STAGE_LOOK, 0, "cannot resolve %s: %s", proc,
			       strerror(errno));
	r = tell_version(f, mount, err);
	if (r < 0)
		return r;
	r = hf_mountinfo_within(mountinfo->data, mountinfo->len, f->version, f->path, within, sizeof(within),
				&f->mount_len);
	f->within = strdup(r < 0 ? f->path : within);
	return f->within ? 0 : hf_fail(err, ENOMEM, HF_STAGE_LOOK, 0, "out of memory");
}

int hf_freezer_open(struct hf_freezer *f, const char *path, struct hf_error *err)
{
	struct hf_buf text __attribute__((cleanup(hf_buf_done))) = { 0 };
	int r = hf_read_at(AT_FDCWD, "/proc/thread-self/mountinfo", &text);

	if (r < 0)
		return hf_fail(err, -r, HF_STAGE_LOOK, 0, "cannot read /proc/thread-self/mountinfo: %s",
			       strerror(-r));
	r = f->dirfd = open_target(path, &text, err);
	if (r >= 0)
		r = identify(f, &text, err);
	if (r < 0)
		hf_freezer_done(f);
	return r;
}

static int open_within(const struct hf_buf *mountinfo, int version, const char *within)
{
	char directory[2 * PATH_MAX];
	int fd, r = hf_mountinfo_directory(mountinfo->data, mountinfo->len, version, within, directory, sizeof(directory));

	if (r < 0)
		return r;
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int hf_freezer_open_within(struct hf_freezer *f, int version, const char *within)
{
	struct hf_buf text __attribute__((cleanup(hf_buf_done))) = { 0 };
	int r = hf_read_at(AT_FDCWD, "/proc/thread-self/mountinfo", &text);

	if (r == 0)
		r = f->dirfd = open_within(&text, version, within);
	if (r >= 0)
		r = identify(f, &text, NULL);
	if (r < 0)
		hf_freezer_done(f);
	return r;
}

int hf_freezer_open_mount(int version)
{
	struct hf_buf text __attribute__((cleanup(hf_buf_done))) = { 0 };
	int r = hf_read_at(AT_FDCWD, "/proc/thread-self/mountinfo", &text);

	return r < 0 ? r : open_below_mount(&text, version, "");
}

int hf_freezer_open_root(int version)
{
	struct hf_buf text __attribute__((cleanup(hf_buf_done))) = { 0 };
	int r = hf_read_at(AT_FDCWD, "/proc/thread-self/mountinfo", &text);

	return r < 0 ? r : open_within(&text, version, "/");
}

int hf_freezer_find_top(struct hf_freezer *f)
{
	int r = add_level(f, "");

	return r == 0 && f->n_levels == 0 ? -ENOENT : r;
}

int hf_freezer_find_levels(struct hf_freezer *f, bool writable, struct hf_error *err)
{
	int r;

	if (f->version == 2) {
		f->events_fd = openat(f->dirfd, "cgroup.events", O_RDONLY | O_CLOEXEC);
		if (f->events_fd < 0)
			return hf_fail(err, errno, HF_STAGE_LOOK, 0,
				       "cannot open %s/cgroup.events: %s", f->path, strerror(errno));
	}
	r = hf_freezer_find_top(f);
	if (r == 0)
		r = hf_freezer_rescan(f);
	if (r < 0)
		return hf_fail(err, -r, HF_STAGE_LOOK, 0, "cannot read the levels of cgroup %s: %s",
			       f->path, strerror(-r));
	f->writable = writable;
	r = writable ? open_settings(f) : 0;
	if (r < 0)
		return hf_fail(err, -r, HF_STAGE_LOOK, 0,
			       "cannot open the freezer of cgroup %s for writing: %s%s", f->path,
			       strerror(-r),
			       r == -EACCES || r == -EPERM ?
			       "; run as root, or on a cgroup that was delegated to you" : "");
	return 0;
}

void hf_freezer_done(struct hf_freezer *f)
{
	size_t i;

	for (i = 0; i < f->n_levels; i++) {
		free(f->levels[i].name);
		hf_own_close(&f->levels[i].fd);
		hf_own_close(&f->levels[i].self_fd);
	}
	free(f->levels);
	hf_slots_done(&f->slots);
	free(f->path);
	free(f->within);
	/* A child that was forked meanwhile has copies, which keep a lock that is only closed (flock(2)). */
	hf_freezer_unlock(f);
	hf_own_close(&f->dirfd);
	hf_own_close(&f->events_fd);
	*f = (struct hf_freezer)HF_FREEZER_INIT;
}

/*
 * The ancestors of the target that are visible here, nearest first: 1 and an open directory (the
 * caller's) and its path, 0 when there are no more.  *above starts as the target's own path.
 */
static int next_ancestor(const struct hf_freezer *f, char *above, int *ret_fd)
{
	char *slash = strrchr(above, '/');

	if (!slash || slash == above || (size_t)(slash - above) < f->mount_len)
		return 0;
	*slash = '\0';
	*ret_fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd >= 0;
}

int hf_freezer_frozen_ancestor(const struct hf_freezer *f, char *ret, size_t cap)
{
	char above[PATH_MAX];
	bool set;
	int fd;

	/* v1 keeps one bit that says so; v2 does not, so that each ancestor has to be asked. */
	if (f->version == 1 &&
	    (read_bit(f->dirfd, "freezer.parent_freezing", &set) < 0 || !set))
		return 0;
	snprintf(above, sizeof(above), "%s", f->path);
	while (next_ancestor(f, above, &fd)) {
		hf_owned_fd dirfd = fd;

		if (read_bit(dirfd, self_file(f), &set) == 0 && set) {
			snprintf(ret, cap, "%s", above);
			return 1;
		}
	}
	if (f->version == 2)
		return 0;
	/* Outside of what is mounted here, in a cgroup namespace: it has no name for us. */
	snprintf(ret, cap, "an ancestor that is not visible here");
	return 1;
}

/* ---- Among holdfasts ------------------------------------------------------------------------ */

static int lock_within(int fd, int how, struct hf_deadline deadline)
{
	struct hf_nap nap = HF_NAP_INIT;

	while (flock(fd, how | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (!hf_nap(&nap, deadline))
			return -ETIMEDOUT;
	}
	return 0;
}

void hf_freezer_unlock(struct hf_freezer *f)
{
	while (f->n_locks) {
		flock(f->locks[--f->n_locks], LOCK_UN);
		hf_own_close(&f->locks[f->n_locks]);
	}
	flock(f->dirfd, LOCK_UN);
}

int hf_freezer_lock(struct hf_freezer *f, struct hf_deadline deadline)
{
	char above[PATH_MAX];
	int r = lock_within(f->dirfd, LOCK_EX, deadline);
	int fd;

	snprintf(above, sizeof(above), "%s", f->path);
	while (r == 0 && f->n_locks < HF_LOCKS_MAX && next_ancestor(f, above, &fd)) {
		f->locks[f->n_locks++] = fd;
		r = lock_within(fd, LOCK_SH, deadline);
	}
	if (r < 0)
		hf_freezer_unlock(f);
	return r;
}
