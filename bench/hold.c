/* SPDX-License-Identifier: MIT */
/*
 * hold CGROUP|PID ROUNDS VIEW [tree] - the library beside the bare system calls, in one process and in turn.  Each round
 * prints one line of JSON for each way: how long the hold took, from the first stop to the last, and in all; the release;
 * and how long a thread of the target says that it was stopped (view.h).  With tree, of a cgroup, also how long it took to
 * collect the tree, beside reading the files that it is made of.
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <holdfast.h>

#include "reads.h"
#include "steps.h"
#include "view.h"

struct round {
	struct hf_timing us;
	uint64_t stopping_us;	/* from the first stop to the last */
	uint64_t call_us;	/* with all that comes before and after */
	size_t threads, bytes;
};

static volatile struct view *view;

#define PATIENCE_US 60000000

static void nap_us(uint64_t us)
{
	const struct timespec nap = { (time_t)(us / 1000000), (long)(us % 1000000) * 1000 };

	nanosleep(&nap, NULL);
}

/* What a thread of the target has seen since the last time. */
static uint64_t longest_silence(void)
{
	uint64_t us = view->longest_us;
	unsigned int i;

	view->asked = 1;
	for (i = 0; view->asked; i++) {
		if (i == PATIENCE_US / 100) {
			fputs("nobody in the target answers: is the crowd there?\n", stderr);
			exit(1);
		}
		nap_us(100);
	}
	return us;
}

static void die(const struct hf_error *err)
{
	fprintf(stderr, "%s: %s\n", hf_stage_name(err->stage), err->text);
	exit(1);
}

static hf_hold *take(const struct hf_target *target, const struct hf_take_options *opts)
{
	struct hf_error err = HF_ERROR_INIT;
	hf_hold *hold;

	if (hf_hold_take(target, opts, &hold, &err) < 0)
		die(&err);
	return hold;
}

/* What the library is asked for, and what stands for it among the bare system calls. */
enum asked { HOLD, TREE, FACTS };

static void collect(hf_hold *hold, enum asked asked)
{
	struct hf_tree_options opts = HF_TREE_OPTIONS_INIT;
	struct hf_error err = HF_ERROR_INIT;
	hf_tree *tree;

	opts.brief = asked == TREE;
	if (hf_tree_collect(hold, &opts, &tree, &err) < 0)
		die(&err);
	hf_tree_free(tree);
}

static struct round with_holdfast(const struct hf_target *target, const struct hf_take_options *opts,
				  enum asked asked)
{
	struct hf_error err = HF_ERROR_INIT;
	const struct hf_hold_info *info;
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
	uint64_t start = steps_now_us(), taken;
	hf_hold *hold = take(target, opts);
	struct round r;

	taken = steps_now_us();
	info = hf_hold_info(hold);
	r = (struct round){
		.stopping_us = info->timing_us.freeze + info->timing_us.seize + info->timing_us.thaw +
			       info->timing_us.wait,
		.call_us = taken - start,
		.threads = info->held,
	};
	if (asked != HOLD)
		collect(hold, asked);
	if (hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, &err) < 0)
		die(&err);
	r.us = info->timing_us;
	/* Asked now, for it takes time to be counted. */
	r.bytes = mallinfo2().uordblks + mallinfo2().hblkhd - before;
	hf_hold_free(hold);
	return r;
}

static struct round with_steps(struct steps *s, enum asked asked)
{
	uint64_t start;

	steps_hold(s);
	start = steps_now_us();
	if (asked != HOLD)
		reads_of_cgroup(s->where, asked == FACTS);
	s->us.collect = steps_now_us() - start;
	steps_release(s);
	return (struct round){
		.us = s->us,
		.stopping_us = s->us.freeze + s->us.seize + s->us.thaw + s->us.wait,
		.call_us = s->us.freeze + s->us.seize + s->us.thaw + s->us.wait,
		.threads = s->n,
	};
}

static void print(const char *way, const struct round *r, uint64_t silence_us)
{
	const struct { const char *name; uint64_t value; } facts[] = {
		{ "threads", r->threads }, { "freeze_us", r->us.freeze }, { "seize_us", r->us.seize },
		{ "thaw_us", r->us.thaw }, { "wait_us", r->us.wait }, { "stopping_us", r->stopping_us },
		{ "call_us", r->call_us }, { "release_us", r->us.release }, { "silence_us", silence_us },
		{ "collect_us", r->us.collect }, { "bytes", r->bytes },
	};
	size_t i;

	printf("{\"way\":\"%s\"", way);
	for (i = 0; i < sizeof(facts) / sizeof(*facts); i++)
		printf(",\"%s\":%llu", facts[i].name, (unsigned long long)facts[i].value);
	puts("}");
	fflush(stdout);
}

/* Until those who were let go are back in their waits. */
static void settle(size_t threads)
{
	nap_us(20000 + threads * 40);
}

static void map_view(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*view), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		steps_die(path);
	view = at;
}

static void take_turns(const char *where, int rounds, bool trees)
{
	struct hf_take_options plain = HF_TAKE_OPTIONS_INIT, bare = HF_TAKE_OPTIONS_INIT, brief = HF_TAKE_OPTIONS_INIT;
	struct hf_target target = HF_TARGET_INIT;
	struct steps floor, spinning;
	const struct {
		const char *name;
		struct steps *steps;			/* or else: */
		const struct hf_take_options *opts;
		enum asked asked;
		bool wanted;
	} ways[] = {
		{ "floor", &floor, NULL, HOLD, true },
		{ "holdfast", NULL, &plain, HOLD, true },
		{ "no-restart", NULL, &bare, HOLD, !trees },
		{ "brief", NULL, &brief, HOLD, !trees },
		{ "spinning", &spinning, NULL, HOLD, !trees && where[0] == '/' },
		{ "floor-tree", &floor, NULL, TREE, trees },
		{ "tree", NULL, &plain, TREE, trees },
		{ "floor-facts", &floor, NULL, FACTS, trees },
		{ "facts", NULL, &plain, FACTS, trees },
	};
	struct round r;
	size_t way;
	int i;

	steps_open(&floor, where);
	steps_open(&spinning, where);
	spinning.spins = true;
	bare.no_restart = 1;
	brief.brief = HF_BRIEF_PROCESSES;
	if (floor.pid) {
		target.kind = HF_TARGET_PROCESSES;
		target.pids = &floor.pid;
		target.n_pids = 1;
	} else {
		target.path = where;
	}
	/* The first round is not counted: nothing is in the caches yet. */
	for (i = 0; i <= rounds; i++)
		for (way = 0; way < sizeof(ways) / sizeof(*ways); way++) {
			if (!ways[way].wanted)
				continue;
			longest_silence();
			r = ways[way].steps ? with_steps(ways[way].steps, ways[way].asked) :
					      with_holdfast(&target, ways[way].opts, ways[way].asked);
			settle(r.threads);
			if (i > 0)
				print(ways[way].name, &r, longest_silence());
		}
	steps_done(&floor);
	steps_done(&spinning);
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		fputs("usage: hold CGROUP|PID ROUNDS VIEW [tree]\n", stderr);
		return 2;
	}
	map_view(argv[3]);
	take_turns(argv[1], atoi(argv[2]), argc > 4);
	return 0;
}
