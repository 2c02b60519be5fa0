/* SPDX-License-Identifier: MIT */
/*
 * target - see target.h.
 */
#include "target.h"

#include <stdio.h>

int hf_target_of(const struct hf_cmd *cmd, const struct hf_args *args, struct hf_target *ret)
{
	(void)cmd;
	*ret = (struct hf_target)HF_TARGET_INIT;
	ret->kind = args->kind;
	ret->path = args->operand;
	ret->pids = args->pids;
	ret->n_pids = args->n_pids;
	ret->excepts = args->excepts;
	ret->n_excepts = args->n_excepts;
	return HF_EXIT_DONE;
}

const char *hf_target_shown(const struct hf_args *args, char buf[HF_TARGET_SHOWN_MAX])
{
	switch (args->kind) {
	case HF_TARGET_PROCESSES:
		snprintf(buf, HF_TARGET_SHOWN_MAX, args->n_pids > 1 ? "%d+%zu" : "%d", (int)args->pids[0],
			 args->n_pids - 1);
		return buf;
	case HF_TARGET_MACHINE:
		return "all";
	case HF_TARGET_CGROUP:
		break;
	}
	return args->operand;
}
