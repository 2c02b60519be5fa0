/* SPDX-License-Identifier: MIT */
/*
 * cmd_run - hold, run a command, release whatever happens.
 *
 *	main thread				the holder's thread
 *						take, collect the tree
 *	start the command	<-- stands --
 *				-- started -->	look after the hold until the command has ended, a signal
 *						has come, or the time is over
 *						release; the thread ends
 *	pass the signal on, or end the command;
 *	wait for it
 *
 * The command is a child of the main thread, since what tells a child of its parent's death goes by the parent's
 * thread, and the holder's ends with the release.
 */
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "cmd.h"
#include "command.h"
#include "err.h"
#include "keep.h"
#include "own.h"
#include "signals.h"
#include "take.h"
#include "target.h"

/* A command whose time is over has this long to end by SIGTERM, and the kernel as long again to end it by SIGKILL. */
#define END_MS 1000

/* The longest string that an environment can have is 32 pages (execve(2)), a page being 4 KiB at least. */
#define PIDS_LEN_MAX (131072 - sizeof("HOLDFAST_PIDS="))

enum ending {
	ENDING_NONE = 0,	/* go on holding */
	ENDING_COMMAND,		/* the command has ended */
	ENDING_SIGNAL,		/* we got one: released, then the command gets it */
	ENDING_TIME,		/* the time is over: released, then the command is ended */
	ENDING_ERROR,		/* something failed before the command was started */
};

struct runner {
	const struct hf_cmd *cmd;
	const struct hf_args *args;
	struct hf_target target;
	struct hf_keep keep;
	struct hf_command command;
	sem_t stands, started;		/* the two threads to each other */
	bool start;			/* the hold stands: the command may run */
	enum ending ending;
	int signal;			/* of ENDING_SIGNAL */
	bool by_kernel;			/* everybody in the foreground has got it */
	struct hf_error err;		/* of ENDING_ERROR */
	bool cancelled;			/* by a signal, before it stood */
	int tree_fd;			/* what HOLDFAST_TREE names */
};

/* ---- What the command is told ------------------------------------------------------------------- */

static bool is_held(const struct hf_process *p)
{
	size_t i;

	for (i = 0; i < p->n_threads; i++)
		if (p->threads[i].state == HF_THREAD_HELD || p->threads[i].state == HF_THREAD_ARMED)
			return true;
	return false;
}

/* Parents before their children, and so the root that is oldest first. */
static int tell_pids(const struct runner *r, const hf_tree *tree)
{
	const struct hf_process *p;
	char *pids = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&pids, &len);
	int failed;

	if (!f)
		return -ENOMEM;
	for (p = NULL; (p = hf_tree_next(tree, p));)
		if (is_held(p))
			fprintf(f, "%s%d", ftell(f) ? " " : "", (int)p->pid);
	failed = fclose(f);
	if (!failed && len <= PIDS_LEN_MAX)
		failed = setenv("HOLDFAST_PIDS", pids, 1);
	else if (!failed)
		hf_say_if_ready(r->cmd->name, "too many processes for HOLDFAST_PIDS, which is not set; HOLDFAST_TREE has them all");
	free(pids);
	return failed ? -ENOMEM : 0;
}

static int tell_root(const hf_tree *tree)
{
	const struct hf_process *p = hf_tree_roots(tree);
	char pid[16];

	while (p && !is_held(p))
		p = p->next_sibling;
	snprintf(pid, sizeof(pid), "%d", p ? (int)p->pid : 0);
	return setenv("HOLDFAST_ROOT", pid, 1) < 0 ? -ENOMEM : 0;
}

static int write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	for (; len; text += n, len -= (size_t)n) {
		n = write(fd, text, len);
		if (n < 0)
			return -errno;
	}
	return 0;
}

/*
 * A file without a name in any directory: it is gone with us, whatever kills us.  It is opened through our
 * descriptor, which the kernel lets those do who could trace us (proc(5), /proc/PID/fd): the same user, and root.
 */
static int tell_tree(struct runner *r, const hf_tree *tree, struct hf_error *err)
{
	hf_owned char *text = NULL;
	char path[64];
	size_t len = 0;
	int result = hf_tree_format(tree, r->keep.hold, HF_FORMAT_JSON, 0, &text, &len, err);

	if (result < 0)
		return result;
	r->tree_fd = memfd_create("holdfast-tree", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	result = r->tree_fd < 0 ? -errno : write_all(r->tree_fd, text, len);
	if (result == 0)
		result = fcntl(r->tree_fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0 ?
			 -errno : 0;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(), r->tree_fd);
	if (result == 0 && setenv("HOLDFAST_TREE", path, 1) < 0)
		result = -errno;
	return result < 0 ? hf_fail(err, -result, HF_STAGE_HOLD, 0, "cannot make the file for HOLDFAST_TREE: %s",
				    strerror(-result)) : 0;
}

/* Nobody else looks at the environment now: the main thread waits. */
static int tell_everything(struct runner *r, struct hf_error *err)
{
	const char *cgroup = hf_hold_info(r->keep.hold)->path;
	hf_tree *tree = NULL;
	int result = hf_tree_collect(r->keep.hold, NULL, &tree, err), short_of_memory = 0;

	/* Of a holdfast that we are run by. */
	unsetenv("HOLDFAST_PIDS");
	unsetenv("HOLDFAST_CGROUP");
	if (result == 0)
		short_of_memory = tell_pids(r, tree);
	if (result == 0 && !short_of_memory)
		short_of_memory = tell_root(tree);
	if (result == 0 && !short_of_memory && cgroup)
		short_of_memory = setenv("HOLDFAST_CGROUP", cgroup, 1);
	if (result == 0)
		result = short_of_memory ? hf_fail(err, ENOMEM, HF_STAGE_HOLD, 0, "out of memory for the environment") :
					   tell_tree(r, tree, err);
	hf_tree_free(tree);
	return result;
}

/* ---- While it is held --------------------------------------------------------------------------- */

static void take_signals(struct runner *r)
{
	bool changed = false;
	int sig;

	while (r->ending == ENDING_NONE && (sig = hf_signals_next_from(r->keep.signals, &r->by_kernel))) {
		switch (hf_signal_kind_of(sig)) {
		case HF_SIGNAL_CHILD:
			changed = true;
			break;
		case HF_SIGNAL_JOB:
			if (r->by_kernel && sig == SIGTSTP && r->start)
				hf_command_go_on(&r->command);
			hf_say_if_ready(r->cmd->name, "not stopping while it holds; Ctrl-C releases");
			break;
		case HF_SIGNAL_END:
		case HF_SIGNAL_ABORT:
			r->ending = ENDING_SIGNAL;
			r->signal = sig;
			break;
		}
	}
	if (changed && r->ending == ENDING_NONE && r->start && hf_command_ended(&r->command))
		r->ending = ENDING_COMMAND;
	if (changed && r->ending == ENDING_NONE)
		hf_keep_attend(&r->keep);
}

static void stay(struct runner *r)
{
	struct pollfd nothing_else = { .fd = -1 };

	/* It may have ended before its SIGCHLD was asked for. */
	if (hf_command_ended(&r->command))
		r->ending = ENDING_COMMAND;
	while (r->ending == ENDING_NONE)
		switch (hf_keep_wait(&r->keep, &nothing_else)) {
		case HF_KEEP_SIGNALS:
			take_signals(r);
			break;
		case HF_KEEP_TIME:
			r->ending = ENDING_TIME;
			break;
		case HF_KEEP_NOTHING:
			break;
		}
}

static void await(sem_t *sem)
{
	while (sem_wait(sem) < 0 && errno == EINTR)
		;
}

/* The hold stands: let the command be started, and stay until something ends that. */
static void run_it(struct runner *r, hf_hold *hold)
{
	int result = hf_keep_start(&r->keep, hold);

	if (result < 0)
		hf_fail(&r->err, -result, HF_STAGE_HOLD, 0, "starting the timer: %s", strerror(-result));
	else
		result = tell_everything(r, &r->err);
	if (result < 0)
		r->ending = ENDING_ERROR;
	else
		take_signals(r);	/* those that came while the hold was being taken */
	if (r->ending != ENDING_NONE)
		return;
	r->start = true;
	sem_post(&r->stands);
	await(&r->started);
	if (r->ending == ENDING_NONE)
		stay(r);
}

/* On the holder's thread. */
static int hold_and_run(void *arg)
{
	struct runner *r = arg;
	struct hf_take_options opts = hf_keep_take_options(&r->keep);
	struct hf_release_options release = hf_take_release_options_of(r->args);
	struct hf_error err = HF_ERROR_INIT;
	struct hf_hold_info info;
	char changed[512];
	hf_hold *hold = NULL;
	int result, status;

	r->cancelled = hf_hold_take(&r->target, &opts, &hold, &err) == -ECANCELED;
	if (!hold) {
		status = hf_report(r->cmd->name, &err);
		sem_post(&r->stands);
		return status;
	}
	info = *hf_hold_info(hold);
	hf_take_warn(r->cmd, r->args, &info);
	hf_take_tell(r->cmd, r->args, &info);
	run_it(r, hold);
	result = hf_hold_release(hold, HF_RELEASE_AS_FOUND, &release, &err);
	info = *hf_hold_info(hold);
	snprintf(changed, sizeof(changed), "%s", info.changed_path ? info.changed_path : "");
	info.changed_path = changed;
	hf_take_tell(r->cmd, r->args, &info);
	hf_keep_tell_newcomers(&r->keep, &info);
	hf_take_tell_restarts(r->cmd, r->args, hold);
	hf_hold_free(hold);

	status = hf_take_released(r->cmd, r->args, result, &info, &err);
	if (r->ending == ENDING_ERROR) {
		if (result >= 0)
			hf_fail_note(&r->err, HF_UNDO_DONE, "everything was released");
		status = hf_report(r->cmd->name, &r->err);
	}
	sem_post(&r->stands);
	return status;
}

/* On the main thread: what the command is a child of. */
static void start_command(void *arg)
{
	struct runner *r = arg;
	int result;

	await(&r->stands);
	if (!r->start)
		return;
	result = hf_command_start(&r->command);
	if (result < 0) {
		hf_fail(&r->err, -result, HF_STAGE_HOLD, 0, "starting the command: %s", strerror(-result));
		r->ending = ENDING_ERROR;
	}
	sem_post(&r->started);
}

/* ---- When it is released ------------------------------------------------------------------------ */

static void pass_signals_on(struct runner *r)
{
	bool by_kernel;
	int sig;

	while ((sig = hf_signals_next_from(r->keep.signals, &by_kernel))) {
		enum hf_signal_kind kind = hf_signal_kind_of(sig);

		if (by_kernel && sig == SIGTSTP)
			hf_command_go_on(&r->command);
		if (!by_kernel && (kind == HF_SIGNAL_END || kind == HF_SIGNAL_ABORT))
			hf_command_signal(&r->command, sig);
	}
}

/* Until the command has ended, or for ms; -1 is without end. */
static bool await_command(struct runner *r, int ms)
{
	struct hf_deadline deadline = hf_deadline_in_ms(ms < 0 ? 0 : (uint64_t)ms);
	struct pollfd signals = { .fd = r->keep.signals, .events = POLLIN };
	bool ended;

	while (!(ended = hf_command_ended(&r->command)) && (ms < 0 || hf_deadline_left_ns(deadline) > 0)) {
		if (poll(&signals, 1, ms < 0 ? -1 : (int)(hf_deadline_left_ns(deadline) / 1000000) + 1) > 0)
			pass_signals_on(r);
	}
	return ended;
}

/* A stopped one takes it, too. */
static void end_command(const struct runner *r, int sig)
{
	hf_command_signal(&r->command, sig);
	hf_command_signal(&r->command, SIGCONT);
}

static int end_overdue(struct runner *r)
{
	const char *how = "by SIGTERM";
	char span[HF_SPAN_MAX], shown[HF_TARGET_SHOWN_MAX];

	end_command(r, SIGTERM);
	if (!await_command(r, END_MS)) {
		how = "by SIGKILL";
		hf_command_signal(&r->command, SIGKILL);
		if (!await_command(r, END_MS))
			how = "by SIGKILL, but has not ended";
	}
	hf_say(r->cmd->name, "the time (%s) was over before the command had ended: %s was released, and the command killed %s",
	       hf_span((uint64_t)r->keep.for_ms * 1000, span), hf_target_shown(r->args, shown), how);
	return HF_EXIT_RUN_FAILED;
}

static int not_run(const struct runner *r, int code)
{
	hf_say(r->cmd->name, "cannot run %s: %s", r->args->program[0], strerror(code));
	return hf_command_exit_of(code);
}

/* status is how the hold ended. */
static int wait_for_command(struct runner *r, int status)
{
	if (r->ending == ENDING_TIME)
		return end_overdue(r);
	if (r->ending == ENDING_SIGNAL && !r->by_kernel)
		end_command(r, r->signal);
	await_command(r, -1);
	if (status != HF_EXIT_DONE)
		return HF_EXIT_RUN_FAILED;
	return r->command.exec_code ? not_run(r, r->command.exec_code) : r->command.status;
}

static int hold_then_wait(struct runner *r)
{
	int status = hf_on_own_thread(r->cmd->name, hold_and_run, start_command, r);

	if (r->command.pid || r->ending == ENDING_COMMAND)
		return wait_for_command(r, status);
	if (r->cancelled)
		hf_signals_restore();	/* and what cancelled it ends us */
	if (r->ending == ENDING_SIGNAL)
		hf_signals_end_by(r->signal);
	return HF_EXIT_RUN_FAILED;
}

static int run_run(const struct hf_cmd *cmd, const struct hf_args *args)
{
	struct runner r = {
		.cmd = cmd, .args = args, .keep = HF_KEEP_INIT, .command = HF_COMMAND_INIT, .tree_fd = -1,
	};
	int code = hf_command_look(args->program[0]), status;

	/* Nobody is stopped for a slip of the finger. */
	if (code)
		return not_run(&r, code);
	r.command.argv = args->program;
	status = hf_target_of(cmd, args, &r.target);
	if (status)
		return status == HF_EXIT_USAGE ? status : HF_EXIT_RUN_FAILED;
	/* The command itself, where everybody is the target. */
	r.keep.newcomers_expected = args->kind == HF_TARGET_MACHINE;
	sem_init(&r.stands, 0, 0);
	sem_init(&r.started, 0, 0);
	status = hf_keep_open(&r.keep, cmd, args) ? HF_EXIT_RUN_FAILED : hold_then_wait(&r);
	hf_command_done(&r.command);
	hf_own_close(&r.tree_fd);
	hf_keep_done(&r.keep);
	return status;
}

const struct hf_cmd hf_cmd_run = {
	.name = "run",
	.summary = "hold, run a command, release whatever happens",
	.usage = "[OPTION...] TARGET -- COMMAND [ARG...]",
	.about = "Stops every thread of the target, runs a command, and lets everything go again\n"
		 "when the command has ended, however it ends; when a signal comes; when the\n"
		 "time given with --for is over (then the command is ended, too); and when\n"
		 "holdfast is killed. The command has HOLDFAST_PIDS, HOLDFAST_ROOT,\n"
		 "HOLDFAST_CGROUP and HOLDFAST_TREE (a file with the JSON tree) in its\n"
		 "environment. Ends with the command's own status; 125 when holdfast failed,\n"
		 "126 and 127 when the command cannot be run, 128+N when signal N ended it.",
	.examples = "  holdfast run --all -- mv new current\n"
		    "  holdfast run --for 5s pod -- cp -a /srv/data /srv/copy\n"
		    "  holdfast run -p 1234 -- sh -c 'jq .counts \"$HOLDFAST_TREE\"'\n",
	.operand = HF_OPERAND_TARGET_PROGRAM,
	.opts = HF_OPT_TARGET | HF_OPT_BIT(FOR) | HF_OPT_BIT(TIMEOUT) | HF_OPT_BIT(ON_ARMED) | HF_OPT_BIT(ON_TRACED) |
		HF_OPT_BIT(OUTSIDE) | HF_OPT_BIT(NO_RESTART) | HF_OPT_BIT(QUIET) | HF_OPT_BIT(VERBOSE) | HF_OPT_EVERYWHERE,
	.run = run_run,
};
