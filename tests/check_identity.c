/* SPDX-License-Identifier: MIT */
/*
 * check_identity - who a process is, and what it may do: sandboxes and other users, io_uring's workers, kernel
 * threads, PID namespaces seen from inside, programs without a file, and names of any bytes.
 */
#include <elf.h>
#include <errno.h>
#include <json.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include <dirent.h>

#include "clock.h"
#include "lab.h"
#include "lab_internal.h"
#include "own.h"
#include "procfs.h"
#include "suite.h"

static hf_tree *collect(hf_hold *hold)
{
	struct hf_error err = HF_ERROR_INIT;
	hf_tree *tree = NULL;

	ck_assert_msg(hf_tree_collect(hold, NULL, &tree, &err) == 0, "%s", err.text);
	return tree;
}

static const struct hf_process *find(const hf_tree *tree, pid_t pid)
{
	const struct hf_process *p = hf_tree_find(tree, pid);

	ck_assert_msg(p != NULL, "%d is not in the tree", (int)pid);
	return p;
}

/* ---- Shut in ------------------------------------------------------------------------------------ */

static const char *const modes[] = { "strict", "filter", "undumpable", "suid", "userns" };

START_TEST(who_is_shut_in_is_held_and_goes_on)
{
	struct lab_victim *v[COUNT_OF(modes)];
	struct lab *lab = lab_new(_i);

	for (size_t i = 0; i < COUNT_OF(modes); i++)
		v[i] = lab_start(lab, lab->top, "sandbox", modes[i], NULL);
	lab_moving(lab);
	for (int round = 0; round < 3; round++) {
		hf_hold *hold = lab_take(lab->top, NULL);
		hf_tree *tree = collect(hold);

		ck_assert_uint_eq(hf_hold_info(hold)->held, COUNT_OF(modes));
		for (size_t i = 0; i < COUNT_OF(modes); i++) {
			const struct hf_process *p = find(tree, v[i]->pid);
			struct user_regs_struct regs;
			size_t size = sizeof(regs);

			ck_assert_int_eq(p->found, HF_FOUND_RUNNING);
			ck_assert_str_eq(p->comm, "sandbox");
			ck_assert_ptr_nonnull(strstr(p->exe, "/victims/sandbox"));
			ck_assert_int_eq(p->threads[0].state, HF_THREAD_HELD);
			ck_assert_int_eq(hf_hold_registers(hold, p->pid, NT_PRSTATUS, &regs, &size, NULL), 0);
			if (strcmp(modes[i], "suid") == 0) {
				ck_assert_uint_eq(p->uid, 65534);
				ck_assert_uint_eq(p->euid, 0);
			}
		}
		lab_still(lab, 20);
		lab_let_go(hold, HF_RELEASE_AS_FOUND);
		hf_tree_free(tree);
		lab_as_before(lab);
	}
	/* Not one signal, and not one system call that was not theirs. */
	for (size_t i = 0; i < COUNT_OF(modes); i++)
		ck_assert_str_eq(lab_told(lab, v[i]->pid), "");
	/* To stopped and on: with a filter that kills for any system call. */
	lab_let_go(lab_take(lab->top, NULL), HF_RELEASE_STOPPED);
	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		v[i]->still = true;
		lab_await_state(v[i]->pid, 'T');
	}
	lab_as_before(lab);
	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		lab_continue(lab, v[i]);
		lab_await_told(lab, v[i]->pid, "stopped 19, continued");
	}
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* ---- io_uring ------------------------------------------------------------------------------------ */

START_TEST(workers_of_io_uring_are_held_told_and_work_on)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "iouring", NULL);

	lab_moving(lab);
	for (int round = 0; round < 5; round++) {
		hf_hold *hold = lab_take(lab->top, NULL);
		hf_tree *tree = collect(hold);
		const struct hf_process *p = find(tree, v->pid);
		size_t pollers = 0, workers = 0;
		char *text = NULL;

		ck_assert_uint_eq(hf_hold_info(hold)->held, p->n_threads);
		for (size_t i = 0; i < p->n_threads; i++) {
			const struct hf_thread *t = &p->threads[i];

			ck_assert_int_eq(t->state, HF_THREAD_HELD);
			ck_assert_int_eq(t->io_worker, strncmp(t->comm, "iou-", 4) == 0);
			pollers += strncmp(t->comm, "iou-sqp-", 8) == 0;
			workers += strncmp(t->comm, "iou-wrk-", 8) == 0;
			if (t->io_worker)
				ck_assert_int_eq(t->syscall, -1);
		}
		ck_assert_uint_eq(pollers, 1);
		ck_assert_uint_ge(workers, 1);
		ck_assert_int_eq(hf_tree_format(tree, hold, HF_FORMAT_JSON, 0, &text, NULL, NULL), 0);
		ck_assert_ptr_nonnull(strstr(text, "\"kind\":\"io-worker\""));
		free(text);
		hf_tree_free(tree);
		lab_still(lab, 20);
		lab_let_go(hold, HF_RELEASE_AS_FOUND);
		lab_as_before(lab);
	}
	lab_done(lab);
}
END_TEST

/* ---- Kernel threads ------------------------------------------------------------------------------- */

/* The journal of a disk of our own: the one kernel thread that can be moved without harm to others. */
static pid_t find_journal(const char *disk)
{
	char line[1024], wanted[64] = "", mnt[LAB_PATH + 8], device[64], where[512];
	struct hf_stat stat;
	pid_t found = 0;
	struct dirent *e;
	FILE *f = fopen("/proc/self/mounts", "re");
	hf_owned_dir DIR *dir = opendir("/proc");

	snprintf(mnt, sizeof(mnt), "%s/mnt", disk);
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "/dev/%63s %511s", device, where) == 2 && strcmp(where, mnt) == 0)
			snprintf(wanted, sizeof(wanted), "jbd2/%.15s", device);
	fclose(f);
	while (dir && wanted[0] && (e = readdir(dir)))
		if (atoi(e->d_name) > 0 && hf_tid_stat(atoi(e->d_name), &stat) == 0 &&
		    (stat.flags & HF_PF_KTHREAD) && strncmp(stat.comm, wanted, strlen(wanted)) == 0)
			found = atoi(e->d_name);
	return found;
}

static void note_kernel(const struct hf_obstacle *o, void *data)
{
	if (o->kind == HF_OBSTACLE_KERNEL && !o->blocks && strstr(o->text, "is a kernel thread"))
		*(pid_t *)data = o->tid;
}

START_TEST(a_kernel_thread_is_left_alone_and_told)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "2", NULL);
	char root[LAB_PATH], *text = NULL;
	const char *why = "it has no journal thread that can be moved", *disk = lab_disk(&why);
	pid_t journal = disk ? find_journal(disk) : 0, told = 0;
	struct hf_target target = HF_TARGET_INIT;
	const struct hf_process *p;
	hf_hold *hold;
	hf_tree *tree;

	target.path = lab->top;
	snprintf(root, sizeof(root), "%s", lab->top);
	*strrchr(root, '/') = '\0';
	if (!journal) {
		lab_left_out("a kernel thread in the cgroup", why);
		lab_done(lab);
		return;
	}
	lab_move(lab->top, journal);
	ck_assert_int_eq(hf_why(&target, NULL, note_kernel, &told, NULL), 0);
	ck_assert_int_eq(told, journal);
	lab_moving(lab);
	hold = lab_take(lab->top, NULL);
	ck_assert_uint_eq(hf_hold_info(hold)->kernel, 1);
	ck_assert_uint_eq(hf_hold_info(hold)->held, 2);
	tree = collect(hold);
	p = find(tree, journal);
	ck_assert_int_eq(p->kind, HF_KIND_KTHREAD);
	ck_assert_ptr_null(p->exe);
	ck_assert_int_eq(p->threads[0].state, HF_THREAD_KERNEL);
	ck_assert_int_eq(find(tree, v->pid)->kind, HF_KIND_PROCESS);
	ck_assert_int_eq(hf_tree_format(tree, hold, HF_FORMAT_JSON, 0, &text, NULL, NULL), 0);
	ck_assert_ptr_nonnull(strstr(text, "\"kind\":\"kthread\""));
	ck_assert_ptr_nonnull(strstr(text, "1 kernel thread is in the target"));
	free(text);
	lab_still(lab, 20);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	hf_tree_free(tree);
	lab_move(root, journal);
	lab_as_before(lab);
	lab_done(lab);
	lab_sweep();
}
END_TEST

/* ---- Inside a PID namespace ----------------------------------------------------------------------- */

/* A `prepare`: go on as the first process of a PID namespace with a /proc of its own. */
static void enter_namespace(const void *unused)
{
	int status;
	pid_t pid;

	(void)unused;
	if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0)
		_exit(3);
	pid = fork();
	if (pid != 0) {
		waitpid(pid, &status, 0);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 4);
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("proc", "/proc", "proc", 0, NULL) < 0)
		_exit(5);
}

/* The same, and with a process of that namespace in the cgroup. */
static void enter_with_one_of_ours(const void *path)
{
	int ready[2];
	char c;

	enter_namespace(NULL);
	if (pipe(ready) < 0)
		_exit(6);
	if (fork() == 0) {
		lab_join(path);
		if (write(ready[1], "r", 1) != 1)
			_exit(7);
		for (;;)
			pause();
	}
	if (read(ready[0], &c, 1) != 1)
		_exit(8);
}

START_TEST(from_inside_a_pid_namespace_what_cannot_be_named_is_said)
{
	struct lab *lab = lab_new(_i);
	const char *mine = lab_cgroup(lab, lab->top, "mine");
	struct lab_attempt a;

	lab_start(lab, lab->top, "spin", "2", NULL);
	lab_attempt(lab->top, NULL, enter_namespace, NULL, &a);
	if (lab->version == 2) {
		ck_assert_int_eq(a.r, -EXDEV);
		lab_says(&a.err, "outside our PID namespace");
	} else {
		ck_assert_int_eq(a.r, -ESRCH);
		lab_says(&a.err, "does not list threads outside our PID namespace");
	}
	ck_assert_int_eq(a.err.undo, HF_UNDO_NONE);
	lab_as_before(lab);
	/* Some can be named: v2 tells of the others, v1 does not, which is said. */
	lab_attempt(lab->top, NULL, enter_with_one_of_ours, lab->top, &a);
	if (lab->version == 2) {
		ck_assert_int_eq(a.r, -EXDEV);
	} else {
		ck_assert_msg(a.r == 0, "%d: %s", a.r, a.err.text);
		ck_assert_uint_eq(a.info.held, 1);
		ck_assert_int_eq(a.info.blind, 1);
	}
	lab_as_before(lab);
	/* And all of them. */
	lab_attempt(mine, NULL, enter_with_one_of_ours, mine, &a);
	ck_assert_msg(a.r == 0, "%d: %s", a.r, a.err.text);
	ck_assert_uint_eq(a.info.held, 1);
	ck_assert_int_eq(a.release, 0);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* ---- Programs and names ----------------------------------------------------------------------------- */

static json_object *member(json_object *o, const char *key)
{
	json_object *value = NULL;

	ck_assert_msg(json_object_object_get_ex(o, key, &value), "there is no \"%s\"", key);
	return value;
}

static void check_hex(json_object *o, const char *key, const char *bytes)
{
	const char *hex = json_object_get_string(member(o, key));
	unsigned int byte;

	ck_assert_uint_eq(strlen(hex), 2 * strlen(bytes));
	for (size_t i = 0; bytes[i]; i++) {
		ck_assert_int_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
		ck_assert_uint_eq(byte, (unsigned char)bytes[i]);
	}
}

START_TEST(programs_without_a_file_and_names_of_any_bytes)
{
	static const char odd[] = ") S 1 (\n\t\\\xff\x01";
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "odd", odd, "", "a\nb", "\xc3\x28\xff", NULL);
	struct lab_victim *m = lab_start(lab, lab->top, "odd", "memfd", NULL);
	json_object *o, *processes, *p;
	char *text = NULL;
	hf_hold *hold;
	hf_tree *tree;

	lab_moving(lab);
	hold = lab_take(lab->top, NULL);
	tree = collect(hold);
	ck_assert_str_eq(find(tree, m->pid)->exe, "/memfd:hf-test-memory");
	ck_assert_int_eq(find(tree, m->pid)->exe_deleted, 1);
	ck_assert_int_eq(hf_tree_format(tree, hold, HF_FORMAT_JSON, 0, &text, NULL, NULL), 0);
	o = json_tokener_parse(text);
	ck_assert_ptr_nonnull(o);
	processes = member(o, "processes");
	for (size_t i = 0; i < json_object_array_length(processes); i++) {
		p = json_object_array_get_idx(processes, i);
		if (json_object_get_int(member(p, "pid")) != v->pid)
			continue;
		check_hex(p, "comm_hex", odd);
		p = member(p, "cmdline_hex");
		ck_assert_uint_eq(json_object_array_length(p), 5);
		ck_assert_str_eq(json_object_get_string(json_object_array_get_idx(p, 2)), "");
		ck_assert_str_eq(json_object_get_string(json_object_array_get_idx(p, 4)), "c328ff");
	}
	json_object_put(o);
	free(text);
	hf_tree_free(tree);
	lab_still(lab, 20);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("identity");
	TCase *tc;

	lab_init();
	tc = lab_case(suite, "sandboxes");
	lab_add(tc, who_is_shut_in_is_held_and_goes_on);
	tc = lab_case(suite, "workers");
	lab_add(tc, workers_of_io_uring_are_held_told_and_work_on);
	tc = lab_case(suite, "kernel");
	lab_add(tc, a_kernel_thread_is_left_alone_and_told);
	tc = lab_case(suite, "namespaces");
	lab_add(tc, from_inside_a_pid_namespace_what_cannot_be_named_is_said);
	tc = lab_case(suite, "names");
	lab_add(tc, programs_without_a_file_and_names_of_any_bytes);
	return hf_suite_run(suite);
}
