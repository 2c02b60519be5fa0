/* SPDX-License-Identifier: MIT */
/*
 * check_memory - whatever is called, and however it ends: no descriptor and no memory is left; and where an
 * allocation fails, each of them once, the target is as before, and ENOMEM is what is said.
 *
 * The allocator's functions are the program's own here (malloc(3), "replacing malloc" in the manual of the GNU C
 * library), so that the C library's allocations, and json-c's, fail like ours.  Not under AddressSanitizer, which
 * brings its own, and finds what leaks itself.
 */
#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ptrace.h>

#include "guard_play.h"

/* ---- An allocator that fails when it is told to ---------------------------------------------------- */

static _Atomic long n_live;	/* allocations that were not freed */
static _Atomic long n_calls;
static _Atomic long fail_at;	/* the call that fails; 0: none */
static _Atomic bool failed;

#if defined(__SANITIZE_ADDRESS__)
#define CAN_FAIL false
#else
#define CAN_FAIL true

/* For the C library, too, although the build hides what is not said to be seen. */
#pragma GCC visibility push(default)

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t align, size_t size);
extern void __libc_free(void *p);
void *memalign(size_t align, size_t size);

static bool shall_fail(void)
{
	if (++n_calls != fail_at)
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

static void *count(void *p)
{
	n_live += p != NULL;
	return p;
}

void *malloc(size_t size)
{
	return shall_fail() ? NULL : count(__libc_malloc(size));
}

void *calloc(size_t n, size_t size)
{
	return shall_fail() ? NULL : count(__libc_calloc(n, size));
}

void *realloc(void *p, size_t size)
{
	void *moved = shall_fail() ? NULL : __libc_realloc(p, size);

	if (!p)
		count(moved);
	return moved;
}

void *memalign(size_t align, size_t size)
{
	return shall_fail() ? NULL : count(__libc_memalign(align, size));
}

void *aligned_alloc(size_t align, size_t size)
{
	return memalign(align, size);
}

int posix_memalign(void **ret, size_t align, size_t size)
{
	void *p = memalign(align, size);

	if (p)
		*ret = p;
	return p ? 0 : ENOMEM;
}

void free(void *p)
{
	n_live -= p != NULL;
	__libc_free(p);
}

#pragma GCC visibility pop
#endif

/* ---- What is open ------------------------------------------------------------------------------------ */

static unsigned int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* ---- What is called ---------------------------------------------------------------------------------- */

typedef int verb_fn(struct lab *lab, struct hf_error *err);

static int with_target(const struct hf_target *target, const struct hf_take_options *opts,
		       int (*meanwhile)(hf_hold *hold, struct hf_error *err), struct hf_error *err)
{
	hf_hold *hold = NULL;
	int r = hf_hold_take(target, opts, &hold, err), released;

	if (r < 0)
		return r;
	r = meanwhile(hold, err);
	released = hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, r < 0 ? NULL : err);
	hf_hold_free(hold);
	return r < 0 ? r : released;
}

static int attend(hf_hold *hold, struct hf_error *err)
{
	int r = hf_hold_attend(hold, err);

	return r < 0 ? r : 0;
}

static int draw(hf_hold *hold, struct hf_error *err)
{
	static const enum hf_format formats[] = { HF_FORMAT_JSON, HF_FORMAT_TEXT, HF_FORMAT_DOT };
	hf_tree *tree = NULL;
	int r = hf_tree_collect(hold, NULL, &tree, err);

	for (size_t i = 0; r == 0 && i < COUNT_OF(formats); i++) {
		char *text = NULL;
		size_t len = 0;

		r = hf_tree_format(tree, hold, formats[i], 0, &text, &len, err);
		free(text);
	}
	hf_tree_free(tree);
	return r;
}

static struct hf_target cgroup_of(const struct lab *lab)
{
	struct hf_target target = HF_TARGET_INIT;

	target.path = lab->top;
	return target;
}

static int hold(struct lab *lab, struct hf_error *err)
{
	struct hf_target target = cgroup_of(lab);

	return with_target(&target, NULL, attend, err);
}

static int hold_and_draw(struct lab *lab, struct hf_error *err)
{
	struct hf_target target = cgroup_of(lab);

	return with_target(&target, NULL, draw, err);
}

static int hold_frozen(struct lab *lab, struct hf_error *err)
{
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct hf_target target = cgroup_of(lab);

	opts.on_death = HF_ON_DEATH_STAY;
	return with_target(&target, &opts, attend, err);
}

static int hold_processes(struct lab *lab, struct hf_error *err)
{
	struct hf_target target = HF_TARGET_INIT;

	target.kind = HF_TARGET_PROCESSES;
	target.pids = &lab->victims[0].pid;
	target.n_pids = 1;
	return with_target(&target, NULL, attend, err);
}

static int freeze_and_thaw(struct lab *lab, struct hf_error *err)
{
	int r = hf_cgroup_freeze(lab->top, NULL, NULL, err), thawed;

	if (r < 0)
		return r;
	thawed = hf_cgroup_thaw(lab->top, NULL, NULL, err);
	/* What could not be done for want of memory can be done with it. */
	if (thawed < 0)
		ck_assert_int_eq(hf_cgroup_thaw(lab->top, NULL, NULL, NULL), 0);
	return thawed;
}

static int state(struct lab *lab, struct hf_error *err)
{
	struct hf_cgroup_state told;

	return hf_cgroup_state(lab->top, &told, err);
}

static void hear(const struct hf_obstacle *o, void *data)
{
	(void)o;
	(void)data;
}

static int why(struct lab *lab, struct hf_error *err)
{
	struct hf_target target = cgroup_of(lab);

	return hf_why(&target, NULL, hear, NULL, err);
}

static void hear_leftover(const struct hf_leftover *l, void *data)
{
	(void)l;
	(void)data;
}

static int recover(struct lab *lab, struct hf_error *err)
{
	(void)lab;
	return hf_recover(NULL, hear_leftover, NULL, err);
}

/* "hold and draw" takes hundreds of allocations, and is tried in a way of its own. */
static const struct verb {
	const char *name;
	verb_fn *fn;
} verbs[] = {
	{ "hold", hold }, { "hold, frozen", hold_frozen }, { "hold processes", hold_processes },
	{ "freeze and thaw", freeze_and_thaw }, { "state", state }, { "why", why }, { "recover", recover },
	{ "hold and draw", hold_and_draw },
};
#define N_VERBS COUNT_OF(verbs)

/* A process with threads, one that is stopped, one in a frozen child. */
static struct lab *new_target(int version)
{
	struct lab *lab = lab_new(version);
	const char *child = lab_cgroup(lab, lab->top, "child");

	lab_start(lab, lab->top, "spin", "3", NULL);
	lab_stop(lab, lab_start(lab, lab->top, "spin", "1", NULL), SIGSTOP);
	lab_start(lab, child, "spin", "1", NULL)->still = true;
	lab_freeze(lab, child, true);
	return lab;
}

/* ---- The tests --------------------------------------------------------------------------------------- */

START_TEST(nothing_is_left_open_or_allocated)
{
	struct lab *lab = new_target(_i);

	for (size_t i = 0; i < N_VERBS; i++) {
		struct hf_error err = HF_ERROR_INIT;
		unsigned int fds;
		long live;

		/* Once before, for what the C library keeps for ever. */
		ck_assert_msg(verbs[i].fn(lab, &err) >= 0, "%s: %s", verbs[i].name, err.text);
		fds = count_fds();
		live = n_live;
		ck_assert_msg(verbs[i].fn(lab, &err) >= 0, "%s: %s", verbs[i].name, err.text);
		ck_assert_msg(n_live == live, "%s: %ld allocations are left", verbs[i].name, n_live - live);
		ck_assert_msg(count_fds() == fds, "%s: descriptors are left", verbs[i].name);
		lab_as_before(lab);
	}
	lab_done(lab);
}
END_TEST

/* What one call came to, of which the n-th allocation has failed, or none when there are not so many. */
static void check_failed(const char *name, long n, int r, const struct hf_error *err, bool *refused)
{
	/* Some is a convenience only: then nothing need be said. */
	ck_assert_msg(r >= 0 || r == -ENOMEM, "%s, allocation %ld: %d, %s", name, n, r, err->text);
	ck_assert_msg(r >= 0 || err->code == ENOMEM, "%s, allocation %ld: code %d", name, n, err->code);
	ck_assert_msg(r >= 0 || failed, "%s: %s", name, err->text);
	ck_assert_msg(err->undo != HF_UNDO_FAILED, "%s, allocation %ld: %s", name, n, err->note);
	*refused |= r < 0;
}

static void fail_nth(long n)
{
	failed = false;
	n_calls = 0;
	fail_at = n;
}

START_TEST(each_allocation_may_fail)
{
	struct lab *lab = new_target(_i);

	for (size_t i = 0; CAN_FAIL && i < N_VERBS - 1; i++) {
		const struct verb *v = &verbs[i];
		bool refused = false;
		long n = 0;

		v->fn(lab, NULL);
		do {
			struct hf_error err = HF_ERROR_INIT;
			unsigned int fds = count_fds();
			long live = n_live;
			int r;

			fail_nth(++n);
			r = v->fn(lab, &err);
			fail_at = 0;
			check_failed(v->name, n, r, &err, &refused);
			ck_assert_msg(n_live == live, "%s, allocation %ld: %ld are left", v->name, n, n_live - live);
			ck_assert_msg(count_fds() == fds, "%s, allocation %ld: descriptors are left", v->name, n);
			lab_as_before(lab);
		} while (failed);
		ck_assert_msg(refused, "%s never needed memory", v->name);
	}
	lab_done(lab);
}
END_TEST

START_TEST(each_allocation_of_a_drawing_may_fail)
{
	struct lab *lab = new_target(_i);
	unsigned int fds = count_fds();
	bool refused = false;
	hf_hold *hold;
	long n = 0;

	hold = lab_take(lab->top, NULL);
	draw(hold, NULL);
	do {
		struct hf_error err = HF_ERROR_INIT;
		long live = n_live;
		int r;

		fail_nth(++n);
		r = CAN_FAIL ? draw(hold, &err) : -ENOMEM;
		fail_at = 0;
		if (CAN_FAIL)
			check_failed("drawing", n, r, &err, &refused);
		ck_assert_msg(n_live == live, "allocation %ld: %ld are left", n, n_live - live);
	} while (failed);
	ck_assert(refused || !CAN_FAIL);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	ck_assert_uint_eq(count_fds(), fds);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* ---- Holds that fail --------------------------------------------------------------------------------- */

static void refused(const char *path, const struct hf_take_options *opts, int code)
{
	struct hf_error err = HF_ERROR_INIT;
	unsigned int fds;
	hf_hold *none = NULL;
	long live;

	for (int i = 0; i < 2; i++) {
		fds = count_fds();
		live = n_live;
		ck_assert_int_eq(hf_hold_cgroup(path, opts, &none, &err), -code);
	}
	ck_assert_ptr_null(none);
	ck_assert_msg(n_live == live, "%s: %ld allocations are left", err.text, n_live - live);
	ck_assert_msg(count_fds() == fds, "%s: descriptors are left", err.text);
}

START_TEST(nothing_is_left_of_a_hold_that_fails)
{
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct lab *lab = new_target(_i);
	const char *empty = lab_cgroup(lab, lab->top, "empty");
	char root[LAB_PATH];
	pid_t traced = lab->victims[0].pid;
	int status;

	refused("/sys/fs/cgroup/no/such/cgroup", NULL, ENOENT);
	refused("/etc/passwd", NULL, ENOTDIR);
	refused("/etc", NULL, EINVAL);
	refused(empty, NULL, ESRCH);
	snprintf(root, sizeof(root), "%.*s", (int)(strrchr(lab->top, '/') - lab->top), lab->top);
	refused(root, NULL, EBUSY);

	opts.cancel_fd = eventfd(1, EFD_CLOEXEC);
	refused(lab->top, &opts, ECANCELED);
	close(opts.cancel_fd);
	opts.cancel_fd = 0;
	opts.guard_message_fd = 1000;
	refused(lab->top, &opts, EBADF);

	/* Another tracer, which is this process itself, as a child of it could not be told to be one. */
	ck_assert_int_eq(ptrace(PTRACE_SEIZE, traced, NULL, 0), 0);
	{
		struct lab_attempt attempt;

		lab_attempt(lab->top, NULL, NULL, NULL, &attempt);
		ck_assert_int_eq(attempt.r, -EBUSY);
	}
	ck_assert_int_eq(ptrace(PTRACE_INTERRUPT, traced, NULL, NULL), 0);
	ck_assert_int_eq(waitpid(traced, &status, __WALL), traced);
	ck_assert_int_eq(ptrace(PTRACE_DETACH, traced, NULL, NULL), 0);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory");
	TCase *tc;

	lab_init();
	tc = lab_case(suite, "leaks");
	lab_add(tc, nothing_is_left_open_or_allocated);
	lab_add(tc, nothing_is_left_of_a_hold_that_fails);
	tc = lab_case(suite, "failures");
	lab_add(tc, each_allocation_may_fail);
	lab_add(tc, each_allocation_of_a_drawing_may_fail);
	return hf_suite_run(suite);
}
