/* SPDX-License-Identifier: MIT */
/*
 * writer FILE - writes to FILE for ever, counting each write in slot 0; a second thread counts in
 * slot 1.  When the file system is frozen (fsfreeze(8)) the writer sleeps uninterruptibly.
 */
#include "victim.h"

#include <fcntl.h>

int main(int argc, char **argv)
{
	uint32_t first;
	int fd;

	if (argc < 2)
		return 2;
	victim_begin();
	first = victim_claim(2);
	fd = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		victim_die(argv[1]);
	victim_spinner(first + 1, 0);
	victim_take(first, VICTIM_MOVES);
	if (pwrite(fd, "x", 1, 0) != 1)
		victim_die("pwrite");
	victim_count(first);
	victim_await(first, 2);
	victim_ready();
	for (;;) {
		if (pwrite(fd, "x", 1, 0) == 1)
			victim_count(first);
	}
}
