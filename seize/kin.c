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
#include "split.h"
#include "sys.h"

/* A thread of a process whose first one has ended; that one if there is none. */
static pid_t survivor_of(pid_t pid)
{
	struct hf_buf tids __attribute__((cleanup(hf_buf_done))) = { 0 };
	bool complete;
	char letter;
	size_t i;

	if (hf_split_threads(pid, &tids, &complete) < 0)
		return pid;
	for (i = 0; i < tids.len / sizeof(pid_t); i++) {
		pid_t tid = ((const pid_t *)(const void *)tids.data)[i];

		if (hf_thread_state(pid, tid, &letter) == 0 && letter != 'Z' && letter != 'X')
			return tid;
	}
	return pid;
}

int hf_kin_find(struct hf_kin *k, const struct hf_kin *asker, struct hf_error *err)
{
	struct hf_stat st;
	pid_t pid = getpid();
	int r = hf_proc_is_ours();

	k->of[0] = (struct hf_kinsman){ .pid = pid, .alive = hf_sys_gettid() };
	k->n = 1;
	k->asker = asker;
	if (r < 0)
		return hf_fail(err, -r, HF_STAGE_LOOK, 0, "/proc is not to be had: %s (mount -t proc proc /proc)",
			       r == -EXDEV ? "it shows another PID namespace than ours; mount our own there" :
					     strerror(-r));
	for (k->n = 0; pid > 0 && k->n < HF_KIN_MAX; pid = st.ppid) {
		struct hf_kinsman *kinsman = &k->of[k->n++];

		*kinsman = (struct hf_kinsman){ .pid = pid, .alive = k->n == 1 ? hf_sys_gettid() : pid };
		if (hf_tid_stat(pid, &st) < 0)
			break;
		kinsman->start = st.start_time_ticks;
		if (k->n > 1 && st.state == 'Z')
			kinsman->alive = survivor_of(pid);
	}
	return 0;
}

static bool has(const struct hf_kin *k, pid_t tid)
{
	size_t i;

	for (; k; k = k->asker)
		for (i = 0; i < k->n; i++)
			if (k->of[i].pid == tid || k->of[i].alive == tid)
				return true;
	return false;
}

/* Signal 0 to a thread of a group succeeds for its threads alone (tgkill(2)). */
static bool is_of(const struct hf_kin *k, bool split, pid_t tid)
{
	return tid == k->of[0].pid || tid == k->of[0].alive || (split && hf_sys_tgkill(k->of[0].pid, tid, 0) == 0);
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
