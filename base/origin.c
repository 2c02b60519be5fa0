/* SPDX-License-Identifier: MIT */
/*
 * origin - see origin.h.
 */
#include "origin.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "io.h"
#include "procfs.h"

/* Of the thread, which may have left its process's mount and cgroup namespaces (setns(2)). */
static uint64_t namespace(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_ino : 0;
}

void hf_origin_here(struct hf_origin *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (hf_read_small_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", ret->boot, sizeof(ret->boot)) < 0)
		ret->boot[0] = '\0';
	ret->boot[strcspn(ret->boot, "\n")] = '\0';
	ret->pid_ns = namespace("/proc/thread-self/ns/pid");
	ret->mnt_ns = namespace("/proc/thread-self/ns/mnt");
	ret->cgroup_ns = namespace("/proc/thread-self/ns/cgroup");
}

bool hf_origin_same_boot(const struct hf_origin *a, const struct hf_origin *b)
{
	/* Not to be told where /proc/sys is not there: no reason to take what was left for gone. */
	if (!a->boot[0] || !b->boot[0])
		return true;
	return !strncmp(a->boot, b->boot, sizeof(a->boot));
}

bool hf_origin_same_pids(const struct hf_origin *a, const struct hf_origin *b)
{
	return a->pid_ns == b->pid_ns;
}

bool hf_origin_same_paths(const struct hf_origin *a, const struct hf_origin *b)
{
	return a->mnt_ns == b->mnt_ns && a->cgroup_ns == b->cgroup_ns;
}

struct hf_process_id hf_process_id_of(int32_t pid)
{
	struct hf_process_id p = { 0 };
	struct hf_stat st;

	if (hf_tid_stat(pid, &st) == 0) {
		p.pid = pid;
		p.start_ticks = st.start_time_ticks;
	}
	return p;
}

bool hf_process_lives(const struct hf_process_id *p)
{
	struct hf_stat st;

	if (p->pid <= 0 || hf_tid_stat(p->pid, &st) < 0 || st.start_time_ticks != p->start_ticks)
		return false;
	return (st.state != 'Z' && st.state != 'X') || st.n_threads > 1;
}
