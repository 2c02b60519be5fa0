/* SPDX-License-Identifier: MIT */
/*
 * fuzz_recover - what becomes of the cgroups of any journal (seize/recover.c), with ordinary files in their
 * place; the finding of them (recover_find.h) is ours here.  A setting is written only where the journal's
 * own directory still is and shows what the dead holder left, and then to what he had found; a dry run
 * writes nothing; a journal stays as long as something in it is left to be done, and is
 * never carried out twice.
 *
 * On v1 what is written into freezer.state does not show in freezer.self_freezing, as these are two files: so that
 * is the kernel that takes an order and does not carry it out.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "made_journal.h"
#include "recover_find.h"
#include "rundir.h"

/* ---- The place ---------------------------------------------------------------------------- */

#define DIRS 4
static const char *const dirs[DIRS] = { "", "a", "a/b", "c d" };

enum file { FILE_SELF, FILE_STATE, FILE_FREEZE, FILES };
static const char *const file_names[FILES] = { "freezer.self_freezing", "freezer.state", "cgroup.freeze" };

static struct {
	char top[256];		/* TOP/run has the journals, TOP/cgroup is the target */
	int target, run;
	ino_t inodes[DIRS];
	int files[DIRS][FILES];
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
	int i, f, fd;

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
		for (f = 0; f < FILES; f++)
			place.files[i][f] = open_below(below, file_names[f], O_RDWR | O_CREAT);
	}
	close(open_below("run", "no journal", O_RDWR | O_CREAT));
	snprintf(run, sizeof(run), "%s/run", place.top);
	FUZZ_REQUIRE(setenv(HF_RUNDIR_ENV, run, 1) == 0);
}

/* ---- Settings ----------------------------------------------------------------------------- */

static void set(int dir, enum file file, const char *text)
{
	const int fd = place.files[dir][file];
	const ssize_t len = (ssize_t)strlen(text);

	FUZZ_REQUIRE(ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)len, 0) == len);
}

static bool is_frozen(int dir, enum file file)
{
	char text[16] = "";

	FUZZ_REQUIRE(pread(place.files[dir][file], text, sizeof(text), 0) > 0);
	if (file == FILE_STATE)
		FUZZ_REQUIRE(!strcmp(text, "THAWED\n") || !strcmp(text, "FROZEN\n"));
	else
		FUZZ_REQUIRE(!strcmp(text, "0\n") || !strcmp(text, "1\n"));
	return text[0] == '1' || text[0] == 'F';
}

struct settings {
	bool frozen[DIRS][FILES];
};

static void take_settings(struct fuzz_source *from, struct settings *ret)
{
	int i, f;

	for (i = 0; i < DIRS; i++) {
		uint8_t how = made_byte(from);

		for (f = 0; f < FILES; f++) {
			bool frozen = how & 1 << f;

			set(i, (enum file)f, f == FILE_STATE ? frozen ? "FROZEN\n" : "THAWED\n" : frozen ? "1\n" : "0\n");
			ret->frozen[i][f] = frozen;
		}
	}
}

static void require_settings(const struct settings *s)
{
	int i, f;

	for (i = 0; i < DIRS; i++)
		for (f = 0; f < FILES; f++)
			FUZZ_REQUIRE(is_frozen(i, (enum file)f) == s->frozen[i][f]);
}

/* ---- recover_find.h ----------------------------------------------------------------------- */

/* What else is so: the journal's holder lives, the target is gone, levels that may not be opened. */
static struct {
	bool holder, no_target;
	uint8_t denied;		/* bit of a level */
} circumstances;

static int open_if_same(int at, const char *name, uint64_t inode)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == inode)
		return fd;
	if (fd >= 0)
		close(fd);
	return -ENOENT;
}

int hf_recover_find_top(const struct hf_journal_page *page, const struct hf_origin *here)
{
	(void)here;
	return circumstances.no_target ? -ENOENT : open_if_same(place.target, ".", page->levels[0].inode);
}

void hf_recover_open(struct hf_journal_page *page, size_t level, int top, const struct hf_origin *here)
{
	const char *name = hf_journal_name(page, level);
	struct hf_journal_level *l = &page->levels[level];
	int dir = top;

	(void)here;
	if (level && top >= 0)
		dir = open_if_same(top, name[0] ? name : ".", l->inode);
	l->fd = l->self_fd = dir < 0 ? dir : -EACCES;
	if (dir >= 0 && !(circumstances.denied & 1 << level)) {
		const enum file shown = page->version == 1 ? FILE_SELF : FILE_FREEZE;
		const enum file written = page->version == 1 ? FILE_STATE : FILE_FREEZE;

		l->fd = openat(dir, file_names[written], O_RDWR | O_CLOEXEC);
		l->self_fd = openat(dir, file_names[shown], O_RDONLY | O_CLOEXEC);
	}
	if (level && dir >= 0)
		close(dir);
}

/* ---- What is to be expected --------------------------------------------------------------- */

struct told {
	unsigned int of[HF_LEFTOVER_UNREADABLE + 1];
};

/* Which of the directories a level is; -1 for none, or for one that was made since. */
static int dir_of(const struct made_journal *m, size_t level)
{
	const struct made_level *l = &m->levels[level];
	struct stat st;
	int i;

	if (l->replaced || fstatat(place.target, l->name, &st, AT_EMPTY_PATH) < 0)
		return -1;
	for (i = 0; i < DIRS; i++)
		if (st.st_ino == place.inodes[i])
			return i;
	return -1;
}

/* Returns whether something is left to be done. */
static bool expect_level(const struct made_journal *m, size_t i, bool dry_run, struct settings *s,
			 struct told *told)
{
	const struct made_level *l = &m->levels[i];
	const int dir = dir_of(m, i);
	const enum file shown = m->version == 1 ? FILE_SELF : FILE_FREEZE;

	if (l->now == l->found || dir < 0 || dir_of(m, 0) != 0)
		return false;
	if (circumstances.denied & 1 << i) {
		told->of[HF_LEFTOVER_FAILED]++;
		return true;
	}
	if (i == 0 && m->on_death != HF_ON_DEATH_RESUME && s->frozen[dir][shown]) {
		told->of[HF_LEFTOVER_KEPT]++;
		return true;
	}
	if (s->frozen[dir][shown] != l->now) {
		told->of[HF_LEFTOVER_FOREIGN]++;
		return false;
	}
	if (!dry_run)
		s->frozen[dir][m->version == 1 ? FILE_STATE : FILE_FREEZE] = l->found;
	told->of[m->version == 1 && !dry_run ? HF_LEFTOVER_FAILED : HF_LEFTOVER_CHANGED]++;
	return m->version == 1;
}

/* Returns whether the journal is to stay. */
static bool expect(const struct hf_journal_page *page, const struct made_journal *m, bool dry_run,
		   struct settings *s, struct told *told)
{
	bool stays = dry_run;
	size_t i;

	memset(told, 0, sizeof(*told));
	if (circumstances.holder)
		return true;
	if (!hf_journal_valid(page, page->size)) {
		told->of[HF_LEFTOVER_UNREADABLE]++;
		return true;
	}
	for (i = m->n; !circumstances.no_target && i-- > 0;)
		stays |= expect_level(m, i, dry_run, s, told);
	return stays;
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
	FUZZ_REQUIRE((r < 0) == (ret->of[HF_LEFTOVER_FAILED] || ret->of[HF_LEFTOVER_UNREADABLE]));
	FUZZ_REQUIRE(r < 0 ? err.code == -r && err.text[0] : (unsigned int)r == ret->of[HF_LEFTOVER_CHANGED]);
}

static bool has_journal(void)
{
	return faccessat(place.run, "x.hold", F_OK, 0) == 0;
}

static void write_journal(const void *bytes, size_t size)
{
	int fd = openat(place.run, "x.hold", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	FUZZ_REQUIRE(fd >= 0 && write(fd, bytes, size) == (ssize_t)size && close(fd) == 0);
}

static void require_expected(const struct hf_journal_page *page, const struct made_journal *m, bool dry_run,
			     struct settings *s, struct told *told)
{
	struct told expected;
	bool stays = expect(page, m, dry_run, s, &expected);

	recover(dry_run, told);
	require_settings(s);
	FUZZ_REQUIRE(memcmp(told, &expected, sizeof(expected)) == 0);
	FUZZ_REQUIRE(has_journal() == stays);
}

/* No hold makes such a journal: putting back the one would make the other look as it was left. */
static bool has_twins(const struct made_journal *m)
{
	size_t i, j;

	for (i = 0; i < m->n; i++)
		for (j = 0; j < i; j++)
			if (dir_of(m, i) >= 0 && dir_of(m, i) == dir_of(m, j))
				return true;
	return false;
}

static void require_recovered(const struct hf_journal_page *page, const struct made_journal *m,
			      struct settings *s)
{
	struct told told, again;
	int holder = -1;

	write_journal(page, page->size);
	if (circumstances.holder) {
		holder = openat(place.run, "x.hold", O_RDONLY | O_CLOEXEC);
		FUZZ_REQUIRE(holder >= 0 && flock(holder, LOCK_EX | LOCK_NB) == 0);
	}
	require_expected(page, m, true, s, &told);
	require_expected(page, m, false, s, &told);
	recover(false, &again);
	if (!has_twins(m)) {
		require_settings(s);
		/* What was put back is noted: it is not taken for somebody else's doing either. */
		FUZZ_REQUIRE(again.of[HF_LEFTOVER_CHANGED] == 0);
		FUZZ_REQUIRE(again.of[HF_LEFTOVER_FOREIGN] <= told.of[HF_LEFTOVER_FOREIGN]);
	}
	unlinkat(place.run, "x.hold", 0);
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
	struct made_journal m;
	char path[300];
	uint8_t how;

	if (!place.top[0])
		make_place();
	take_settings(&from, &settings);
	require_left_alone(data, size, &settings);
	how = made_byte(&from);
	circumstances.holder = how & 2;
	circumstances.no_target = how & 4;
	circumstances.denied = how >> 3;
	made_journal_take(&from, &m);
	snprintf(path, sizeof(path), "%s/cgroup", place.top);
	page = made_journal_page(&m, path, place.target);
	require_recovered(page, &m, &settings);
	free(page);
	return 0;
}
