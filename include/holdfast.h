/* SPDX-License-Identifier: MIT */
/*
 * holdfast.h - the public face of libholdfast.
 *
 * A caller takes a hold of a cgroup, walks the processes and threads that are held, reads
 * their registers, and releases them to running, to stopped, or to dead:
 *
 *	struct hf_error err = HF_ERROR_INIT;
 *	hf_hold *hold = NULL;
 *	hf_tree *tree = NULL;
 *
 *	if (hf_hold_cgroup("/sys/fs/cgroup/pod", NULL, &hold, &err) < 0)
 *		...err.text and err.note are ready to be shown...
 *	if (hf_tree_collect(hold, NULL, &tree, &err) == 0)
 *		for (p = NULL; (p = hf_tree_next(tree, p)); )
 *			...
 *	hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, &err);
 *	hf_tree_free(tree);
 *	hf_hold_free(hold);
 *
 * Rules that hold everywhere:
 *
 * - Functions that can fail return 0 (or a count) or a negative errno value, and fill *err
 *   where err is not NULL; success leaves *err alone.  Outputs are untouched on failure.
 * - Threads: a ptrace tie belongs to the thread that made it (ptrace(2)).  Every call on one
 *   hold must come from the thread that took it, or fails with EPERM before doing anything;
 *   when that thread ends the kernel lets go of everybody.  Different holds in different
 *   threads do not meet: the library keeps no global state.
 * - A caller that holds its own children is their real parent and their tracer in one: their death is
 *   then reaped by the hold, and the caller's wait for them says ECHILD.  And wait(2) tells such a caller of a child that
 *   nobody traces what it tells of a tracee that runs: one whose second thread execs while it is being taken may be
 *   missed, or waited for in vain.  Hold such children through a keeper (hf_keeper_start()), who is not their parent.
 * - A thread that is cancelled (pthread_cancel(3)) is so before or after what changes or reads the target, not within;
 *   but inside of the function that hf_hold_while() calls.
 * - The library installs no signal handler, never calls waitpid(-1), never prints, never
 *   exits.  The kernel sends SIGCHLD to the caller's process when a held thread stops or dies;
 *   a caller that reaps children must not wait for tids it did not make.  It must not set
 *   SIGCHLD to SIG_IGN while it holds.
 * - Times carry their unit in the name; sizes are bytes; "pid" is a process (thread group),
 *   "tid" a thread, both as seen from the caller's PID namespace.
 */
#ifndef HOLDFAST_H
#define HOLDFAST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HF_VERSION "0.1.0"

#ifndef HF_API
#define HF_API
#endif

/* The version of the library that is linked, e.g. "0.1.0".  Static storage. */
HF_API const char *hf_version(void);

/* ---- Errors ------------------------------------------------------------------------- */

/* What was being done when something failed. */
enum hf_stage {
	HF_STAGE_NONE = 0,
	HF_STAGE_LOOK,		/* looking at the target; nothing has been changed yet */
	HF_STAGE_FREEZE,	/* freezing the cgroup and waiting until it is frozen */
	HF_STAGE_SEIZE,		/* listing and seizing threads */
	HF_STAGE_THAW,		/* thawing the cgroup under the hold */
	HF_STAGE_WAIT,		/* waiting for threads to stop */
	HF_STAGE_VERIFY,	/* checking that nobody escaped */
	HF_STAGE_COLLECT,	/* collecting the process tree */
	HF_STAGE_HOLD,		/* while holding */
	HF_STAGE_RELEASE	/* releasing */
};

/* The word for a stage, e.g. "freezing".  Static storage; never NULL. */
HF_API const char *hf_stage_name(enum hf_stage stage);

/* What became of the changes that had been made when the failure struck. */
enum hf_undo {
	HF_UNDO_NONE = 0,	/* nothing had been changed */
	HF_UNDO_DONE,		/* everything was undone */
	HF_UNDO_FAILED		/* something could not be undone: `note` names it */
};

/*
 * One failure.  A plain struct of fixed size, because building it must not allocate: it may
 * be needed while a cgroup is frozen and memory is short.
 */
struct hf_error {
	int code;		/* positive errno value; 0 when unset */
	enum hf_stage stage;
	enum hf_undo undo;
	pid_t tid;		/* the thread concerned; 0 when none */
	pid_t by;		/* the thread that traces it, or holds the cgroup; 0 when none, or not known */
	char text[600];		/* the step, the task and the reason; no newline */
	char note[300];		/* what was undone, or could not be; may be empty */
};
#define HF_ERROR_INIT { 0, HF_STAGE_NONE, HF_UNDO_NONE, 0, 0, { 0 }, { 0 } }

/* ---- Taking a hold ------------------------------------------------------------------- */

/* Threads that do not reach a stop because they sleep uninterruptibly in the kernel. */
enum hf_on_armed {
	HF_ON_ARMED_FAIL = 0,	/* vfork parents are accepted, any other fails the hold */
	HF_ON_ARMED_ACCEPT	/* all are accepted and reported as armed */
};

/* Threads that another process traces already. */
enum hf_on_traced {
	HF_ON_TRACED_FAIL = 0,	/* the hold fails and names the tracer */
	HF_ON_TRACED_SKIP	/* left alone, and reported as skipped */
};

#define HF_TIMEOUT_DEFAULT_MS 10000u

/* Threads of the target's processes that are in no cgroup of the target (v1, threaded v2). */
enum hf_on_outside {
	HF_ON_OUTSIDE_HOLD = 0,	/* held too: a process is never half held */
	HF_ON_OUTSIDE_REPORT	/* left running, and reported as outside */
};

/* What becomes of the target if the holder dies during the hold. */
enum hf_on_death {
	HF_ON_DEATH_RESUME = 0,	/* released as found, within 50 ms */
	HF_ON_DEATH_STAY,	/* stays frozen until somebody thaws the cgroup */
	HF_ON_DEATH_KILL	/* everybody in it is killed */
};

/* Threads that come into the target while it is held. */
enum hf_on_newcomers {
	HF_ON_NEWCOMERS_REPORT = 0,	/* they run, and are counted */
	HF_ON_NEWCOMERS_HOLD		/* hf_hold_attend() takes them into the hold; a cgroup is frozen for
					   that moment */
};

/*
 * How much is looked at beforehand, while the target runs; that takes longer than to stop it.  In brief a thread that is
 * traced, and runs, while the first of its process is not traced is met only when the target is being stopped: then all is
 * undone, or that thread left out, as on_traced says.
 */
enum hf_brief {
	HF_BRIEF_NO = 0,		/* each thread */
	HF_BRIEF_PROCESSES		/* each process: a tenth; `found` of most threads is '?' */
};

/* What a hold is of. */
enum hf_target_kind {
	HF_TARGET_CGROUP = 1,	/* a freezer cgroup and all its descendants: stopped at one instant */
	HF_TARGET_PROCESSES,	/* processes and all their descendants; needs no cgroup */
	HF_TARGET_MACHINE	/* every user process but PID 1, the caller, and the caller's ancestors */
};

/* Who is left out of the machine: exactly one member is set. */
struct hf_except {
	pid_t pid;		/* this process; or 0 */
	const char *comm;	/* every process of this name, as /proc/PID/comm has it, which is the first 15 bytes
				   of it; or NULL */
	const char *cgroup;	/* whoever is in this cgroup or below: a directory, or its path
				   within the v2 and the v1 freezer hierarchy; or NULL */
	/* What is not there is an error (ESRCH, ENOENT): it would leave nobody out, and nobody would notice. */
};

struct hf_target {
	size_t size;			/* sizeof(struct hf_target) */
	enum hf_target_kind kind;
	const char *path;		/* CGROUP: a cgroup directory of a v2 hierarchy or a v1 freezer
					   hierarchy: absolute, or relative to where the unified or the
					   freezer hierarchy is mounted */
	const pid_t *pids;		/* PROCESSES */
	size_t n_pids;
	const struct hf_except *excepts;	/* MACHINE */
	size_t n_excepts;
};
#define HF_TARGET_INIT { sizeof(struct hf_target), HF_TARGET_CGROUP, 0, 0, 0, 0, 0 }

/* How to take a hold.  NULL stands for HF_TAKE_OPTIONS_INIT. */
struct hf_take_options {
	size_t size;			/* sizeof(struct hf_take_options) */
	unsigned int timeout_ms;	/* deadline of the whole taking; 0: HF_TIMEOUT_DEFAULT_MS */
	enum hf_on_armed on_armed;
	enum hf_on_traced on_traced;
	enum hf_on_outside on_outside;
	int no_guard;			/* 1: without the guard process, see below */
	int guard_message_fd;		/* where the guard says what it has put back; 0: nowhere */
	int cancel_fd;			/* taking ends with ECANCELED, everything undone, when this
					   can be read (an eventfd, a signalfd); 0: none */
	enum hf_on_death on_death;	/* other than RESUME: the cgroup stays frozen under the hold */
	unsigned int dead_man_ms;	/* see below; 0: never */
	int no_journal;			/* 1: keep no record that outlives holder and guard */
	enum hf_on_newcomers on_newcomers;
	int no_restart;			/* 1: do not restart interrupted calls, see enum hf_restart */
	enum hf_brief brief;		/* how much is looked at beforehand, while the target runs */
};
#define HF_TAKE_OPTIONS_INIT \
	{ sizeof(struct hf_take_options), 0, HF_ON_ARMED_FAIL, HF_ON_TRACED_FAIL, \
	  HF_ON_OUTSIDE_HOLD, 0, 0, 0, HF_ON_DEATH_RESUME, 0, 0, HF_ON_NEWCOMERS_REPORT, 0, HF_BRIEF_NO }

/*
 * dead_man_ms: a process that is stopped, or hangs in the kernel, cannot end its hold.  With a dead man's switch the
 * guard kills it (SIGKILL), which releases everything: a second after the deadlines of taking and
 * releasing (an undo has up to five seconds more, where threads get no processor), and when the hold has stood for longer
 * than this.  HF_DEAD_MAN_STEPS: at the deadlines only.
 */
#define HF_DEAD_MAN_STEPS (~0u)

/*
 * The guard is a small process of the same program, in its own session or process group, that lives as long as the
 * hold.  When the holder dies, whatever kills it, the guard puts the freezer back as it was found;
 * the threads themselves are let go by the kernel.  It blocks all signals, leaves no SIGCHLD and
 * no zombie in the caller's program (its exit signal is 0: only a wait with __WALL or __WCLONE
 * would see it), and keeps no descriptor of the program open but its own.  Where it may (root, Linux 5.7)
 * it is in the root of the v2 hierarchy, out of reach of who kills the holder's cgroup.
 *
 * on_death says what else it may do.  For HF_ON_DEATH_STAY and _KILL the cgroup is kept frozen for the whole
 * hold, so that not one instruction runs in between; other programs find it frozen.  On v1 there
 * is a gap while the hold is taken: tasks must be thawed to reach their stops.  A thread that is killed while a v1 cgroup
 * is frozen dies when it is thawed.  HF_ON_DEATH_KILL needs the guard.  Other targets than a cgroup are resumed.
 *
 * What is changed is recorded in a journal, a small file of the runtime directory (/run/holdfast for root), too:
 * should holder and guard be killed both, hf_recover() puts the freezer back.  Without such a directory
 * the hold is taken all the same.
 */

/* A set of held threads, and the record of how each was found. */
typedef struct hf_hold hf_hold;

/*
 * Take a hold of every thread in the target.
 *
 * target     is copied; nothing of it is kept.
 * opts       NULL for the defaults.
 * ret_hold   the hold; the caller owns it: hf_hold_release(), then hf_hold_free().
 *
 * A freeze by somebody else that is under way is waited for, so that what it comes to is the found state.
 * On success every thread is ptrace-stopped, or armed (see hf_thread_state), and the cgroup is
 * thawed again under them, so that the freezer is free for others; a cgroup that was found
 * frozen stays frozen.
 *
 * A cgroup is stopped at one instant.  Processes, and the machine, are stopped one after the other, and the call
 * returns when a whole look has found nobody who runs.  What a process has forked before it was stopped is found by
 * its parent, or, where that has ended, by the kernel's process events (CONFIG_PROC_EVENTS; for root alone before
 * Linux 6.6, and not inside a PID or user namespace): without those, who is orphaned at that moment is missed.
 *
 * While it is taken a helper thread of the library may run, with all signals blocked, which reaps threads of the target
 * that an exec kills: for processes that are not frozen as a whole.  It has ended when this returns.
 *
 * Errors (all leave the target as it was, unless err->undo says HF_UNDO_FAILED; but a thread that sleeps uninterruptibly
 * when all is undone is let go by the kernel when the calling thread ends, and stops if it wakes up before: err->note tells
 * how many there are.  Where that matters, take holds in a thread of their own):
 *   ENOENT     no such cgroup          ENOTDIR/EINVAL  not a cgroup, or without a freezer
 *   EINVAL     a thread or a kernel thread was named for a process; or on_death is not for this target
 *   EBUSY      the root cgroup; or the target contains the caller or one of its ancestors;
 *              or an ancestor is frozen (v1), or the v1 freezer has frozen a member of a v2
 *              target; or a thread is traced by somebody else; or another holdfast holds the
 *              target, or a cgroup above or below it, until the deadline; or somebody else thawed
 *              the target while the hold was taken (on v1: froze or thawed a cgroup of it)
 *   ESRCH      nobody is in it, or the process has ended
 *   EACCES/EROFS  its freezer cannot be written     ENOSYS  the kernel does not list children
 *   EPERM      a thread may not be traced: err->text has which reason of ptrace(2) and
 *              the remedy              EXDEV           members outside our PID namespace; or /proc is
 *              mounted for another PID namespace than ours, and so numbers processes otherwise
 *   ETIMEDOUT  not frozen, or not stopped, by the deadline: err->text names the threads
 *   ECANCELED  cancel_fd could be read
 *   ENOMEM, EMFILE and what open(2), read(2) and write(2) of cgroup files return
 */
HF_API int hf_hold_take(const struct hf_target *target, const struct hf_take_options *opts,
			hf_hold **ret_hold, struct hf_error *err);

/* The same for a target of kind HF_TARGET_CGROUP with this path. */
HF_API int hf_hold_cgroup(const char *path, const struct hf_take_options *opts,
			  hf_hold **ret_hold, struct hf_error *err);

enum hf_freezer_state {
	HF_FREEZER_THAWED = 0,
	HF_FREEZER_FREEZING,	/* asked to freeze; some thread is not there yet */
	HF_FREEZER_FROZEN
};

/* How long each step took, in microseconds. */
struct hf_timing {
	uint64_t freeze, seize, thaw, wait, collect, release;
	uint64_t stopped;		/* from the first stop until the release, or until now */
};

/* Facts about a hold.  Counts are threads unless they say otherwise. */
struct hf_hold_info {
	enum hf_target_kind kind;
	const char *target;		/* in words: "cgroup /sys/fs/cgroup/x", "process 12", "this machine" */
	const char *path;		/* the cgroup directory, absolute; NULL when the target is none */
	int version;			/* of its hierarchy: 1 or 2; 0 when the target is no cgroup */
	enum hf_freezer_state found;	/* the target's own state when we came */
	unsigned int levels;		/* cgroups: the target and its descendants; 0 when it is none */
	const pid_t *pids;		/* the processes that were named; NULL */
	size_t n_pids;
	size_t threads;			/* all that were taken: held + armed + died */
	size_t held;			/* ptrace-stopped now */
	size_t armed;			/* cannot run a user instruction, but not stopped */
	size_t armed_other;		/* those of `armed` that are no vfork parents */
	size_t skipped;			/* traced by somebody else and left alone */
	size_t outside;			/* of half-held processes, left running as asked */
	size_t kernel;			/* kernel threads, which nobody can hold */
	size_t died;			/* died while held, or at their release, and reaped */
	size_t newcomers;		/* seen in the target and not held, at the last look; the release of a
					   cgroup looks, too */
	int blind;			/* 1: we are inside a PID namespace, where v1 does not list
					   members outside of it: they would not be held */
	int freezer_changed;		/* somebody else froze or thawed a level during the hold;
					   it is left as they set it */
	struct hf_timing timing_us;
	int64_t time_us;		/* CLOCK_REALTIME when everything was held, us */
	int64_t released_us;		/* CLOCK_REALTIME of the release; 0 while held */
	unsigned int exec_thaws;	/* v1: how often the freezer was stuck, since a multi-threaded exec waited
					   for threads it had frozen, and was thawed to let that through */
	const char *changed_path;	/* freezer_changed: the first such cgroup, absolute; else NULL */
	/* Of the release, 0 before it; see enum hf_restart. */
	size_t restarted;		/* threads whose interrupted call was made to go on */
	size_t restarted_in_full;	/* those of `restarted` whose time-out began anew */
	size_t expired;			/* threads whose call timed out during the hold */
	size_t left_interrupted;	/* threads whose call returns EINTR because of the hold */
};

/*
 * What becomes, at its release, of the system call that a thread was stopped in.  Most calls are restarted
 * by the kernel itself.  Some return EINTR after any stop (signal(7)); of these the ones that have had no effect yet are
 * made to go on, so that the program sees nothing of the hold: epoll_wait and its kin, semop, semtimedop, sigwaitinfo,
 * sigtimedwait, io_getevents, io_uring_enter that only waits, and recv, accept and send of
 * TCP and Unix sockets (recv: UDP and netlink too) with SO_RCVTIMEO or SO_SNDTIMEO.  Never a call that may have done part of
 * its work, and never connect.  A signal with a handler still interrupts them.  On aarch64: epoll and
 * io_uring_enter only, without a signal mask, and where the process has one such descriptor.
 */
enum hf_restart {
	HF_RESTART_NONE = 0,	/* it was in no call that returned EINTR */
	HF_RESTART_CALL,	/* goes on as if nothing had happened */
	HF_RESTART_IN_FULL,	/* goes on, its relative time-out beginning anew: when the call began is not
				   known, so it may last longer, by no more than that time-out */
	HF_RESTART_LEFT,	/* returns EINTR: not safe to restart, or no_restart was set */
	HF_RESTART_EXPIRED	/* epoll_wait, epoll_pwait: returns that its time-out ran out, since the hold
				   lasted longer than that and nothing is there to be returned */
};

/* Lends the facts; they are brought up to date by this call.  Valid until hf_hold_free(). */
HF_API const struct hf_hold_info *hf_hold_info(hf_hold *hold);

/*
 * Look after a hold: reap held threads that died (until then their real parents are told
 * nothing), collect armed threads that have stopped meanwhile, and count newcomers.  Call it on
 * SIGCHLD, or now and then.  Never blocks, unless newcomers are to be held (HF_ON_NEWCOMERS_HOLD): for that a
 * second is the most, and what fails is tried again by the next call.  Returns the number of threads whose state changed.
 */
HF_API int hf_hold_attend(hf_hold *hold, struct hf_error *err);

/*
 * Read a register set of a held thread with PTRACE_GETREGSET.
 *
 * type     NT_PRSTATUS (1) for the general registers, or another NT_ number of <elf.h>.
 * buf      receives at most *size bytes; *size is then what the kernel wrote.
 * ESRCH: the thread is not of this hold, or gone.  EAGAIN: it is armed, not stopped.
 */
HF_API int hf_hold_registers(hf_hold *hold, pid_t tid, int type, void *buf, size_t *size,
			     struct hf_error *err);

/* ---- What stands in the way -------------------------------------------------------------- */

enum hf_obstacle_kind {
	HF_OBSTACLE_OURSELVES = 1,	/* the caller, or an ancestor of it, is in the target */
	HF_OBSTACLE_HELD,		/* another holdfast has a hold that overlaps */
	HF_OBSTACLE_FROZEN,		/* something was frozen by somebody else */
	HF_OBSTACLE_TRACED,		/* a thread is traced by somebody else */
	HF_OBSTACLE_PERMISSION,		/* we may not trace a thread, or not write the freezer */
	HF_OBSTACLE_ASLEEP,		/* a thread sleeps uninterruptibly */
	HF_OBSTACLE_KERNEL,		/* a kernel thread is in the target */
	HF_OBSTACLE_HALF,		/* a process has threads outside of the target */
	HF_OBSTACLE_NAMESPACE,		/* members are outside our PID namespace */
	HF_OBSTACLE_EMPTY		/* nobody is there */
};

struct hf_obstacle {
	enum hf_obstacle_kind kind;
	int blocks;		/* 1: a hold with these options would fail; 0: good to know */
	pid_t tid;		/* the thread concerned; 0 when none */
	pid_t by;		/* the thread that traces it, or holds the cgroup; 0 when none, or not known */
	const char *text;	/* a sentence without a full stop; lent for the call */
};
typedef void (*hf_obstacle_fn)(const struct hf_obstacle *obstacle, void *data);

/* "ourselves", "held", "frozen", "traced", ...  Static storage; never NULL. */
HF_API const char *hf_obstacle_word(enum hf_obstacle_kind kind);

/*
 * Tell everything that would stand in the way of hf_hold_take(target, opts), without stopping,
 * freezing or attaching to anybody.  tell is called once for each fact, with data.  Takes a tenth of
 * a second when a thread sleeps uninterruptibly, to see whether it goes on doing so.
 *
 * Returns how many of the facts would make the hold fail, or what kept us from looking: the errors
 * of hf_hold_take() about the target.
 */
HF_API int hf_why(const struct hf_target *target, const struct hf_take_options *opts, hf_obstacle_fn tell,
		  void *data, struct hf_error *err);

/* ---- Releasing ----------------------------------------------------------------------- */

enum hf_release {
	HF_RELEASE_AS_FOUND = 0,	/* running ones run, stopped ones stay stopped */
	HF_RELEASE_STOPPED,		/* everybody in a group-stop, as kill -STOP leaves it */
	HF_RELEASE_DEAD,		/* everybody killed and reaped */
	HF_RELEASE_FROZEN		/* handed over: the cgroup is left frozen, nobody attached; whoever
					   attaches next finds that not one instruction has run.  For a
					   cgroup only; EINVAL for other targets */
};

struct hf_release_options {
	size_t size;			/* sizeof(struct hf_release_options) */
	unsigned int timeout_ms;	/* deadline of the release; 0: HF_TIMEOUT_DEFAULT_MS */
	int leave_armed;		/* 1: do not wait for armed threads, since the calling
					   thread ends soon, which lets go of them */
};
#define HF_RELEASE_OPTIONS_INIT { sizeof(struct hf_release_options), 0, 0 }

/*
 * Let everybody go, and put every cgroup level back to its found state.
 *
 * Returns 0 when that was done.  Armed threads cannot be detached (PTRACE_DETACH needs a stop): when
 * everybody else runs again they are waited for until the deadline; a vfork parent stops, and is let go, once
 * its child has execed.  A positive number is the count of those that still sleep: they are let go by calling
 * again once they have stopped, or by the kernel when the calling thread ends; to free the hold
 * before that leaves them stopped, when they wake up, until that thread ends.
 * A negative value says what failed, after everything else was released all the same; calling again tries again.  Afterwards the facts of the hold can still be read.
 *
 * ETIMEDOUT  a thread did not stop (HF_RELEASE_STOPPED) or die (HF_RELEASE_DEAD) in time
 * ENOMEM     everybody is still held
 * EINVAL     there is no such way to release; nothing was done
 * EALREADY   it has been released in another way
 *
 * Freezer settings that somebody else changed during the hold are left as they set them (see
 * freezer_changed in struct hf_hold_info).
 */
HF_API int hf_hold_release(hf_hold *hold, enum hf_release how,
			   const struct hf_release_options *opts, struct hf_error *err);

/*
 * Release as found if that has not been done, and free.  NULL is allowed.  A hold that is not released
 * can be freed by the thread that took it only; from any other this does nothing.
 */
HF_API void hf_hold_free(hf_hold *hold);

/* ---- In one call --------------------------------------------------------------------- */

typedef int (*hf_while_fn)(hf_hold *hold, void *data);

/*
 * Take a hold, call fn(hold, data), and release as found, whatever fn returns.  fn runs on the calling thread,
 * which is the tracer, and so may use the hold in every way but one: it must not free it.  Where it releases the
 * hold itself, to stopped or to dead, that stands.  fn may end the thread (pthread_exit(3), a cancellation): the hold
 * is released first; and the process: then the kernel and the guard do it.  It must not leave by longjmp(3), nor by
 * an exception.  It can be bounded in time by opts->dead_man_ms alone, which ends the process.
 *
 * ret   (may be NULL) what fn returned; set once fn was called, even if the release fails.
 *
 * Returns what hf_hold_take() does when that fails, and then fn was not called; else what hf_hold_release() does.
 */
HF_API int hf_hold_while(const struct hf_target *target, const struct hf_take_options *opts, hf_while_fn fn,
			 void *data, int *ret, struct hf_error *err);

struct hf_signalled {
	size_t processes;	/* how many were sent the signal */
	size_t skipped;		/* threads that were not, traced by somebody else (HF_ON_TRACED_SKIP) */
};

/*
 * Send a signal to every process of a target, exactly once to each, while none of them can run: so none escapes by
 * forking.  A cgroup is frozen for it, and put back as found; its processes need not be ours to trace.  Of other
 * targets a hold is taken.  SIGKILL is waited for, until everybody has ended (a zombie has); any other signal is
 * pending when the call returns or has been taken, by all at the same instant.
 *
 * opts   as for a hold; on_armed and on_outside mean nothing here, since a signal waits for who sleeps: a process
 *        with but one thread in the target gets it.  timeout_ms is for all of it.
 * ret    may be NULL; untouched on failure.
 *
 * It may be called from any thread, and has no part in the ptrace ties of the calling one: the work is done on
 * another, which has ended when this returns.
 *
 * Errors are those of hf_hold_take(); for a cgroup none about tracing, and
 *   EINVAL     there is no such signal
 *   EPERM      we may not signal a process; nobody has been, unless err->note says so
 *   EAGAIN     a realtime signal cannot be queued for a process (RLIMIT_SIGPENDING); all others were sent theirs
 *   ETIMEDOUT  killed, but not ended by the deadline: err->text names the threads and what they wait for
 */
HF_API int hf_target_signal(const struct hf_target *target, int sig, const struct hf_take_options *opts,
			    struct hf_signalled *ret, struct hf_error *err);

/* ---- The process tree ---------------------------------------------------------------- */

enum hf_thread_state {
	HF_THREAD_HELD = 1,	/* ptrace-stopped; registers can be read */
	HF_THREAD_ARMED,	/* seized, in an uninterruptible kernel wait: runs no user
				   instruction before it traps, but its system call may end */
	HF_THREAD_ZOMBIE,	/* dead and not reaped by its parent, or a dead leader */
	HF_THREAD_DIED,		/* died while held */
	HF_THREAD_SKIPPED,	/* traced by somebody else */
	HF_THREAD_OUTSIDE,	/* in no cgroup of the target, and left running as asked */
	HF_THREAD_KERNEL	/* a kernel thread */
};

enum hf_found {
	HF_FOUND_RUNNING = 1,	/* running or sleeping: an ordinary live process */
	HF_FOUND_STOPPED,	/* group-stopped by stop_signal */
	HF_FOUND_ZOMBIE,
	HF_FOUND_DEAD_LEADER,	/* the first thread has ended, others live */
	HF_FOUND_FROZEN,	/* in a cgroup that was frozen when we came */
	HF_FOUND_TRACED	/* by the process `tracer` */
};

enum hf_process_kind {
	HF_KIND_PROCESS = 1,
	HF_KIND_KTHREAD	/* a kernel thread */
};

struct hf_thread {
	pid_t tid;
	const pid_t *nstid;		/* tid in each PID namespace, ours first */
	size_t n_nstid;
	const char *comm;		/* any bytes */
	enum hf_thread_state state;
	char found;			/* state letter of proc(5) before the hold ('R', 'S',
					   'D', 'T', ...); 'F': it was frozen by a v1 freezer; '?' if born while it
					   was taken */
	int io_worker;			/* an io_uring worker: its registers mean nothing */
	long syscall;			/* number of the system call it is in; -1 when none */
	const char *wchan;		/* kernel function an armed thread sleeps in; or NULL */
	pid_t waits_for;		/* the child a vfork parent waits for; 0 when none */
	enum hf_restart restart;	/* what will become of its interrupted call */
};

/* What a process may notice of a hold all the same. */
enum hf_effect_kind {
	HF_EFFECT_TIMEOUT = 1,	/* a call waits for its whole time-out once more */
	HF_EFFECT_INTERRUPTED,	/* a call returns EINTR */
	HF_EFFECT_DIES,		/* a signal is pending that will end it at the release */
	HF_EFFECT_TIMER,	/* a timer has run out */
	HF_EFFECT_WATCHDOG,	/* systemd watches it (WatchdogSec) and does not know of the hold */
	HF_EFFECT_PEERS		/* peers of its TCP connections wait, and may give up */
};

struct hf_effect {
	enum hf_effect_kind kind;
	pid_t tid;		/* the thread concerned; 0 for the whole process */
	const char *text;	/* a clause, without its subject */
};

/* "timeout", "interrupted", "dies", "timer", "watchdog", "peers".  Static storage; never NULL. */
HF_API const char *hf_effect_word(enum hf_effect_kind kind);

/*
 * One process.  Read-only; lent by the tree until hf_tree_free().  Later versions may append
 * members.  Strings are bytes as the kernel gave them, ended by NUL; they need not be UTF-8.
 */
struct hf_process {
	pid_t pid, ppid, pgid, sid;
	const pid_t *nspid;		/* pid in each PID namespace, ours first */
	size_t n_nspid;
	const char *comm;
	const char *exe;		/* NULL when there is none (zombie, kernel thread) */
	int exe_deleted;
	const char *cmdline;		/* arguments, each ended by NUL */
	size_t cmdline_len;
	int cmdline_cut;		/* 1: these are its first 128 KiB; the last one may be cut */
	uid_t uid, euid, suid, fsuid;
	gid_t gid, egid, sgid, fsgid;
	uint64_t start_time_ticks;	/* since boot, in clock ticks (proc(5), field 22) */
	const char *cgroup;		/* path within its hierarchy; NULL when the kernel does
					   not say (a v1 zombie, a thread outside the target) */
	enum hf_process_kind kind;
	enum hf_found found;
	int stop_signal;		/* 0 unless found stopped */
	pid_t tracer;			/* 0 unless found traced */
	const struct hf_thread *threads;
	size_t n_threads;
	const struct hf_process *parent;	/* within the hold; NULL for a root */
	const struct hf_process *first_child, *next_sibling;	/* by start time, then pid */
	const struct hf_effect *effects;	/* where hf_tree_options asked for them */
	size_t n_effects;
};

struct hf_tree_options {
	size_t size;			/* sizeof(struct hf_tree_options) */
	int effects;			/* 1: find out what each process may notice of the hold, which
					   takes some microseconds for each of its descriptors */
	int brief;			/* 1: half of the reading, so that the target stands still for less: of a
					   process that has nothing out of the ordinary only ids, name, command
					   line, and the states of its threads.  The rest is 0, NULL or "" (nspid
					   has the one pid).  Ignored with effects. */
};
#define HF_TREE_OPTIONS_INIT { sizeof(struct hf_tree_options), 0, 0 }

/* The processes and threads of a hold; a forest: roots are those whose parent is not in it. */
typedef struct hf_tree hf_tree;

/*
 * Collect the tree of a hold from /proc while everybody stands still.  ret_tree is the caller's:
 * hf_tree_free(); it stays valid after the hold is released and freed.
 */
HF_API int hf_tree_collect(hf_hold *hold, const struct hf_tree_options *opts,
			   hf_tree **ret_tree, struct hf_error *err);
HF_API void hf_tree_free(hf_tree *tree);

/* Walk depth first, parents before children: NULL starts, NULL ends. */
HF_API const struct hf_process *hf_tree_next(const hf_tree *tree, const struct hf_process *prev);
/* The process with this pid, or NULL. */
HF_API const struct hf_process *hf_tree_find(const hf_tree *tree, pid_t pid);
/* The first root; the others follow by next_sibling.  NULL when the tree is empty. */
HF_API const struct hf_process *hf_tree_roots(const hf_tree *tree);

enum hf_format {
	HF_FORMAT_TEXT = 0,	/* drawn like a process tree */
	HF_FORMAT_JSON,		/* one line, holdfast-json(5) */
	HF_FORMAT_DOT		/* Graphviz */
};
#define HF_FORMAT_COLOUR 1u	/* text: ANSI colours */
#define HF_FORMAT_ASCII 2u	/* text: no line-drawing characters */
#define HF_FORMAT_PRETTY 4u	/* JSON: indented */

/*
 * Format a tree.  hold (released or not, but not freed) gives target, counts and times.  A brief tree has not
 * what JSON tells: EINVAL.
 * ret_text is malloc()ed, NUL-terminated, the caller's to free(); ret_len may be NULL.
 */
HF_API int hf_tree_format(const hf_tree *tree, hf_hold *hold, enum hf_format format,
			  unsigned int flags, char **ret_text, size_t *ret_len,
			  struct hf_error *err);

/* ---- Stacks -------------------------------------------------------------------------- */

#define HF_STACK_COPY_DEFAULT ((size_t)256 * 1024)

struct hf_stack_options {
	size_t size;			/* sizeof(struct hf_stack_options) */
	size_t copy_limit;		/* bytes of one thread's stack; 0: HF_STACK_COPY_DEFAULT */
	int while_held;			/* 1: unwind before hf_stack_copy() returns, and read what was not
					   copied from the target, which has to stand still for it */
	int no_names;			/* 1: addresses only */
	int lines;			/* 1: source files and lines, too, where libdw and debugging
					   information are installed; slow */
	int each_wchan;			/* 1: ask for the wait of each thread, and not only of 16 with equal stacks */
};
#define HF_STACK_OPTIONS_INIT { sizeof(struct hf_stack_options), 0, 0, 0, 0, 0 }

/* The stacks of all threads of a hold, at the instant of the hold. */
typedef struct hf_stacks hf_stacks;

/*
 * Copy what unwinding needs, while everybody stands still: the registers of each held thread and the used part of
 * its stack, from the stack pointer up to the copy limit.  This is all that has to happen before the release.
 * ret_stacks is the caller's: hf_stack_free(); it stays valid after the hold is released and freed.
 * EINVAL: the hold has been released.  EPERM: another thread took it.
 */
HF_API int hf_stack_copy(hf_hold *hold, const struct hf_stack_options *opts, hf_stacks **ret_stacks,
			 struct hf_error *err);

/*
 * Unwind and name the copies; after the release, so that the target does not wait for it, and as soon as
 * may be, while what the target has mapped is still there.  From any thread.  A second call does nothing.
 */
HF_API int hf_stack_unwind(hf_stacks *stacks, struct hf_error *err);
HF_API void hf_stack_free(hf_stacks *stacks);

/* Why a stack ends where it does. */
enum hf_stack_end {
	HF_STACK_END_OUTERMOST = 0,	/* nobody has called the last frame: it is complete */
	HF_STACK_END_CUT,		/* it is larger than the copy limit */
	HF_STACK_END_NO_INFO,		/* code without unwind information, and no frame pointer */
	HF_STACK_END_DAMAGED,		/* what it holds cannot be the frames of a stack */
	HF_STACK_END_NOT_HELD,		/* it was not stopped: its registers could not be read */
	HF_STACK_END_NO_STACK		/* it has none in user space: a kernel thread, a dead one */
};
/* "outermost", "cut", "no-info", "damaged", "not-held", "no-stack".  Static storage; never NULL. */
HF_API const char *hf_stack_end_word(enum hf_stack_end end);

/* One thread.  Lent by the stacks; later versions may append members. */
struct hf_stack {
	pid_t pid, tid;
	const char *process;		/* name (comm) of its process; any bytes */
	const char *comm;		/* its own, as it was looked at; of a hold that was taken in brief, or is kept,
					   16 of those with equal stacks are asked (each_wchan: all), and others have
					   that of their process */
	enum hf_thread_state state;
	char found;			/* 'S' where the stop had to wake it out of a call; else as in struct hf_thread;
					   where that is '?', what /proc shows if it waits again after the release where
					   it was, and 'R' if not */
	long syscall;			/* number of the system call it is in; -1 when none */
	const char *wchan;		/* kernel function it waits in; NULL when not known, or not asked */
	size_t n_frames;
	enum hf_stack_end end;
	const char *why;		/* a sentence about the end; NULL when it is complete */
};

/* How a frame was found. */
enum hf_frame_how {
	HF_FRAME_INNERMOST = 0,	/* by the registers */
	HF_FRAME_BY_CFI,		/* by unwind information of the frame below */
	HF_FRAME_BY_POINTER,		/* by the frame pointer: the frame below has no such information, and
					   a frame may be missing between the two */
	HF_FRAME_BY_LINK		/* by the link register (aarch64): the frame below has no such information,
					   and has called nobody */
};

/* One frame.  Lent for the call, or by the stacks where it is a string; later versions may append members. */
struct hf_frame {
	const struct hf_stack *stack;	/* the thread it is of */
	size_t depth;			/* 0 is the innermost */
	uint64_t ip;			/* where it goes on when it returns; of the innermost, where it stands */
	int interrupted;		/* 1: it has not called: the innermost, or below it is a signal frame */
	enum hf_frame_how how;
	const char *file;		/* that its code is mapped from, as maps shows it; "[vdso]";
					   NULL: memory without a file, as of code made at run time */
	int file_deleted;		/* 1: that name is gone, or stands for another file by now */
	uint64_t file_address;		/* ip as the file's own tables have it; 0 without a file */
	const unsigned char *build_id;	/* NULL when there is none */
	size_t n_build_id;
	const char *symbol;		/* as the file has it; NULL when nothing is known */
	const char *name;		/* demangled; or the symbol itself */
	uint64_t offset;		/* of ip from the symbol */
	const char *source;		/* NULL unless asked for and known */
	int line;
};
typedef void (*hf_frame_fn)(const struct hf_frame *frame, void *data);

/* Threads whose stack is not known to its outermost frame, or that died in the hold; those that have none are not among them. */
HF_API size_t hf_stack_incomplete(const hf_stacks *stacks);
/* Threads by process and tid, the first thread of each first: NULL starts, NULL ends.  After hf_stack_unwind(). */
HF_API const struct hf_stack *hf_stack_next(const hf_stacks *stacks, const struct hf_stack *prev);
/* Call fn once for each frame of a thread, the innermost first. */
HF_API void hf_stack_frames(const hf_stacks *stacks, const struct hf_stack *stack, hf_frame_fn fn, void *data);

enum hf_stack_format {
	HF_STACK_FORMAT_TEXT = 0,	/* for people; equal stacks once, with their threads */
	HF_STACK_FORMAT_NORMALISED,	/* the same without ids, addresses and times, sorted */
	HF_STACK_FORMAT_FOLDED,		/* for flame graphs */
	HF_STACK_FORMAT_JSON		/* one line, holdfast-json(5); takes HF_FORMAT_PRETTY */
};
#define HF_STACK_NO_MERGE 0x100u	/* text, JSON: each thread by itself, in order */

/*
 * Format stacks that have been unwound.  info is that of the hold (hf_hold_info()), for the target and times.
 * ret_text is malloc()ed, NUL-terminated, the caller's to free(); ret_len may be NULL.
 */
HF_API int hf_stack_format(const hf_stacks *stacks, const struct hf_hold_info *info, enum hf_stack_format format,
			   unsigned int flags, char **ret_text, size_t *ret_len, struct hf_error *err);
/* ---- Holds that are kept by a process of their own ------------------------------------- */

/*
 * A keeper is a process in the background that has taken a hold, and is its tracer.  Programs that cannot be
 * tracers themselves (other threads, a wait for any child, a language runtime) hold through one, and other programs
 * can ask it by the hold's name: the command does, and so does every varlink client (keeper/org.holdfast.Hold.varlink).
 *
 * Only the user who started it and root are answered.  The functions below can be called from any thread, one
 * call at a time for each handle.  They wait for the keeper's answer, for as long as what is asked for may take.
 */
typedef struct hf_keeper hf_keeper;

#define HF_KEEPER_NAME_MAX 64
#define HF_KEEPER_LIMIT_MS 300000u	/* five minutes */
#define HF_KEEPER_NO_LIMIT (~0u)

struct hf_keeper_options {
	size_t size;			/* sizeof(struct hf_keeper_options) */
	const char *name;		/* letters, digits and "._:@-", not beginning with '-' or '.', up to
					   HF_KEEPER_NAME_MAX; NULL: made from the target */
	unsigned int limit_ms;		/* the hold ends by itself after this time: 0 stands for
					   HF_KEEPER_LIMIT_MS; HF_KEEPER_NO_LIMIT: never */
};
#define HF_KEEPER_OPTIONS_INIT { sizeof(struct hf_keeper_options), 0, 0 }

struct hf_keeper_info {
	char name[HF_KEEPER_NAME_MAX + 1];
	enum hf_target_kind kind;
	char target[4200];		/* in words, as in struct hf_hold_info */
	pid_t keeper;			/* its process, */
	uid_t uid;			/* whose it is, */
	pid_t taken_by;			/* and who asked for the hold */
	char taken_by_comm[64];
	int64_t held_since_us;		/* CLOCK_REALTIME, us */
	uint64_t took_us;		/* from the first stop until everybody was held, */
	uint64_t stopped_us;		/* and until now */
	int64_t left_ms;		/* until it ends by itself; -1: never */
	size_t processes;
	size_t threads, held, armed, armed_other, skipped, outside;	/* these as in struct hf_hold_info */
	int blind, freezer_changed;
	size_t died, newcomers;		/* since it was taken */
	int version;			/* these as in struct hf_hold_info */
	enum hf_freezer_state found;
};

/*
 * Start a keeper that takes a hold, and return when it stands, or has failed, with the errors of hf_hold_take() and
 * EEXIST: a hold of that name is kept already; ENXIO: this user has no runtime directory; EINVAL: no such name.
 * take_opts->cancel_fd is looked at by the calling thread until the hold stands; ECANCELED is returned when everybody has
 * been released, or after two seconds with err->undo HF_UNDO_FAILED.  take_opts->no_guard and guard_message_fd are passed
 * over: a keeper has a guard, with a dead man's switch, which says nothing, for nothing of the caller's is kept open.
 * NULL stands for defaults.
 *
 * *ret_keeper is the caller's to close, which does not release the hold.  Should the caller end before this returns, nobody
 * is held either, nor when it fails: as with EMFILE, when the hold stood but could not be connected to.
 *
 * The caller and its ancestors are not held, as with hf_hold_take().
 *
 * The process is a fork of a fork of the caller; the caller's program has one SIGCHLD of it, reaped here.
 */
HF_API int hf_keeper_start(const struct hf_target *target, const struct hf_take_options *take_opts,
			   const struct hf_keeper_options *opts, hf_keeper **ret_keeper,
			   struct hf_error *err);

/*
 * Find the keeper of a hold.  ENOENT: there is none of that name (of this user).  EACCES: it is somebody else's.
 * ETIMEDOUT: it is stopped, and too many wait for it already.
 */
HF_API int hf_keeper_open(const char *name, hf_keeper **ret_keeper, struct hf_error *err);
HF_API void hf_keeper_close(hf_keeper *keeper);

/* Can be read, or shows an error, when the hold has ended, in whichever way.  Lent. */
HF_API int hf_keeper_fd(const hf_keeper *keeper);
HF_API const char *hf_keeper_name(const hf_keeper *keeper);
/* Its process, which is the tracer; known without asking it, so also when it is stopped.  0: of another PID namespace. */
HF_API pid_t hf_keeper_pid(const hf_keeper *keeper);

/*
 * EPIPE: the hold has ended.  ETIMEDOUT: the keeper did not answer; close the handle.  EMSGSIZE: what was asked for is too
 * large to be sent.  Other errors are those of the hold's own functions.
 */
HF_API int hf_keeper_info(hf_keeper *keeper, struct hf_keeper_info *ret, struct hf_error *err);
/*
 * The tree as text: allocated, the caller's to free; ret_len may be NULL.  flags: HF_FORMAT_..., and HF_KEEPER_EFFECTS for
 * what the hold may show to each process, as with struct hf_tree_options.
 */
#define HF_KEEPER_EFFECTS 0x200u
HF_API int hf_keeper_tree(hf_keeper *keeper, enum hf_format format, unsigned int flags,
			  char **ret_text, size_t *ret_len, struct hf_error *err);
/*
 * Copy the stacks of the threads that are held, as hf_stack_copy() does; unwind and format them with the functions named
 * hf_stack_...  The keeper tells who they are and their registers; their memory is read by the caller, who must be
 * allowed to (PTRACE_MODE_ATTACH, ptrace(2)).  Nobody is stopped or released.  EPIPE: the hold has ended meanwhile.
 */
HF_API int hf_keeper_stack_copy(hf_keeper *keeper, const struct hf_stack_options *opts, hf_stacks **ret_stacks,
				struct hf_error *err);
/* From now on the hold lasts for so long; HF_KEEPER_NO_LIMIT: until it is released.  EINVAL: 0, or that of the machine. */
HF_API int hf_keeper_extend(hf_keeper *keeper, unsigned int ms, struct hf_error *err);
/* A pidfd of a held process: the caller's to close.  ESRCH: it is not in the hold. */
HF_API int hf_keeper_pidfd(hf_keeper *keeper, pid_t pid, struct hf_error *err);
/* Release; the keeper ends.  *ret_stopped_us (may be NULL): how long the target was stopped.  EINVAL: no such way; nothing was done. */
HF_API int hf_keeper_release(hf_keeper *keeper, enum hf_release how, uint64_t *ret_stopped_us,
			     struct hf_error *err);

/*
 * Call fn for the name of each hold of this user that is kept, by name, until it returns other than 0, which is
 * returned.  What dead keepers have left behind is removed.  When one cannot be looked at (EMFILE, ENOMEM) the others are told
 * all the same, and the first such failure is returned.
 */
HF_API int hf_keeper_list(int (*fn)(const char *name, void *data), void *data, struct hf_error *err);

/* ---- After a death ------------------------------------------------------------------- */

enum hf_leftover_kind {
	HF_LEFTOVER_CHANGED = 1,	/* put back as it was found; in a dry run: would be */
	HF_LEFTOVER_KEPT,		/* frozen on purpose (HF_ON_DEATH_STAY, _KILL); left so */
	HF_LEFTOVER_FOREIGN,		/* as it was found: somebody else has frozen or thawed it since, or the
					   holder died right before it would have; left so */
	HF_LEFTOVER_HELD,		/* another holdfast has a hold of it now, or the dead one's guard
					   lives after all; left to that */
	HF_LEFTOVER_FAILED,		/* could not be put back */
	HF_LEFTOVER_UNREADABLE		/* a file that cannot be read or is no journal of this version;
					   left there */
};

/* One cgroup that a dead holder left changed. */
struct hf_leftover {
	enum hf_leftover_kind kind;
	const char *path;		/* the cgroup directory; of UNREADABLE the file */
	int version;			/* of its hierarchy; 0 of UNREADABLE */
	int frozen_found;		/* its own setting as the holder found it */
	int frozen_left;		/* and as the holder left it */
	pid_t holder;			/* the process that died; 0 of UNREADABLE */
	int64_t since_us;		/* CLOCK_REALTIME when its hold was begun, us */
	const char *text;		/* a sentence without a full stop, with all of this; lent */
};
typedef void (*hf_leftover_fn)(const struct hf_leftover *leftover, void *data);

/* "changed", "kept", "foreign", "held", "failed", "unreadable".  Static storage; never NULL. */
HF_API const char *hf_leftover_word(enum hf_leftover_kind kind);

struct hf_recover_options {
	size_t size;			/* sizeof(struct hf_recover_options) */
	int dry_run;			/* 1: tell, and change nothing */
};
#define HF_RECOVER_OPTIONS_INIT { sizeof(struct hf_recover_options), 0 }

/*
 * Put back what holders of this user left behind that were killed together with their guards, as their
 * journals tell.  Cgroups that a living holder or guard looks after, and whatever no holdfast has frozen,
 * are not touched; nor is a cgroup that was frozen or thawed since by hf_cgroup_freeze() or hf_cgroup_thaw().  tell is
 * called for each cgroup that differs from how it was found.  A cgroup is known by its id:
 * one made later under the same name is another, and one that was renamed is the same.
 *
 * Returns how many were put back (in a dry run: would be); or, after everything else was done all the same, what
 * failed first: err->undo is HF_UNDO_FAILED when a cgroup could not be put back.  EXDEV: it cannot be seen from the
 * caller's mount or cgroup namespace.  EBADMSG: a file is no journal of this version.  ENXIO: this user has no
 * runtime directory.  EPERM: it belongs to somebody else, or others may write to it.  EBUSY: another recover is at
 * work there.
 */
HF_API int hf_recover(const struct hf_recover_options *opts, hf_leftover_fn tell, void *data,
		      struct hf_error *err);

/* ---- The plain freezer --------------------------------------------------------------- */

struct hf_cgroup_state {
	int version;			/* 1 or 2 */
	enum hf_freezer_state state;	/* in effect, ancestors included */
	int self_frozen;		/* this cgroup's own setting */
	char path[4096];		/* the cgroup directory, absolute */
};

/* NULL stands for HF_FREEZER_OPTIONS_INIT. */
struct hf_freezer_options {
	size_t size;			/* sizeof(struct hf_freezer_options) */
	unsigned int timeout_ms;	/* 0: HF_TIMEOUT_DEFAULT_MS */
	int cancel_fd;			/* as in struct hf_take_options; thawing does not look at it */
	int no_guard;			/* the guard is there while freezing is under way */
	int guard_message_fd;
};
#define HF_FREEZER_OPTIONS_INIT { sizeof(struct hf_freezer_options), 0, 0, 0, 0 }

/*
 * Freeze, thaw or look at a cgroup, waited for.  Freezing returns when every member is frozen; until then
 * a failure, and the death of the caller, puts the cgroup back as it was found.  It waits for a hold that
 * overlaps, and fails with EBUSY when that lasts until the deadline.  Thawing waits for nobody, and returns when the state has been read
 * back as thawed.  EBUSY from thawing: an ancestor keeps it frozen; err->text names it.  The other errors are
 * those of hf_hold_cgroup().  ret_state may be NULL.
 */
HF_API int hf_cgroup_freeze(const char *path, const struct hf_freezer_options *opts,
			    struct hf_cgroup_state *ret_state, struct hf_error *err);
HF_API int hf_cgroup_thaw(const char *path, const struct hf_freezer_options *opts,
			  struct hf_cgroup_state *ret_state, struct hf_error *err);
HF_API int hf_cgroup_state(const char *path, struct hf_cgroup_state *ret_state,
			   struct hf_error *err);

#ifdef __cplusplus
}
#endif
#endif
