/* SPDX-License-Identifier: MIT */
/*
 * probe_freezer - probes of `holdfast check`: the kernel, the two freezers, and which cgroups of
 * theirs this user may freeze.  Nothing is created, written or frozen.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "probe.h"
#include "procfs.h"

#define KERNEL_WANTED "5.10"

void hf_probe_kernel(struct hf_ability *able, struct hf_finding *ret)
{
	struct utsname name;
	unsigned int major = 0, minor = 0;

	if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2) {
		hf_found(ret, HF_VERDICT_NO, NULL, "the kernel does not tell its release");
		return;
	}
	able->kernel = major > 5 || (major == 5 && minor >= 10);
	if (able->kernel)
		hf_found(ret, HF_VERDICT_OK, NULL, "Linux %s", name.release);
	else
		hf_found(ret, HF_VERDICT_NO, "use Linux " KERNEL_WANTED " or newer",
			 "Linux %s is older than " KERNEL_WANTED, name.release);
}

/* May we write to it, with the ids in effect?  0 or -errno; also -EROFS for a read-only mount. */
static int writable(const char *dir, const char *file)
{
	char path[3 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0 ? -errno : 0;
}

/* The path of our own cgroup in this version's hierarchy, or -errno. */
static int own_cgroup(struct hf_ability *able, int version, char *ret, size_t cap)
{
	const char *path;
	size_t len;
	int r = hf_read_at(AT_FDCWD, "/proc/self/cgroup", &able->buf);

	if (r < 0)
		return r;
	r = hf_proc_cgroup_find(able->buf.data, able->buf.len, version, &path, &len);
	if (r < 0)
		return r;
	if (len >= cap)
		return -ENAMETOOLONG;
	memcpy(ret, path, len);
	ret[len] = '\0';
	return 0;
}

/*
 * The highest directory from our own cgroup up to, not including, the mount whose freezer we may
 * write: what has been delegated to us.  The root has no freezer, so it never is the answer.
 */
static bool find_delegated(const char *mount, const char *own, const char *file, char *ret, size_t cap)
{
	char dir[2 * PATH_MAX];
	bool found = false;
	char *slash;

	for (snprintf(dir, sizeof(dir), "%s%s", mount, own);
	     strlen(dir) > strlen(mount) + 1; *slash = '\0') {
		if (writable(dir, file) == 0) {
			snprintf(ret, cap, "%s", dir);
			found = true;
		}
		slash = strrchr(dir, '/');
	}
	return found;
}

/* Elsewhere than in our own branch: the first cgroup, at most three levels down, whose freezer we may write. */
static bool find_elsewhere(const char *mount, const char *file, char *ret, size_t cap)
{
	static const char *const levels[] = { "*", "*/*", "*/*/*" };
	char pattern[PATH_MAX + 64];
	bool found = false;
	size_t level, i;

	for (level = 0; !found && level < sizeof(levels) / sizeof(*levels); level++) {
		glob_t all;

		snprintf(pattern, sizeof(pattern), "%s/%s/%s", mount, levels[level], file);
		if (glob(pattern, GLOB_NOSORT, NULL, &all))
			continue;
		for (i = 0; !found && i < all.gl_pathc; i++)
			found = faccessat(AT_FDCWD, all.gl_pathv[i], W_OK, AT_EACCESS) == 0;
		if (found)
			snprintf(ret, cap, "%.*s", (int)(strlen(all.gl_pathv[i - 1]) - strlen(file) - 1),
				 all.gl_pathv[i - 1]);
		globfree(&all);
	}
	return found;
}

static void probe_freezer(struct hf_ability *able, int version, struct hf_finding *ret)
{
	const char *file = version == 2 ? "cgroup.freeze" : "freezer.state";
	char mount[PATH_MAX], own[PATH_MAX], delegated[PATH_MAX];
	int r = hf_read_at(AT_FDCWD, "/proc/self/mountinfo", &able->buf);

	if (r == 0)
		r = hf_mountinfo_find_cgroup(able->buf.data, able->buf.len, version, mount,
					     sizeof(mount));
	if (r < 0) {
		hf_found(ret, HF_VERDICT_NO,
			 version == 2 ? "mount -t cgroup2 none DIRECTORY; not needed where v1 is there"
				      : "not needed where v2 is there", "%s",
			 r == -ENOENT ? "not mounted" : strerror(-r));
		return;
	}
	/* Who may make cgroups at the root may freeze what is in them. */
	r = writable(mount, ".");
	if (r == 0) {
		hf_found(ret, HF_VERDICT_OK, NULL, "%s, writable", mount);
		able->freezer = true;
	} else if (own_cgroup(able, version, own, sizeof(own)) == 0 &&
		   (find_delegated(mount, own, file, delegated, sizeof(delegated)) ||
		    find_elsewhere(mount, file, delegated, sizeof(delegated)))) {
		hf_found(ret, HF_VERDICT_LIMITED, "run as root for the others",
			 "%s: only %s and what is below it may be frozen", mount, delegated);
		able->freezer = true;
	} else {
		hf_found(ret, HF_VERDICT_NO,
			 r == -EROFS ? "mount it read-write in this container"
				     : "run as root, or have a cgroup delegated (systemd: Delegate=yes)",
			 "%s: no cgroup there can be written: %s", mount, strerror(-r));
	}
}

void hf_probe_freezer_v2(struct hf_ability *able, struct hf_finding *ret)
{
	probe_freezer(able, 2, ret);
}

void hf_probe_freezer_v1(struct hf_ability *able, struct hf_finding *ret)
{
	probe_freezer(able, 1, ret);
}

void hf_probe_own_cgroup(struct hf_ability *able, struct hf_finding *ret)
{
	char v1[PATH_MAX], v2[PATH_MAX];
	bool has_v2 = own_cgroup(able, 2, v2, sizeof(v2)) == 0;
	bool has_v1 = own_cgroup(able, 1, v1, sizeof(v1)) == 0;

	if (!has_v1 && !has_v2)
		hf_found(ret, HF_VERDICT_LIMITED, NULL,
			 "holdfast cannot tell which cgroup it is in itself");
	else
		hf_found(ret, HF_VERDICT_OK, NULL, "%s%.200s%s%s%.200s; a target with holdfast in it is "
			 "refused", has_v2 ? "v2 " : "", has_v2 ? v2 : "", has_v1 && has_v2 ? ", " : "",
			 has_v1 ? "v1 " : "", has_v1 ? v1 : "");
}
