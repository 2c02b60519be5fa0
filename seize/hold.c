/* SPDX-License-Identifier: MIT */
/*
 * hold - the object behind hf_hold, and what can be asked of it.  Taking is in take.c, letting go in
 * release.c.
 */
#include "hold.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cancel.h"
#include "err.h"
#include "hold_state.h"
#include "own.h"
#include "procfs.h"
#include "restart.h"
#include "split.h"
#include "sys.h"

/* ---- Options -------------------------------------------------------------------------------------- */

/*
 * A caller built against an older header passes a smaller struct; what it does not know keeps its
 * default, which is all zero.  A larger one may ask for things that we do not know.
 */
int hf_options_copy(void *to, const void *from, size_t size, size_t ours, struct hf_error *err)
{
	if (size < sizeof(size_t) || size > ours)
		return hf_fail(err, EINVAL, HF_STAGE_NONE, 0,
			       "options of %zu bytes: this library knows %zu; was `size` set?", size, ours);
	memcpy(to, from, size);
	return 0;
}

static unsigned int timeout_or_default(unsigned int timeout_ms)
{
	return timeout_ms ? timeout_ms : HF_TIMEOUT_DEFAULT_MS;
}

int hf_take_options_copy(struct hf_take_options *to, const struct hf_take_options *from,
			 struct hf_error *err)
{
	int r = 0;

	*to = (struct hf_take_options)HF_TAKE_OPTIONS_INIT;
	if (from)
		r = hf_options_copy(to, from, from->size, sizeof(*to), err);
	to->timeout_ms = timeout_or_default(to->timeout_ms);
	if (r == 0 && ((unsigned int)to->on_armed > HF_ON_ARMED_ACCEPT ||
		       (unsigned int)to->on_traced > HF_ON_TRACED_SKIP ||
		       (unsigned int)to->on_outside > HF_ON_OUTSIDE_REPORT ||
		       (unsigned int)to->on_death > HF_ON_DEATH_KILL ||
		       (unsigned int)to->on_newcomers > HF_ON_NEWCOMERS_HOLD ||
		       (unsigned int)to->brief > HF_BRIEF_PROCESSES))
		r = hf_fail(err, EINVAL, HF_STAGE_NONE, 0, "an option has a value that does not exist");
	if (r == 0 && to->no_guard && (to->on_death == HF_ON_DEATH_KILL || to->dead_man_ms))
		r = hf_fail(err, EINVAL, HF_STAGE_NONE, 0,
			    "killing the target or the holder takes a guard, and no_guard is set");
	return r;
}

int hf_target_copy(struct hf_target *to, const struct hf_target *from, struct hf_error *err)
{
	*to = (struct hf_target)HF_TARGET_INIT;
	return hf_options_copy(to, from, from->size, sizeof(*to), err);
}

/* ---- Taking and freeing ------------------------------------------------------------------------------ */

void hf_hold_discard(struct hf_hold *hold)
{
	if (!hold)
		return;
	hf_guard_end(&hold->guard, &hold->freezer);
	hf_freezer_done(&hold->freezer);
	hf_task_set_done(&hold->set);
	free(hold->comms);
	hf_roster_done(&hold->roster);
	for (size_t i = 0; i < hold->n_level_paths; i++)
		free(hold->level_paths[i]);
	free(hold->level_paths);
	free(hold);
}

/* Once per hold, after the levels are known and before anything is looked up by them. */
static int name_levels(struct hf_hold *hold)
{
	char path[8192];
	size_t i;

	hold->level_paths = calloc(hold->freezer.n_levels + 1, sizeof(*hold->level_paths));
	if (!hold->level_paths)
		return -ENOMEM;
	for (i = 0; i < hold->freezer.n_levels; i++) {
		hf_freezer_level_path(&hold->freezer, i, path, sizeof(path));
		hold->level_paths[i] = strdup(path);
		if (!hold->level_paths[i])
			return -ENOMEM;
		hold->n_level_paths++;
	}
	return 0;
}

struct hf_hold *hf_hold_alloc(void)
{
	struct hf_hold *hold = calloc(1, sizeof(*hold));

	if (!hold)
		return NULL;
	hold->tracer = hf_sys_gettid();
	hold->freezer = (struct hf_freezer)HF_FREEZER_INIT;
	hold->guard = (struct hf_guard)HF_GUARD_INIT;
	hold->roster.births = (struct hf_births)HF_BIRTHS_INIT;
	return hold;
}

static void fill_info(struct hf_hold *hold)
{
	struct hf_hold_info *info = &hold->info;

	info->kind = hold->roster.kind;
	info->target = hold->roster.name;
	info->pids = hold->roster.pids;
	info->n_pids = hold->roster.n_pids;
	if (!hf_hold_can_freeze(hold))
		return;
	info->path = hold->freezer.path;
	info->version = hold->freezer.version;
	info->found = hold->freezer.levels[0].frozen_found ? HF_FREEZER_FROZEN : HF_FREEZER_THAWED;
	info->levels = (unsigned int)hold->freezer.n_levels;
}

/* Who is not in a cgroup of its own cannot be kept, or killed, by freezing that. */
static int check_options(const struct hf_target *target, const struct hf_take_options *opts,
			 struct hf_error *err)
{
	if (target->kind != HF_TARGET_CGROUP && opts->on_death != HF_ON_DEATH_RESUME)
		return hf_fail(err, EINVAL, HF_STAGE_NONE, 0,
			       "only a cgroup can stay frozen, or be killed, when the holder dies");
	return 0;
}

static int set_up(struct hf_hold *hold, const struct hf_target *target, const struct hf_take_options *opts,
		  struct hf_error *err)
{
	struct hf_target own;
	int r = hf_target_copy(&own, target, err);

	if (r == 0)
		r = hf_take_options_copy(&hold->opts, opts, err);
	if (r == 0)
		r = check_options(&own, &hold->opts, err);
	if (r == 0)
		r = hf_take(hold, &own, err);
	if (r < 0)
		return r;
	fill_info(hold);
	if (name_levels(hold) == 0)
		return 0;
	r = hf_fail(err, ENOMEM, HF_STAGE_VERIFY, 0, "out of memory for the names of %zu cgroups",
		    hold->freezer.n_levels);
	hf_take_undo(hold, err);
	return r;
}

int hf_hold_take_for(const struct hf_kin *asker, const struct hf_target *target, const struct hf_take_options *opts,
		     hf_hold **ret_hold, struct hf_error *err)
{
	HF_UNCANCELLED;
	struct hf_hold *hold;
	int r;

	if (!target || !ret_hold)
		return hf_fail(err, EINVAL, HF_STAGE_NONE, 0, "no target was named");
	hold = hf_hold_alloc();
	if (!hold)
		return hf_fail(err, ENOMEM, HF_STAGE_NONE, 0, "out of memory");
	hold->asker = asker;
	r = set_up(hold, target, opts, err);
	hold->asker = NULL;
	if (r < 0)
		hf_hold_discard(hold);
	else
		*ret_hold = hold;
	return r;
}

HF_API int hf_hold_take(const struct hf_target *target, const struct hf_take_options *opts,
			hf_hold **ret_hold, struct hf_error *err)
{
	return hf_hold_take_for(NULL, target, opts, ret_hold, err);
}

HF_API int hf_hold_cgroup(const char *path, const struct hf_take_options *opts, hf_hold **ret_hold,
			  struct hf_error *err)
{
	struct hf_target target = HF_TARGET_INIT;

	target.kind = HF_TARGET_CGROUP;
	target.path = path;
	return hf_hold_take(&target, opts, ret_hold, err);
}

int hf_hold_check_tracer(const hf_hold *hold, struct hf_error *err)
{
	pid_t tid = hf_sys_gettid();

	if (tid == hold->tracer)
		return 0;
	return hf_fail(err, EPERM, HF_STAGE_HOLD, tid,
		       "thread %d is not the one that took the hold (%d); ptrace ties belong to a thread",
		       tid, hold->tracer);
}

/*
 * Collect what has happened to those who are ours.  Returns for how many that was news.  The death of a first thread,
 * which is listed first, is told when those of the others have been collected (ptrace(2)).
 */
static int reap(struct hf_hold *hold, bool held_too)
{
	int changed = 0;
	size_t i;

	for (i = hold->set.n; i-- > 0;) {
		enum hf_task_state state = (enum hf_task_state)hold->set.tasks[i].state;

		if (hf_task_is_ours(state) && (held_too || !hf_task_is_held(state)))
			changed += hf_poll_task(hold, i);
	}
	return changed;
}

static int count_newcomer(struct hf_hold *hold, pid_t tid, uint16_t level, void *data, struct hf_error *err)
{
	const struct hf_task *t = hf_task_set_find(&hold->set, tid);
	struct hf_stat st;
	size_t *n = data;

	(void)level;
	(void)err;
	if (t && (hf_task_is_ours((enum hf_task_state)t->state) ||
		  hf_task_is_left_alone((enum hf_task_state)t->state)))
		return 0;
	/* Some lists have the dead as well. */
	if (tid == 0 || (hf_tid_stat(tid, &st) == 0 && st.state != 'Z' && st.state != 'X'))
		(*n)++;
	return 0;
}

static size_t count_newcomers_once(struct hf_hold *hold)
{
	size_t n = 0;
	struct hf_roster_pass pass = { .fn = count_newcomer, .data = &n, .stage = HF_STAGE_HOLD };

	hf_roster_each(hold, &pass, NULL);
	return n;
}

static size_t count_newcomers(struct hf_hold *hold)
{
	size_t n, again;

	/* Nobody comes into a family that stands still. */
	if (hold->roster.kind == HF_TARGET_PROCESSES)
		return 0;
	n = count_newcomers_once(hold);
	if (n <= hold->info.newcomers)
		return n;
	/* For a moment v2 lists one of ours that dies as 0, as it does somebody without an id. */
	again = count_newcomers_once(hold);
	return again < n ? again : n;
}

static void note_changes(struct hf_hold *hold)
{
	if (!hf_freezer_is_foreign(&hold->freezer, hold->changed_path, sizeof(hold->changed_path)))
		return;
	hold->info.freezer_changed = 1;
	hold->info.changed_path = hold->changed_path;
}

HF_API int hf_hold_release(hf_hold *hold, enum hf_release how, const struct hf_release_options *opts,
			   struct hf_error *err)
{
	HF_UNCANCELLED;
	struct hf_release_options o = HF_RELEASE_OPTIONS_INIT;
	struct hf_deadline deadline;
	int r = hf_hold_check_tracer(hold, err);

	if (r == 0 && opts)
		r = hf_options_copy(&o, opts, opts->size, sizeof(o), err);
	if (r < 0)
		return r;
	deadline = hf_deadline_in_ms(timeout_or_default(o.timeout_ms));
	if (hold->released && how != hold->how)
		return hf_fail(err, EALREADY, HF_STAGE_RELEASE, 0,
			       "the hold has been released already, in another way");
	if (hold->released)
		return (int)hf_release_stragglers(hold, deadline);
	if ((unsigned int)how > HF_RELEASE_FROZEN)
		return hf_fail(err, EINVAL, HF_STAGE_RELEASE, 0, "there is no release of kind %d", how);
	if (how == HF_RELEASE_FROZEN && !hf_hold_can_freeze(hold))
		return hf_fail(err, EINVAL, HF_STAGE_RELEASE, 0, "only a cgroup can be left frozen, and %s is none",
			       hold->roster.name);
	/*
	 * Counts are those of the hold; afterwards nobody is held, all would be 0, and who is new may be born since.  Which of
	 * the held have died would take a call for each to ask, and turns out when they cannot be let go.
	 */
	while (reap(hold, how == HF_RELEASE_DEAD) > 0)
		;
	/* Of the whole machine somebody always is; and to look through all of it takes too long here. */
	if (hold->roster.kind == HF_TARGET_CGROUP)
		hold->info.newcomers = count_newcomers(hold);
	hf_hold_info(hold);
	hold->mark_ns = hf_clock_ns();
	if (hold->opts.dead_man_ms)
		hf_guard_dead_man(&hold->guard, deadline.at_ns + HF_DEAD_MAN_GRACE_MS * 1000000ull);
	r = hf_release_all(hold, how, o.leave_armed, deadline, err);
	hold->info.timing_us.release = (hold->release_ns - hold->mark_ns) / 1000;
	note_changes(hold);
	if (r < 0 && how == HF_RELEASE_FROZEN) {
		hold->release_ns = 0;
		hf_take_stand(hold);
		hf_fail_note(err, HF_UNDO_DONE, "everybody is still held");
		return r;
	}
	if (r < 0) {
		hf_fail_note(err, HF_UNDO_FAILED, "this could not be done; everything else was released");
		return r;
	}
	hf_guard_end(&hold->guard, &hold->freezer);
	hf_freezer_unlock(&hold->freezer);
	hold->released = true;
	hold->how = how;
	hold->info.released_us = hf_clock_real_us();
	return r;
}

HF_API void hf_hold_free(hf_hold *hold)
{
	HF_UNCANCELLED;
	if (!hold)
		return;
	/* From another thread nothing can be released, and to forget who is held would be worse. */
	if (hf_hold_check_tracer(hold, NULL) < 0 && !hold->released)
		return;
	/* A release that failed has waited already. */
	if (!hold->released)
		hf_release_all(hold, HF_RELEASE_AS_FOUND, hold->release_ns != 0,
			       hf_deadline_in_ms(hold->release_ns ? 0 : HF_TIMEOUT_DEFAULT_MS), NULL);
	hf_hold_discard(hold);
}

/* ---- While holding ------------------------------------------------------------------------------------ */

HF_API int hf_hold_attend(hf_hold *hold, struct hf_error *err)
{
	HF_UNCANCELLED;
	int r = hf_hold_check_tracer(hold, err), changed;

	if (r < 0 || hold->released)
		return r;
	changed = reap(hold, true);
	hf_freezer_notice(&hold->freezer);
	note_changes(hold);
	hold->info.newcomers = count_newcomers(hold);
	if (hold->info.newcomers && hold->opts.on_newcomers == HF_ON_NEWCOMERS_HOLD) {
		r = hf_take_newcomers(hold, err);
		/* They are held only since now. */
		hold->held_ns = hf_clock_ns();
		hold->info.newcomers = count_newcomers(hold);
		if (r < 0)
			return r;
		changed++;
	}
	return changed;
}

static void count_states(struct hf_hold *hold)
{
	struct hf_hold_info *info = &hold->info;
	size_t i;

	info->held = info->armed = info->armed_other = info->skipped = info->died = 0;
	info->outside = info->kernel = 0;
	for (i = 0; i < hold->set.n; i++) {
		struct hf_task *t = &hold->set.tasks[i];

		t->counted = hf_task_is_held((enum hf_task_state)t->state);
		if (t->counted)
			info->held++;
		else if (t->state == HF_TASK_ARMED || t->state == HF_TASK_ASKED)
			info->armed++;
		else if (t->state == HF_TASK_SKIPPED)
			info->skipped++;
		else if (t->state == HF_TASK_OUTSIDE)
			info->outside++;
		else if (t->state == HF_TASK_KERNEL)
			info->kernel++;
		else if (t->state == HF_TASK_DIED)
			info->died++;
		if (t->state == HF_TASK_ARMED && !t->vfork)
			info->armed_other++;
	}
	info->threads = info->held + info->armed + info->died;
}

HF_API const struct hf_hold_info *hf_hold_info(hf_hold *hold)
{
	struct hf_timing *us = &hold->info.timing_us;
	uint64_t end = hold->release_ns ? hold->release_ns : hf_clock_ns();

	us->stopped = (end - hold->first_stop_ns) / 1000;
	hold->info.exec_thaws = hold->freezer.exec_thaws;
	if (!hold->release_ns)
		count_states(hold);
	return &hold->info;
}

static int read_registers(hf_hold *hold, pid_t tid, int type, void *buf, size_t *size, struct hf_error *err)
{
	const struct hf_task *t = hf_task_set_find(&hold->set, tid);
	int r;

	if (!t || !hf_task_is_ours((enum hf_task_state)t->state))
		return hf_fail(err, ESRCH, HF_STAGE_HOLD, tid, "thread %d %s", tid,
			       t && t->state == HF_TASK_DIED ? "is gone: it died while held" :
							       "is not in this hold");
	if (!hf_task_is_held((enum hf_task_state)t->state))
		return hf_fail(err, EAGAIN, HF_STAGE_HOLD, tid,
			       "thread %d is armed, not stopped: it has no registers to read", tid);
	r = hf_sys_getregset(tid, type, buf, size);
	if (r < 0)
		return hf_fail(err, -r, HF_STAGE_HOLD, tid,
			       "cannot read register set %d of thread %d: %s", type, tid, strerror(-r));
	return 0;
}

HF_API int hf_hold_registers(hf_hold *hold, pid_t tid, int type, void *buf, size_t *size,
			     struct hf_error *err)
{
	int r = hf_hold_check_tracer(hold, err);

	return r < 0 ? r : read_registers(hold, tid, type, buf, size, err);
}

int hf_hold_regs(hf_hold *hold, pid_t tid, struct hf_regs *ret, struct hf_error *err)
{
	unsigned char set[HF_REGS_SIZE_MAX];
	size_t size = sizeof(set);
	int r = read_registers(hold, tid, NT_PRSTATUS, set, &size, err);

	if (r == 0 && hf_regs_decode(set, size, ret) < 0)
		return hf_fail(err, EBADMSG, HF_STAGE_HOLD, tid,
			       "thread %d has registers of an unknown kind: %zu bytes", tid, size);
	return r;
}

enum hf_restart hf_hold_restart_of(const hf_hold *hold, const struct hf_task *t,
				   const struct hf_regs *regs)
{
	enum hf_restart verdict;
	uint64_t first;

	if (t->state != HF_TASK_HELD)
		return HF_RESTART_NONE;
	verdict = hf_restart_judge(t->tid, t->tgid, regs, hf_clock_ns() - hold->held_ns, &first);
	return verdict != HF_RESTART_NONE && hold->opts.no_restart ? HF_RESTART_LEFT : verdict;
}

bool hf_hold_found_frozen(const struct hf_hold *hold, const struct hf_task *t)
{
	return t->level < hold->freezer.n_levels && hold->freezer.levels[t->level].frozen_found;
}

void hf_hold_note_comm(struct hf_hold *hold, const struct hf_task *t, const char *comm)
{
	size_t i = (size_t)(t - hold->set.tasks);

	if (i >= hold->n_comms) {
		char (*more)[HF_THREAD_COMM] = reallocarray(hold->comms, hold->set.cap, sizeof(*more));

		if (!more)
			return;
		memset(more + hold->n_comms, 0, (hold->set.cap - hold->n_comms) * sizeof(*more));
		hold->comms = more;
		hold->n_comms = hold->set.cap;
	}
	snprintf(hold->comms[i], HF_THREAD_COMM, "%s", comm);
}

const char *hf_hold_comm(const hf_hold *hold, const struct hf_task *t)
{
	size_t i = (size_t)(t - hold->set.tasks);

	return i < hold->n_comms && hold->comms[i][0] ? hold->comms[i] : NULL;
}

/* ---- For pstree/ ----------------------------------------------------------------------------------------- */

const struct hf_task_set *hf_hold_tasks(const hf_hold *hold)
{
	return &hold->set;
}

void hf_hold_dead_man(hf_hold *hold, uint64_t at_ns)
{
	hf_guard_dead_man(&hold->guard, at_ns);
}

static int compare_pids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

size_t hf_hold_count_processes(const hf_hold *hold)
{
	const struct hf_task_set *set = &hold->set;
	hf_owned pid_t *tgids = calloc(set->n + 1, sizeof(*tgids));
	size_t i, n = 0, distinct = 0;

	if (!tgids)
		return 0;
	for (i = 0; i < set->n; i++)
		if (hf_task_is_ours((enum hf_task_state)set->tasks[i].state))
			tgids[n++] = set->tasks[i].tgid;
	qsort(tgids, n, sizeof(*tgids), compare_pids);
	for (i = 0; i < n; i++)
		distinct += i == 0 || tgids[i] != tgids[i - 1];
	return distinct;
}

size_t hf_hold_regroup(hf_hold *hold)
{
	return hf_split_regroup(&hold->set);
}

const char *hf_hold_level_path(const hf_hold *hold, uint16_t level)
{
	return level < hold->n_level_paths ? hold->level_paths[level] : NULL;
}

bool hf_hold_level_found_frozen(const hf_hold *hold, uint16_t level)
{
	return level < hold->n_level_paths && hold->freezer.levels[level].frozen_found;
}

void hf_hold_note_collect(hf_hold *hold, uint64_t us)
{
	hold->info.timing_us.collect = us;
}
