/* SPDX-License-Identifier: MIT */
/*
 * roster - see roster.h.  What the three kinds of targets share.
 */
#include "roster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "hold_state.h"
#include "procfs.h"
#include "split.h"

#define EXCEPTS_MAX 1024u
#define PIDS_MAX 4096u

/* ---- What the caller says ------------------------------------------------------------------------ */

/* "process 12", "processes 12, 13 and 2 more" */
static char *name_pids(const pid_t *pids, size_t n)
{
	char text[160];
	size_t i, used = (size_t)snprintf(text, sizeof(text), n == 1 ? "process " : "processes ");

	for (i = 0; i < n && i < 8; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%d", i ? ", " : "", pids[i]);
	if (n > i)
		snprintf(text + used, sizeof(text) - used, " and %zu more", n - i);
	return strdup(text);
}

static int take_pids(struct hf_roster *r, const struct hf_target *target, struct hf_error *err)
{
	size_t i;

	if (!target->pids || target->n_pids == 0)
		return hf_fail(err, EINVAL, HF_STAGE_NONE, 0, "no process was named");
	if (target->n_pids > PIDS_MAX)
		return hf_fail(err, EINVAL, HF_STAGE_NONE, 0, "%zu processes were named; %u are the most",
			       target->n_pids, PIDS_MAX);
	for (i = 0; i < target->n_pids; i++)
		if (target->pids[i] <= 0)
			return hf_fail(err, EINVAL, HF_STAGE_NONE, target->pids[i], "%d is no process",
				       target->pids[i]);
	r->pids = calloc(target->n_pids, sizeof(*r->pids));
	r->start_times = calloc(target->n_pids, sizeof(*r->start_times));
	r->name = name_pids(target->pids, target->n_pids);
	if (!r->pids || !r->start_times || !r->name)
		return hf_fail(err, ENOMEM, HF_STAGE_NONE, 0, "out of memory");
	memcpy(r->pids, target->pids, target->n_pids * sizeof(*r->pids));
	r->n_pids = target->n_pids;
	return 0;
}

static int take_except(struct hf_left_out *to, const struct hf_except *from, struct hf_error *err)
{
	to->pid = from->pid;
	to->comm = from->comm ? strdup(from->comm) : NULL;
	to->cgroup = from->cgroup ? strdup(from->cgroup) : NULL;
	/* The kernel keeps no more of it. */
	if (to->comm && strlen(to->comm) >= HF_THREAD_COMM)
		to->comm[HF_THREAD_COMM - 1] = '\0';
	if ((from->comm && !to->comm) || (from->cgroup && !to->cgroup))
		return hf_fail(err, ENOMEM, HF_STAGE_NONE, 0, "out of memory");
	if (from->pid < 0 || !!from->pid + !!from->comm + !!from->cgroup != 1)
		return hf_fail(err, EINVAL, HF_STAGE_NONE, 0,
			       "who is left out is told by a pid, or a name, or a cgroup");
	return 0;
}

static int take_excepts(struct hf_roster *r, const struct hf_target *target, struct hf_error *err)
{
	int result = 0;

	r->name = strdup("this machine");
	if (target->n_excepts > EXCEPTS_MAX)
		return hf_fail(err, EINVAL, HF_STAGE_NONE, 0, "%zu exceptions; %u are the most",
			       target->n_excepts, EXCEPTS_MAX);
	r->left_out = calloc(target->n_excepts + 1, sizeof(*r->left_out));
	if (!r->name || !r->left_out)
		return hf_fail(err, ENOMEM, HF_STAGE_NONE, 0, "out of memory");
	for (; result == 0 && r->n_left_out < target->n_excepts; r->n_left_out++)
		result = take_except(&r->left_out[r->n_left_out], &target->excepts[r->n_left_out], err);
	return result;
}

int hf_roster_init(struct hf_roster *r, const struct hf_target *target, struct hf_error *err)
{
	*r = (struct hf_roster){ .kind = target->kind, .births = HF_BIRTHS_INIT };
	switch (target->kind) {
	case HF_TARGET_CGROUP:
		if (!target->path || !target->path[0])
			return hf_fail(err, EINVAL, HF_STAGE_NONE, 0, "no cgroup was named");
		return 0;	/* it has its name when it has been found */
	case HF_TARGET_PROCESSES:
		return take_pids(r, target, err);
	case HF_TARGET_MACHINE:
		return take_excepts(r, target, err);
	}
	return hf_fail(err, EINVAL, HF_STAGE_NONE, 0, "there is no target of kind %d", target->kind);
}

void hf_roster_done(struct hf_roster *r)
{
	size_t i;

	for (i = 0; i < r->n_left_out; i++) {
		free(r->left_out[i].comm);
		free(r->left_out[i].cgroup);
	}
	free(r->left_out);
	free(r->name);
	free(r->pids);
	free(r->start_times);
	hf_task_set_done(&r->processes);
	hf_births_end(&r->births);
	hf_buf_done(&r->queue);
	hf_buf_done(&r->tids);
	hf_buf_done(&r->text);
	*r = (struct hf_roster){ .births = HF_BIRTHS_INIT };
}

/* ---- Passes --------------------------------------------------------------------------------------- */

int hf_roster_begin(struct hf_hold *hold, struct hf_error *err)
{
	switch (hold->roster.kind) {
	case HF_TARGET_CGROUP:
		return hf_freezer_refuse_ourselves(&hold->freezer, hold->asker, err);
	case HF_TARGET_PROCESSES:
		return hf_roster_begin_family(hold, err);
	case HF_TARGET_MACHINE:
		return hf_roster_begin_machine(hold, err);
	}
	return 0;
}

int hf_roster_each(struct hf_hold *hold, struct hf_roster_pass *pass, struct hf_error *err)
{
	if (++hold->pass == 0)
		hold->pass = 1;
	switch (hold->roster.kind) {
	case HF_TARGET_CGROUP:
		return hf_roster_each_cgroup(hold, pass, err);
	case HF_TARGET_PROCESSES:
		return hf_roster_each_family(hold, pass, err);
	case HF_TARGET_MACHINE:
		return hf_roster_each_machine(hold, pass, err);
	}
	return 0;
}

int hf_roster_read_threads(struct hf_hold *hold, pid_t pid, struct hf_roster_pass *pass,
			   struct hf_error *err)
{
	bool complete;
	int r = hf_split_threads(pid, &hold->roster.tids, &complete);

	if (r < 0)
		return hf_fail(err, -r, pass->stage, pid, "cannot list the threads of process %d: %s", pid,
			       strerror(-r));
	pass->unsure |= !complete;
	return 0;
}

int hf_roster_meet_threads(struct hf_hold *hold, uint16_t level, struct hf_roster_pass *pass,
			   struct hf_error *err)
{
	const struct hf_buf *tids = &hold->roster.tids;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < tids->len / sizeof(pid_t); i++)
		r = pass->fn(hold, ((const pid_t *)(const void *)tids->data)[i], level, pass->data, err);
	return r;
}

bool hf_roster_has(const struct hf_hold *hold, pid_t tid)
{
	struct hf_status st;
	const struct hf_task *p;

	if (hold->roster.kind == HF_TARGET_CGROUP)
		return hf_look_is_inside(&hold->freezer, tid);
	if (hf_tid_status(tid, &st) < 0)
		return false;
	p = hf_task_set_find(&hold->roster.processes, st.tgid);
	if (hold->roster.kind == HF_TARGET_MACHINE)
		return !p || !p->mark;
	return p && (p->mark || p->pass == hold->pass);
}

void hf_roster_adopt(struct hf_hold *hold, pid_t pid)
{
	struct hf_task *p;

	if (hold->roster.kind != HF_TARGET_PROCESSES || pid <= 0)
		return;
	p = hf_task_set_find(&hold->roster.processes, pid);
	if (!p)
		p = hf_task_set_add(&hold->roster.processes, pid);
	/* Short of memory it is found by its parent's list, or by the births. */
	if (p)
		p->mark = 1;
}
