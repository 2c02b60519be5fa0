/* SPDX-License-Identifier: MIT */
/*
 * roster_machine - every process of this machine, or of the PID namespace whose /proc this is, but for PID 1, ourselves
 * and who asks us with all ancestors, our guard, kernel threads, and whoever the caller leaves out.
 *
 * Parents are met before their children, as far as start times tell.
 */
#include "roster.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "hold_state.h"
#include "kin.h"
#include "own.h"
#include "procfs.h"

/* ---- Who is left out ------------------------------------------------------------------------------- */

/* Whether a process of that number, or name, is there. */
static int find_process(const struct hf_left_out *e, struct hf_error *err)
{
	hf_owned_dir DIR *dir = e->comm ? opendir("/proc") : NULL;
	const struct dirent *entry;
	struct hf_stat st;

	if (e->pid)
		return hf_tid_stat(e->pid, &st) == 0 ? 0 :
		       hf_fail(err, ESRCH, HF_STAGE_LOOK, e->pid, "cannot leave out process %d: there is none", (int)e->pid);
	while (dir && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]) && hf_tid_stat((pid_t)strtol(entry->d_name, NULL, 10), &st) == 0 &&
		    !strcmp(e->comm, st.comm))
			return 0;
	return hf_fail(err, ESRCH, HF_STAGE_LOOK, 0, "cannot leave out '%s': no process is called that", e->comm);
}

static int find_cgroup(struct hf_left_out *e, struct hf_error *err)
{
	struct hf_freezer f __attribute__((cleanup(hf_freezer_done))) = HF_FREEZER_INIT;
	struct hf_error own = HF_ERROR_INIT;
	char within[PATH_MAX], *path;
	int r;

	snprintf(within, sizeof(within), "/%s", e->cgroup + strspn(e->cgroup, "/"));
	/* The root is everybody's. */
	if (!within[1])
		return 0;
	/* As /proc/PID/cgroup has it, or else as a directory. */
	if (hf_freezer_open_within(&f, 2, within) < 0 && hf_freezer_open_within(&f, 1, within) < 0) {
		r = hf_freezer_open(&f, e->cgroup, &own);
		if (r == 0 && f.mount_len == 0)
			r = hf_fail(&own, EINVAL, HF_STAGE_LOOK, 0, "%s is not below where cgroups are mounted", f.path);
		if (r < 0)
			return hf_fail(err, -r, HF_STAGE_LOOK, 0, "cannot leave out who is in %s: %s", e->cgroup, own.text);
		e->version = f.version;
	}
	path = strdup(f.within);
	if (!path)
		return hf_fail(err, ENOMEM, HF_STAGE_LOOK, 0, "out of memory");
	free(e->cgroup);
	e->cgroup = path;
	return 0;
}

/* Known once: of each its age, too, for who asked ends before the hold, and his pid becomes another's. */
static int leave_out_kin(struct hf_roster *ro, const struct hf_kin *kin)
{
	struct hf_task *p;
	size_t i;

	for (; kin; kin = kin->asker)
		for (i = 0; i < kin->n; i++) {
			p = hf_task_set_find(&ro->processes, kin->of[i].pid);
			if (!p)
				p = hf_task_set_add(&ro->processes, kin->of[i].pid);
			if (!p)
				return -ENOMEM;
			p->start = kin->of[i].start;
			p->mark = 1;
		}
	return 0;
}

int hf_roster_begin_machine(struct hf_hold *hold, struct hf_error *err)
{
	struct hf_kin kin;
	size_t i;
	int r = hf_kin_find(&kin, hold->asker, err);

	/* A word that means nobody would leave nobody out, and nobody would notice. */
	for (i = 0; r == 0 && i < hold->roster.n_left_out; i++) {
		struct hf_left_out *e = &hold->roster.left_out[i];

		r = e->cgroup ? find_cgroup(e, err) : find_process(e, err);
	}
	if (r == 0 && leave_out_kin(&hold->roster, &kin) < 0)
		r = hf_fail(err, ENOMEM, HF_STAGE_LOOK, 0, "out of memory");
	return r;
}

static bool is_below(const char *path, size_t len, const char *top)
{
	size_t top_len = strlen(top);

	while (top_len && top[top_len - 1] == '/')
		top_len--;
	return len >= top_len && !memcmp(path, top, top_len) && (len == top_len || path[top_len] == '/');
}

static bool is_in_cgroup(struct hf_roster *ro, pid_t pid, const struct hf_left_out *e)
{
	const char *path;
	char name[64];
	size_t len;
	int version;

	snprintf(name, sizeof(name), "/proc/%d/cgroup", pid);
	if (hf_read_at(AT_FDCWD, name, &ro->text) < 0)
		return false;
	for (version = 1; version <= 2; version++)
		if ((!e->version || e->version == version) &&
		    hf_proc_cgroup_find(ro->text.data, ro->text.len, version, &path, &len) == 0 &&
		    is_below(path, len, e->cgroup))
			return true;
	return false;
}

static bool is_excepted(struct hf_roster *ro, const struct hf_stat *st)
{
	size_t i;

	for (i = 0; i < ro->n_left_out; i++) {
		const struct hf_left_out *e = &ro->left_out[i];

		if ((e->pid && e->pid == st->pid) || (e->comm && !strcmp(e->comm, st->comm)) ||
		    (e->cgroup && is_in_cgroup(ro, st->pid, e)))
			return true;
	}
	return false;
}

static bool is_kin(const struct hf_roster *ro, const struct hf_stat *st)
{
	struct hf_task *known = hf_task_set_find(&ro->processes, st->pid);

	if (known && known->start && known->start != st->start_time_ticks)
		known->mark = 0;
	return known && known->mark;
}

/* Anew in each pass: a pid that comes round is somebody else, and an exec gives another name. */
static bool is_left_out(struct hf_hold *hold, const struct hf_stat *st)
{
	if (is_kin(&hold->roster, st))
		return true;
	return st->pid == 1 || (st->flags & HF_PF_KTHREAD) || st->pid == hold->guard.pid ||
	       is_excepted(&hold->roster, st);
}

/* ---- A pass ----------------------------------------------------------------------------------------- */

struct found {
	uint64_t start_time_ticks;
	pid_t pid;
};

static int by_age(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->start_time_ticks != y->start_time_ticks)
		return x->start_time_ticks < y->start_time_ticks ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

static int find_one(struct hf_hold *hold, pid_t pid, bool *unsure)
{
	struct hf_roster *ro = &hold->roster;
	struct found found = { .pid = pid };
	struct hf_stat st;
	int r;

	r = hf_tid_stat(pid, &st);
	if (hf_is_gone(r)) {
		*unsure = true;
		return 0;
	}
	if (r < 0)
		return r;
	if (is_left_out(hold, &st))
		return 0;
	found.start_time_ticks = st.start_time_ticks;
	return hf_buf_add(&ro->queue, &found, sizeof(found));
}

static int find_all(struct hf_hold *hold, bool *unsure)
{
	hf_owned_dir DIR *dir = opendir("/proc");
	const struct dirent *e;
	int r = 0;

	if (!dir)
		return -errno;
	while (r == 0 && (errno = 0, e = readdir(dir)))
		if (isdigit((unsigned char)e->d_name[0]))
			r = find_one(hold, (pid_t)strtol(e->d_name, NULL, 10), unsure);
	return r == 0 && errno ? -errno : r;
}

int hf_roster_each_machine(struct hf_hold *hold, struct hf_roster_pass *pass, struct hf_error *err)
{
	struct hf_roster *ro = &hold->roster;
	size_t i, n;
	int r;

	ro->queue.len = 0;
	r = find_all(hold, &pass->unsure);
	if (r < 0)
		return hf_fail(err, -r, pass->stage, 0, "cannot list the processes of this machine: %s",
			       strerror(-r));
	n = ro->queue.len / sizeof(struct found);
	if (n)
		qsort(ro->queue.data, n, sizeof(struct found), by_age);
	for (i = 0; r == 0 && i < n; i++) {
		r = hf_roster_read_threads(hold, ((const struct found *)(const void *)ro->queue.data)[i].pid,
					   pass, err);
		if (r == 0)
			r = hf_roster_meet_threads(hold, 0, pass, err);
	}
	return r;
}
