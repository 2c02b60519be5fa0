/* SPDX-License-Identifier: MIT */
/*
 * check_guard_facts - what the guard is beside the program that it belongs to: apart from it, deaf, small, with no
 * descriptor that is not its own, and gone with the hold.
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>

#include "guard_play.h"
#include "procfs.h"
#include "rundir_play.h"

#define HEAP (64u << 20)
#define SMALL (1u << 20)

/* The process is guarded while this stands. */
struct guarded {
	struct lab *lab;
	hf_hold *hold;
	pid_t guard;
};

static struct guarded hold_in(struct lab *lab)
{
	struct guarded g = { .lab = lab };

	g.hold = lab_take(lab->top, NULL);
	g.guard = g.hold->guard.pid;
	ck_assert_int_gt(g.guard, 0);
	/* It waits, as the rest of its life: it has become what it is. */
	lab_await_state(g.guard, 'S');
	return g;
}

static struct guarded hold_guarded(int index)
{
	struct lab *lab = lab_new(index);

	lab_start(lab, lab->top, "spin", "2", NULL);
	return hold_in(lab);
}

static void let_go_guarded(struct guarded *g)
{
	lab_let_go(g->hold, HF_RELEASE_AS_FOUND);
	/* Reaped, not a zombie. */
	ck_assert_int_eq(lab_state(g->guard), 0);
	lab_as_before(g->lab);
	lab_done(g->lab);
}

/* The value of one line of a file of /proc/PID, without blanks around it. */
static void read_line(pid_t pid, const char *file, const char *key, char ret[256])
{
	char path[64], line[512];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	f = fopen(path, "re");
	ck_assert_msg(f != NULL, "%s: %s", path, strerror(errno));
	ret[0] = '\0';
	while (!ret[0] && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			snprintf(ret, 256, "%s", line + strlen(key) + strspn(line + strlen(key), " \t"));
	fclose(f);
	ck_assert_msg(ret[0], "no %s in %s", key, path);
	ret[strcspn(ret, "\n")] = '\0';
}

/* ---- Apart -------------------------------------------------------------------------------------------- */

START_TEST(it_is_in_a_session_of_its_own)
{
	struct guarded g = hold_guarded(_i);
	struct hf_stat st;

	ck_assert_int_eq(hf_tid_stat(g.guard, &st), 0);
	ck_assert_str_eq(st.comm, "holdfast-guard");
	ck_assert_int_ne(st.pgid, getpgid(0));
	if (geteuid() == 0) {
		ck_assert_int_eq(st.sid, g.guard);
		ck_assert_int_ne(st.sid, getsid(0));
	}
	let_go_guarded(&g);
}
END_TEST

START_TEST(it_is_in_neither_the_targets_cgroups_nor_the_holders)
{
	struct lab *lab = lab_new(_i);
	const char *target = lab_cgroup(lab, lab->top, "target"), *ours = lab_cgroup(lab, lab->top, "ours");
	const char *name = strrchr(lab->top, '/') + 1;
	char above[LAB_PATH], root[256];
	hf_hold *hold;

	snprintf(above, sizeof(above), "%.*s", (int)(name - lab->top), lab->top);
	lab_start(lab, target, "spin", "2", NULL);
	lab_move(ours, getpid());
	hold = lab_take(target, NULL);
	/* The holder's cgroup can be killed or frozen without it, on v2. */
	read_line(hold->guard.pid, "cgroup", "0::", root);
	ck_assert(!strstr(root, "/target"));
	if (geteuid() == 0)
		ck_assert_str_eq(root, "/");
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_move(above, getpid());
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* ---- Deaf --------------------------------------------------------------------------------------------- */

START_TEST(no_signal_but_sigkill_ends_it)
{
	struct lab *lab = lab_new(_i);
	struct holder h;
	pid_t guard;
	char mask[256];

	lab_start(lab, lab->top, "spin", "2", NULL);
	h = start_holder(new_play(lab->top), freeze_and_wait);
	await_ready(&h);
	guard = h.play->guard;
	/* All but SIGKILL and SIGSTOP, the C library's own two included. */
	read_line(guard, "status", "SigBlk:", mask);
	ck_assert_str_eq(mask, "fffffffffffbfeff");
	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			ck_assert_int_eq(kill(guard, sig), 0);
	lab_still(lab, 10);
	/* It is as good as new. */
	kill_holder(&h);
	await_guards_end(guard);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* ---- Small -------------------------------------------------------------------------------------------- */

#if defined(__SANITIZE_ADDRESS__)

START_TEST(it_is_small_whatever_the_holder_writes)
{
	lab_left_out("the guard's memory", "it keeps all of it under a sanitizer");
}
END_TEST

#else

static size_t private_bytes(pid_t pid)
{
	char clean[256], dirty[256];

	read_line(pid, "smaps_rollup", "Private_Clean:", clean);
	read_line(pid, "smaps_rollup", "Private_Dirty:", dirty);
	return (strtoul(clean, NULL, 10) + strtoul(dirty, NULL, 10)) << 10;
}

static void overwrite(char *heap, char with)
{
	memset(heap, with, HEAP);
	/* Or the compiler sees that nobody reads it. */
	__asm__ volatile("" : : "r"(heap) : "memory");
}

struct measure {
	int index;
	size_t bytes;
};

/* A holder that goes on working: every page of its heap becomes the guard's own, unless that has let go of it. */
static void *measure_guard(void *arg)
{
	struct measure *m = arg;
	struct lab *lab = lab_new(m->index);
	char *heap = malloc(HEAP);
	struct guarded g;

	lab_start(lab, lab->top, "spin", "2", NULL);
	/* Not before the lab has forked its own processes, which would share it. */
	ck_assert_ptr_nonnull(heap);
	overwrite(heap, 'a');
	g = hold_in(lab);
	overwrite(heap, 'b');
	m->bytes = private_bytes(g.guard);
	let_go_guarded(&g);
	free(heap);
	return NULL;
}

START_TEST(it_is_small_whatever_the_holder_writes)
{
	struct measure m = { .index = _i };
	pthread_t thread;

	measure_guard(&m);
	printf("v%d: the guard has %zu KiB of its own", _i ? 1 : 2, m.bytes >> 10);
	ck_assert_uint_lt(m.bytes, SMALL);
	/* A thread's stack and storage are one mapping. */
	ck_assert_int_eq(pthread_create(&thread, NULL, measure_guard, &m), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	printf(", of a thread %zu KiB, beside %u MiB that the holder wrote\n", m.bytes >> 10, HEAP >> 20);
	ck_assert_uint_lt(m.bytes, SMALL);
}
END_TEST

#endif

/* ---- Descriptors -------------------------------------------------------------------------------------- */

static bool is_its_own(const struct guarded *g, const struct rundir *dir, const char *target)
{
	return !strncmp(target, "socket:", 7) || !strcmp(target, "anon_inode:[pidfd]") ||
	       !strncmp(target, g->lab->top, strlen(g->lab->top)) ||
	       !strncmp(target, dir->path, strlen(dir->path)) ||
	       /* An ancestor, for its lock. */
	       !strncmp(g->lab->top, target, strlen(target));
}

START_TEST(it_has_no_descriptor_of_the_program)
{
	struct rundir dir = new_rundir();
	char path[64], target[LAB_PATH];
	struct guarded g;
	struct dirent *e;
	int ends[2], n = 0;
	DIR *d;

	/* Also without FD_CLOEXEC, and far above all others. */
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(dup2(ends[1], 1000), 1000);
	g = hold_guarded(_i);
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)g.guard);
	d = opendir(path);
	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d))) {
		ssize_t len = readlinkat(dirfd(d), e->d_name, target, sizeof(target) - 1);

		if (len < 0)
			continue;
		target[len] = '\0';
		ck_assert_msg(is_its_own(&g, &dir, target), "descriptor %s: %s", e->d_name, target);
		n++;
	}
	closedir(d);
	/* Its end of the socket, the holder, target, setting, an ancestor, journal and where that is. */
	ck_assert_int_ge(n, 6);
	close(1000);
	close(ends[0]);
	close(ends[1]);
	let_go_guarded(&g);
	done_rundir(&dir);
}
END_TEST

/* ---- Gone with the hold --------------------------------------------------------------------------------- */

START_TEST(nothing_of_it_is_left)
{
	struct lab *lab = lab_new(_i);

	lab_start(lab, lab->top, "spin", "2", NULL);
	for (int how = HF_RELEASE_AS_FOUND; how <= HF_RELEASE_DEAD; how++) {
		hf_hold *hold = lab_take(lab->top, NULL);
		pid_t guard = hold->guard.pid;
		struct hf_error err = HF_ERROR_INIT;

		ck_assert_int_eq(hf_hold_release(hold, how, NULL, &err), 0);
		/* At the release, before the hold is freed. */
		ck_assert_int_eq(lab_state(guard), 0);
		hf_hold_free(hold);
		ck_assert_int_eq(waitpid(guard, NULL, WNOHANG | __WALL), -1);
		ck_assert_int_eq(errno, ECHILD);
		lab_signal_all(lab, lab->top, SIGCONT);
	}
	lab_done(lab);
}
END_TEST

START_TEST(a_hold_that_fails_leaves_none)
{
	struct lab *lab = lab_new(_i);
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct hf_error err = HF_ERROR_INIT;
	hf_hold *hold = NULL;
	int ends[2];

	lab_start(lab, lab->top, "spin", "2", NULL);
	/* Cancelled wherever it would wait first. */
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(write(ends[1], "", 1), 1);
	opts.cancel_fd = ends[0];
	ck_assert_int_eq(hf_hold_cgroup(lab->top, &opts, &hold, &err), -ECANCELED);
	ck_assert_ptr_null(hold);
	/* The warden is a child, too, and lives. */
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG | __WALL), 0);
	lab_as_before(lab);
	close(ends[0]);
	close(ends[1]);
	lab_done(lab);
}
END_TEST

START_TEST(without_one_if_so_asked)
{
	struct lab *lab = lab_new(_i);
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	hf_hold *hold;

	lab_start(lab, lab->top, "spin", "2", NULL);
	opts.no_guard = 1;
	hold = lab_take(lab->top, &opts);
	ck_assert_int_eq(hold->guard.pid, 0);
	lab_still(lab, 10);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guard_facts");
	TCase *tc;

	lab_init();
	tc = lab_case(suite, "apart");
	lab_add(tc, it_is_in_a_session_of_its_own);
	lab_add(tc, it_is_in_neither_the_targets_cgroups_nor_the_holders);
	lab_add(tc, no_signal_but_sigkill_ends_it);
	tc = lab_case(suite, "small");
	lab_add(tc, it_is_small_whatever_the_holder_writes);
	lab_add(tc, it_has_no_descriptor_of_the_program);
	tc = lab_case(suite, "gone");
	lab_add(tc, nothing_of_it_is_left);
	lab_add(tc, a_hold_that_fails_leaves_none);
	lab_add(tc, without_one_if_so_asked);
	return hf_suite_run(suite);
}
