/* SPDX-License-Identifier: MIT */
/*
 * reaper - see reaper.h.
 */
#include "reaper.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "sys.h"

/* A SEIZE takes microseconds; one that lasts from one look to the next is stuck. */
#define LOOK_EVERY_NS 5000000L
#define STACK_SIZE 65536u

struct hf_reaper {
	pthread_t thread;
	pthread_mutex_t reaping;	/* held while the helper works on the set */
	pthread_cond_t ended;
	_Atomic unsigned long steps;	/* odd: the holder is inside PTRACE_SEIZE */
	bool end;			/* under the mutex */
	struct hf_task_set *set;
};

static void reap_dead(struct hf_reaper *r)
{
	size_t i;

	for (i = 0; i < r->set->n; i++) {
		struct hf_task *t = &r->set->tasks[i];

		if (hf_task_is_ours((enum hf_task_state)t->state) && hf_sys_reap(t->tid) == 1)
			t->state = HF_TASK_DIED;
	}
}

/* Until the next look.  The end is not waited for: the target stands still meanwhile. */
static void pause_before_look(struct hf_reaper *r)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += LOOK_EVERY_NS;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	while (!r->end && pthread_cond_timedwait(&r->ended, &r->reaping, &until) == 0)
		;
}

static void *be_reaper(void *arg)
{
	struct hf_reaper *r = arg;
	unsigned long seen = 0;

	pthread_mutex_lock(&r->reaping);
	while (!r->end) {
		unsigned long steps = r->steps;

		/* Still in the same: the holder comes out by way of this lock. */
		if ((steps & 1) && steps == seen)
			reap_dead(r);
		seen = steps;
		pause_before_look(r);
	}
	pthread_mutex_unlock(&r->reaping);
	return NULL;
}

static void discard(struct hf_reaper *r)
{
	pthread_cond_destroy(&r->ended);
	pthread_mutex_destroy(&r->reaping);
	free(r);
}

static struct hf_reaper *start(struct hf_task_set *set)
{
	struct hf_reaper *r = calloc(1, sizeof(*r));
	sigset_t all, before;
	pthread_condattr_t clock;
	pthread_attr_t attr;
	int failed;

	if (!r)
		return NULL;
	r->set = set;
	pthread_mutex_init(&r->reaping, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&r->ended, &clock);
	pthread_condattr_destroy(&clock);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	/* The program's signals are for its own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&r->thread, &attr, be_reaper, r);
	/* A program's thread-local storage is on that stack, too, and may be larger. */
	if (failed == EINVAL)
		failed = pthread_create(&r->thread, NULL, be_reaper, r);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (!failed)
		return r;
	discard(r);
	return NULL;
}

void hf_reaper_begin(struct hf_reaper **r, struct hf_task_set *set)
{
	if (!*r)
		*r = start(set);
}

void hf_reaper_enter(struct hf_reaper **r, struct hf_task_set *set)
{
	hf_reaper_begin(r, set);
	if (*r)
		(*r)->steps++;
}

void hf_reaper_leave(struct hf_reaper *r)
{
	if (!r)
		return;
	r->steps++;
	pthread_mutex_lock(&r->reaping);
	pthread_mutex_unlock(&r->reaping);
}

void hf_reaper_end(struct hf_reaper *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->reaping);
	r->end = true;
	pthread_cond_signal(&r->ended);
	pthread_mutex_unlock(&r->reaping);
	pthread_join(r->thread, NULL);
	discard(r);
}
