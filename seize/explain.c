/* SPDX-License-Identifier: MIT */
/*
 * explain - see explain.h.
 */
#include "explain.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "own.h"
#include "procfs.h"
#include "sys.h"

void hf_explain_who(pid_t tid, char *buf, size_t cap)
{
	struct hf_status st;

	if (hf_tid_status(tid, &st) < 0)
		snprintf(buf, cap, "%d", tid);
	else if (st.tgid == tid)
		snprintf(buf, cap, "%d (%s)", tid, st.comm);
	else
		snprintf(buf, cap, "%d (%s) of process %d", tid, st.comm, st.tgid);
}

/* ---- EPERM ------------------------------------------------------------------------------- */

static bool have_cap_ptrace(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0, 0, 0 } };

	return syscall(SYS_capget, &head, data) == 0 &&
	       (data[0].effective & (1u << CAP_SYS_PTRACE)) != 0;
}

/* ptrace(2) of a pid that cannot exist says ESRCH, unless a filter answers before it is looked up. */
static bool filter_forbids_ptrace(void)
{
	return hf_sys_interrupt(0x7ffffff0) == -EPERM;
}

static int yama_scope(void)
{
	char text[16];

	if (hf_read_small_at(AT_FDCWD, "/proc/sys/kernel/yama/ptrace_scope", text,
			     sizeof(text)) <= 0)
		return 0;
	return atoi(text);
}

static bool same_user_namespace(pid_t tid)
{
	struct stat ours, theirs;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", tid);
	if (stat("/proc/thread-self/ns/user", &ours) < 0 || stat(path, &theirs) < 0)
		return true;	/* not known: do not claim it */
	return ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

static bool ids_match(const struct hf_status *st)
{
	uid_t uid = getuid();
	gid_t gid = getgid();

	/* PTRACE_MODE_REALCREDS: all of the target's ids against our real ones (ptrace(2)). */
	return st->uid == uid && st->euid == uid && st->suid == uid && st->gid == gid &&
	       st->egid == gid && st->sgid == gid;
}

static void explain_ids(const struct hf_status *st, pid_t tid, char *buf, size_t cap)
{
	int scope = yama_scope();

	if (!ids_match(st) && !have_cap_ptrace()) {
		snprintf(buf, cap,
			 "it runs as uid %u, gid %u and we as uid %u, gid %u without CAP_SYS_PTRACE; run as root or as that user",
			 st->euid, st->egid, getuid(), getgid());
		return;
	}
	if (!same_user_namespace(tid)) {
		snprintf(buf, cap,
			 "it is in another user namespace, in which we have no CAP_SYS_PTRACE; run as root of the machine");
		return;
	}
	if (scope > 0 && !have_cap_ptrace()) {
		snprintf(buf, cap,
			 "Yama forbids it: kernel.yama.ptrace_scope is %d; run as root%s", scope,
			 scope < 3 ? ", or set it to 0" : " after a reboot without it");
		return;
	}
	if (scope == 3) {
		snprintf(buf, cap,
			 "Yama forbids all tracing: kernel.yama.ptrace_scope is 3, and only a reboot changes that");
		return;
	}
	if (!have_cap_ptrace()) {
		snprintf(buf, cap,
			 "it is not dumpable (set-uid, or prctl PR_SET_DUMPABLE) and we have no CAP_SYS_PTRACE; run as root");
		return;
	}
	snprintf(buf, cap,
		 "a security module (SELinux, AppArmor, ...) or a user namespace forbids it; look into the audit log");
}

void hf_explain_eperm(pid_t tid, char *buf, size_t cap)
{
	struct hf_status st;
	struct hf_stat stat;
	char who[128];

	if (hf_tid_status(tid, &st) < 0)
		snprintf(buf, cap, "it is gone");
	else if (st.state == 'Z' || st.state == 'X')
		snprintf(buf, cap, "it is dead and not yet reaped");
	else if (hf_tid_stat(tid, &stat) == 0 && (stat.flags & HF_PF_KTHREAD))
		snprintf(buf, cap, "it is a kernel thread, which cannot be traced");
	else if (st.tracer != 0) {
		hf_explain_who(st.tracer, who, sizeof(who));
		snprintf(buf, cap, "it is traced by %s", who);
	} else if (st.tgid == getpid())
		snprintf(buf, cap, "it is a thread of our own process, which cannot trace itself");
	else if (filter_forbids_ptrace())
		snprintf(buf, cap,
			 "a seccomp filter of our own process forbids ptrace; run outside of this sandbox");
	else
		explain_ids(&st, tid, buf, cap);
}

/* ---- Sleeps ------------------------------------------------------------------------------ */

/* Kernel functions by the start of their name, and what a sleep there usually means. */
static const struct {
	const char *prefix;
	const char *meaning;
	enum hf_sleep sleep;
	bool deaf;		/* no freezer reaches it there, and no stop */
} sleeps[] = {
	{ "kernel_clone", "a vfork parent that waits for its child", HF_SLEEP_VFORK, false },
	{ "_do_fork", "a vfork parent that waits for its child", HF_SLEEP_VFORK, false },
	{ "wait_for_vfork_done", "a vfork parent that waits for its child", HF_SLEEP_VFORK, false },
	{ "begin_new_exec", "an exec that waits for its sibling threads to end", HF_SLEEP_EXEC, false },
	{ "de_thread", "an exec that waits for its sibling threads to end", HF_SLEEP_EXEC, false },
	{ "flush_old_exec", "an exec that waits for its sibling threads to end", HF_SLEEP_EXEC, false },
	{ "__refrigerator", "frozen by a v1 freezer cgroup", HF_SLEEP_OTHER, false },
	{ "nfs", "a network file system (NFS) whose server does not answer", HF_SLEEP_OTHER, false },
	{ "rpc_", "a network file system (NFS) whose server does not answer", HF_SLEEP_OTHER, false },
	{ "cifs", "a network file system (SMB) whose server does not answer", HF_SLEEP_OTHER, false },
	{ "fuse_", "a FUSE file system whose server does not answer; is the server in the same cgroup?", HF_SLEEP_OTHER, true },
	{ "request_wait_answer", "a FUSE file system whose server does not answer; is the server in the same cgroup?", HF_SLEEP_OTHER, true },
	{ "__sb_start_write", "a file system that is frozen (fsfreeze)", HF_SLEEP_OTHER, false },
	{ "sb_start_write", "a file system that is frozen (fsfreeze)", HF_SLEEP_OTHER, false },
	{ "percpu_rwsem_wait", "a lock held for long, often a file system that is frozen (fsfreeze)", HF_SLEEP_OTHER, false },
	{ "__percpu_down_read", "a lock held for long, often a file system that is frozen (fsfreeze)", HF_SLEEP_OTHER, false },
	{ "handle_userfault", "a page fault that a userfaultfd handler does not answer", HF_SLEEP_OTHER, true },
	{ "io_schedule", "a disk that does not answer", HF_SLEEP_OTHER, true },
	{ "folio_wait", "a disk that does not answer", HF_SLEEP_OTHER, true },
	{ "do_coredump", "a core dump in progress", HF_SLEEP_OTHER, true },
	{ "vfs_coredump", "a core dump in progress", HF_SLEEP_OTHER, true },
	{ "zap_pid_ns_processes", "a PID namespace that waits for its processes to end", HF_SLEEP_OTHER, true },
};

static const char *sleep_meaning(const char *wchan, enum hf_sleep *ret_sleep)
{
	size_t i;

	for (i = 0; i < sizeof(sleeps) / sizeof(sleeps[0]); i++)
		if (!strncmp(wchan, sleeps[i].prefix, strlen(sleeps[i].prefix))) {
			*ret_sleep = sleeps[i].sleep;
			return sleeps[i].meaning;
		}
	return NULL;
}

bool hf_explain_is_deaf(const char *wchan)
{
	size_t i;

	for (i = 0; i < sizeof(sleeps) / sizeof(sleeps[0]); i++)
		if (!strncmp(wchan, sleeps[i].prefix, strlen(sleeps[i].prefix)))
			return sleeps[i].deaf;
	return false;
}

static bool is_vfork_call(long nr)
{
#ifdef SYS_vfork
	if (nr == SYS_vfork)
		return true;
#endif
	return nr == SYS_clone || nr == SYS_clone3;
}

/* The child a vfork parent waits for shares its memory and has not execed: the newest one is it. */
static pid_t vfork_child(pid_t tid)
{
	char path[64], text[4096];
	const char *last;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", tid, tid);
	n = hf_read_small_at(AT_FDCWD, path, text, sizeof(text));
	while (n > 0 && text[n - 1] == ' ')
		text[--n] = '\0';
	if (n <= 0)
		return 0;
	last = strrchr(text, ' ');
	return (pid_t)strtol(last ? last + 1 : text, NULL, 10);
}

enum hf_sleep hf_explain_sleep(pid_t tid, pid_t *ret_child)
{
	char wchan[HF_WCHAN_MAX];
	enum hf_sleep sleep = HF_SLEEP_OTHER;
	struct hf_syscall call;
	struct hf_stat st;

	if (hf_tid_stat(tid, &st) < 0 || st.state != 'D' || hf_tid_wchan(tid, wchan) < 0)
		return HF_SLEEP_NONE;
	sleep_meaning(wchan, &sleep);
	/* Without kallsyms there is no wchan; the system call says enough about a vfork. */
	if (!wchan[0] && hf_tid_syscall(tid, &call) == 0 && is_vfork_call(call.nr))
		sleep = HF_SLEEP_VFORK;
	if (sleep == HF_SLEEP_VFORK && ret_child)
		*ret_child = vfork_child(tid);
	return sleep;
}

void hf_explain_stuck(pid_t tid, char *buf, size_t cap)
{
	char who[128], wchan[HF_WCHAN_MAX] = "";
	struct hf_syscall call = { .nr = -1 };
	enum hf_sleep sleep;
	struct hf_stat st;
	const char *name, *meaning;
	unsigned int look;
	size_t n;

	hf_explain_who(tid, who, sizeof(who));
	if (hf_tid_stat(tid, &st) < 0) {
		snprintf(buf, cap, "thread %s is gone", who);
		return;
	}
	hf_tid_wchan(tid, wchan);
	/* Who tries a page fault again and again sleeps for moments only, and is in no function when asked. */
	for (look = 0; look < 10 && st.state == 'S' && !wchan[0] && hf_tid_stat(tid, &st) == 0;)
		look++;
	n = (size_t)snprintf(buf, cap, "thread %s, state %c", who, st.state);
	if (n < cap && wchan[0])
		n += (size_t)snprintf(buf + n, cap - n, ", in kernel function %s", wchan);
	if (n < cap && hf_tid_syscall(tid, &call) == 0 && call.nr >= 0) {
		name = hf_syscall_name(call.nr);
		n += (size_t)snprintf(buf + n, cap - n, ", system call %s (%ld)",
				      name ? name : "unknown", call.nr);
	}
	meaning = sleep_meaning(wchan, &sleep);
	if (!meaning && st.flags & HF_PF_KTHREAD)
		meaning = "a kernel thread, which neither freezes nor stops";
	else if (!meaning && st.state == 'R')
		meaning = "busy in the kernel, as with a page fault that a userfaultfd handler does not answer";
	else if (!meaning && st.state == 'D')
		meaning = "an uninterruptible wait, most often for a disk or a network file system";
	if (n < cap && meaning)
		snprintf(buf + n, cap - n, ": %s", meaning);
}

void hf_explain_all_stuck(const pid_t tids[HF_EXPLAIN_NAMED], size_t n, char *buf, size_t cap)
{
	size_t used = 0, i;
	char one[300];

	buf[0] = '\0';
	for (i = 0; i < n && i < HF_EXPLAIN_NAMED && used < cap; i++) {
		hf_explain_stuck(tids[i], one, sizeof(one));
		used += (size_t)snprintf(buf + used, cap - used, "%s%s", i ? "; " : "", one);
	}
	if (n > HF_EXPLAIN_NAMED && used < cap)
		snprintf(buf + used, cap - used, "; and %zu more", n - HF_EXPLAIN_NAMED);
}
