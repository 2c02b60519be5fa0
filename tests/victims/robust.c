/* SPDX-License-Identifier: MIT */
/*
 * robust - processes that die with a robust mutex locked, one after the other.  The first process gets
 * the mutex from each dead one with EOWNERDEAD, once, repairs it, and starts the next.  Its slot counts
 * them, and its value counts whatever else it was told.
 */
#include "victim.h"

struct shared {
	pthread_mutex_t mutex;
	_Atomic int locked;
};

static struct shared *make_shared(void)
{
	struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attr;

	if (s == MAP_FAILED)
		victim_die("mapping the mutex");
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&s->mutex, &attr);
	return s;
}

int main(void)
{
	struct shared *s = make_shared();
	uint32_t slot;

	victim_begin();
	slot = victim_claim(1);
	victim_take(slot, VICTIM_MOVES);
	for (int n = 0;; n++) {
		pid_t pid;
		int r;

		atomic_store(&s->locked, 0);
		pid = fork();
		if (pid < 0)
			victim_die("fork");
		if (pid == 0) {
			pthread_mutex_lock(&s->mutex);
			atomic_store(&s->locked, 1);
			usleep(1000);
			_exit(0);
		}
		while (!atomic_load(&s->locked))
			usleep(100);
		/* It waits in the kernel: the owner lives on for a moment. */
		r = pthread_mutex_lock(&s->mutex);
		if (r != EOWNERDEAD || pthread_mutex_consistent(&s->mutex) != 0 ||
		    pthread_mutex_unlock(&s->mutex) != 0)
			atomic_fetch_add(&board->slots[slot].value, 1);
		if (waitpid(pid, NULL, 0) != pid)
			atomic_fetch_add(&board->slots[slot].value, 1);
		victim_count(slot);
		if (n == 0)
			victim_ready();
	}
}
