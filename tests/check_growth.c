/* SPDX-License-Identifier: MIT */
/*
 * check_growth - what is done for each thread and process grows with their number and not with its square.  The library
 * is compiled so that each of its basic blocks counts itself (-fsanitize-coverage=trace-pc): that is exact, and holds on
 * any machine in any mood.
 */
#include <stdio.h>

#include "cfi.h"
#include "lab.h"
#include "made_elf.h"
#include "members.h"
#include "print.h"
#include "space.h"
#include "suite.h"
#include "symbols.h"
#include "task.h"
#include "tree.h"

/* Twice as many: n log n comes to 2.2 times, a square to 4. */
#define TIMES_MAX 2.5
/* A hold has so much to do for each thread that a square would hide behind it for long. */
#define HOLD_TIMES_MAX 2.05
#define HOLDS 7

static unsigned long blocks;

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
	blocks++;
}

static void check_growth(const unsigned long counts[3], double times_max, const char *what)
{
	ck_assert_msg(counts[0] > 0 && (double)(counts[2] - counts[1]) <= times_max * (double)(counts[1] - counts[0]),
		      "%s: %lu blocks, for twice as many %lu, for four times as many %lu", what, counts[0], counts[1],
		      counts[2]);
}

/* What is prepared is left to the end of the test's process, and known until then. */
static void *keep(void *prepared)
{
	static void *kept[16];
	static size_t n;

	ck_assert_ptr_nonnull(prepared);
	ck_assert_uint_lt(n, COUNT_OF(kept));
	kept[n++] = prepared;
	return prepared;
}

/* ---- The set ------------------------------------------------------------------------------------- */

static pid_t tid_of(size_t i)
{
	return (pid_t)(1000 + i * 7);
}

static void *nothing(size_t n)
{
	(void)n;
	return NULL;
}

static void add_and_find(void *unused, size_t n)
{
	struct hf_task_set set = { 0 };
	size_t i;

	(void)unused;
	for (i = 0; i < n; i++)
		ck_assert_ptr_nonnull(hf_task_set_add(&set, tid_of(i)));
	for (i = 0; i < n; i++)
		if (!hf_task_set_find(&set, tid_of(i)) || hf_task_set_find(&set, tid_of(i) + 1))
			ck_abort_msg("%d is not found, or another", tid_of(i));
	hf_task_set_done(&set);
}

static void *full_set(size_t n)
{
	struct hf_task_set *set = keep(calloc(1, sizeof(*set)));
	size_t i;

	for (i = 0; i < n; i++) {
		struct hf_task *t = hf_task_set_add(set, tid_of(n - i));

		ck_assert_ptr_nonnull(t);
		t->tgid = tid_of((n - i) / 4);
		t->state = HF_TASK_HELD;
	}
	return set;
}

static void group(void *set, size_t n)
{
	const struct hf_task **members = calloc(n, sizeof(*members));

	ck_assert_ptr_nonnull(members);
	ck_assert_uint_eq(hf_members_of(set, members), n);
	free(members);
}

/* ---- The tree ------------------------------------------------------------------------------------- */

/* All children of the first, and the last to come first. */
static void *family(size_t n)
{
	struct hf_process *procs = keep(calloc(n, sizeof(*procs)));
	struct hf_thread *threads = keep(calloc(n, sizeof(*threads)));
	size_t i;

	for (i = 0; i < n; i++) {
		struct hf_process *p = &procs[i];

		threads[i] = (struct hf_thread){ .tid = tid_of(n - i), .comm = "t", .state = HF_THREAD_HELD, .found = 'S' };
		threads[i].nstid = &threads[i].tid;
		threads[i].n_nstid = 1;
		*p = (struct hf_process){
			.pid = tid_of(n - i), .ppid = i + 1 < n ? tid_of(1) : 1, .comm = "t", .cmdline = "",
			.start_time_ticks = i, .kind = HF_KIND_PROCESS, .threads = &threads[i], .n_threads = 1,
			.n_nspid = 1,
		};
		p->nspid = &threads[i].tid;
	}
	return procs;
}

static void link_family(void *procs, size_t n)
{
	const struct hf_process *roots;

	ck_assert_int_eq(hf_forest_link(procs, n, &roots), 0);
	ck_assert_ptr_nonnull(roots);
}

static void *linked_tree(size_t n)
{
	hf_tree *tree = NULL;

	ck_assert_int_eq(hf_tree_of(family(n), n, &tree), 0);
	return keep(tree);
}

static const struct hf_hold_info info = { .kind = HF_TARGET_CGROUP, .target = "cgroup /x", .path = "/x", .version = 2 };

static void print_text(void *tree, size_t n)
{
	char *text;

	(void)n;
	ck_assert_int_eq(hf_tree_format_with(tree, &info, HF_FORMAT_TEXT, 0, &text, NULL, NULL), 0);
	free(text);
}

static void print_json(void *tree, size_t n)
{
	char *text;

	(void)n;
	ck_assert_int_eq(hf_tree_format_with(tree, &info, HF_FORMAT_JSON, 0, &text, NULL, NULL), 0);
	free(text);
}

/* ---- Files that are mapped ------------------------------------------------------------------------ */

/* Those of n files whose numbers follow each other, as memfds have them. */
static void *maps_of_files(size_t n)
{
	struct hf_buf *text = keep(calloc(1, sizeof(*text)));
	char line[128];
	size_t i;

	for (i = 0; i < n; i++) {
		size_t len = (size_t)snprintf(line, sizeof(line), "%zx-%zx r-xp 00000000 00:01 %zu /memfd:x (deleted)\n",
					      i * 4096, i * 4096 + 4096, 1000 + i);

		ck_assert_int_eq(hf_buf_reserve(text, text->len + len), 0);
		memcpy(text->data + text->len, line, len);
		text->len += len;
	}
	return text;
}

/* With a vdso in as many processes. */
static void read_maps(void *maps, size_t n)
{
	static const uint8_t vdso[64];
	const struct hf_buf *text = maps;
	struct hf_arena arena = { 0 };
	struct hf_images images = { .arena = &arena };
	struct hf_space space;
	size_t i;

	ck_assert_int_eq(hf_space_read(&space, &arena, &images, text->data, text->len), 0);
	ck_assert_uint_eq(images.n, n);
	ck_assert_ptr_nonnull(hf_image_of_bytes(&images, "[vdso]", vdso, sizeof(vdso)));
	for (i = 0; i < n; i++)
		if (!hf_image_that_begins(&images, vdso, sizeof(vdso), sizeof(vdso)))
			ck_abort_msg("the vdso is not found");
	hf_images_done(&images);
	hf_arena_done(&arena);
}

/* ---- Symbols ---------------------------------------------------------------------------------------- */

/* Each of n covers all that follows its beginning, and is there twice. */
static void *covering_symbols(size_t n)
{
	struct hf_elf *elf = keep(calloc(1, sizeof(*elf)));
	Elf64_Sym *syms = calloc(2 * n, sizeof(*syms));
	size_t i;

	ck_assert_ptr_nonnull(syms);
	for (i = 0; i < 2 * n; i++)
		syms[i] = (Elf64_Sym){ .st_name = 1, .st_value = MADE_TEXT_AT + i / 2, .st_size = n, .st_shndx = 1,
				       .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC) };
	keep(made_elf_of_symbols(elf, 2 * n, syms, 2 * n, "\0s", 3));
	free(syms);
	return elf;
}

static void name_addresses(void *elf, size_t n)
{
	struct hf_named *named = calloc(n, sizeof(*named));
	size_t i;

	ck_assert_ptr_nonnull(named);
	for (i = 0; i < n; i++)
		named[i].vaddr = MADE_TEXT_AT + i;
	hf_named_by(named, n, elf, SHT_SYMTAB);
	for (i = 0; i < n; i++)
		if (named[i].start != named[i].vaddr)
			ck_abort_msg("%zu has another name", i);
	free(named);
}

/* ---- Damaged files ----------------------------------------------------------------------------------- */

/* n segments, each of the same n notes. */
static void *notes_of_notes(size_t n)
{
	size_t notes_at = sizeof(Elf64_Ehdr) + n * sizeof(Elf64_Phdr), len = notes_at + n * sizeof(Elf64_Nhdr), i;
	uint8_t *file = keep(calloc(1, len));
	Elf64_Phdr *ph = (Elf64_Phdr *)(void *)(file + sizeof(Elf64_Ehdr));
	Elf64_Ehdr *eh = (Elf64_Ehdr *)(void *)file;
	struct hf_elf *elf = keep(calloc(1, sizeof(*elf)));

	made_begin(eh);
	eh->e_phoff = sizeof(*eh);
	eh->e_phnum = (Elf64_Half)n;
	for (i = 0; i < n; i++)
		ph[i] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = notes_at, .p_filesz = n * sizeof(Elf64_Nhdr) };
	ck_assert_int_eq(hf_elf_open(elf, file, len), 0);
	return elf;
}

static void look_for_build_id(void *elf, size_t n)
{
	const uint8_t *id;
	size_t id_len;

	(void)n;
	ck_assert(!hf_elf_build_id(elf, &id, &id_len));
}

static void put_u32(uint8_t *to, size_t value)
{
	const uint32_t n = (uint32_t)value;

	memcpy(to, &n, sizeof(n));
}

#define FDE_LEN 24u	/* length, back to the common entry, start, size */

/* A common entry that begins with these and goes on with n bytes, and n entries that refer to it or to a second such. */
static void *entries(const char *begin, size_t begin_len, uint8_t byte, size_t n)
{
	size_t cie_len = 9 + begin_len + n + 16, len = 2 * cie_len + n * FDE_LEN, i;
	uint8_t *frames = calloc(1, len), *at = frames;
	struct made_section section = { ".eh_frame", { .sh_type = SHT_PROGBITS, .sh_size = len }, frames };
	struct hf_elf *elf = keep(calloc(1, sizeof(*elf)));

	ck_assert_ptr_nonnull(frames);
	for (i = 0; i < 2; i++, at += cie_len) {
		put_u32(at, cie_len - 4);
		at[8] = 1;
		memcpy(at + 9, begin, begin_len);
		memset(at + 9 + begin_len, byte, n);
	}
	for (i = 0; i < n; i++, at += FDE_LEN) {
		put_u32(at, FDE_LEN - 4);
		put_u32(at + 4, (size_t)(at + 4 - frames) - i % 2 * cie_len);
		put_u32(at + 8, 0x1000 + 16 * i);
		put_u32(at + 16, 16);
	}
	keep(made_elf(elf, &section, 1));
	free(frames);
	return elf;
}

static void *entries_of_many_letters(size_t n)
{
	return entries("z", 1, 'L', n);
}

static void *entries_of_a_long_number(size_t n)
{
	return entries("", 1, 0x80, n);
}

static void find_entries(void *elf, size_t n)
{
	struct hf_cfi cfi;

	(void)n;
	ck_assert_int_eq(hf_cfi_open(&cfi, elf), 0);
	hf_cfi_done(&cfi);
}

/* ---- All ------------------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	void *(*prepare)(size_t n);
	void (*fn)(void *prepared, size_t n);
} works[] = {
	{ "finding threads", nothing, add_and_find },
	{ "grouping them", full_set, group },
	{ "linking a tree", family, link_family },
	{ "printing text", linked_tree, print_text },
	{ "printing JSON", linked_tree, print_json },
	{ "reading maps", maps_of_files, read_maps },
	{ "naming addresses", covering_symbols, name_addresses },
	{ "looking for a build-id", notes_of_notes, look_for_build_id },
	{ "reading letters of unwind information", entries_of_many_letters, find_entries },
	{ "reading numbers of unwind information", entries_of_a_long_number, find_entries },
};

START_TEST(work_grows_with_the_number)
{
	unsigned long counts[3];
	size_t i, n = 1000;

	for (i = 0; i < 3; i++, n *= 2) {
		void *prepared = works[_i].prepare(n);

		blocks = 0;
		works[_i].fn(prepared, n);
		counts[i] = blocks;
	}
	check_growth(counts, TIMES_MAX, works[_i].what);
}
END_TEST

/* From the first look to the release, with a tree of all facts. */
static unsigned long blocks_of_one_hold(const struct lab *lab)
{
	struct hf_error err = HF_ERROR_INIT;
	hf_tree *tree = NULL;
	hf_hold *hold;

	blocks = 0;
	hold = lab_take(lab->top, NULL);
	ck_assert_msg(hf_tree_collect(hold, NULL, &tree, &err) == 0, "%s", err.text);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	hf_tree_free(tree);
	return blocks;
}

/* Of some holds the least: what is asked for again and again until it comes takes the longer the busier the machine is. */
static unsigned long blocks_of_hold(const struct lab *lab)
{
	unsigned long least = blocks_of_one_hold(lab), n;

	for (int i = 1; i < HOLDS; i++) {
		n = blocks_of_one_hold(lab);
		if (n < least)
			least = n;
	}
	return least;
}

static void check_holds(int version, const char *what, const char *victim, const char *arg, const char *next)
{
	struct lab *lab = lab_new(version);
	unsigned long counts[3];
	unsigned int n = 0, want = 200, i;

	for (i = 0; i < 3; i++, want *= 2) {
		for (; n < want; n += 100)
			lab_start(lab, lab->top, victim, arg, next, "100000", NULL);
		counts[i] = blocks_of_hold(lab);
	}
	check_growth(counts, HOLD_TIMES_MAX, what);
	lab_done(lab);
}

START_TEST(a_hold_of_threads_grows_with_their_number)
{
	check_holds(_i, "a hold of threads", "spin", "100", "100000");
}
END_TEST

START_TEST(a_hold_of_processes_grows_with_their_number)
{
	check_holds(_i, "a hold of processes", "tree", "1", "99");
}
END_TEST

int main(void)
{
	Suite *suite;
	TCase *tc;

	lab_init();
	suite = suite_create("growth");
	tc = tcase_create("memory");
	tcase_add_loop_test(tc, work_grows_with_the_number, 0, (int)COUNT_OF(works));
	suite_add_tcase(suite, tc);
	tc = lab_case(suite, "hold");
	lab_add(tc, a_hold_of_threads_grows_with_their_number);
	lab_add(tc, a_hold_of_processes_grows_with_their_number);
	return hf_suite_run(suite);
}
