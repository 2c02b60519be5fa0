/* SPDX-License-Identifier: MIT */
/*
 * lab_internal - what the files of the laboratory share with each other and hide from tests.
 */
#ifndef LAB_INTERNAL_H
#define LAB_INTERNAL_H

#include "io.h"
#include "lab.h"

/* Files of a cgroup directory: 0 or -errno. */
int lab_write(const char *dir, const char *name, const char *text);
int lab_read(const char *dir, const char *name, struct hf_buf *buf);
/* Call fn (may be NULL) for each id in a list file; their number, or -errno. */
int lab_ids(const char *dir, const char *name, void (*fn)(pid_t id, void *arg), void *arg);
/* Call fn for a cgroup and all below it. */
void lab_walk(const char *path, bool children_first, void (*fn)(const char *path, void *arg),
	      void *arg);

/* Note something to be undone by lab_sweep(): a cgroup, or, with version 0, a disk. */
int lab_register(const char *path, int version);
void lab_unregister(int entry);
unsigned int lab_serial(void);

/* The warden, the board and the pipes. */
void lab_open_ward(struct lab *lab);
void lab_close_ward(struct lab *lab);
/* Have the warden's record brought up to date. */
void lab_sync_ward(struct lab *lab);

/* Thaw, unmount and remove a disk, whatever state it is in. */
void lab_disk_remove(const char *dir);

#endif
