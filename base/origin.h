/* SPDX-License-Identifier: MIT */
/*
 * origin - where something on record comes from: the boot and the namespaces in which its paths and process ids
 * mean anything, and whether the process that left it still lives.
 */
#ifndef HF_ORIGIN_H
#define HF_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

struct hf_origin {
	char boot[40];			/* boot_id of random(4); "" where it cannot be read */
	uint64_t pid_ns, mnt_ns, cgroup_ns;	/* their inodes (namespaces(7)); 0 where that cannot be read */
};

/* That of the calling thread. */
void hf_origin_here(struct hf_origin *ret);
bool hf_origin_same_boot(const struct hf_origin *a, const struct hf_origin *b);
/* Whether a process id means the same for both. */
bool hf_origin_same_pids(const struct hf_origin *a, const struct hf_origin *b);
/* Whether a path means the same for both, as far as mounts are concerned. */
bool hf_origin_same_paths(const struct hf_origin *a, const struct hf_origin *b);

/* A process: pids come round, but not with the same start. */
struct hf_process_id {
	int32_t pid;			/* 0: none */
	uint64_t start_ticks;
};
/* A pid that lives now; {0} when it does not. */
struct hf_process_id hf_process_id_of(int32_t pid);
/* Zombies are dead, unless other threads of theirs live. */
bool hf_process_lives(const struct hf_process_id *p);

#endif
