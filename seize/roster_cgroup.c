/* SPDX-License-Identifier: MIT */
/*
 * roster_cgroup - who is in a freezer cgroup and its descendants: the lists of threads of all levels, and where
 * single threads can be in a cgroup, the others of their processes.
 */
#include "roster.h"

#include <errno.h>
#include <string.h>

#include "cgroupfs.h"
#include "err.h"
#include "hold_state.h"
#include "procfs.h"
#include "split.h"

static int list_level(struct hf_hold *hold, uint16_t level, struct hf_roster_pass *pass,
		      struct hf_error *err)
{
	bool was_gone = hold->freezer.levels[level].gone;
	size_t pos = 0;
	pid_t tid;
	int r = hf_freezer_list(&hold->freezer, level, &hold->roster.text);

	if (hf_is_gone(r)) {
		pass->unsure |= !was_gone;
		return 0;
	}
	if (r < 0)
		return hf_fail(err, -r, pass->stage, 0, "cannot list the threads of cgroup %s: %s",
			       hold->freezer.path, strerror(-r));
	while ((r = hf_id_list_next(hold->roster.text.data, hold->roster.text.len, &pos, &tid)) > 0) {
		r = pass->fn(hold, tid, level, pass->data, err);
		if (r < 0)
			return r;
	}
	return r == 0 ? 0 : hf_fail(err, -r, pass->stage, 0,
				    "the list of threads of cgroup %s is not one of numbers",
				    hold->freezer.path);
}

int hf_roster_each_cgroup(struct hf_hold *hold, struct hf_roster_pass *pass, struct hf_error *err)
{
	size_t i, levels = hold->freezer.n_levels;
	int r = hf_freezer_rescan(&hold->freezer);

	if (r < 0)
		return hf_fail(err, -r, pass->stage, 0, "cannot read the levels of cgroup %s: %s",
			       hold->freezer.path, strerror(-r));
	pass->unsure |= hold->freezer.n_levels != levels;
	for (i = 0; r == 0 && i < hold->freezer.n_levels; i++)
		r = list_level(hold, (uint16_t)i, pass, err);
	return r;
}

struct outsiders {
	struct hf_hold *hold;
	struct hf_roster_pass *pass;
	struct hf_error *err;
};

static int list_outsiders(pid_t tgid, void *data)
{
	const struct outsiders *o = data;
	int r = hf_roster_read_threads(o->hold, tgid, o->pass, o->err);

	return r < 0 ? r : hf_roster_meet_threads(o->hold, HF_LEVEL_OUTSIDE, o->pass, o->err);
}

int hf_roster_outsiders(struct hf_hold *hold, struct hf_roster_pass *pass, struct hf_error *err)
{
	struct outsiders o = { hold, pass, err };
	int r;

	if (!hf_split_possible(&hold->freezer))
		return 0;
	r = hf_split_each(&hold->set, list_outsiders, &o);
	return r == -ENOMEM ? hf_fail(err, ENOMEM, pass->stage, 0, "out of memory") : r;
}
