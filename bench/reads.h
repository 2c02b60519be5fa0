/* SPDX-License-Identifier: MIT */
/*
 * reads - the files under /proc that a tree is made of, read and thrown away: what the kernel charges for a tree.
 */
#ifndef HF_BENCH_READS_H
#define HF_BENCH_READS_H

/* For each process of a cgroup: those of a plain tree (stat, cmdline), or of one with all facts (and status, exe). */
void reads_of_cgroup(const char *dir, int all_facts);

#endif
