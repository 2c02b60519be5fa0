/* SPDX-License-Identifier: MIT */
/*
 * reaper - see reaper.h.
 */
#include "reaper.h"

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
	_Atomic unsigned long steps;	/* odd: the holder is inside PTRACE_SEIZE */
	_Atomic bool end;
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

static void *be_reaper(void *arg)
{
	const struct timespec pause = { 0, LOOK_EVERY_NS };
	struct hf_reaper *r = arg;
	unsigned long seen = 0;

	while (!r->end) {
		unsigned long steps = r->steps;

		if ((steps & 1) && steps == seen) {
			pthread_mutex_lock(&r->reaping);
			/* Still: the holder comes out by way of this lock. */
			if (steps == r->steps)
				reap_dead(r);
			pthread_mutex_unlock(&r->reaping);
		}
		seen = steps;
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static struct hf_reaper *start(struct hf_task_set *set)
{
	struct hf_reaper *r = calloc(1, sizeof(*r));
	sigset_t all, before;
	pthread_attr_t attr;
	int failed;

	if (!r)
		return NULL;
	r->set = set;
	pthread_mutex_init(&r->reaping, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	/* The program's signals are for its own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&r->thread, &attr, be_reaper, r);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (!failed)
		return r;
	pthread_mutex_destroy(&r->reaping);
	free(r);
	return NULL;
}

void hf_reaper_enter(struct hf_reaper **r, struct hf_task_set *set)
{
	if (!*r)
		*r = start(set);
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
	r->end = true;
	pthread_join(r->thread, NULL);
	pthread_mutex_destroy(&r->reaping);
	free(r);
}
