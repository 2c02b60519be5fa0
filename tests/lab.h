/* SPDX-License-Identifier: MIT */
/*
 * lab - the laboratory of the kernel tests: scratch cgroups on both freezers, victims in them, and
 * the proofs that they are held and that they run.
 *
 * A test makes one lab, which is one scratch cgroup hf-test-PID-N on the hierarchy of its
 * version, with levels below it as wanted:
 *
 *	struct lab *lab = lab_new(_i);
 *	struct lab_victim *v = lab_start(lab, lab->top, "spin", "4", NULL);
 *	lab_moving(lab);
 *	hf_hold *hold = lab_take(lab->top, NULL);
 *	lab_still(lab, 50);
 *	lab_let_go(hold, HF_RELEASE_AS_FOUND);
 *	lab_untouched(lab);
 *	lab_done(lab);
 *
 * The victims' parent is the warden, a process outside the target: so the tracer is not the
 * parent, orphans are reaped, and what a parent is told by wait is on record.
 *
 * Cleaning up cannot be left to the test: it may fail, be killed, or never return.  Everything
 * that must be undone is in a registry in shared memory, and lab_sweep() undoes it: at the end of
 * a test, in the runner after each test case and at its exit, and in a janitor process that
 * outlives a runner that was killed.
 *
 * All functions fail the running test (ck_abort_msg) rather than return an error.
 */
#ifndef LAB_H
#define LAB_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "holdfast.h"
#include "procfs.h"

#define VICTIM_TYPES_ONLY
#include "victims/victim.h"

#define LAB_PATH 320
#define LAB_LEVELS 64
#define LAB_VICTIMS 64

/* How long to wait for something that must happen; generous, for a busy machine. */
#define LAB_PATIENCE_MS 20000u
/* How long a hold lasts when nothing must move. */
#define LAB_HOLD_MS 50u

/* ---- The runner ----------------------------------------------------------------------------- */

/*
 * Call first in main(): finds the hierarchies, prints which are left out and why, and sets up
 * the cleaning.  With HF_TESTS_REQUIRE=1 in the environment a missing one ends the runner.
 */
void lab_init(void);

/* Run fn once for each hierarchy that is there: fn's _i is what lab_new() wants. */
void lab_add(TCase *tc, const TTest *fn);
/* A case with a generous time limit, swept afterwards. */
TCase *lab_case(Suite *suite, const char *name);

/* Undo whatever the registry holds.  Safe to call at any time, by any process of the suite. */
void lab_sweep(void);

/* ---- One laboratory ------------------------------------------------------------------------- */

struct lab_level {
	char path[LAB_PATH];
	bool frozen;		/* its own setting, as the test made it */
};

struct lab_victim {
	pid_t pid;
	uint32_t first, n;	/* its slots */
	bool still;		/* does not run at the moment, and should not */
};

struct lab {
	int version;
	int entry;		/* in the registry */
	int other_entry;
	char other[LAB_PATH];	/* lab_other(); empty when it has not been made */
	const char *top;	/* levels[0].path */
	unsigned int n_levels;
	struct lab_level levels[LAB_LEVELS];
	unsigned int n_victims;
	struct lab_victim victims[LAB_VICTIMS];
	struct victim_board *board;
	int ready, poke;	/* our ends of those pipes */
	int ready_in, poke_out, board_fd;	/* the victims' */
	int warden;		/* socket to it */
	pid_t warden_pid;
};

struct lab *lab_new(int index);
void lab_done(struct lab *lab);

/*
 * A scratch cgroup in the other hierarchy, beside lab->top, so that its members can be in both; undone with the lab.
 * NULL where there is no other (then that is said).
 */
const char *lab_other(struct lab *lab);
void lab_other_freeze(struct lab *lab, bool frozen);
bool lab_other_own_bit(const struct lab *lab);
/* Make a cgroup below another (lab->top, or one made so).  The path is good until lab_done(). */
const char *lab_cgroup(struct lab *lab, const char *parent, const char *name);
/* Freeze or thaw one level as a user would, without the library, and wait for it. */
void lab_freeze(struct lab *lab, const char *path, bool frozen);
/* Its own setting, and what is in effect. */
bool lab_own_bit(const struct lab *lab, const char *path);
bool lab_is_frozen(const struct lab *lab, const char *path);
/*
 * Until it is, or is not.  Who is let go into a v2 freeze leaves one frozen state for another: for a moment the cgroup
 * does not count as frozen, though nobody runs.
 */
void lab_await_frozen(const struct lab *lab, const char *path, bool frozen);
void lab_move(const char *path, pid_t pid);
/* One thread of a process; on v2 the cgroup is made a threaded one. */
void lab_move_thread(struct lab *lab, const char *path, pid_t tid);
/* Threads in this cgroup and all below it. */
size_t lab_threads(const struct lab *lab, const char *path);
/* The file where threads are listed: cgroup.threads or tasks. */
const char *lab_threads_file(const struct lab *lab);

/* ---- Victims -------------------------------------------------------------------------------- */

/* Start a victim (a name of tests/victims) in a cgroup (NULL: outside) and wait until it is ready. */
struct lab_victim *lab_start(struct lab *lab, const char *cgroup, const char *victim, ...)
	__attribute__((sentinel));
/* The same as a child of the calling process itself. */
struct lab_victim *lab_start_own(struct lab *lab, const char *cgroup, const char *victim, ...)
	__attribute__((sentinel));

struct victim_slot *lab_slot(struct lab *lab, const struct lab_victim *victim, uint32_t i);
/* Send a byte to a victim that waits to be poked. */
void lab_poke(struct lab *lab);
/* Send a stop signal and wait until it has stopped; SIGCONT. */
void lab_stop(struct lab *lab, struct lab_victim *victim, int sig);
void lab_continue(struct lab *lab, struct lab_victim *victim);
/* Send a signal to every process in a cgroup and below. */
void lab_signal_all(struct lab *lab, const char *path, int sig);

/* ---- Tracers -------------------------------------------------------------------------------- */

/* A debugger, in a cgroup or (NULL) where we are: traces the thread until it is ended. */
pid_t lab_start_tracer(pid_t tid, const char *cgroup);
void lab_end_tracer(pid_t tracer);
pid_t lab_tracer_of(pid_t tid);

/* ---- Proofs --------------------------------------------------------------------------------- */

/* Every counter that should move has moved (waits); none has that should not. */
void lab_moving(struct lab *lab);
/* No counter moves for ms while this process burns time. */
void lab_still(struct lab *lab, unsigned int ms);
/* The same for the slots of one victim only. */
void lab_victim_moving(struct lab *lab, const struct lab_victim *victim);
void lab_victim_still(struct lab *lab, const struct lab_victim *victim, unsigned int ms);

/* Wait until every level's setting is what the test made it, as when a guard has work to do. */
void lab_await_settings(struct lab *lab);
/* Nobody is traced or in a tracing-stop; every level's setting is what the test made it. */
void lab_untouched(struct lab *lab);
/* All of it: untouched, and everything runs that should. */
void lab_as_before(struct lab *lab);

/* State letter; 0 when it is gone. */
char lab_state(pid_t tid);
void lab_await_state(pid_t tid, char state);
void lab_await_gone(pid_t pid);
/* Nobody is left in the cgroup. */
void lab_await_empty(struct lab *lab, const char *path);

/*
 * What the parent of `pid` was told, in order, as "stopped 19, continued, killed 9".  The
 * warden's own record is brought up to date first.  Static storage.
 */
const char *lab_told(struct lab *lab, pid_t pid);
/* Wait until that record is `told`, and fail when it is something else in the end. */
void lab_await_told(struct lab *lab, pid_t pid, const char *told);

/* hf_hold_cgroup() and hf_hold_release(), which must succeed. */
hf_hold *lab_take(const char *path, const struct hf_take_options *opts);
void lab_let_go(hf_hold *hold, enum hf_release how);
/* moving, take, still, release as found, as before: the main job. */
void lab_cycle(struct lab *lab, const char *path);

/* What hf_hold_cgroup() said in a child process; a hold that it took is released again. */
struct lab_attempt {
	int r;
	uint64_t ms;			/* how long it took */
	struct hf_error err;
	struct hf_hold_info info;	/* when it succeeded; without the path */
	int release;			/* what hf_hold_release() said */
};
/* prepare (may be NULL) runs in the child first. */
void lab_attempt(const char *path, const struct hf_take_options *opts,
		 void (*prepare)(const void *arg), const void *arg, struct lab_attempt *ret);
/* A `prepare`: become the user whose number arg points to. */
void lab_become_user(const void *uid);
/* A `prepare`: join the cgroup at that path. */
void lab_join(const void *path);
/* err->text or err->note has this word. */
void lab_says(const struct hf_error *err, const char *word);

/* Milliseconds of the monotonic clock. */
uint64_t lab_ms(void);

/* ---- A disk of our own ---------------------------------------------------------------------- */

/*
 * A small ext4 file system on a loop device, which can be frozen: who writes to it then sleeps
 * uninterruptibly.  NULL when this machine cannot; *ret_why says why.  The result is a directory;
 * files go to its subdirectory "mnt".  Undone by lab_sweep().
 */
const char *lab_disk(const char **ret_why);
int lab_disk_freeze(const char *dir, bool frozen);

/* In lab->top: a writer who sleeps on such a disk, frozen, and in which kernel function; and somebody else. */
struct lab_sleeper {
	const char *disk;
	struct lab_victim *writer, *other;
	char wchan[HF_WCHAN_MAX];
};
/* False, and left out, when this machine cannot. */
bool lab_put_to_sleep(struct lab *lab, struct lab_sleeper *ret);

/* Print what is left out and why; HF_TESTS_REQUIRE=1 makes it fail the test. */
void lab_left_out(const char *what, const char *why);

#endif
