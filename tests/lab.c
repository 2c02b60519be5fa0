/* SPDX-License-Identifier: MIT */
/*
 * lab - see lab.h.  Here: the hierarchies, the scratch cgroups, and the cleaning up.
 */
#include "lab.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroupfs.h"
#include "clock.h"
#include "io.h"
#include "lab_internal.h"
#include "own.h"
#include "procfs.h"

#define REGISTRY_MAX 256

struct entry {
	_Atomic int used;
	int version;
	char path[LAB_PATH];
};

/* Shared by the runner, its tests and the janitor. */
struct registry {
	_Atomic unsigned int serial;
	struct entry entries[REGISTRY_MAX];
};

struct hierarchy {
	int version;
	char mount[256];
};

static struct registry *registry;
static struct hierarchy hierarchies[2];
static int n_hierarchies;
static pid_t runner;

uint64_t lab_ms(void)
{
	return hf_clock_ns() / 1000000;
}

/* ---- Small files ---------------------------------------------------------------------------- */

int lab_write(const char *dir, const char *name, const char *text)
{
	char path[LAB_PATH + 64];
	hf_owned_fd fd = -1;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : hf_write_fd(fd, text);
}

int lab_read(const char *dir, const char *name, struct hf_buf *buf)
{
	char path[LAB_PATH + 64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return hf_read_at(AT_FDCWD, path, buf);
}

/* Call fn for each id in a list file; their number, or -errno. */
int lab_ids(const char *dir, const char *name, void (*fn)(pid_t id, void *arg), void *arg)
{
	struct hf_buf buf = { 0 };
	size_t pos = 0;
	pid_t id;
	int n = 0, r = lab_read(dir, name, &buf);

	while (r >= 0 && (r = hf_id_list_next(buf.data, buf.len, &pos, &id)) == 1) {
		if (fn)
			fn(id, arg);
		n++;
	}
	hf_buf_done(&buf);
	return r < 0 ? r : n;
}

/* Call fn for a cgroup and all below it, children first or last. */
void lab_walk(const char *path, bool children_first, void (*fn)(const char *path, void *arg),
	      void *arg)
{
	hf_owned_dir DIR *dir = opendir(path);
	const struct dirent *e;
	char child[LAB_PATH];

	if (!dir)
		return;
	if (!children_first)
		fn(path, arg);
	while ((e = readdir(dir))) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		if (snprintf(child, sizeof(child), "%s/%s", path, e->d_name) < (int)sizeof(child))
			lab_walk(child, children_first, fn, arg);
	}
	if (children_first)
		fn(path, arg);
}

/* ---- Sweeping ------------------------------------------------------------------------------- */

static void kill_one(pid_t pid, void *arg)
{
	int *n = arg;

	if (pid > 0) {
		kill(pid, SIGKILL);
		(*n)++;
	}
}

static void kill_level(const char *path, void *arg)
{
	lab_ids(path, "cgroup.procs", kill_one, arg);
	/* v2 does not list a process whose leader is dead, but it lists its threads. */
	lab_ids(path, "cgroup.threads", kill_one, arg);
}

static void thaw_level(const char *path, void *arg)
{
	int version = *(int *)arg;

	if (version == 2)
		lab_write(path, "cgroup.freeze", "0");
	else
		lab_write(path, "freezer.state", "THAWED");
}

static void remove_level(const char *path, void *arg)
{
	(void)arg;
	rmdir(path);
}

/*
 * Kill everybody below path.  cgroup.kill of v2 (Linux 5.14) leaves no hole.  On v1 a storm of
 * forks is caught by freezing first; killing a v1-frozen task waits for the thaw, so thaw
 * after each round, and do not wait for FROZEN, which may never come (kernel: a frozen thread
 * cannot die, and an exec waits for it).
 */
static int kill_round(const char *path, int version)
{
	int n = 0;

	if (version == 2)
		lab_write(path, "cgroup.kill", "1");
	else
		lab_write(path, "freezer.state", "FROZEN");
	lab_walk(path, false, kill_level, &n);
	lab_walk(path, false, thaw_level, &version);
	return n;
}

static void sweep_cgroup(const char *path, int version)
{
	struct hf_deadline deadline = hf_deadline_in_ms(LAB_PATIENCE_MS);
	struct hf_nap nap = HF_NAP_INIT;

	lab_walk(path, false, thaw_level, &version);
	do {
		if (kill_round(path, version) == 0) {
			lab_walk(path, true, remove_level, NULL);
			if (access(path, F_OK) < 0)
				return;
		}
		/* Orphans are the runner's: it is a sub-reaper. */
		if (getpid() == runner)
			while (waitpid(-1, NULL, WNOHANG) > 0)
				;
	} while (hf_nap(&nap, deadline));
	fprintf(stderr, "lab: cannot clean up %s\n", path);
}

void lab_sweep(void)
{
	/* Who writes to a frozen disk cannot be killed. */
	for (int i = 0; i < REGISTRY_MAX; i++)
		if (atomic_load(&registry->entries[i].used) && !registry->entries[i].version)
			lab_disk_freeze(registry->entries[i].path, false);
	/* What is frozen in one hierarchy cannot be killed in the other. */
	for (int i = 0; i < REGISTRY_MAX; i++)
		if (atomic_load(&registry->entries[i].used) && registry->entries[i].version)
			lab_walk(registry->entries[i].path, false, thaw_level,
				 &registry->entries[i].version);
	for (int i = 0; i < REGISTRY_MAX; i++) {
		struct entry *entry = &registry->entries[i];

		if (!atomic_load(&entry->used))
			continue;
		if (entry->version)
			sweep_cgroup(entry->path, entry->version);
		else
			lab_disk_remove(entry->path);
		atomic_store(&entry->used, 0);
	}
	if (getpid() == runner)
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
}

int lab_register(const char *path, int version)
{
	for (int i = 0; i < REGISTRY_MAX; i++) {
		struct entry *entry = &registry->entries[i];

		if (atomic_load(&entry->used))
			continue;
		entry->version = version;
		snprintf(entry->path, sizeof(entry->path), "%s", path);
		atomic_store(&entry->used, 1);
		return i;
	}
	ck_abort_msg("lab: the registry is full");
	return -1;
}

void lab_unregister(int i)
{
	atomic_store(&registry->entries[i].used, 0);
}

unsigned int lab_serial(void)
{
	return atomic_fetch_add(&registry->serial, 1);
}

/* ---- The runner ----------------------------------------------------------------------------- */

static void sweep_at_exit(void)
{
	/* Tests are forks of the runner and run its exit handlers too. */
	if (getpid() == runner)
		lab_sweep();
}

/* Outlives the runner, in a session of its own, to clean up after one that was killed. */
static void start_janitor(void)
{
	int pidfd = (int)syscall(SYS_pidfd_open, runner, 0);
	pid_t pid = fork();

	if (pid == 0) {
		struct pollfd p = { pidfd, POLLIN, 0 };

		setsid();
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		/* Whoever reads the runner's output must not have to wait for us. */
		close(0);
		close(1);
		close(2);
		while (poll(&p, 1, -1) < 0 && errno == EINTR)
			;
		lab_sweep();
		_exit(0);
	}
	close(pidfd);
}

/* Why there are no tests on this version; NULL when there are. */
static const char *find_hierarchy(int version)
{
	static char why[512];
	struct hierarchy *h = &hierarchies[n_hierarchies];
	struct hf_buf buf = { 0 };
	char probe[LAB_PATH], file[LAB_PATH + 32];
	int r = hf_read_at(AT_FDCWD, "/proc/self/mountinfo", &buf);

	if (r == 0)
		r = hf_mountinfo_find_cgroup(buf.data, buf.len, version, h->mount, sizeof(h->mount));
	hf_buf_done(&buf);
	if (r < 0)
		return "it is not mounted";
	snprintf(probe, sizeof(probe), "%s/hf-test-%d-probe", h->mount, (int)runner);
	if (mkdir(probe, 0755) < 0) {
		snprintf(why, sizeof(why), "cannot make a cgroup in %s: %s", h->mount,
			 strerror(errno));
		return why;
	}
	snprintf(file, sizeof(file), "%s/%s", probe,
		 version == 2 ? "cgroup.freeze" : "freezer.state");
	r = access(file, W_OK);
	rmdir(probe);
	if (r < 0) {
		snprintf(why, sizeof(why), "no %s", file);
		return why;
	}
	h->version = version;
	n_hierarchies++;
	return NULL;
}

void lab_init(void)
{
	const char *require = getenv("HF_TESTS_REQUIRE");
	const char *why;
	bool missing = false;

	runner = getpid();
	registry = mmap(NULL, sizeof(*registry), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (registry == MAP_FAILED) {
		perror("lab: mmap");
		exit(1);
	}
	for (int version = 2; version >= 1; version--) {
		why = find_hierarchy(version);
		if (why) {
			printf("left out: every case on the v%d freezer: %s\n", version, why);
			missing = true;
		}
	}
	fflush(stdout);
	if (missing && require && strcmp(require, "1") == 0) {
		fprintf(stderr, "HF_TESTS_REQUIRE=1: nothing may be left out\n");
		exit(1);
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	start_janitor();
	atexit(sweep_at_exit);
}

void lab_left_out(const char *what, const char *why)
{
	const char *require = getenv("HF_TESTS_REQUIRE");

	printf("left out: %s: %s\n", what, why);
	fflush(stdout);
	if (require && strcmp(require, "1") == 0)
		ck_abort_msg("HF_TESTS_REQUIRE=1: nothing may be left out");
}

void lab_add(TCase *tc, const TTest *fn)
{
	tcase_add_loop_test(tc, fn, 0, n_hierarchies);
}

TCase *lab_case(Suite *suite, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, 60);
	/* Unchecked: in the runner, which lives when the test does not. */
	tcase_add_unchecked_fixture(tc, NULL, lab_sweep);
	suite_add_tcase(suite, tc);
	return tc;
}

/* ---- Scratch cgroups ------------------------------------------------------------------------ */

static const char *add_level(struct lab *lab, const char *path)
{
	struct lab_level *level = &lab->levels[lab->n_levels];

	if (lab->n_levels == LAB_LEVELS)
		ck_abort_msg("lab: too many cgroups");
	snprintf(level->path, sizeof(level->path), "%s", path);
	level->frozen = false;
	if (mkdir(path, 0755) < 0)
		ck_abort_msg("lab: mkdir %s: %s", path, strerror(errno));
	lab->n_levels++;
	return level->path;
}

struct lab *lab_new(int index)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	char path[LAB_PATH];

	if (!lab)
		ck_abort_msg("lab: no memory");
	/* What the test before this one may have left. */
	lab_sweep();
	/* The runner may be killed: then so are its tests, and the janitor takes over. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	lab->version = hierarchies[index].version;
	snprintf(path, sizeof(path), "%s/hf-test-%d-%u", hierarchies[index].mount, (int)runner,
		 lab_serial());
	lab->entry = lab_register(path, lab->version);
	lab->top = add_level(lab, path);
	lab_open_ward(lab);
	return lab;
}

void lab_done(struct lab *lab)
{
	if (lab->other[0])
		lab_other_freeze(lab, false);
	sweep_cgroup(lab->top, lab->version);
	lab_close_ward(lab);
	if (lab->other[0]) {
		sweep_cgroup(lab->other, 3 - lab->version);
		lab_unregister(lab->other_entry);
	}
	if (access(lab->top, F_OK) == 0)
		ck_abort_msg("lab: %s is still there", lab->top);
	lab_unregister(lab->entry);
	free(lab);
}

const char *lab_cgroup(struct lab *lab, const char *parent, const char *name)
{
	char path[LAB_PATH];

	snprintf(path, sizeof(path), "%s/%s", parent, name);
	return add_level(lab, path);
}

const char *lab_threads_file(const struct lab *lab)
{
	return lab->version == 2 ? "cgroup.threads" : "tasks";
}

static bool own_bit(int version, const char *path)
{
	const char *name = version == 2 ? "cgroup.freeze" : "freezer.self_freezing";
	struct hf_buf buf = { 0 };
	int r = lab_read(path, name, &buf);
	bool set = r == 0 && buf.len && buf.data[0] == '1';

	hf_buf_done(&buf);
	if (r < 0)
		ck_abort_msg("lab: reading %s/%s: %s", path, name, strerror(-r));
	return set;
}

static bool is_frozen(int version, const char *path)
{
	const char *name = version == 2 ? "cgroup.events" : "freezer.state";
	const char *word = version == 2 ? "frozen 1" : "FROZEN";
	struct hf_buf buf = { 0 };
	int r = lab_read(path, name, &buf);
	bool frozen = r == 0 && strstr(buf.data, word);

	hf_buf_done(&buf);
	if (r < 0)
		ck_abort_msg("lab: reading %s/%s: %s", path, name, strerror(-r));
	return frozen;
}

static void freeze(int version, const char *path, bool frozen)
{
	struct hf_deadline deadline = hf_deadline_in_ms(LAB_PATIENCE_MS);
	struct hf_nap nap = HF_NAP_INIT;
	int r;

	if (version == 2)
		r = lab_write(path, "cgroup.freeze", frozen ? "1" : "0");
	else
		r = lab_write(path, "freezer.state", frozen ? "FROZEN" : "THAWED");
	if (r < 0)
		ck_abort_msg("lab: freezing %s: %s", path, strerror(-r));
	while (frozen && !is_frozen(version, path))
		if (!hf_nap(&nap, deadline))
			ck_abort_msg("lab: %s does not freeze", path);
}

bool lab_own_bit(const struct lab *lab, const char *path)
{
	return own_bit(lab->version, path);
}

bool lab_is_frozen(const struct lab *lab, const char *path)
{
	return is_frozen(lab->version, path);
}

void lab_freeze(struct lab *lab, const char *path, bool frozen)
{
	for (unsigned int i = 0; i < lab->n_levels; i++)
		if (strcmp(lab->levels[i].path, path) == 0)
			lab->levels[i].frozen = frozen;
	freeze(lab->version, path, frozen);
}

const char *lab_other(struct lab *lab)
{
	for (int i = 0; i < n_hierarchies; i++) {
		if (hierarchies[i].version == lab->version)
			continue;
		snprintf(lab->other, sizeof(lab->other), "%s/hf-test-%d-%u", hierarchies[i].mount,
			 (int)runner, lab_serial());
		lab->other_entry = lab_register(lab->other, hierarchies[i].version);
		if (mkdir(lab->other, 0755) < 0)
			ck_abort_msg("lab: mkdir %s: %s", lab->other, strerror(errno));
		return lab->other;
	}
	lab_left_out("processes in cgroups of both freezers", "only one is there");
	return NULL;
}

void lab_other_freeze(struct lab *lab, bool frozen)
{
	freeze(3 - lab->version, lab->other, frozen);
}

bool lab_other_own_bit(const struct lab *lab)
{
	return own_bit(3 - lab->version, lab->other);
}

static void move(const char *path, const char *file, pid_t id)
{
	char text[16];
	int r;

	snprintf(text, sizeof(text), "%d", (int)id);
	r = lab_write(path, file, text);
	if (r < 0)
		ck_abort_msg("lab: writing %d to %s/%s: %s", (int)id, path, file, strerror(-r));
}

void lab_move(const char *path, pid_t pid)
{
	move(path, "cgroup.procs", pid);
}

void lab_move_thread(struct lab *lab, const char *path, pid_t tid)
{
	if (lab->version == 2 && lab_write(path, "cgroup.type", "threaded") < 0)
		ck_abort_msg("lab: %s cannot be made threaded", path);
	move(path, lab_threads_file(lab), tid);
}

struct counting {
	const char *file;
	size_t n;
};

static void count_level(const char *path, void *arg)
{
	struct counting *c = arg;
	int n = lab_ids(path, c->file, NULL, NULL);

	if (n > 0)
		c->n += (size_t)n;
}

size_t lab_threads(const struct lab *lab, const char *path)
{
	struct counting c = { lab_threads_file(lab), 0 };

	lab_walk(path, false, count_level, &c);
	return c.n;
}
