/* SPDX-License-Identifier: MIT */
/*
 * odd COMM [ARG...] - a counting process whose name is COMM, whatever bytes that is, with a
 * second thread whose name is COMM reversed.  "odd unlinked" runs from a copy of its
 * executable that it has removed, "odd memfd" from one that never had a name.
 */
#include "victim.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

static void copy_self(const char *to)
{
	int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	struct stat st;

	if (in < 0 || out < 0 || fstat(in, &st) < 0 ||
	    sendfile(out, in, NULL, (size_t)st.st_size) != st.st_size)
		victim_die("copying the executable");
	close(in);
	close(out);
}

static void run_unlinked(char **argv)
{
	char path[64];
	char self[256];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *last;

	if (n < 0)
		victim_die("readlink");
	self[n] = '\0';
	last = strrchr(self, '/');
	if (last && strncmp(last + 1, "hf-test-odd", 11) == 0) {
		unlink(self);
		return;
	}
	snprintf(path, sizeof(path), "/tmp/hf-test-odd-%d", (int)getpid());
	copy_self(path);
	execv(path, argv);
	unlink(path);
	victim_die("execv");
}

static void run_from_memory(char **argv)
{
	int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int out = memfd_create("hf-test-memory", MFD_CLOEXEC);
	char *args[] = { argv[0], (char[]){ "memory" }, NULL };
	struct stat st;

	if (in < 0 || out < 0 || fstat(in, &st) < 0 ||
	    sendfile(out, in, NULL, (size_t)st.st_size) != st.st_size)
		victim_die("copying the executable");
	fexecve(out, args, environ);
	victim_die("fexecve");
}

static void *second(void *arg)
{
	const char *name = arg;
	char reversed[16] = "";
	size_t len = strnlen(name, sizeof(reversed) - 1);

	for (size_t i = 0; i < len; i++)
		reversed[i] = name[len - 1 - i];
	prctl(PR_SET_NAME, reversed);
	victim_spin((uint32_t)(board->n_slots - 1), 0);
}

int main(int argc, char **argv)
{
	uint32_t first;

	if (argc < 2)
		return 2;
	if (strcmp(argv[1], "unlinked") == 0)
		run_unlinked(argv);
	if (strcmp(argv[1], "memfd") == 0)
		run_from_memory(argv);
	victim_begin();
	first = victim_claim(2);
	prctl(PR_SET_NAME, argv[1]);
	victim_thread(second, argv[1]);
	victim_await(first + 1, 1);
	victim_ready_and_spin(first, 0);
}
