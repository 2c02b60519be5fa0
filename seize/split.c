/* SPDX-License-Identifier: MIT */
/*
 * split - see split.h.
 */
#include "split.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "own.h"
#include "procfs.h"

bool hf_split_possible(const struct hf_freezer *f)
{
	size_t i;

	for (i = 0; i < f->n_levels; i++)
		if (f->levels[i].threaded)
			return true;
	return false;
}

/* How many threads of each process we know: a set by tgid, counted in `other`. */
static int count_threads(const struct hf_task_set *set, struct hf_task_set *processes)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		const struct hf_task *t = &set->tasks[i];
		struct hf_task *p;

		/* One that had no other thread can have got one only by making it, beside itself. */
		if (!t->many || !t->tgid || t->state == HF_TASK_GONE || t->state == HF_TASK_DIED)
			continue;
		p = hf_task_set_find(processes, t->tgid);
		if (!p)
			p = hf_task_set_add(processes, t->tgid);
		if (!p)
			return -ENOMEM;
		p->other++;
	}
	return 0;
}

int hf_split_each(const struct hf_task_set *set, int (*fn)(pid_t tgid, void *data), void *data)
{
	struct hf_task_set processes __attribute__((cleanup(hf_task_set_done))) = { 0 };
	char path[64];
	struct stat st;
	size_t i;
	int r = count_threads(set, &processes);

	for (i = 0; r >= 0 && i < processes.n; i++) {
		const struct hf_task *p = &processes.tasks[i];

		/* The link count of /proc/PID/task is two and its number of threads: cheaper than a list. */
		snprintf(path, sizeof(path), "/proc/%d/task", p->tid);
		if (stat(path, &st) == 0 && st.st_nlink != (nlink_t)p->other + 2)
			r = fn(p->tid, data);
	}
	return r < 0 ? r : 0;
}

/* A process that has the number of the one that was looked at. */
static bool is_another(const struct hf_task *t)
{
	struct hf_stat st;

	return t->start && hf_tid_stat(t->tid, &st) == 0 && st.start_time_ticks != t->start;
}

size_t hf_split_regroup(struct hf_task_set *set)
{
	struct hf_status st;
	size_t i, n = 0;

	for (i = 0; i < set->n; i++) {
		struct hf_task *t = &set->tasks[i];

		if (!hf_task_is_ours((enum hf_task_state)t->state) || hf_tid_status(t->tid, &st) < 0 ||
		    (st.tgid == t->tgid && !is_another(t)))
			continue;
		t->tgid = st.tgid;
		t->found = '?';
		t->start = 0;
		n++;
	}
	return n;
}

int hf_split_threads(pid_t tgid, struct hf_buf *buf, bool *ret_complete)
{
	hf_owned_dir DIR *dir = NULL;
	char path[64];
	struct dirent *e;
	struct stat st;
	int r = 0;

	buf->len = 0;
	*ret_complete = true;
	snprintf(path, sizeof(path), "/proc/%d/task", tgid);
	dir = opendir(path);
	if (!dir)
		return hf_is_gone(-errno) ? 0 : -errno;
	while (r == 0 && (errno = 0, e = readdir(dir))) {
		pid_t tid = (pid_t)strtol(e->d_name, NULL, 10);

		if (tid > 0)
			r = hf_buf_add(buf, &tid, sizeof(tid));
	}
	if (r == 0 && errno && !hf_is_gone(-errno))
		r = -errno;
	if (fstat(dirfd(dir), &st) == 0)
		*ret_complete = buf->len / sizeof(pid_t) + 2 >= st.st_nlink;
	return r;
}
