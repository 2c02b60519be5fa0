/* SPDX-License-Identifier: MIT */
/*
 * probe - one question to this kernel, these mounts and this user, and its answer.  cmd_check.c prints
 * the answers; the probes are in probe_freezer.c, probe_units.c, probe_ptrace.c and
 * probe_runtime.c.
 */
#ifndef HF_PROBE_H
#define HF_PROBE_H

#include <stdbool.h>

#include "io.h"

enum hf_verdict {
	HF_VERDICT_OK = 0,
	HF_VERDICT_LIMITED,	/* it works for some targets, or not in every way */
	HF_VERDICT_NO,
};

struct hf_finding {
	enum hf_verdict verdict;
	char reason[512];
	char remedy[256];	/* empty when there is nothing to do */
};

/* What several probes, and the exit status, go by. */
struct hf_ability {
	bool kernel, freezer, ptrace, proc;
	struct hf_buf buf;	/* scratch, for the file being read */
};

/* Fill a finding; remedy may be NULL. */
void hf_found(struct hf_finding *ret, enum hf_verdict verdict, const char *remedy, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

typedef void hf_probe(struct hf_ability *able, struct hf_finding *ret);

hf_probe hf_probe_kernel, hf_probe_freezer_v2, hf_probe_freezer_v1, hf_probe_own_cgroup;
hf_probe hf_probe_units, hf_probe_runtime;
hf_probe hf_probe_ptrace, hf_probe_privilege, hf_probe_yama, hf_probe_seccomp, hf_probe_proc,
	hf_probe_children, hf_probe_wchan, hf_probe_pid_namespace, hf_probe_pid_max;

#endif
