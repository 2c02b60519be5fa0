/* SPDX-License-Identifier: MIT */
/*
 * check_facts - tests of pstree/facts.c: what is found out about one process.
 */
#include <limits.h>
#include <sys/stat.h>

#include "still.h"

START_TEST(the_facts_of_a_process)
{
	pid_t pid = start(be_named), self = getpid();
	const struct hf_process *p;
	char exe[PATH_MAX] = "";
	struct hf_stat stat;

	wait_ready(1);
	wait_state(pid, 'S');
	seize(pid);
	ck_assert_int_eq(hf_tid_stat(pid, &stat), 0);
	ck_assert_int_gt(readlink("/proc/self/exe", exe, sizeof(exe) - 1), 0);
	p = collect_one(pid, HF_TASK_HELD, 'S');
	ck_assert_int_eq(p->ppid, self);
	ck_assert_int_eq(p->pgid, pid);
	ck_assert_int_eq(p->sid, pid);
	ck_assert_uint_ge(p->n_nspid, 1);
	ck_assert_int_eq(p->nspid[0], pid);
	ck_assert_str_eq(p->comm, "a) R (\n\xff\"");
	ck_assert_str_eq(p->exe, exe);
	ck_assert_int_eq(p->exe_deleted, 0);
	ck_assert_str_eq(p->cmdline, program_invocation_name);
	ck_assert_uint_gt(p->cmdline_len, strlen(program_invocation_name));
	ck_assert_uint_eq(p->uid, getuid());
	ck_assert_uint_eq(p->euid, geteuid());
	ck_assert_uint_eq(p->fsgid, getegid());
	ck_assert_uint_eq(p->start_time_ticks, stat.start_time_ticks);
	ck_assert_str_eq(p->cgroup, "/pod");
	ck_assert_int_eq(p->kind, HF_KIND_PROCESS);
	ck_assert_int_eq(p->found, HF_FOUND_RUNNING);
	ck_assert_ptr_null(p->parent);
	ck_assert_uint_eq(p->n_threads, 1);
	ck_assert_int_eq(p->threads[0].tid, pid);
	ck_assert_int_eq(p->threads[0].nstid[0], pid);
	ck_assert_str_eq(p->threads[0].comm, p->comm);
	ck_assert_int_eq(p->threads[0].state, HF_THREAD_HELD);
	ck_assert_int_eq(p->threads[0].found, 'S');
	ck_assert_int_eq(p->threads[0].io_worker, 0);
#ifdef SYS_pause
	ck_assert_int_eq(p->threads[0].syscall, SYS_pause);
#else
	ck_assert_int_eq(p->threads[0].syscall, SYS_ppoll);
#endif
	end(pid);
}
END_TEST

/* main() makes a program stand still that is called like this. */
#define STAND_STILL "--stand-still"
#define OVERWRITE "--overwrite"
#define READY_FD 9

static void be_stand_still(char **argv)
{
	ready[1] = READY_FD;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* As a server does that shows a title, but to the last byte, so that no NUL is left. */
	if (strcmp(argv[1], OVERWRITE) == 0)
		memset(argv[0], 'x', (size_t)(argv[2] - argv[0]) + strlen(argv[2]) + 1);
	say_ready();
	stand_still(NULL);
}

static void be_without_nul(void)
{
	static char lengthy[70000];

	memset(lengthy, 'a', sizeof(lengthy) - 1);
	if (dup2(ready[1], READY_FD) == READY_FD)
		execl("/proc/self/exe", "title", OVERWRITE, lengthy, NULL);
	_exit(1);
}

/* The kernel looks for the NUL in one page only, and gives what it has got. */
START_TEST(a_command_line_always_ends_in_nul)
{
	pid_t pid = start(be_without_nul);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const struct hf_process *p;

	wait_ready(1);
	p = collect_one(pid, HF_TASK_ARMED, 'S');
	ck_assert_uint_eq(p->cmdline_len, page + 1);
	ck_assert_uint_eq(strspn(p->cmdline, "x"), page);
	ck_assert_int_eq(p->cmdline[page], '\0');
	end(pid);
}
END_TEST

/* Two arguments that are longer together than what is read of them. */
static void be_long_winded(void)
{
	static char first[100000], second[100000];

	memset(first, 'a', sizeof(first) - 1);
	memset(second, 'b', sizeof(second) - 1);
	if (dup2(ready[1], READY_FD) == READY_FD)
		execl("/proc/self/exe", "long", STAND_STILL, first, second, NULL);
	_exit(1);
}

START_TEST(of_a_long_command_line_the_beginning_is_told)
{
	pid_t pid = start(be_long_winded);
	const struct hf_process *p;

	wait_ready(1);
	p = collect_one(pid, HF_TASK_ARMED, 'S');
	ck_assert_int_eq(p->cmdline_cut, 1);
	ck_assert_uint_eq(p->cmdline_len, HF_COLLECT_MEMORY_MAX + 1);
	ck_assert_int_eq(p->cmdline[p->cmdline_len - 1], '\0');
	ck_assert_int_eq(p->cmdline[p->cmdline_len - 2], 'b');
	end(pid);
}
END_TEST

/* A copy of ourselves, which is removed while it runs. */
static char copy_path[] = "/tmp/hf-collect-XXXXXX";

static void be_the_copy(void)
{
	if (dup2(ready[1], READY_FD) == READY_FD)
		execl(copy_path, "copy", STAND_STILL, "", "last\n", NULL);
	_exit(1);
}

static void copy_ourselves(void)
{
	char buf[65536];
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to = mkstemp(copy_path);
	ssize_t n;

	ck_assert_int_ge(from, 0);
	ck_assert_int_ge(to, 0);
	while ((n = read(from, buf, sizeof(buf))) > 0)
		ck_assert_int_eq(write(to, buf, (size_t)n), n);
	ck_assert_int_eq(fchmod(to, 0700), 0);
	close(from);
	close(to);
}

START_TEST(a_deleted_program_and_all_its_arguments)
{
	static const char args[] = "copy\0" STAND_STILL "\0\0last\n";
	const struct hf_process *p;
	pid_t pid;

	copy_ourselves();
	pid = start(be_the_copy);
	wait_ready(1);
	unlink(copy_path);
	p = collect_one(pid, HF_TASK_ARMED, 'S');
	ck_assert_str_eq(p->exe, copy_path);
	ck_assert_int_eq(p->exe_deleted, 1);
	ck_assert_uint_eq(p->cmdline_len, sizeof(args));
	ck_assert_int_eq(memcmp(p->cmdline, args, sizeof(args)), 0);
	end(pid);
}
END_TEST

START_TEST(a_dead_leader_stands_for_the_living)
{
	pid_t pid = start(lose_leader);
	const struct hf_process *p;

	wait_ready(1);
	wait_state(pid, 'Z');
	fake_hold_add(hold, pid, pid, HF_TASK_GONE, 'Z');
	fake_hold_add(hold, shared->tids[0], pid, HF_TASK_ASKED, 'S');
	p = collect_and_find(pid);
	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(p->found, HF_FOUND_DEAD_LEADER);
	ck_assert_str_eq(p->comm, "leader");
	ck_assert_ptr_nonnull(p->exe);
	ck_assert_str_eq(p->cmdline, program_invocation_name);
	ck_assert_uint_eq(p->euid, OTHER_UID);
	ck_assert_uint_eq(p->n_threads, 2);
	ck_assert_int_eq(p->threads[0].tid, pid);
	ck_assert_int_eq(p->threads[0].state, HF_THREAD_ZOMBIE);
	ck_assert_int_eq(p->threads[0].found, 'Z');
	ck_assert_int_eq(p->threads[1].tid, shared->tids[0]);
	ck_assert_str_eq(p->threads[1].comm, "survivor");
	end(pid);
}
END_TEST

START_TEST(a_process_that_died_keeps_what_is_known)
{
	pid_t pid = start(be_named);
	const struct hf_process *p;

	wait_ready(1);
	end(pid);
	p = collect_one(pid, HF_TASK_DIED, 'S');
	ck_assert_int_eq(p->ppid, 0);
	ck_assert_str_eq(p->comm, "");
	ck_assert_ptr_null(p->exe);
	ck_assert_str_eq(p->cgroup, "/pod");
	ck_assert_uint_eq(p->n_nspid, 1);
	ck_assert_int_eq(p->nspid[0], pid);
	ck_assert_int_eq(p->found, HF_FOUND_RUNNING);
	ck_assert_uint_eq(p->n_threads, 1);
	ck_assert_int_eq(p->threads[0].state, HF_THREAD_DIED);
	ck_assert_int_eq(p->threads[0].found, 'S');
	ck_assert_str_eq(p->threads[0].comm, "");
	ck_assert_int_eq(p->threads[0].syscall, -1);
}
END_TEST

START_TEST(a_process_outside_has_its_own_cgroup)
{
	pid_t pid = start(be_named);
	char path[PATH_MAX];

	wait_ready(1);
	fake_hold_add_level(hold, "/pod", false);
	fake_hold_add(hold, pid, pid, HF_TASK_ASKED, 'S')->level = HF_LEVEL_OUTSIDE;
	if (v2_path_of(pid, path, sizeof(path)))
		ck_assert_str_eq(collect_and_find(pid)->cgroup, path);
	end(pid);
}
END_TEST

/* ---- How it was found -------------------------------------------------------------------- */

static const struct {
	enum hf_task_state state;
	char letter;
	uint8_t signal;
	pid_t other;
	bool frozen;
	enum hf_found found;
	int stop_signal;
	pid_t tracer;
} judgements[] = {
	{ HF_TASK_ASKED, 'S', 0, 0, false, HF_FOUND_RUNNING, 0, 0 },
	{ HF_TASK_ASKED, '?', 0, 0, false, HF_FOUND_RUNNING, 0, 0 },
	{ HF_TASK_HELD_SIGNAL, 'S', SIGUSR1, 0, false, HF_FOUND_RUNNING, 0, 0 },
	{ HF_TASK_HELD_STOPPED, 'T', SIGTSTP, 0, false, HF_FOUND_STOPPED, SIGTSTP, 0 },
	{ HF_TASK_HELD_STOPPED, '?', SIGSTOP, 0, false, HF_FOUND_STOPPED, SIGSTOP, 0 },
	{ HF_TASK_DIED, 'T', 0, 0, false, HF_FOUND_STOPPED, 0, 0 },
	{ HF_TASK_HELD_SIGNAL, 'T', SIGUSR1, 0, false, HF_FOUND_STOPPED, 0, 0 },
	{ HF_TASK_ASKED, 'S', 0, 0, true, HF_FOUND_FROZEN, 0, 0 },
	{ HF_TASK_HELD_STOPPED, 'T', SIGTTIN, 0, true, HF_FOUND_STOPPED, SIGTTIN, 0 },
	{ HF_TASK_SKIPPED, 't', 0, 77, true, HF_FOUND_TRACED, 0, 77 },
	{ HF_TASK_SKIPPED, 'T', 0, 78, false, HF_FOUND_TRACED, 0, 78 },
};

START_TEST(how_it_was_found)
{
	pid_t pid = start(be_named);
	const struct hf_process *p;
	struct hf_task *task;

	wait_ready(1);
	fake_hold_add_level(hold, "/pod", judgements[_i].frozen);
	task = fake_hold_add(hold, pid, pid, judgements[_i].state, judgements[_i].letter);
	task->signal = judgements[_i].signal;
	task->other = judgements[_i].other;
	p = collect_and_find(pid);
	ck_assert_int_eq(p->found, judgements[_i].found);
	ck_assert_int_eq(p->stop_signal, judgements[_i].stop_signal);
	ck_assert_int_eq(p->tracer, judgements[_i].tracer);
	ck_assert_int_eq(p->threads[0].found, judgements[_i].letter);
	end(pid);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite = suite_create("facts");
	TCase *tc;

	if (argc > 2 && (strcmp(argv[1], STAND_STILL) == 0 || strcmp(argv[1], OVERWRITE) == 0))
		be_stand_still(argv);
	tc = add_case(suite, "process");
	tcase_add_test(tc, the_facts_of_a_process);
	tcase_add_test(tc, a_command_line_always_ends_in_nul);
	tcase_add_test(tc, of_a_long_command_line_the_beginning_is_told);
	tcase_add_test(tc, a_deleted_program_and_all_its_arguments);
	add_for_root(tc, a_dead_leader_stands_for_the_living, "a dead leader");
	tcase_add_test(tc, a_process_that_died_keeps_what_is_known);
	tcase_add_test(tc, a_process_outside_has_its_own_cgroup);
	tc = add_case(suite, "found");
	tcase_add_loop_test(tc, how_it_was_found, 0, (int)COUNT_OF(judgements));
	return hf_suite_run(suite);
}
