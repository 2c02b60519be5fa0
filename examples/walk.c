/* SPDX-License-Identifier: MIT */
/*
 * walk - the whole of libholdfast in one small program: take a hold of a cgroup, walk its
 * processes and threads, read where each thread is, and let everybody go.
 *
 *	cc walk.c $(pkg-config --cflags --libs holdfast) -o walk
 *	sudo ./walk /sys/fs/cgroup/my.slice [run|stop|kill]
 */
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/user.h>

#include <holdfast.h>

/* The program counter of a held thread; 0 when it has none to show (an armed thread). */
static unsigned long long where(hf_hold *hold, pid_t tid)
{
	struct user_regs_struct regs;
	size_t size = sizeof(regs);

	if (hf_hold_registers(hold, tid, NT_PRSTATUS, &regs, &size, NULL) < 0)
		return 0;
#if defined(__x86_64__)
	return regs.rip;
#elif defined(__aarch64__)
	return regs.pc;
#else
	return 0;
#endif
}

static void print_process(hf_hold *hold, const struct hf_process *p)
{
	size_t i;

	printf("process %d, child of %d: %s\n", (int)p->pid, (int)p->ppid, p->comm);
	for (i = 0; i < p->n_threads; i++)
		printf("  thread %d at %#llx%s\n", (int)p->threads[i].tid,
		       where(hold, p->threads[i].tid),
		       p->threads[i].state == HF_THREAD_HELD ? "" : " (not stopped)");
}

static int parse_how(const char *word, enum hf_release *how)
{
	if (!strcmp(word, "run"))
		*how = HF_RELEASE_AS_FOUND;
	else if (!strcmp(word, "stop"))
		*how = HF_RELEASE_STOPPED;
	else if (!strcmp(word, "kill"))
		*how = HF_RELEASE_DEAD;
	else
		return -1;
	return 0;
}

static int fail(const struct hf_error *err)
{
	fprintf(stderr, "walk: %s: %s%s%s\n", hf_stage_name(err->stage), err->text,
		err->note[0] ? "; " : "", err->note);
	return 1;
}

int main(int argc, char **argv)
{
	struct hf_error err = HF_ERROR_INIT;
	enum hf_release how = HF_RELEASE_AS_FOUND;
	const struct hf_process *p = NULL;
	const struct hf_hold_info *info;
	hf_hold *hold = NULL;
	hf_tree *tree = NULL;
	int r;

	if (argc < 2 || argc > 3 || (argc == 3 && parse_how(argv[2], &how) < 0)) {
		fprintf(stderr, "usage: walk CGROUP [run|stop|kill]\n");
		return 2;
	}
	if (hf_hold_cgroup(argv[1], NULL, &hold, &err) < 0)
		return fail(&err);
	r = hf_tree_collect(hold, NULL, &tree, &err);
	while (r == 0 && (p = hf_tree_next(tree, p)))
		print_process(hold, p);
	if (r < 0)
		fail(&err);

	/* Whatever happened in between: let go. */
	if (hf_hold_release(hold, how, NULL, &err) < 0)
		r = -fail(&err);
	info = hf_hold_info(hold);
	printf("%zu threads were held for %.1f ms\n", info->threads,
	       (double)info->timing_us.stopped / 1000.0);
	hf_tree_free(tree);
	hf_hold_free(hold);
	return r < 0;
}
