/* SPDX-License-Identifier: MIT */
/*
 * probe_ptrace - probes of `holdfast check`: whether this user may seize threads, and what /proc tells.
 * The only process touched is a child made for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <mntent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"
#include "clock.h"
#include "own.h"
#include "procfs.h"
#include "sys.h"

#define TRY_MS 2000

/* The inode number of the first PID namespace (PROC_PID_INIT_INO, include/linux/proc_ns.h). */
#define FIRST_PID_NAMESPACE "pid:[4026531836]"

/* Wait until the child reports a stop.  0, or -ETIMEDOUT, or -errno. */
static int await_stop(pid_t pid)
{
	struct hf_deadline until = hf_deadline_in_ms(TRY_MS);
	struct hf_nap nap = HF_NAP_INIT;
	int status, r;

	do {
		r = hf_sys_wait(pid, &status);
		if (r)
			return r < 0 ? r : WIFSTOPPED(status) ? 0 : -ESRCH;
	} while (hf_nap(&nap, until));
	return -ETIMEDOUT;
}

/* Seize, stop and detach a child of ours.  0 or -errno and the step in *ret_step. */
static int try_seize(pid_t pid, const char **ret_step)
{
	int r;

	*ret_step = "PTRACE_SEIZE";
	r = hf_sys_seize(pid, 0);
	if (r == 0) {
		*ret_step = "PTRACE_INTERRUPT";
		r = hf_sys_interrupt(pid);
	}
	if (r == 0) {
		*ret_step = "waiting for its stop";
		r = await_stop(pid);
	}
	if (r == 0) {
		*ret_step = "PTRACE_DETACH";
		r = hf_sys_detach(pid, 0);
	}
	return r;
}

void hf_probe_ptrace(struct hf_ability *able, struct hf_finding *ret)
{
	const char *step = "";
	pid_t pid = fork();
	int r;

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	if (pid < 0) {
		hf_found(ret, HF_VERDICT_NO, NULL, "cannot make a child to try it on: %s",
			 strerror(errno));
		return;
	}
	r = try_seize(pid, &step);
	hf_sys_kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
	able->ptrace = r == 0;
	if (r == 0)
		hf_found(ret, HF_VERDICT_OK, NULL, "a child was seized, stopped and let go");
	else
		hf_found(ret, HF_VERDICT_NO, "look at yama, seccomp and privilege below",
			 "on a child of our own: %s: %s", step, strerror(-r));
}

/* The effective capabilities of a status file: "CapEff:" is not one of hf_status's fields. */
static bool has_capability(const struct hf_buf *status, int cap)
{
	const char *line = strstr(status->data, "\nCapEff:");

	return line && (strtoull(line + strlen("\nCapEff:"), NULL, 16) >> cap & 1);
}

void hf_probe_privilege(struct hf_ability *able, struct hf_finding *ret)
{
	int r = hf_read_at(AT_FDCWD, "/proc/self/status", &able->buf);

	if (r < 0)
		hf_found(ret, HF_VERDICT_LIMITED, NULL, "/proc/self/status: %s", strerror(-r));
	else if (has_capability(&able->buf, CAP_SYS_PTRACE))
		hf_found(ret, HF_VERDICT_OK, NULL, "uid %u with CAP_SYS_PTRACE", (unsigned int)geteuid());
	else
		hf_found(ret, HF_VERDICT_LIMITED, "run as root, or with CAP_SYS_PTRACE",
			 "uid %u without CAP_SYS_PTRACE: only its own processes can be held, and none "
			 "that changed ids", (unsigned int)geteuid());
}

void hf_probe_yama(struct hf_ability *able, struct hf_finding *ret)
{
	static const char remedy[] = "run with CAP_SYS_PTRACE, or sysctl kernel.yama.ptrace_scope=0";
	char text[16];
	bool capable;
	int scope;

	if (hf_read_small_at(AT_FDCWD, "/proc/sys/kernel/yama/ptrace_scope", text, sizeof(text)) < 0) {
		hf_found(ret, HF_VERDICT_OK, NULL, "this kernel has none, or does not show it");
		return;
	}
	scope = atoi(text);
	capable = hf_read_at(AT_FDCWD, "/proc/self/status", &able->buf) == 0 &&
		  has_capability(&able->buf, CAP_SYS_PTRACE);
	if (scope == 0 || (scope < 3 && capable))
		hf_found(ret, HF_VERDICT_OK, NULL, "ptrace_scope %d", scope);
	else if (scope == 1)
		hf_found(ret, HF_VERDICT_LIMITED, remedy,
			 "ptrace_scope 1: only descendants of holdfast itself can be held");
	else if (scope == 2)
		hf_found(ret, HF_VERDICT_NO, remedy, "ptrace_scope 2: only CAP_SYS_PTRACE may trace");
	else
		hf_found(ret, HF_VERDICT_NO, "boot without it: it cannot be lowered again",
			 "ptrace_scope %d: nobody may trace", scope);
	/* A child of ours can be seized under scope 1, which says nothing about others. */
	if (scope == 1 && !capable)
		able->ptrace = false;
	if (scope > 1 && ret->verdict == HF_VERDICT_NO)
		able->ptrace = false;
}

void hf_probe_seccomp(struct hf_ability *able, struct hf_finding *ret)
{
	struct hf_status status;
	int r = hf_status_read(AT_FDCWD, "/proc/self/status", &able->buf, &status);

	if (r < 0)
		hf_found(ret, HF_VERDICT_LIMITED, NULL, "/proc/self/status: %s", strerror(-r));
	else if (status.seccomp <= 0)
		hf_found(ret, HF_VERDICT_OK, NULL, "holdfast is under no filter");
	else if (able->ptrace)
		hf_found(ret, HF_VERDICT_OK, NULL, "holdfast is under a filter that allows ptrace");
	else
		hf_found(ret, HF_VERDICT_LIMITED,
			 "allow ptrace in the container's seccomp profile, or run outside of it",
			 "holdfast is under a filter, which may be what denies ptrace");
}

/* The options of what is mounted at /proc last, which is what we see.  False when nothing is. */
static bool proc_options(char *ret, size_t cap)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	const struct mntent *m;
	bool found = false;

	if (!f)
		return false;
	while ((m = getmntent(f))) {
		if (strcmp(m->mnt_dir, "/proc") != 0)
			continue;
		found = strcmp(m->mnt_type, "proc") == 0;
		snprintf(ret, cap, "%s", m->mnt_opts);
	}
	endmntent(f);
	return found;
}

void hf_probe_proc(struct hf_ability *able, struct hf_finding *ret)
{
	char options[1024];
	const char *hidepid;
	size_t len;

	if (!proc_options(options, sizeof(options))) {
		hf_found(ret, HF_VERDICT_NO, "mount -t proc proc /proc", "no procfs is mounted at /proc");
		return;
	}
	if (hf_proc_is_ours() < 0) {
		hf_found(ret, HF_VERDICT_NO, "mount a procfs of this PID namespace at /proc",
			 "/proc shows another PID namespace than ours");
		return;
	}
	able->proc = true;
	hidepid = strstr(options, "hidepid=");
	len = hidepid ? strcspn(hidepid, ",") : 0;
	if (hidepid && strncmp(hidepid, "hidepid=0", len) != 0 &&
	    strncmp(hidepid, "hidepid=off", len) != 0 && geteuid() != 0)
		hf_found(ret, HF_VERDICT_LIMITED, "run as root, or in the group of its gid= option",
			 "/proc is mounted with %.*s: processes of others are hidden", (int)len, hidepid);
	else
		hf_found(ret, HF_VERDICT_OK, NULL, "mounted, and of our PID namespace");
}

void hf_probe_children(struct hf_ability *able, struct hf_finding *ret)
{
	int r = hf_read_at(AT_FDCWD, "/proc/thread-self/children", &able->buf);

	if (r == 0)
		hf_found(ret, HF_VERDICT_OK, NULL, "/proc/PID/task/TID/children is there");
	else
		hf_found(ret, HF_VERDICT_LIMITED, "a kernel with CONFIG_PROC_CHILDREN; cgroups work without",
			 "/proc/PID/task/TID/children: %s", strerror(-r));
}

/*
 * wchan reads "0" for a task that runs and for a reader who may not see: so it is asked about a
 * child that sleeps for certain.
 */
static bool wchan_of_sleeper(void)
{
	char wchan[HF_WCHAN_MAX] = "";
	struct hf_deadline until = hf_deadline_in_ms(TRY_MS);
	struct hf_nap nap = HF_NAP_INIT;
	struct hf_stat stat = { 0 };
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	if (pid < 0)
		return false;
	do
		if (hf_tid_stat(pid, &stat) == 0 && stat.state == 'S')
			break;
	while (hf_nap(&nap, until));
	hf_tid_wchan(pid, wchan);
	hf_sys_kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return wchan[0] != '\0';
}

void hf_probe_wchan(struct hf_ability *able, struct hf_finding *ret)
{
	(void)able;
	if (wchan_of_sleeper())
		hf_found(ret, HF_VERDICT_OK, NULL, "/proc/PID/wchan names the kernel function a thread "
			 "sleeps in");
	else
		hf_found(ret, HF_VERDICT_LIMITED, "a kernel with CONFIG_KALLSYMS, and leave to read it",
			 "/proc/PID/wchan tells nothing: messages cannot say where a thread sleeps");
}

void hf_probe_pid_namespace(struct hf_ability *able, struct hf_finding *ret)
{
	int r = hf_readlink_at(AT_FDCWD, "/proc/self/ns/pid", &able->buf);

	if (r < 0)
		hf_found(ret, HF_VERDICT_LIMITED, NULL, "/proc/self/ns/pid: %s", strerror(-r));
	else if (strcmp(able->buf.data, FIRST_PID_NAMESPACE) == 0)
		hf_found(ret, HF_VERDICT_OK, NULL, "the machine's first: every process can be named");
	else
		hf_found(ret, HF_VERDICT_LIMITED, "run outside for cgroups with processes of outside",
			 "inside a PID namespace: processes outside of it cannot be held");
}

void hf_probe_pid_max(struct hf_ability *able, struct hf_finding *ret)
{
	char text[32];
	ssize_t r = hf_read_small_at(AT_FDCWD, "/proc/sys/kernel/pid_max", text, sizeof(text));

	(void)able;
	if (r < 0)
		hf_found(ret, HF_VERDICT_OK, NULL, "not shown: %s", strerror((int)-r));
	else
		hf_found(ret, HF_VERDICT_OK, NULL, "%d; start times tell a reused pid", atoi(text));
}
