/* SPDX-License-Identifier: MIT */
/*
 * fuse [late] - a FUSE file system and a process that reads from it all the time, both in one cgroup: whoever freezes them
 * while a read is under way has frozen the one who would have to answer it, and the reader, who waits for the
 * answer in a sleep that is not freezable, never comes.  Mounted where nobody else sees it.
 *
 * Slots: 0 the reader, whose pid is the value; 1 the server.  While the value of slot 1 is not 0 (or always, with
 * "late") reads are not answered; it becomes 2 when one waits.
 */
#include "victim.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define PLACE "/mnt"
#define FILE_ID 2

static uint32_t first;

static void answer(int dev, uint64_t unique, int error, const void *data, size_t len)
{
	struct fuse_out_header head = { (uint32_t)(sizeof(head) + len), error, unique };
	struct iovec parts[] = { { &head, sizeof(head) }, { (void *)(uintptr_t)data, len } };

	/* ENOENT: whoever asked was interrupted or has died. */
	if (writev(dev, parts, len ? 2 : 1) < 0 && errno != ENOENT)
		victim_die("answering");
}

static struct fuse_attr attr_of(uint64_t node)
{
	return (struct fuse_attr){
		.ino = node, .nlink = 1, .size = 1, .blksize = 4096,
		.mode = node == FILE_ID ? S_IFREG | 0444 : S_IFDIR | 0555,
	};
}

static void await_leave(void)
{
	struct victim_slot *own = &board->slots[first + 1];

	while (atomic_load(&own->value)) {
		atomic_store(&own->value, 2);
		victim_count(first + 1);
		usleep(500);
	}
}

static void serve(int dev, const struct fuse_in_header *in)
{
	struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096 };
	struct fuse_entry_out entry = { .nodeid = FILE_ID, .attr = attr_of(FILE_ID) };
	struct fuse_attr_out attr = { .attr = attr_of(in->nodeid) };
	struct fuse_open_out opened = { .open_flags = FOPEN_DIRECT_IO };

	switch (in->opcode) {
	case FUSE_INIT:
		answer(dev, in->unique, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		answer(dev, in->unique, 0, &entry, sizeof(entry));
		break;
	case FUSE_GETATTR:
		answer(dev, in->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		answer(dev, in->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		await_leave();
		answer(dev, in->unique, 0, "x", 1);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;	/* not to be answered */
	default:
		answer(dev, in->unique, -ENOSYS, NULL, 0);
	}
}

__attribute__((noreturn)) static void read_on(int dev)
{
	char byte;
	int fd;

	/* So that the death of the server ends all. */
	close(dev);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "reader");
	fd = open(PLACE "/file", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		victim_die("opening the file");
	victim_take(first, VICTIM_MOVES);
	for (;;)
		if (pread(fd, &byte, 1, 0) == 1)
			victim_count(first);
}

static void *await_readers(void *arg)
{
	(void)arg;
	victim_await(first, 2);
	victim_ready();
	return NULL;
}

int main(int argc, char **argv)
{
	static char request[1 << 17];
	char options[64];
	pid_t reader;
	int dev;

	victim_begin();
	first = victim_claim(2);
	dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", dev);
	if (dev < 0 || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("hf-test", PLACE, "fuse", MS_NODEV | MS_NOSUID, options) < 0)
		victim_die("mounting");
	reader = fork();
	if (reader < 0)
		victim_die("fork");
	if (reader == 0)
		read_on(dev);
	atomic_store(&board->slots[first].value, (uint64_t)reader);
	victim_take(first + 1, VICTIM_MOVES);
	if (argc > 1 && strcmp(argv[1], "late") == 0)
		atomic_store(&board->slots[first + 1].value, 1);
	else
		victim_thread(await_readers, NULL);
	for (;;) {
		ssize_t n = read(dev, request, sizeof(request));

		if (n >= (ssize_t)sizeof(struct fuse_in_header))
			serve(dev, (const struct fuse_in_header *)(const void *)request);
		else if (n < 0 && errno != EINTR && errno != ENOENT && errno != EAGAIN)
			victim_die("reading requests");
		victim_count(first + 1);
	}
}
