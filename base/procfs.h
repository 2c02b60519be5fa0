/* SPDX-License-Identifier: MIT */
/*
 * procfs - pure parsers for the files of /proc/PID, and thin readers on top of them.  A parser
 * takes bytes and a length, fills a struct, opens nothing, and survives any input: it returns 0, or
 * -EBADMSG when what it needs is missing or a number does not fit, leaving the struct
 * untouched.  Whole keys are matched; unknown lines are ignored (proc(5)).  A number or a path that
 * nothing follows, not even a newline, may have been cut, and is refused like a missing one.
 */
#ifndef HF_PROCFS_H
#define HF_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "io.h"

#define HF_COMM_MAX 64		/* kernel threads may show more than TASK_COMM_LEN; longer is cut */
#define HF_THREAD_COMM 16	/* of a thread that is none of the kernel's (TASK_COMM_LEN) */
#define HF_NS_DEPTH 33		/* MAX_PID_NS_LEVEL 32, and the initial one */
#define HF_WCHAN_MAX 128	/* KSYM_NAME_LEN was that until Linux 6.1; longer ones are cut */

/* Flags of field 9 of /proc/PID/stat (include/linux/sched.h). */
#define HF_PF_EXITING 0x00000004u
#define HF_PF_IO_WORKER 0x00000010u	/* since Linux 5.12 */
#define HF_PF_KTHREAD 0x00200000u

/*
 * /proc/PID/stat.  The name may contain anything: it ends at the last ')'.  pgid and sid are -1,
 * and n_threads 0, for a task that is being reaped at this moment.
 */
struct hf_stat {
	pid_t pid;
	char comm[HF_COMM_MAX];
	char state;
	pid_t ppid, pgid, sid;
	uint32_t flags;
	uint32_t n_threads;
	uint64_t start_time_ticks;
};
int hf_stat_parse(const char *text, size_t len, struct hf_stat *ret);

/* /proc/PID/status.  comm is unescaped ("\n" and "\\" as the kernel writes them, back to bytes). */
struct hf_status {
	char comm[HF_COMM_MAX];
	char state;
	pid_t tgid, pid, ppid, tracer;
	uid_t uid, euid, suid, fsuid;
	gid_t gid, egid, sgid, fsgid;
	uint32_t n_threads;
	size_t n_nspid;			/* NSpid: our namespace first; 1 where it is missing */
	pid_t nspid[HF_NS_DEPTH];
	uint64_t sig_pending, shared_pending;	/* SigPnd, ShdPnd; 0 where missing */
	uint64_t sig_blocked, sig_ignored, sig_caught;	/* SigBlk, SigIgn, SigCgt; 0 where missing */
	int seccomp;			/* 0 none, 1 strict, 2 filter; -1 where missing */
};
int hf_status_parse(const char *text, size_t len, struct hf_status *ret);

/*
 * /proc/PID/syscall: "running", or "NR args... sp pc", or "-1 sp pc" outside a system call.
 * ret->nr is -1 outside; ret->running set for "running".
 */
struct hf_syscall {
	bool running;
	long nr;
	uint64_t args[6];
	uint64_t sp, pc;
};
int hf_syscall_parse(const char *text, size_t len, struct hf_syscall *ret);

/*
 * /proc/PID/cgroup: find the path of the v2 hierarchy (version 2, "0::/path") or of the v1
 * hierarchy with the freezer controller (version 1).  *ret_path points into text, not
 * NUL-terminated.  -ENOENT when the process has no such line.
 */
int hf_proc_cgroup_find(const char *text, size_t len, int version, const char **ret_path,
			size_t *ret_path_len);

/*
 * The next id of /proc/PID/task/TID/children, where each is followed by a blank.  *pos starts at 0 and moves on.
 * 1 and *ret_id, 0 at the end, -EBADMSG for what is no id, or may have been cut.
 */
int hf_children_next(const char *text, size_t len, size_t *pos, pid_t *ret_id);

/*
 * Where a cgroup hierarchy is mounted, from the text of /proc/self/mountinfo: the first v2
 * mount (version 2), or the first v1 mount with the freezer controller (version 1).
 * Octal escapes are undone.  -ENOENT when there is none, -ENAMETOOLONG when cap is too small.
 */
int hf_mountinfo_find_cgroup(const char *text, size_t len, int version, char *ret_path, size_t cap);

/*
 * Mounts need not show a hierarchy from its root (bind mounts, containers).  What /proc/PID/cgroup calls an absolute
 * directory ("" the root), and how much of its path is the mount; -ENOENT where it is in none, or in one from outside of
 * our cgroup namespace.  And the other way, by the first mount that shows it; `within` begins with "/".
 */
int hf_mountinfo_within(const char *text, size_t len, int version, const char *path, char *ret, size_t cap,
			size_t *ret_mount_len);
int hf_mountinfo_directory(const char *text, size_t len, int version, const char *within, char *ret, size_t cap);

/*
 * Readers.  dirfd is a directory (of /proc, or of a made-up tree in tests), name the path below it.
 * Return 0 or -errno; a task that is gone gives -ENOENT or -ESRCH.
 */
int hf_stat_read(int dirfd, const char *name, struct hf_buf *buf, struct hf_stat *ret);
int hf_status_read(int dirfd, const char *name, struct hf_buf *buf, struct hf_status *ret);

/* Of one thread of the machine, by its tid: convenience for messages and classification. */
int hf_tid_stat(pid_t tid, struct hf_stat *ret);
int hf_tid_status(pid_t tid, struct hf_status *ret);
/* The letter of its state alone, of a thread whose process is known: half the time that status takes. */
int hf_thread_state(pid_t tgid, pid_t tid, char *ret);
/*
 * A number that has grown when the thread has been put on a processor, or a tick has met it there; -ENODATA where the
 * kernel does not count.
 */
int hf_thread_turns(pid_t tgid, pid_t tid, uint64_t *ret);
/* The kernel function it sleeps in; "" when it runs or the kernel will not tell ("0"). */
int hf_tid_wchan(pid_t tid, char ret[HF_WCHAN_MAX]);
int hf_tid_syscall(pid_t tid, struct hf_syscall *ret);

/*
 * Whether /proc numbers processes as we do: it shows the PID namespace that it was mounted in.  0; -EXDEV when it
 * does not; or why it cannot be read.
 */
int hf_proc_is_ours(void);

/* Vanishing is not failing: whether -errno from /proc or ptrace means that the task is gone. */
bool hf_is_gone(int r);

/*
 * "SIGSTOP" for 19 and so on, for every signal of this architecture; realtime ones count from 34 as
 * kill(1) does, "SIGRTMIN+3" for 37; "signal 77" otherwise, and for 32 and 33, which have no name.
 * Static storage or buf, which 32 bytes are enough for.
 */
const char *hf_signal_name(int sig, char *buf, size_t cap);
/* "epoll_wait" for the native number nr; NULL when the kernel headers at build did not know it. */
const char *hf_syscall_name(long nr);
/* A state letter of our own: what a v1 freezer has frozen shows D, and does not tell what it did before. */
#define HF_LETTER_FROZEN 'F'
/*
 * "running", "sleeping", "disk-sleep", "stopped", "tracing-stop", "zombie", "dead", "parked",
 * "idle", "frozen" or "unknown".
 */
const char *hf_state_word(char letter);

#endif
