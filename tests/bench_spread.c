/* SPDX-License-Identifier: MIT */
/*
 * bench_spread [THREADS [ROUNDS]] - how far apart the threads of a target start again: the time from the first
 * instruction of the first thread to that of the last one, after the release of a hold, beside the same after a
 * plain thaw of the same cgroup.  Prints medians and their ratio; nothing passes or fails.  Rounds of the
 * ways take turns, so that they meet the same load.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "lab.h"
#include "suite.h"

#define STOPPED_US 600000
#define GAP_MS "500"
#define ROUNDS_MAX 200
#define PATIENCE_MS 120000	/* a thousand threads that all want to run */

enum way { PLAIN, HOLD, HOLD_PROCESS, WAYS };

static unsigned int n_rounds = 21;
static const char *threads = "1000";
static double spread_us[WAYS][ROUNDS_MAX];

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void stop_and_go(struct lab *lab, const struct lab_victim *v, enum way way)
{
	struct hf_target target = HF_TARGET_INIT;
	pid_t pid = v->pid;
	struct hf_error err = HF_ERROR_INIT;
	hf_hold *hold = NULL;

	if (way == PLAIN) {
		ck_assert_msg(hf_cgroup_freeze(lab->top, NULL, NULL, &err) == 0, "%s", err.text);
		usleep(STOPPED_US);
		ck_assert_msg(hf_cgroup_thaw(lab->top, NULL, NULL, &err) == 0, "%s", err.text);
		return;
	}
	target.kind = way == HOLD ? HF_TARGET_CGROUP : HF_TARGET_PROCESSES;
	target.path = way == HOLD ? lab->top : NULL;
	target.pids = way == HOLD ? NULL : &pid;
	target.n_pids = way == HOLD ? 0 : 1;
	ck_assert_msg(hf_hold_take(&target, NULL, &hold, &err) == 0, "%s", err.text);
	usleep(STOPPED_US);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
}

/* Every thread has noted the end of the stop: from the first to the last. */
static double spread(struct lab *lab, const struct lab_victim *v)
{
	uint64_t first = UINT64_MAX, last = 0;

	for (uint32_t i = 0; i < v->n; i++) {
		struct victim_slot *slot = lab_slot(lab, v, i);
		struct hf_deadline deadline = hf_deadline_in_ms(PATIENCE_MS);
		struct hf_nap nap = HF_NAP_INIT;
		uint64_t at;

		while (!(at = atomic_load(&slot->value)))
			ck_assert(hf_nap(&nap, deadline));
		if (at < first)
			first = at;
		if (at > last)
			last = at;
	}
	return (double)(last - first) / 1e3;
}

static void print_ways(int version)
{
	static const char *const names[] = { "plain thaw", "holdfast, cgroup", "holdfast, --pid" };
	double plain = 0;

	for (int way = 0; way < WAYS; way++) {
		qsort(spread_us[way], n_rounds, sizeof(double), by_size);
		if (way == PLAIN)
			plain = spread_us[way][n_rounds / 2];
		printf("v%d  %-17s  first to last of %s threads: median %8.2f ms, %8.2f to %8.2f ms, ratio %.2f\n",
		       version, names[way], threads, spread_us[way][n_rounds / 2] / 1e3,
		       spread_us[way][0] / 1e3, spread_us[way][n_rounds - 1] / 1e3,
		       spread_us[way][n_rounds / 2] / plain);
	}
	fflush(stdout);
}

START_TEST(measure)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "resume", threads, GAP_MS, NULL);

	for (unsigned int round = 0; round < n_rounds; round++)
		for (enum way way = PLAIN; way < WAYS; way++) {
			for (uint32_t i = 0; i < v->n; i++)
				atomic_store(&lab_slot(lab, v, i)->value, 0);
			stop_and_go(lab, v, way);
			spread_us[way][round] = spread(lab, v);
		}
	print_ways(lab->version);
	lab_done(lab);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite = suite_create("spread");
	TCase *tc;

	if (argc > 1)
		threads = argv[1];
	if (argc > 2)
		n_rounds = (unsigned int)strtoul(argv[2], NULL, 10);
	if (n_rounds < 1 || n_rounds > ROUNDS_MAX)
		n_rounds = ROUNDS_MAX;
	lab_init();
	tc = lab_case(suite, "spread");
	tcase_set_timeout(tc, 3600);
	lab_add(tc, measure);
	return hf_suite_run(suite);
}
