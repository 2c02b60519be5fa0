/* SPDX-License-Identifier: MIT */
/*
 * deadleader THREADS - the first thread has ended, the others go on counting.  Such a process
 * looks like a zombie and is none.
 */
#include "victim.h"

static uint32_t first, n;

/* Says ready as soon as the leader is a zombie; then counts. */
static void *last_thread(void *arg)
{
	char path[64], text[512], *paren;
	FILE *f;

	(void)arg;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)getpid());
	for (;;) {
		f = fopen(path, "re");
		if (!f || !fgets(text, sizeof(text), f))
			victim_die(path);
		fclose(f);
		paren = strrchr(text, ')');
		if (paren && paren[1] && paren[2] == 'Z')
			break;
		usleep(500);
	}
	victim_ready_and_spin(first + n - 1, 0);
}

int main(int argc, char **argv)
{
	n = victim_arg(argc, argv, 1, 3);
	victim_begin();
	first = victim_claim(n);
	for (uint32_t i = 0; i + 1 < n; i++)
		victim_spinner(first + i, 0);
	victim_await(first, n - 1);
	victim_thread(last_thread, NULL);
	pthread_exit(NULL);
}
