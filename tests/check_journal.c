/* SPDX-License-Identifier: MIT */
/*
 * check_journal - the record of what a hold changes: what is accepted as one, what is put back by it, and the file
 * that it is.  Settings are memory files here, so that every outcome can be had.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal.h"
#include "lab.h"
#include "rundir_play.h"
#include "suite.h"

/* ---- What is a journal ---------------------------------------------------------------------------- */

#define LEVELS 3

/* One that is valid; the strings are /c, "", a, a/b. */
#define STRINGS (sizeof(struct hf_journal_page) + LEVELS * sizeof(struct hf_journal_level))
#define SIZE (STRINGS + 10)
struct made {
	_Alignas(8) char bytes[SIZE];
};

static struct hf_journal_page *page_of(struct made *m)
{
	return (struct hf_journal_page *)(void *)m->bytes;
}

static uint32_t put_string(struct made *m, uint32_t *end, const char *text)
{
	uint32_t at = *end;

	ck_assert_uint_le(at + strlen(text) + 1, SIZE);
	memcpy(m->bytes + at, text, strlen(text) + 1);
	*end += (uint32_t)strlen(text) + 1;
	return at;
}

static void make_valid(struct made *m)
{
	struct hf_journal_page *page = page_of(m);
	uint32_t end = sizeof(*page) + LEVELS * sizeof(page->levels[0]);

	memset(m, 0, sizeof(*m));
	memcpy(page->magic, HF_JOURNAL_MAGIC, sizeof(page->magic));
	page->size = SIZE;
	page->n = LEVELS;
	page->version = 2;
	page->path = put_string(m, &end, "/c");
	page->levels[0].name = put_string(m, &end, "");
	page->levels[1].name = put_string(m, &end, "a");
	page->levels[2].name = put_string(m, &end, "a/b");
	ck_assert_uint_eq(end, SIZE);
}

START_TEST(a_whole_journal_is_accepted_and_no_part_of_it)
{
	struct made m;
	size_t size;

	make_valid(&m);
	ck_assert(hf_journal_valid(m.bytes, SIZE));
	ck_assert_str_eq(hf_journal_path(page_of(&m)), "/c");
	ck_assert_str_eq(hf_journal_name(page_of(&m), 2), "a/b");
	for (size = 0; size < SIZE; size++) {
		/* Without a byte to spare, for the sanitizers. */
		char *part = exact_copy((struct bytes){ m.bytes, size });

		ck_assert_msg(!hf_journal_valid(part, size), "%zu bytes", size);
		/* Also when it says that this is its size. */
		if (size >= sizeof(struct hf_journal_page)) {
			((struct hf_journal_page *)(void *)part)->size = (uint32_t)size;
			ck_assert_msg(!hf_journal_valid(part, size), "%zu bytes that say so", size);
		}
		free(part);
	}
}
END_TEST

#define FIELD(name) offsetof(struct hf_journal_page, name), sizeof(((struct hf_journal_page *)0)->name)
#define LEVEL_AT(i) (offsetof(struct hf_journal_page, levels) + (i) * sizeof(struct hf_journal_level))
#define LEVEL(i, name) LEVEL_AT(i) + offsetof(struct hf_journal_level, name), \
	sizeof(((struct hf_journal_level *)0)->name)

static const struct change {
	size_t at, size;
	uint64_t value;
	bool valid;
} changes[] = {
	{ FIELD(size), SIZE - 1, false },
	{ FIELD(size), SIZE + 1, false },
	{ FIELD(size), 0, false },
	{ FIELD(n), 0, false },
	{ FIELD(n), LEVELS - 1, true },
	{ FIELD(n), LEVELS + 1, false },
	{ FIELD(n), HF_JOURNAL_LEVELS_MAX, false },
	{ FIELD(n), HF_JOURNAL_LEVELS_MAX + 1, false },
	{ FIELD(n), UINT32_MAX, false },
	{ FIELD(version), 0, false },
	{ FIELD(version), 1, true },
	{ FIELD(version), 3, false },
	{ FIELD(version), UINT32_MAX, false },
	{ FIELD(on_death), HF_ON_DEATH_KILL, true },
	{ FIELD(on_death), HF_ON_DEATH_KILL + 1, false },
	{ FIELD(path), 0, false },
	{ FIELD(path), STRINGS - 1, false },
	{ FIELD(path), STRINGS + 1, false },		/* "c" */
	{ FIELD(path), SIZE - 1, false },	/* "" */
	{ FIELD(path), SIZE, false },
	{ FIELD(path), UINT32_MAX, false },
	{ LEVEL(0, name), STRINGS - 1, false },
	{ LEVEL(2, name), STRINGS, false },		/* "/c" */
	{ LEVEL(2, name), STRINGS + 1, true },		/* "c" */
	{ LEVEL(2, name), SIZE - 1, true },
	{ LEVEL(2, name), SIZE, false },
	{ LEVEL(2, name), UINT32_MAX, false },
	{ LEVEL(1, found), 1, true },
	{ LEVEL(1, found), 2, false },
	{ LEVEL(1, now), 1, true },
	{ LEVEL(1, now), 2, false },
	{ LEVEL(1, now), 255, false },
	{ LEVEL(1, fd), UINT32_MAX, true },
	{ LEVEL(1, inode), UINT64_MAX, true },
	{ SIZE - 1, 1, 'x', false },	/* the last string does not end */
	{ STRINGS, 1, 'x', false },			/* the path is none */
};

START_TEST(each_cell_is_looked_at)
{
	const struct change *c = &changes[_i];
	struct made m;

	make_valid(&m);
	memcpy(m.bytes + c->at, &c->value, c->size);
	ck_assert_int_eq(hf_journal_valid(m.bytes, SIZE), c->valid);
}
END_TEST

START_TEST(each_byte_of_the_magic_and_the_end_of_the_boot_count)
{
	struct made m;
	size_t i;

	for (i = 0; i < sizeof(page_of(&m)->magic); i++) {
		make_valid(&m);
		m.bytes[i] ^= 1;
		ck_assert(!hf_journal_valid(m.bytes, SIZE));
	}
	make_valid(&m);
	memset(page_of(&m)->origin.boot, 'x', sizeof(page_of(&m)->origin.boot));
	ck_assert(!hf_journal_valid(m.bytes, SIZE));
}
END_TEST

static const struct {
	const char *name;
	bool valid;
} names[] = {
	{ "", true }, { "a", true }, { "..a", true }, { "a..", true }, { "...", true }, { ".a", true }, { "a/b", true },
	{ "/a", false }, { "/", false }, { ".", false }, { "..", false }, { "../", false }, { "a/..", false },
	{ "./a", false }, { "../a", false }, { "a/.", false }, { "a//..", false }, { "a/../b", false },
	{ "a/./b", false }, { "a/b/..", false },
};

START_TEST(a_level_leads_down)
{
	char bytes[sizeof(struct hf_journal_page) + sizeof(struct hf_journal_level) + 32]
		__attribute__((aligned(8))) = { 0 };
	struct hf_journal_page *page = (struct hf_journal_page *)(void *)bytes;
	size_t strings = sizeof(*page) + sizeof(page->levels[0]), len = strlen(names[_i].name) + 1;

	memcpy(page->magic, HF_JOURNAL_MAGIC, sizeof(page->magic));
	page->size = (uint32_t)(strings + 3 + len);
	page->n = 1;
	page->version = 1;
	page->path = (uint32_t)strings;
	memcpy(bytes + strings, "/c", 3);
	page->levels[0].name = (uint32_t)strings + 3;
	memcpy(bytes + strings + 3, names[_i].name, len);
	ck_assert_int_eq(hf_journal_valid(bytes, page->size), names[_i].valid);
}
END_TEST

/* ---- What is put back ------------------------------------------------------------------------------- */

/* A page whose levels have memory files for settings, which are written at the end: `text` has all that was written. */
struct settings {
	struct made m;
	struct hf_journal_page *page;
	int fd;				/* all levels write there, in order */
	int self[LEVELS];
};

static int memory_file(const char *text)
{
	int fd = memfd_create("hf-test", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, text, strlen(text), 0), (ssize_t)strlen(text));
	return fd;
}

static void make_settings(struct settings *s, int version)
{
	make_valid(&s->m);
	s->page = page_of(&s->m);
	s->page->version = version;
	s->fd = memory_file("");
	/* pwrite(2), BUGS: with O_APPEND it is at the end, wherever it should be. */
	ck_assert_int_eq(fcntl(s->fd, F_SETFL, O_APPEND), 0);
	for (size_t i = 0; i < LEVELS; i++) {
		s->self[i] = memory_file("0\n");
		s->page->levels[i].fd = s->fd;
		s->page->levels[i].self_fd = s->self[i];
	}
}

static void set_level(struct settings *s, size_t i, bool found, bool now, bool shown)
{
	s->page->levels[i].found = found;
	s->page->levels[i].now = now;
	ck_assert_int_eq(pwrite(s->self[i], shown ? "1\n" : "0\n", 2, 0), 2);
}

static const char *written(const struct settings *s)
{
	static char text[256];
	ssize_t n = pread(s->fd, text, sizeof(text) - 1, 0);

	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	return text;
}

static void close_settings(struct settings *s)
{
	close(s->fd);
	for (size_t i = 0; i < LEVELS; i++)
		close(s->self[i]);
}

START_TEST(what_is_as_it_was_left_is_put_back)
{
	int version = _i & 1 ? 2 : 1;
	bool found = _i & 2, now = _i & 4, shown = _i & 8;
	bool back = found != now && shown == now;
	struct hf_put_back count;
	struct settings s;

	make_settings(&s, version);
	set_level(&s, 1, found, now, shown);
	count = hf_journal_put_back(s.page);
	ck_assert_uint_eq(count.done, back);
	ck_assert_uint_eq(count.foreign, found != now && shown != now);
	ck_assert_uint_eq(count.failed, 0);
	ck_assert_str_eq(written(&s), !back ? "" : version == 2 ? (found ? "1" : "0") : found ? "FROZEN" : "THAWED");
	ck_assert_int_eq(s.page->levels[1].now, back ? found : now);
	/* Once is enough. */
	count = hf_journal_put_back(s.page);
	ck_assert_uint_eq(count.done, 0);
	close_settings(&s);
}
END_TEST

START_TEST(children_come_first)
{
	struct settings s;

	make_settings(&s, 1);
	set_level(&s, 0, false, true, true);
	set_level(&s, 1, true, false, false);
	set_level(&s, 2, true, false, false);
	ck_assert_uint_eq(hf_journal_put_back(s.page).done, 3);
	ck_assert_str_eq(written(&s), "FROZENFROZENTHAWED");
	close_settings(&s);
}
END_TEST

START_TEST(what_fails_is_tried_again_and_stays_noted)
{
	struct settings s;
	struct hf_put_back count;

	make_settings(&s, 2);
	set_level(&s, 0, false, true, true);
	set_level(&s, 1, false, true, true);
	s.page->levels[1].fd = open("/dev/full", O_RDWR | O_CLOEXEC);
	count = hf_journal_put_back(s.page);
	ck_assert_uint_eq(count.failed, 1);
	ck_assert_uint_eq(count.done, 1);
	ck_assert(s.page->levels[1].now);
	close(s.page->levels[1].fd);
	/* Later it works. */
	s.page->levels[1].fd = s.fd;
	ck_assert_uint_eq(hf_journal_put_back(s.page).done, 1);
	ck_assert_str_eq(written(&s), "00");
	close_settings(&s);
}
END_TEST

START_TEST(what_cannot_be_read_is_taken_for_ours)
{
	struct settings s;

	make_settings(&s, 1);
	set_level(&s, 0, false, true, false);
	s.page->levels[0].self_fd = -1;
	ck_assert_uint_eq(hf_journal_put_back(s.page).done, 1);
	ck_assert_str_eq(written(&s), "THAWED");
	close_settings(&s);
}
END_TEST

START_TEST(settled_means_that_it_is_meant_so)
{
	struct settings s;

	make_settings(&s, 2);
	set_level(&s, 0, false, true, true);
	set_level(&s, 2, true, false, false);
	hf_journal_settle(s.page);
	for (size_t i = 0; i < LEVELS; i++)
		ck_assert_int_eq(s.page->levels[i].now, s.page->levels[i].found);
	ck_assert_int_eq(s.page->levels[0].found, 1);
	ck_assert_int_eq(s.page->levels[2].found, 0);
	ck_assert_uint_eq(hf_journal_put_back(s.page).done, 0);
	ck_assert_str_eq(written(&s), "");
	hf_journal_settle(NULL);
	close_settings(&s);
}
END_TEST

/* ---- The file --------------------------------------------------------------------------------------- */

/* A freezer that is none: a directory with one below it. */
static void make_freezer(struct hf_freezer *f, const char *dir, struct hf_level levels[2])
{
	*f = (struct hf_freezer)HF_FREEZER_INIT;
	f->version = 2;
	f->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(f->dirfd, 0);
	f->path = strdup(dir);
	levels[0] = (struct hf_level){ .name = strdup(""), .fd = memory_file("0"), .self_fd = -1 };
	levels[1] = (struct hf_level){ .name = strdup("below"), .fd = -1, .self_fd = -1, .self_found = true,
				       .self_now = true };
	f->levels = levels;
	f->n_levels = 2;
}

static void free_freezer(struct hf_freezer *f)
{
	close(f->dirfd);
	free(f->path);
	for (size_t i = 0; i < f->n_levels; i++) {
		free(f->levels[i].name);
		if (f->levels[i].fd >= 0)
			close(f->levels[i].fd);
	}
}

START_TEST(the_file_is_there_when_it_is_whole_and_no_longer_than_needed)
{
	struct rundir dir = new_rundir();
	struct hf_journal j = HF_JOURNAL_INIT;
	struct hf_level levels[2];
	struct hf_freezer f;
	char bytes[4096] __attribute__((aligned(8))), name[LAB_PATH];
	struct stat st, below;
	ssize_t n;
	int fd;

	make_freezer(&f, dir.path, levels);
	ck_assert_int_eq(mkdirat(f.dirfd, "below", 0700), 0);
	ck_assert_int_eq(fstatat(f.dirfd, "below", &below, 0), 0);
	ck_assert_int_eq(hf_journal_make(&j, &f, true), 0);
	ck_assert_uint_eq(count_journals(&dir), 0);
	hf_journal_show(&j);
	ck_assert_uint_eq(count_journals(&dir), 1);
	only_journal(&dir, name);
	ck_assert_uint_eq(strlen(strrchr(name, '/') + 1), 16 + strlen(".hold"));
	ck_assert_str_eq(strrchr(name, '/') + 1, j.page->name);

	fd = open(name, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(st.st_mode, S_IFREG | 0600);
	/* Locked by who has it. */
	ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), -1);
	n = read(fd, bytes, sizeof(bytes));
	ck_assert(hf_journal_valid(bytes, (size_t)n));
	ck_assert_str_eq(hf_journal_path((struct hf_journal_page *)(void *)bytes), dir.path);
	ck_assert_str_eq(hf_journal_name((struct hf_journal_page *)(void *)bytes, 1), "below");
	ck_assert_uint_eq(((struct hf_journal_page *)(void *)bytes)->levels[1].inode, below.st_ino);
	ck_assert(hf_process_lives(&((struct hf_journal_page *)(void *)bytes)->holder));
	ck_assert_ptr_nonnull(f.levels[0].noted);
	ck_assert_ptr_null(f.levels[1].noted);

	/* What is noted is in the file, without a write. */
	*f.levels[0].noted = true;
	ck_assert_int_eq(pread(fd, bytes, sizeof(bytes), 0), n);
	ck_assert(((struct hf_journal_page *)(void *)bytes)->levels[0].now);
	hf_journal_settle(j.page);
	hf_journal_end(&j, &f);
	ck_assert_uint_eq(count_journals(&dir), 0);
	ck_assert_ptr_null(f.levels[0].noted);
	ck_assert_ptr_null(j.page);
	close(fd);
	ck_assert_int_eq(unlinkat(f.dirfd, "below", AT_REMOVEDIR), 0);
	free_freezer(&f);
	done_rundir(&dir);
}
END_TEST

START_TEST(what_is_not_put_back_stays_on_record)
{
	struct rundir dir = new_rundir();
	struct hf_journal j = HF_JOURNAL_INIT;
	struct hf_level levels[2];
	struct hf_freezer f;
	char name[LAB_PATH];
	int fd;

	make_freezer(&f, dir.path, levels);
	ck_assert_int_eq(hf_journal_make(&j, &f, true), 0);
	hf_journal_show(&j);
	*f.levels[0].noted = true;
	hf_journal_remove_settled(&j);
	ck_assert_uint_eq(count_journals(&dir), 1);
	hf_journal_end(&j, &f);
	/* And nobody has it any more. */
	only_journal(&dir, name);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	close(fd);
	ck_assert_int_eq(unlink(name), 0);
	free_freezer(&f);
	done_rundir(&dir);
}
END_TEST

START_TEST(each_has_a_name_of_its_own)
{
	struct rundir dir = new_rundir();
	struct hf_journal j[8];
	struct hf_level levels[2];
	struct hf_freezer f;

	make_freezer(&f, dir.path, levels);
	for (size_t i = 0; i < COUNT_OF(j); i++) {
		ck_assert_int_eq(hf_journal_make(&j[i], &f, true), 0);
		hf_journal_show(&j[i]);
	}
	ck_assert_uint_eq(count_journals(&dir), COUNT_OF(j));
	for (size_t i = 0; i < COUNT_OF(j); i++)
		hf_journal_end(&j[i], &f);
	free_freezer(&f);
	done_rundir(&dir);
}
END_TEST

/* The page does its work, and no file is there. */
static void expect_memory_only(const struct rundir *dir, struct hf_freezer *f, bool with_file)
{
	struct hf_journal j = HF_JOURNAL_INIT;

	ck_assert_int_eq(hf_journal_make(&j, f, with_file), 0);
	hf_journal_show(&j);
	ck_assert_int_eq(j.fd, -1);
	ck_assert_int_eq(j.dirfd, -1);
	ck_assert_ptr_nonnull(j.page);
	ck_assert(hf_journal_valid(j.page, j.size));
	*f->levels[0].noted = true;
	ck_assert(j.page->levels[0].now);
	ck_assert_uint_eq(hf_journal_put_back(j.page).foreign, 1);
	hf_journal_end(&j, f);
	ck_assert_uint_eq(count_journals(dir), 0);
}

START_TEST(where_there_can_be_no_file_the_page_has_to_do)
{
	static const char *const mounts[] = { "size=4k,mode=755", "nr_inodes=2,mode=755" };
	struct rundir dir = new_rundir();
	struct hf_level levels[2];
	struct hf_freezer f;
	char fill[LAB_PATH];

	make_freezer(&f, dir.path, levels);
	expect_memory_only(&dir, &f, false);
	setenv("HOLDFAST_RUNTIME_DIR", "/proc/no/such", 1);
	expect_memory_only(&dir, &f, true);
	setenv("HOLDFAST_RUNTIME_DIR", dir.path, 1);
	/* Full of bytes, and full of files. */
	for (size_t i = 0; i < COUNT_OF(mounts); i++) {
		int fd;

		if (!own_mounts() || mount("tmpfs", dir.path, "tmpfs", 0, mounts[i]) < 0) {
			lab_left_out("a full runtime directory", strerror(errno));
			break;
		}
		snprintf(fill, sizeof(fill), "%s/fill", dir.path);
		fd = open(fill, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		ck_assert_int_ge(fd, 0);
		while (i == 0 && write(fd, fill, sizeof(fill)) > 0)
			;
		close(fd);
		expect_memory_only(&dir, &f, true);
		ck_assert_int_eq(umount2(dir.path, MNT_DETACH), 0);
	}
	free_freezer(&f);
	done_rundir(&dir);
}
END_TEST

START_TEST(a_huge_one_is_kept_in_memory)
{
	struct rundir dir = new_rundir();
	struct hf_level levels[2];
	struct hf_freezer f;

	make_freezer(&f, dir.path, levels);
	free(levels[1].name);
	levels[1].name = malloc(HF_JOURNAL_FILE_MAX + 1);
	ck_assert_ptr_nonnull(levels[1].name);
	memset(levels[1].name, 'a', HF_JOURNAL_FILE_MAX);
	levels[1].name[HF_JOURNAL_FILE_MAX] = '\0';
	expect_memory_only(&dir, &f, true);
	free_freezer(&f);
	done_rundir(&dir);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("journal");
	TCase *tc = tcase_create("valid");

	tcase_add_test(tc, a_whole_journal_is_accepted_and_no_part_of_it);
	tcase_add_loop_test(tc, each_cell_is_looked_at, 0, (int)COUNT_OF(changes));
	tcase_add_test(tc, each_byte_of_the_magic_and_the_end_of_the_boot_count);
	tcase_add_loop_test(tc, a_level_leads_down, 0, (int)COUNT_OF(names));
	suite_add_tcase(suite, tc);
	tc = tcase_create("put_back");
	tcase_add_loop_test(tc, what_is_as_it_was_left_is_put_back, 0, 16);
	tcase_add_test(tc, children_come_first);
	tcase_add_test(tc, what_fails_is_tried_again_and_stays_noted);
	tcase_add_test(tc, what_cannot_be_read_is_taken_for_ours);
	tcase_add_test(tc, settled_means_that_it_is_meant_so);
	suite_add_tcase(suite, tc);
	tc = tcase_create("file");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, the_file_is_there_when_it_is_whole_and_no_longer_than_needed);
	tcase_add_test(tc, what_is_not_put_back_stays_on_record);
	tcase_add_test(tc, each_has_a_name_of_its_own);
	tcase_add_test(tc, where_there_can_be_no_file_the_page_has_to_do);
	tcase_add_test(tc, a_huge_one_is_kept_in_memory);
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
