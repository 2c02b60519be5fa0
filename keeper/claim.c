/* SPDX-License-Identifier: MIT */
/*
 * claim - see claim.h.
 */
#include "claim.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "own.h"
#include "rundir.h"

#define LOCK_SUFFIX ".lock"
#define FILE_NAME_MAX (HF_KEEPER_NAME_MAX + 8)
#define BACKLOG 128
#define LOOKS_MS 50
/* For a keeper that is busy, and has a full backlog, to take the next of it. */
#define REACH_MS 1000

bool hf_keeper_name_ok(const char *name)
{
	size_t len;

	if (*name == '-' || *name == '.')
		return false;
	for (len = 0; name[len]; len++)
		if (!isalnum((unsigned char)name[len]) && !strchr("._:@-", name[len]))
			return false;
	return len && len <= HF_KEEPER_NAME_MAX;
}

static void file_name(char ret[FILE_NAME_MAX], const char *name, const char *suffix)
{
	snprintf(ret, FILE_NAME_MAX, "%s%s", name, suffix);
}

/* The path of a socket has little room (unix(7)): it leads by way of the open directory. */
static struct sockaddr_un address_of(int dirfd, const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	_Static_assert(sizeof(a.sun_path) > sizeof("/proc/thread-self/fd/2147483647/.sock") + HF_KEEPER_NAME_MAX, "room");
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/thread-self/fd/%d/%s.sock", dirfd, name);
	return a;
}

/*
 * Lock the file of a name, making it with `create`.  A descriptor; -EEXIST when somebody else has it; -ENOENT.  The
 * file may be removed between open and lock, by its last owner: then it is opened anew.
 */
static int lock_name(int dirfd, const char *name, bool create)
{
	/* Whoever only looks has the lock for a moment: who wants the name waits for that. */
	struct hf_deadline deadline = hf_deadline_in_ms(create ? LOOKS_MS : 0);
	struct hf_nap nap = HF_NAP_INIT;
	char file[FILE_NAME_MAX];
	struct stat ours, there;

	file_name(file, name, LOCK_SUFFIX);
	for (;;) {
		hf_owned_fd fd = openat(dirfd, file, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0600);

		if (fd < 0 || fstat(fd, &ours) < 0)
			return -errno;
		while (flock(fd, LOCK_EX | LOCK_NB) < 0)
			if (errno != EWOULDBLOCK)
				return -errno;
			else if (!hf_nap(&nap, deadline))
				return -EEXIST;
		if (fstatat(dirfd, file, &there, AT_SYMLINK_NOFOLLOW) == 0 && there.st_ino == ours.st_ino)
			return hf_take_fd(&fd);
	}
}

/* While we have its lock. */
static void remove_files(int dirfd, const char *name)
{
	char file[FILE_NAME_MAX];

	file_name(file, name, ".sock");
	unlinkat(dirfd, file, 0);
	file_name(file, name, LOCK_SUFFIX);
	unlinkat(dirfd, file, 0);
}

static int open_rundir(bool create, struct hf_error *err)
{
	char path[4096] = "";
	int fd = hf_rundir_open(create);

	if (fd >= 0)
		return fd;
	hf_rundir_path(path, sizeof(path));
	switch (fd) {
	case -ENXIO:
		return hf_fail(err, ENXIO, HF_STAGE_NONE, 0,
			       "this user has no runtime directory, where holds are kept; see HOLDFAST_RUNTIME_DIR");
	case -EPERM:
		return hf_fail(err, EPERM, HF_STAGE_NONE, 0,
			       "%s belongs to somebody else, or others may write to it", path);
	default:
		return hf_fail(err, -fd, HF_STAGE_NONE, 0, "cannot open %s: %s", path, strerror(-fd));
	}
}

static int listen_at(int dirfd, const char *name)
{
	hf_owned_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const struct sockaddr_un a = address_of(dirfd, name);
	char file[FILE_NAME_MAX];
	mode_t mask;
	int r;

	file_name(file, name, ".sock");
	unlinkat(dirfd, file, 0);	/* of a dead keeper: we have the lock */
	if (fd < 0)
		return -errno;
	/* The mode of a socket's file is what bind(2) makes of the mask: nobody gets in between. */
	mask = umask(0177);
	r = bind(fd, (const struct sockaddr *)(const void *)&a, sizeof(a));
	umask(mask);
	if (r < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return hf_take_fd(&fd);
}

int hf_claim_name(struct hf_claim *c, const char *name, struct hf_error *err)
{
	struct hf_claim claim = HF_CLAIM_INIT;
	int r;

	if (!hf_keeper_name_ok(name))
		return hf_fail(err, EINVAL, HF_STAGE_NONE, 0,
			       "'%s' cannot be the name of a hold: up to %d of A-Z a-z 0-9 . _ : @ -, not beginning with '-' or '.'",
			       name, HF_KEEPER_NAME_MAX);
	snprintf(claim.name, sizeof(claim.name), "%s", name);
	r = claim.dirfd = open_rundir(true, err);
	if (r < 0)
		return r;
	r = claim.lock_fd = lock_name(claim.dirfd, name, true);
	if (r >= 0)
		r = claim.socket_fd = listen_at(claim.dirfd, name);
	if (r >= 0) {
		*c = claim;
		return 0;
	}
	if (r == -EEXIST)
		hf_fail(err, EEXIST, HF_STAGE_NONE, 0, "a hold called %s is kept already; give another --name", name);
	else
		hf_fail(err, -r, HF_STAGE_NONE, 0, "cannot make the socket of hold %s: %s", name, strerror(-r));
	hf_claim_end(&claim);
	return r;
}

void hf_claim_end(struct hf_claim *c)
{
	if (c->lock_fd >= 0)
		remove_files(c->dirfd, c->name);
	hf_own_close(&c->socket_fd);
	hf_own_close(&c->lock_fd);
	hf_own_close(&c->dirfd);
	*c = (struct hf_claim)HF_CLAIM_INIT;
}

/* Whether a keeper lives behind a name: 1, 0, or what keeps us from knowing it.  A dead one's files are removed. */
static int is_alive(int dirfd, const char *name, struct hf_error *err)
{
	hf_owned_fd fd = lock_name(dirfd, name, false);

	if (fd >= 0)
		remove_files(dirfd, name);
	switch (fd < 0 ? -fd : 0) {
	case EEXIST:
		return 1;
	case 0:
	case ENOENT:
	/* What only looks like a lock: a link, a directory, a socket. */
	case ELOOP:
	case EISDIR:
	case ENXIO:
		return 0;
	default:
		return hf_fail(err, -fd, HF_STAGE_NONE, 0, "cannot find out whether hold %s is kept: %s", name,
			       strerror(-fd));
	}
}

static int no_such_hold(const char *name, struct hf_error *err)
{
	return hf_fail(err, ENOENT, HF_STAGE_NONE, 0, "no hold is called %s; see holdfast list", name);
}

/* With room in its backlog a keeper is connected to at once, be it stopped; without any, connect(2) would wait for ever. */
static int reach(int dirfd, const char *name)
{
	hf_owned_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct hf_deadline deadline = hf_deadline_in_ms(REACH_MS);
	const struct sockaddr_un a = address_of(dirfd, name);
	struct hf_nap nap = HF_NAP_INIT;

	if (fd < 0)
		return -errno;
	while (connect(fd, (const struct sockaddr *)(const void *)&a, sizeof(a)) < 0) {
		if (errno != EAGAIN)
			return -errno;
		if (!hf_nap(&nap, deadline))
			return -EAGAIN;
	}
	return hf_take_fd(&fd);
}

int hf_keeper_connect(const char *name, struct hf_error *err)
{
	hf_owned_fd dirfd = -1;
	int alive, fd;

	if (!hf_keeper_name_ok(name))
		return no_such_hold(name, err);
	dirfd = open_rundir(false, err);
	if (dirfd == -ENOENT)
		return no_such_hold(name, err);
	if (dirfd < 0)
		return dirfd;
	alive = is_alive(dirfd, name, err);
	if (alive <= 0)
		return alive < 0 ? alive : no_such_hold(name, err);
	fd = reach(dirfd, name);
	if (fd >= 0)
		return fd;
	/* It may have ended just now, or not have got so far. */
	if (fd == -ENOENT || fd == -ECONNREFUSED)
		return no_such_hold(name, err);
	if (fd == -EAGAIN)
		return hf_fail(err, ETIMEDOUT, HF_STAGE_NONE, 0,
			       "the keeper of hold %s does not answer, and too many wait for it; is it stopped?", name);
	return hf_fail(err, -fd, HF_STAGE_NONE, 0, "cannot reach the keeper of hold %s: %s", name, strerror(-fd));
}

static int is_lock(const struct dirent *e)
{
	size_t len = strlen(e->d_name), tail = strlen(LOCK_SUFFIX);

	return len > tail && len - tail <= HF_KEEPER_NAME_MAX && !strcmp(e->d_name + len - tail, LOCK_SUFFIX);
}

int hf_keeper_each(int (*fn)(const char *name, void *data), void *data, struct hf_error *err)
{
	struct dirent **entries = NULL;
	char name[FILE_NAME_MAX];
	hf_owned_fd dirfd = open_rundir(false, err);
	int r = 0, failed = 0, alive, n, i;

	if (dirfd == -ENOENT)
		return 0;	/* no hold was ever kept */
	if (dirfd < 0)
		return dirfd;
	n = scandirat(dirfd, ".", &entries, is_lock, alphasort);
	if (n < 0)
		return hf_fail(err, errno, HF_STAGE_NONE, 0, "cannot list the holds: %s", strerror(errno));
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%.*s", (int)(strlen(entries[i]->d_name) - strlen(LOCK_SUFFIX)),
			 entries[i]->d_name);
		free(entries[i]);
		if (r != 0 || !hf_keeper_name_ok(name))
			continue;
		alive = is_alive(dirfd, name, failed ? NULL : err);
		if (alive > 0)
			r = fn(name, data);
		else if (alive < 0 && !failed)
			failed = alive;
	}
	free(entries);
	return r ? r : failed;
}
