/* SPDX-License-Identifier: MIT */
/*
 * kin - see kin.h.
 */
#include "kin.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "explain.h"
#include "procfs.h"
#include "sys.h"

int hf_kin_find(struct hf_kin *k, const struct hf_kin *asker, struct hf_error *err)
{
	struct hf_stat st;
	pid_t pid = getpid();
	int r = hf_proc_is_ours();

	k->of[0] = (struct hf_kinsman){ .pid = pid };
	k->n = 1;
	k->tid = hf_sys_gettid();
	k->asker = asker;
	if (r < 0)
		return hf_fail(err, -r, HF_STAGE_LOOK, 0, "/proc is not to be had: %s (mount -t proc proc /proc)",
			       r == -EXDEV ? "it shows another PID namespace than ours; mount our own there" :
					     strerror(-r));
	for (k->n = 0; pid > 0 && k->n < HF_KIN_MAX; pid = st.ppid) {
		k->of[k->n++] = (struct hf_kinsman){ .pid = pid };
		if (hf_tid_stat(pid, &st) < 0)
			break;
		k->of[k->n - 1].start = st.start_time_ticks;
	}
	return 0;
}

static bool has(const struct hf_kin *k, pid_t pid)
{
	size_t i;

	for (; k; k = k->asker)
		for (i = 0; i < k->n; i++)
			if (k->of[i].pid == pid)
				return true;
	return false;
}

/* Signal 0 to a thread of a group succeeds for its threads alone (tgkill(2)). */
static bool is_of(const struct hf_kin *k, bool split, pid_t tid)
{
	return tid == k->tid || tid == k->of[0].pid || (split && hf_sys_tgkill(k->of[0].pid, tid, 0) == 0);
}

int hf_kin_refuse(const struct hf_kin *k, const char *where, bool split, pid_t tid, struct hf_error *err)
{
	const struct hf_kin *each;
	char who[128];

	for (each = k; each; each = each->asker)
		if (is_of(each, split, tid))
			return hf_fail(err, EBUSY, HF_STAGE_LOOK, tid,
				       "%s contains the holder itself, process %d: it would stop itself", where,
				       each->of[0].pid);
	if (!has(k, tid))
		return 0;
	hf_explain_who(tid, who, sizeof(who));
	return hf_fail(err, EBUSY, HF_STAGE_LOOK, tid,
		       "%s contains process %s, an ancestor of the holder: nobody could let it go", where,
		       who);
}
