/* SPDX-License-Identifier: MIT */
/*
 * sys - one wrapper per unusual system call, returning 0 (or a value) or a negative errno.
 * Nothing else in the project calls ptrace(2), wait4(2) or pidfd_*(2).
 */
#ifndef HF_SYS_H
#define HF_SYS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

pid_t hf_sys_gettid(void);

/* PTRACE_SEIZE with PTRACE_O_ flags; PTRACE_INTERRUPT. */
int hf_sys_seize(pid_t tid, unsigned long options);
int hf_sys_interrupt(pid_t tid);
/* PTRACE_DETACH.  sig is delivered only from a signal-delivery-stop; 0 for none. */
int hf_sys_detach(pid_t tid, int sig);
/* PTRACE_GETREGSET: *size in, bytes written out. */
int hf_sys_getregset(pid_t tid, int type, void *buf, size_t *size);
/* PTRACE_SETREGSET: size bytes from the start of the set. */
int hf_sys_setregset(pid_t tid, int type, const void *buf, size_t size);
/* PTRACE_PEEKTEXT: eight bytes of the thread's memory, at any address.  -EIO: there is none. */
int hf_sys_peek(pid_t tid, uint64_t at, uint64_t *ret);
/* One word of its registers, at this place of struct user (x86-64). */
int hf_sys_peek_user(pid_t tid, size_t at, uint64_t *ret);
/* PTRACE_GETEVENTMSG: the child's tid at a fork, vfork or clone event. */
int hf_sys_geteventmsg(pid_t tid, unsigned long *ret_msg);

/*
 * process_vm_readv(2): the n pieces `from` of the memory of pid, one after the other, into `to`.  Returns how many
 * bytes were copied, which ends before the first that cannot be read; -EFAULT when that is the very first.
 */
ssize_t hf_sys_read_memory(pid_t pid, void *to, size_t len, const struct iovec *from, size_t n);

/*
 * wait4(tid, WNOHANG | __WALL): 1 and *ret_status when there was something, 0 when not yet,
 * -ECHILD when tid is not, or no more, our tracee.  Never blocks, never waits for -1: the
 * caller's own children are not ours to reap.
 */
int hf_sys_wait(pid_t tid, int *ret_status);

/* Reap tid if it has died: 1 then, 0 when it has not, or -ECHILD.  Leaves stops alone. */
int hf_sys_reap(pid_t tid);

/* Whether tid is our tracee at all: -ECHILD; 1 when a stop or a death of it has not been taken yet, or 0.  Takes nothing off. */
int hf_sys_wait_peek(pid_t tid);

/* One process; -ESRCH for a pid that is none. */
int hf_sys_kill(pid_t pid, int sig);
/* A process, and no other that gets its pid later (Linux 5.3): a descriptor, the caller's; a signal by it. */
int hf_sys_pidfd_open(pid_t pid);
int hf_sys_pidfd_signal(int pidfd, int sig);
int hf_sys_tgkill(pid_t tgid, pid_t tid, int sig);

struct open_how;
/* openat2(2), Linux 5.6. */
int hf_sys_openat2(int dirfd, const char *path, const struct open_how *how);

/* Whether two threads have one table of descriptors (kcmp(2)); false where that cannot be told. */
bool hf_sys_shares_files(pid_t tid, pid_t other);

/*
 * A descriptor of our own for what thread tid has open as fd (pidfd_getfd(2), Linux 5.6): close-on-exec, the
 * caller's to close.  Where the kernel has no pidfds of threads (before 6.9) it is asked for through tgid.
 */
int hf_sys_getfd(pid_t tgid, pid_t tid, int fd);

#endif
