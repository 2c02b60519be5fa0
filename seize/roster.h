/* SPDX-License-Identifier: MIT */
/*
 * roster - who is in the target: one pass over everybody who is there now, for the look that changes nothing and
 * for the passes that seize.  Three kinds of targets, three ways to list them:
 *
 *	roster_cgroup.c		the lists of a freezer's levels, and the rest of the processes that are in them in part
 *	roster_family.c		processes and all their descendants, from thread to children, without a cgroup
 *	roster_machine.c	every process of /proc, but for the ones that are left out
 *
 * A list is true for a moment only.  What makes a set complete is the rule of take.c, that a whole pass has found
 * nobody new; here it is told when a pass may have missed somebody.
 */
#ifndef HF_ROSTER_H
#define HF_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "births.h"
#include "holdfast.h"
#include "io.h"
#include "task.h"

/* Who is left out of the machine: exactly one of pid, comm and cgroup is set. */
struct hf_left_out {
	pid_t pid;
	char *comm;
	char *cgroup;			/* as the caller named it, and once it is found as /proc/PID/cgroup has it */
	int version;			/* of the one hierarchy that it is of; 0: the path of either */
};

struct hf_roster {
	enum hf_target_kind kind;
	char *name;			/* in words, as errors want it: "cgroup /x", "process 12", "this machine" */
	pid_t *pids;			/* PROCESSES: the roots */
	size_t n_pids;
	uint64_t *start_times;		/* of the roots, in ticks: a pid alone could be another's by now */
	struct hf_left_out *left_out;	/* MACHINE */
	size_t n_left_out;

	/*
	 * By pid, in the order they were found.  PROCESSES: whom a pass has come to (pass), and whether it is known for
	 * good to be of the family (mark).  MACHINE: mark tells who is left out.
	 */
	struct hf_task_set processes;
	struct hf_births births;	/* PROCESSES */
	struct hf_buf queue;		/* of pid_t: the processes of the pass that is under way */
	struct hf_buf tids, text;	/* what is being read */
	size_t listed;			/* how many threads the last pass has met */
};

/* Copy what a caller's target says.  0, or -EINVAL or -ENOMEM said in *err. */
int hf_roster_init(struct hf_roster *r, const struct hf_target *target, struct hf_error *err);
void hf_roster_done(struct hf_roster *r);

struct hf_hold;

/* A thread that is listed; tid 0 stands for one that has no id here.  A negative value ends the pass. */
typedef int (*hf_roster_fn)(struct hf_hold *hold, pid_t tid, uint16_t level, void *data,
			    struct hf_error *err);

struct hf_roster_pass {
	hf_roster_fn fn;
	void *data;
	enum hf_stage stage;	/* of what fails */
	bool unsure;		/* out: somebody may have been missed */
};

/* Refuse what cannot be a target at all, before anybody is looked at: roots that are dead, ours, no processes. */
int hf_roster_begin(struct hf_hold *hold, struct hf_error *err);

/* One pass over everybody; the hold's pass number goes up. */
int hf_roster_each(struct hf_hold *hold, struct hf_roster_pass *pass, struct hf_error *err);

/* CGROUP: who is in no level, of processes that are in one with other threads. */
int hf_roster_outsiders(struct hf_hold *hold, struct hf_roster_pass *pass, struct hf_error *err);

/* Whether a thread that a pass did not list is in the target all the same.  False when it is gone. */
bool hf_roster_has(const struct hf_hold *hold, pid_t tid);

/* A process is known to belong, however it will be listed: it was born to one of ours, and is attached to us. */
void hf_roster_adopt(struct hf_hold *hold, pid_t pid);

/* The three ways. */
int hf_roster_each_cgroup(struct hf_hold *hold, struct hf_roster_pass *pass, struct hf_error *err);
int hf_roster_begin_family(struct hf_hold *hold, struct hf_error *err);
int hf_roster_each_family(struct hf_hold *hold, struct hf_roster_pass *pass, struct hf_error *err);
int hf_roster_begin_machine(struct hf_hold *hold, struct hf_error *err);
int hf_roster_each_machine(struct hf_hold *hold, struct hf_roster_pass *pass, struct hf_error *err);
/* Read the threads of a process into hold->roster.tids; call pass->fn for each of those. */
int hf_roster_read_threads(struct hf_hold *hold, pid_t pid, struct hf_roster_pass *pass,
			   struct hf_error *err);
int hf_roster_meet_threads(struct hf_hold *hold, uint16_t level, struct hf_roster_pass *pass,
			   struct hf_error *err);

#endif
