/* SPDX-License-Identifier: MIT */
/*
 * fuzz_recover - what becomes of the cgroups of any journal (seize/recover.c), with ordinary files in their
 * place.  A setting is written only where the journal's own directory still is and shows what the dead
 * holder left, and then to what he had found; a dry run writes nothing; a journal stays as long
 * as something in it is left to be done.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "made_journal.h"
#include "rundir.h"

/* ---- The place ---------------------------------------------------------------------------- */

#define DIRS 4
static const char *const dirs[DIRS] = { "", "a", "a/b", "c d" };

static struct {
	char top[256];		/* TOP/run has the journals, TOP/cgroup is the target */
	int target, run;
	ino_t inodes[DIRS];
	int files[DIRS][3];	/* by version: freezer.state, cgroup.freeze */
} place;

static int open_below(const char *below, const char *name, int flags)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s/%s", place.top, below, name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	FUZZ_REQUIRE(fd >= 0);
	return fd;
}

static int make_dir(const char *below)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", place.top, below);
	FUZZ_REQUIRE(mkdir(path, 0700) == 0);
	return open_below(below, ".", O_PATH);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *where)
{
	(void)st, (void)flag, (void)where;
	return remove(path);
}

static void remove_place(void)
{
	nftw(place.top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void make_place(void)
{
	const char *in = getenv(HF_RUNDIR_ENV);
	char below[64], run[sizeof(place.top) + 4];
	struct stat st;
	int i, fd;

	snprintf(place.top, sizeof(place.top), "%s/fuzz-XXXXXX", in ? in : "/tmp");
	FUZZ_REQUIRE(mkdtemp(place.top) != NULL);
	atexit(remove_place);
	place.run = make_dir("run");
	place.target = make_dir("cgroup");
	for (i = 0; i < DIRS; i++) {
		snprintf(below, sizeof(below), "cgroup/%s", dirs[i]);
		fd = i ? make_dir(below) : dup(place.target);
		FUZZ_REQUIRE(fstat(fd, &st) == 0 && close(fd) == 0);
		place.inodes[i] = st.st_ino;
		place.files[i][1] = open_below(below, "freezer.state", O_RDWR | O_CREAT);
		place.files[i][2] = open_below(below, "cgroup.freeze", O_RDWR | O_CREAT);
	}
	close(open_below("run", "no journal", O_RDWR | O_CREAT));
	snprintf(run, sizeof(run), "%s/run", place.top);
	FUZZ_REQUIRE(setenv(HF_RUNDIR_ENV, run, 1) == 0);
}

/* ---- Settings ----------------------------------------------------------------------------- */

static void set(int dir, int version, const char *text)
{
	const int fd = place.files[dir][version];
	const ssize_t len = (ssize_t)strlen(text);

	FUZZ_REQUIRE(ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)len, 0) == len);
}

static bool is_frozen(int dir, int version)
{
	char text[16] = "";

	FUZZ_REQUIRE(pread(place.files[dir][version], text, sizeof(text), 0) > 0);
	if (version == 2)
		return text[0] == '1';
	FUZZ_REQUIRE(strncmp(text, "THAWED", 6) == 0 || strncmp(text, "FROZEN", 6) == 0 ||
		     strncmp(text, "FREEZING", 8) == 0);
	return text[0] == 'F';
}

struct settings {
	bool frozen[DIRS][3];
};

static void take_settings(struct fuzz_source *from, struct settings *ret)
{
	int i;

	for (i = 0; i < DIRS; i++) {
		uint8_t how = made_byte(from);

		set(i, 1, how & 2 ? "FREEZING\n" : how & 1 ? "FROZEN\n" : "THAWED\n");
		set(i, 2, how & 4 ? "1\n" : "0\n");
		ret->frozen[i][1] = how & 3;
		ret->frozen[i][2] = how & 4;
	}
}

static void require_settings(const struct settings *s)
{
	int i, version;

	for (i = 0; i < DIRS; i++)
		for (version = 1; version <= 2; version++)
			FUZZ_REQUIRE(is_frozen(i, version) == s->frozen[i][version]);
}

/* ---- What is to be expected --------------------------------------------------------------- */

/* Who is there besides: the holder of another hold of the target, the journal's own holder; the target. */
struct others {
	bool hold, holder, no_target;
};

struct told {
	unsigned int of[HF_LEFTOVER_UNREADABLE + 1];
};

/* Which of the directories a level is; -1 for none, or for one that was made since. */
static int dir_of(const struct made_level *l)
{
	struct stat st;
	int i;

	if (l->replaced || fstatat(place.target, l->name, &st, AT_EMPTY_PATH) < 0)
		return -1;
	for (i = 0; i < DIRS; i++)
		if (st.st_ino == place.inodes[i])
			return i;
	return -1;
}

static void expect_level(const struct made_journal *m, size_t i, bool dry_run, struct settings *s,
			 struct told *told)
{
	const struct made_level *l = &m->levels[i];
	const int dir = dir_of(l), first = dir_of(&m->levels[0]);
	/* v1 shows what is in effect: below a frozen target nobody sees what a level's own setting is. */
	bool hidden = m->version == 1 && i > 0 && first >= 0 && s->frozen[first][1];

	if (dir < 0 || l->now == l->found)
		return;
	if (hidden || s->frozen[dir][m->version] == l->now) {
		s->frozen[dir][m->version] = dry_run ? s->frozen[dir][m->version] : l->found;
		told->of[HF_LEFTOVER_CHANGED]++;
	} else {
		told->of[HF_LEFTOVER_FOREIGN]++;
	}
}

/* Returns whether the journal is to stay. */
static bool expect(const struct hf_journal_page *page, const struct made_journal *m,
		   const struct others *others, bool dry_run, struct settings *s, struct told *told)
{
	size_t i;

	memset(told, 0, sizeof(*told));
	if (others->holder)
		return true;
	if (!hf_journal_valid(page, page->size)) {
		told->of[HF_LEFTOVER_UNREADABLE]++;
		return true;
	}
	if (others->no_target)
		return dry_run;
	if (others->hold) {
		for (i = 0; i < m->n; i++)
			told->of[HF_LEFTOVER_HELD] += m->levels[i].now != m->levels[i].found;
		return true;
	}
	if (m->on_death == HF_ON_DEATH_STAY) {
		int first = dir_of(&m->levels[0]);
		bool kept = first >= 0 && s->frozen[first][m->version];

		told->of[HF_LEFTOVER_KEPT] += kept;
		return kept || dry_run;
	}
	for (i = m->n; i-- > 0;)
		expect_level(m, i, dry_run, s, told);
	return dry_run;
}

/* ---- Recovering --------------------------------------------------------------------------- */

static void note(const struct hf_leftover *leftover, void *data)
{
	struct told *told = data;

	FUZZ_REQUIRE(leftover->kind <= HF_LEFTOVER_UNREADABLE && leftover->text[0] && leftover->path[0] == '/');
	told->of[leftover->kind]++;
}

static void recover(bool dry_run, struct told *ret)
{
	struct hf_recover_options opts = HF_RECOVER_OPTIONS_INIT;
	struct hf_error err = HF_ERROR_INIT;
	int r;

	memset(ret, 0, sizeof(*ret));
	opts.dry_run = dry_run;
	r = hf_recover(&opts, note, ret, &err);
	FUZZ_REQUIRE(r >= 0 && (unsigned int)r == ret->of[HF_LEFTOVER_CHANGED]);
}

static void write_journal(const void *bytes, size_t size)
{
	int fd = openat(place.run, "x.hold", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	FUZZ_REQUIRE(fd >= 0 && write(fd, bytes, size) == (ssize_t)size && close(fd) == 0);
}

/* A lock of its own on a file; closing it unlocks. */
static int lock(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);

	FUZZ_REQUIRE(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0);
	return fd;
}

static void require_expected(const struct hf_journal_page *page, const struct made_journal *m,
			     const struct others *others, bool dry_run, struct settings *s)
{
	struct told told, expected;
	bool stays = expect(page, m, others, dry_run, s, &expected);

	recover(dry_run, &told);
	require_settings(s);
	FUZZ_REQUIRE(memcmp(&told, &expected, sizeof(told)) == 0);
	FUZZ_REQUIRE((faccessat(place.run, "x.hold", F_OK, 0) == 0) == stays);
}

static void require_recovered(const struct hf_journal_page *page, const struct made_journal *m,
			      const struct others *others, struct settings *s)
{
	int hold, holder;

	write_journal(page, page->size);
	hold = others->hold ? lock(place.target, ".") : -1;
	holder = others->holder ? lock(place.run, "x.hold") : -1;
	require_expected(page, m, others, true, s);
	require_expected(page, m, others, false, s);
	unlinkat(place.run, "x.hold", 0);
	if (hold >= 0)
		close(hold);
	if (holder >= 0)
		close(holder);
}

/* Bytes that are no journal stay where they are, and harm nobody. */
static void require_left_alone(const uint8_t *data, size_t size, const struct settings *s)
{
	struct told told;

	write_journal(data, size);
	recover(false, &told);
	require_settings(s);
	FUZZ_REQUIRE(told.of[HF_LEFTOVER_UNREADABLE] == 1);
	FUZZ_REQUIRE(unlinkat(place.run, "x.hold", 0) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_source from = { data, size };
	struct hf_journal_page *page;
	struct settings settings;
	struct others others;
	struct made_journal m;
	char path[300];
	uint8_t who;

	if (!place.top[0])
		make_place();
	take_settings(&from, &settings);
	require_left_alone(data, size, &settings);
	who = made_byte(&from);
	others = (struct others){ .hold = who & 1, .holder = who & 2, .no_target = who & 4 };
	made_journal_take(&from, &m);
	snprintf(path, sizeof(path), "%s/cgroup%s", place.top, others.no_target ? "/gone" : "");
	page = made_journal_page(&m, path, place.target);
	require_recovered(page, &m, &others, &settings);
	free(page);
	return 0;
}
