/* SPDX-License-Identifier: MIT */
/*
 * lab_disk - a disk whose writers can be made to sleep uninterruptibly (see lab.h): the one way to
 * make a D-state on purpose that needs no special hardware.
 */
#include "lab.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "lab_internal.h"
#include "own.h"

#define DISK_BYTES (4 * 1024 * 1024)

/* Run a command with its output thrown away; its exit status. */
static int run(const char *const *argv)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		dup2(null, 1);
		dup2(null, 2);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int lab_disk_freeze(const char *dir, bool frozen)
{
	char path[LAB_PATH + 8];
	hf_owned_fd fd = -1;

	snprintf(path, sizeof(path), "%s/mnt", dir);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return ioctl(fd, frozen ? FIFREEZE : FITHAW, 0) < 0 ? -errno : 0;
}

void lab_disk_remove(const char *dir)
{
	char path[LAB_PATH + 8];

	lab_disk_freeze(dir, false);
	snprintf(path, sizeof(path), "%s/mnt", dir);
	/* The loop device was set up by mount(8) and goes with the mount. */
	umount2(path, MNT_DETACH);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/img", dir);
	unlink(path);
	rmdir(dir);
}

const char *lab_disk(const char **ret_why)
{
	static char dir[LAB_PATH];
	char img[LAB_PATH + 8], mnt[LAB_PATH + 8];
	const char *const mkfs[] = { "mkfs.ext4", "-q", "-F", img, NULL };
	const char *const mount_it[] = { "mount", "-o", "loop", img, mnt, NULL };
	const char *tmp = getenv("TMPDIR");
	hf_owned_fd fd = -1;

	snprintf(dir, sizeof(dir), "%.200s/hf-test-disk-%d-%u", tmp ? tmp : "/tmp", (int)getpid(),
		 lab_serial());
	snprintf(img, sizeof(img), "%s/img", dir);
	snprintf(mnt, sizeof(mnt), "%s/mnt", dir);
	lab_register(dir, 0);
	*ret_why = "cannot make files for it";
	if (mkdir(dir, 0755) < 0 || mkdir(mnt, 0755) < 0)
		return NULL;
	fd = open(img, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, DISK_BYTES) < 0)
		return NULL;
	*ret_why = "mkfs.ext4 does not work";
	if (run(mkfs) != 0)
		return NULL;
	*ret_why = "mount -o loop does not work (no loop devices?)";
	if (run(mount_it) != 0)
		return NULL;
	return dir;
}

bool lab_put_to_sleep(struct lab *lab, struct lab_sleeper *ret)
{
	char file[LAB_PATH + 16];
	const char *why;

	ret->disk = lab_disk(&why);
	if (!ret->disk) {
		lab_left_out("a thread that sleeps on a frozen disk", why);
		return false;
	}
	snprintf(file, sizeof(file), "%s/mnt/file", ret->disk);
	ret->other = lab_start(lab, lab->top, "spin", "2", NULL);
	ret->writer = lab_start(lab, lab->top, "writer", file, NULL);
	lab_moving(lab);
	ck_assert_int_eq(lab_disk_freeze(ret->disk, true), 0);
	lab_await_state(ret->writer->pid, 'D');
	/* The kernel does not tell while the thread is still on a run queue (get_wchan()). */
	while (hf_tid_wchan(ret->writer->pid, ret->wchan) == 0 && !ret->wchan[0])
		usleep(1000);
	return true;
}
