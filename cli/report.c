/* SPDX-License-Identifier: MIT */
/*
 * report - see report.h.
 */
#include "report.h"

#include <stdio.h>

#include "out.h"

/* A hold that is looked for by its keeper. */
struct search {
	pid_t keeper;
	char *name;
};

static int is_kept_by(const char *name, void *data)
{
	struct search *s = data;
	hf_keeper *keeper = NULL;
	bool found;

	if (hf_keeper_open(name, &keeper, NULL) < 0)
		return 0;
	found = hf_keeper_pid(keeper) == s->keeper;
	hf_keeper_close(keeper);
	if (found)
		snprintf(s->name, HF_KEEPER_NAME_MAX + 1, "%s", name);
	return found;
}

bool hf_kept_by(pid_t tid, char name[HF_KEEPER_NAME_MAX + 1])
{
	struct search s = { tid, name };

	return tid > 0 && hf_keeper_list(is_kept_by, &s, NULL) > 0;
}

int hf_report(const char *cmd, const struct hf_error *err)
{
	char name[HF_KEEPER_NAME_MAX + 1];

	hf_say(cmd, "%s", err->text);
	if (err->note[0])
		hf_say(NULL, "%s", err->note);
	if (hf_kept_by(err->by, name))
		hf_say(NULL, "%d keeps hold %s: 'holdfast show %s' and 'holdfast stack -H %s' look at it, 'holdfast release %s' ends it",
		       (int)err->by, name, name, name, name);
	return err->undo == HF_UNDO_FAILED ? HF_EXIT_NOT_UNDONE : HF_EXIT_FAILED;
}
