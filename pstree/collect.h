/* SPDX-License-Identifier: MIT */
/*
 * collect - from the flat set of threads of a hold to the array of processes of a tree, by way of
 * /proc.  All of it happens while the target stands still, so it is part of the time that the
 * target loses: every file is read once, and where two files tell the same, the cheaper one is
 * (costs measured on Linux 6.18: a thread's comm 6 us, its status 12 us; the stat of a process with
 * 1000 threads 25 us, that of its first thread alone 7 us).
 *
 *	collect.c	the set, grouped into processes; the dead that the set does not have
 *	facts.c		the facts of one process
 *	threads.c	and of its threads
 */
#ifndef HF_COLLECT_H
#define HF_COLLECT_H

#include <stdbool.h>
#include <stddef.h>

#include "hold.h"
#include "procfs.h"
#include "tree.h"

/* What is read of a process's own memory, at most: of its arguments, of its environment. */
#define HF_COLLECT_MEMORY_MAX ((size_t)128 * 1024)

struct hf_collector {
	hf_hold *hold;
	int version;		/* of the target's hierarchy; 0 when it is no cgroup */
	int proc_fd;
	struct hf_tree *tree;
	size_t cap;		/* of tree->procs */
	struct hf_buf buf;	/* the file being read */
	const char **levels;	/* path of each level, in the arena of the tree */
	unsigned int n_levels;
	const char *target;	/* the level that is above all the others */
	bool effects;		/* they are asked for */
	bool brief;		/* of who is ordinary only what text shows */
	bool regroup;		/* a thread was met that is of another process than noted */
	struct hf_error *err;
};

/* What one process is made of: those of its threads that the hold knows, the leader first. */
struct hf_members {
	const struct hf_task **tasks;
	size_t n;
};

#define HF_PROC_NAME_MAX 64	/* "task/4194304/cmdline" */

/* Of a process whose /proc could be read, next to what goes straight into struct hf_process. */
struct hf_face {
	int fd;			/* /proc/PID, -1 when it is gone; in brief /proc */
	char via[32];		/* "", or "task/TID/" of a live thread behind a dead leader; in brief "PID/" */
	bool has_stat, has_status;
	bool brief;		/* its threads need no facts beyond their states */
	struct hf_stat stat;
	struct hf_status status;
};

/* facts.c */

/*
 * Fill p, whose pid is set, and its threads.  A process whose facts vanish has died while it was
 * held: p keeps what is known without them.  0, or a negative errno and c->err.
 */
int hf_facts_of_process(struct hf_collector *c, struct hf_process *p, const struct hf_members *m);

/*
 * Fill p, whose pid is set, if it is a zombie that belongs to the target: its parent is one of the
 * n_live processes that stand first in the tree, by pid, or its cgroup is the target's.  1 when
 * it is, 0 when not.
 */
int hf_facts_of_zombie(struct hf_collector *c, struct hf_process *p, size_t n_live);

/* threads.c */

/* Fill the threads of p; dead_leader: with an entry for a leader that has ended. */
int hf_facts_of_threads(struct hf_collector *c, struct hf_process *p, const struct hf_face *face,
			const struct hf_members *m, bool dead_leader);
int hf_facts_of_dead_leader(struct hf_collector *c, const struct hf_process *p,
			    const struct hf_face *face, struct hf_thread *t);

/* collect.c */

/* -ENOMEM, said in c->err. */
int hf_collect_no_memory(struct hf_collector *c);
/* r, said in c->err: /proc/PID/name cannot be read. */
int hf_collect_unreadable(struct hf_collector *c, int r, pid_t pid, const char *name);
/* A copy in the arena of the tree, with a NUL behind it. */
char *hf_collect_keep(struct hf_collector *c, const void *bytes, size_t len);
/* Its ids in all PID namespaces; *own lends the only one where there is no namespace below ours. */
int hf_collect_nspid(struct hf_collector *c, const struct hf_status *s, const pid_t *own,
		     const pid_t **ret, size_t *ret_n);

#endif
