/* SPDX-License-Identifier: MIT */
/*
 * check_quiet - what is fragile in a program survives being held again and again: restartable sequences, robust
 * mutexes, code of the vDSO, time-outs.  Each victim checks itself and counts what was wrong.
 */
#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "lab.h"
#include "suite.h"

#define HOLDS 60

static void check_nothing_wrong(struct lab *lab, const struct lab_victim *v, int hold)
{
	for (uint32_t i = 0; i < v->n; i++)
		ck_assert_msg(lab_slot(lab, v, i)->value == 0, "v%d, hold %d: slot %u counts %llu wrongs",
			      lab->version, hold, i, (unsigned long long)lab_slot(lab, v, i)->value);
}

/* Holds of different lengths, so that they end at different places of what the victim does. */
static void hold_again_and_again(struct lab *lab, const struct lab_victim *v)
{
	for (int round = 0; round < HOLDS; round++) {
		hf_hold *hold = lab_take(lab->top, NULL);

		usleep((useconds_t)(round * 277 % 9000));
		lab_let_go(hold, HF_RELEASE_AS_FOUND);
		usleep((useconds_t)(round * 131 % 5000));
		check_nothing_wrong(lab, v, round);
	}
	lab_as_before(lab);
	check_nothing_wrong(lab, v, HOLDS);
}

START_TEST(restartable_sequences_are_never_half_done)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "rseq", "4", NULL);

	if (lab_slot(lab, v, 0)->value == UINT64_MAX)
		lab_left_out("restartable sequences", "this C library or architecture has none that we know");
	else
		hold_again_and_again(lab, v);
	lab_done(lab);
}
END_TEST

START_TEST(robust_mutexes_are_handed_on_once)
{
	struct lab *lab = lab_new(_i);

	hold_again_and_again(lab, lab_start(lab, lab->top, "robust", NULL));
	lab_done(lab);
}
END_TEST

START_TEST(time_does_not_run_backwards_in_the_vdso)
{
	struct lab *lab = lab_new(_i);

	hold_again_and_again(lab, lab_start(lab, lab->top, "vdso", "3", NULL));
	lab_done(lab);
}
END_TEST

/* SHORT_MS of the victim; a socket's may be a tick shorter. */
#define TIMEOUT_MS 10

START_TEST(time_outs_run_out_neither_early_nor_twice)
{
	struct lab *lab = lab_new(_i);
	uint64_t begin = lab_ms();
	struct lab_victim *v = lab_start(lab, lab->top, "timeouts", NULL);

	hold_again_and_again(lab, v);
	for (uint32_t i = 0; i < v->n; i++) {
		uint64_t count = lab_slot(lab, v, i)->count;

		ck_assert_uint_le(count, (lab_ms() - begin) / TIMEOUT_MS + 1);
	}
	lab_done(lab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quiet");
	TCase *tc;

	lab_init();
	tc = lab_case(suite, "fragile");
	lab_add(tc, restartable_sequences_are_never_half_done);
	lab_add(tc, robust_mutexes_are_handed_on_once);
	lab_add(tc, time_does_not_run_backwards_in_the_vdso);
	lab_add(tc, time_outs_run_out_neither_early_nor_twice);
	return hf_suite_run(suite);
}
