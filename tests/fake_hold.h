/* SPDX-License-Identifier: MIT */
/*
 * fake_hold - a hold as pstree/ sees it (seize/hold.h), put together by hand, so that collecting and
 * printing are tested without a freezer.  What hold.h declares is defined here, for the one
 * file that includes this; the linker then leaves the real one in its archive.  Registers are read for
 * real: a test that wants them seizes its victim itself.
 */
#ifndef HF_TESTS_FAKE_HOLD_H
#define HF_TESTS_FAKE_HOLD_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "err.h"
#include "hold.h"
#include "restart.h"
#include "split.h"
#include "suite.h"
#include "sys.h"

#define FAKE_LEVELS_MAX 8

struct hf_hold {
	struct hf_task_set set;
	struct hf_hold_info info;
	const char *paths[FAKE_LEVELS_MAX];
	bool frozen[FAKE_LEVELS_MAX];
	unsigned int noted;
};

/* Version 2, thawed, no levels, no threads. */
static inline hf_hold *fake_hold_new(void)
{
	hf_hold *hold = calloc(1, sizeof(*hold));

	ck_assert_ptr_nonnull(hold);
	hold->info.kind = HF_TARGET_CGROUP;
	hold->info.target = "cgroup /sys/fs/cgroup/fake";
	hold->info.path = "/sys/fs/cgroup/fake";
	hold->info.version = 2;
	return hold;
}

static inline void fake_hold_free(hf_hold *hold)
{
	if (!hold)
		return;
	free(hold->set.tasks);
	free(hold);
}

/* Index of a new level, whose path is lent. */
static inline uint16_t fake_hold_add_level(hf_hold *hold, const char *path, bool found_frozen)
{
	unsigned int level = hold->info.levels++;

	ck_assert_uint_lt(level, FAKE_LEVELS_MAX);
	hold->paths[level] = path;
	hold->frozen[level] = found_frozen;
	return (uint16_t)level;
}

/* In the first level, or outside where there is none.  Good until the next one is added. */
static inline struct hf_task *fake_hold_add(hf_hold *hold, pid_t tid, pid_t tgid,
					    enum hf_task_state state, char found)
{
	struct hf_task_set *set = &hold->set;
	struct hf_task *task;

	task = reallocarray(set->tasks, set->n + 1, sizeof(*task));
	ck_assert_ptr_nonnull(task);
	set->tasks = task;
	task += set->n++;
	*task = (struct hf_task){
		.tid = tid, .tgid = tgid, .state = (uint8_t)state, .found = found,
		.level = hold->info.levels ? 0 : HF_LEVEL_OUTSIDE,
		.vfork = state == HF_TASK_ARMED,
	};
	return task;
}

static inline struct hf_hold_info *fake_hold_info(hf_hold *hold)
{
	return &hold->info;
}

/* How often hf_hold_note_collect() was called. */
static inline unsigned int fake_hold_noted(const hf_hold *hold)
{
	return hold->noted;
}

/* ---- seize/hold.h ------------------------------------------------------------------------ */

const struct hf_task_set *hf_hold_tasks(const hf_hold *hold)
{
	return &hold->set;
}

size_t hf_hold_regroup(hf_hold *hold)
{
	return hf_split_regroup(&hold->set);
}

const char *hf_hold_level_path(const hf_hold *hold, uint16_t level)
{
	return level < hold->info.levels ? hold->paths[level] : NULL;
}

bool hf_hold_level_found_frozen(const hf_hold *hold, uint16_t level)
{
	return level < hold->info.levels && hold->frozen[level];
}

int hf_hold_check_tracer(const hf_hold *hold, struct hf_error *err)
{
	(void)hold;
	(void)err;
	return 0;
}

void hf_hold_note_collect(hf_hold *hold, uint64_t us)
{
	hold->info.timing_us.collect = us;
	hold->noted++;
}

const struct hf_hold_info *hf_hold_info(hf_hold *hold)
{
	return &hold->info;
}

int hf_hold_registers(hf_hold *hold, pid_t tid, int type, void *buf, size_t *size,
		      struct hf_error *err)
{
	int r = hf_sys_getregset(tid, type, buf, size);

	(void)hold;
	return r < 0 ? hf_fail(err, -r, HF_STAGE_HOLD, tid, "no registers") : 0;
}

int hf_hold_regs(hf_hold *hold, pid_t tid, struct hf_regs *ret, struct hf_error *err)
{
	int r = hf_regs_read(tid, ret);

	(void)hold;
	return r < 0 ? hf_fail(err, -r, HF_STAGE_HOLD, tid, "no registers") : 0;
}

enum hf_restart hf_hold_restart_of(const hf_hold *hold, const struct hf_task *t,
				   const struct hf_regs *regs)
{
	uint64_t first;

	(void)hold;
	return t->state == HF_TASK_HELD ? hf_restart_judge(t->tid, t->tgid, regs, 0, &first) :
					  HF_RESTART_NONE;
}

#endif
