/* SPDX-License-Identifier: MIT */
/*
 * reads - see reads.h.
 */
#include "reads.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char bytes[65536];

/* As whoever does not know a file's length has to: until it ends. */
static void read_file(const char *pid, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	close(fd);
}

void reads_of_cgroup(const char *dir, int all_facts)
{
	char path[4200], pid[32];
	FILE *list;

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	list = fopen(path, "re");
	while (list && fscanf(list, "%31s", pid) == 1) {
		read_file(pid, "stat");
		read_file(pid, "cmdline");
		if (!all_facts)
			continue;
		read_file(pid, "status");
		snprintf(path, sizeof(path), "/proc/%s/exe", pid);
		if (readlink(path, bytes, sizeof(bytes)) < 0)
			bytes[0] = '\0';
	}
	if (list)
		fclose(list);
}
