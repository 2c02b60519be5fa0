/* SPDX-License-Identifier: MIT */
/*
 * made_tree - made-up trees and the facts of a hold, for the tests of what prints them.
 */
#ifndef HF_TESTS_MADE_TREE_H
#define HF_TESTS_MADE_TREE_H

#include <signal.h>
#include <stdint.h>
#include <stdio.h>

#include "fake_hold.h"
#include "print.h"
#include "suite.h"
#include "tree.h"

static const struct hf_hold_info sample_info = {
	.kind = HF_TARGET_CGROUP,
	.target = "cgroup /sys/fs/cgroup/pod",
	.path = "/sys/fs/cgroup/pod",
	.version = 2,
	.found = HF_FREEZER_THAWED,
	.levels = 1,
	.timing_us = { .freeze = 310, .seize = 1400, .thaw = 20, .wait = 15, .collect = 900,
		       .release = 7, .stopped = 2650 },
	.time_us = 1795255200123456,
};

#define ID(n) (const pid_t[]){ n }, 1
#define ARGS(literal) literal, sizeof(literal)

static const struct hf_thread server_threads[] = {
	{ 100, (const pid_t[]){ 100, 7 }, 2, "server", HF_THREAD_HELD, 'S', 0, 232, NULL, 0,
	  HF_RESTART_IN_FULL },
	{ 105, (const pid_t[]){ 105, 8 }, 2, "flusher", HF_THREAD_ARMED, 'D', 0, 74, "folio_wait", 0, 0 },
	{ 106, (const pid_t[]){ 106, 9 }, 2, "iou-wrk-100", HF_THREAD_HELD, 'S', 1, -1, NULL, 0, 0 },
	{ 107, (const pid_t[]){ 107, 10 }, 2, "late", HF_THREAD_DIED, 'R', 0, -1, NULL, 0, 0 },
};
static const struct hf_thread stopped_thread = {
	101, ID(101), "w", HF_THREAD_HELD, 'T', 0, 0, NULL, 0, 0
};
static const struct hf_thread zombie_thread = {
	102, ID(102), "sh", HF_THREAD_ZOMBIE, 'Z', 0, -1, NULL, 0, 0
};
static const struct hf_thread waiting_thread = {
	103, ID(103), "make", HF_THREAD_ARMED, 'D', 0, 58, "kernel_clone", 104, 0
};
static const struct hf_thread traced_thread = {
	104, ID(104), "cc1", HF_THREAD_SKIPPED, 't', 0, -1, NULL, 0, 0
};

/* Two roots, three levels, one of each oddity. */
static const struct hf_process sample[] = {
	{ .pid = 100, .ppid = 1, .pgid = 100, .sid = 99, .nspid = (const pid_t[]){ 100, 7 },
	  .n_nspid = 2, .comm = "server", .exe = "/usr/bin/server", .exe_deleted = 1,
	  .cmdline = ARGS("server\0-f\0it's here\0"), .uid = 5, .euid = 33, .gid = 6, .egid = 34,
	  .start_time_ticks = 12345, .cgroup = "/pod", .kind = HF_KIND_PROCESS,
	  .found = HF_FOUND_RUNNING, .threads = server_threads, .n_threads = 4 },
	{ .pid = 101, .ppid = 100, .nspid = ID(101), .comm = "w", .exe = "/w", .cmdline = ARGS("w"),
	  .start_time_ticks = 12346, .cgroup = "/pod", .kind = HF_KIND_PROCESS,
	  .found = HF_FOUND_STOPPED, .stop_signal = SIGTSTP,
	  .threads = &stopped_thread, .n_threads = 1 },
	{ .pid = 102, .ppid = 101, .nspid = ID(102), .comm = "sh", .cmdline = "",
	  .start_time_ticks = 12347, .kind = HF_KIND_PROCESS,
	  .found = HF_FOUND_ZOMBIE, .threads = &zombie_thread, .n_threads = 1 },
	{ .pid = 103, .ppid = 100, .nspid = ID(103), .comm = "make", .exe = "/make",
	  .cmdline = ARGS("make\0-j\0\0"), .start_time_ticks = 12348, .cgroup = "/pod/a",
	  .kind = HF_KIND_PROCESS, .found = HF_FOUND_FROZEN,
	  .threads = &waiting_thread, .n_threads = 1 },
	{ .pid = 104, .ppid = 1, .nspid = ID(104), .comm = "cc1", .exe = "/cc1",
	  .cmdline = ARGS("cc1"), .start_time_ticks = 12349, .cgroup = "/pod", .kind = HF_KIND_PROCESS,
	  .found = HF_FOUND_TRACED, .tracer = 77, .threads = &traced_thread, .n_threads = 1 },
};

static inline char *format(const struct hf_process *procs, size_t n, const struct hf_hold_info *info,
		    enum hf_format how, unsigned int flags)
{
	struct hf_error err = HF_ERROR_INIT;
	hf_tree *tree = NULL;
	char *text = NULL;
	size_t len = 0;
	int r;

	ck_assert_int_eq(hf_tree_of(procs, n, &tree), 0);
	r = hf_tree_format_with(tree, info, how, flags, &text, &len, &err);
	ck_assert_msg(r == 0, "%s", err.text);
	ck_assert_uint_eq(len, strlen(text));
	ck_assert_uint_gt(len, 0);
	ck_assert_int_eq(text[len - 1], '\n');
	hf_tree_free(tree);
	return text;
}

static inline char *format_sample(enum hf_format how, unsigned int flags)
{
	return format(sample, COUNT_OF(sample), &sample_info, how, flags);
}

/* A process of one held thread, of that name and command line. */
static inline struct hf_process named(struct hf_thread *t, pid_t pid, pid_t ppid, const char *comm,
			       const char *cmdline, size_t cmdline_len)
{
	*t = (struct hf_thread){ .tid = pid, .nstid = &t->tid, .n_nstid = 1, .comm = comm,
				 .state = HF_THREAD_HELD, .found = 'S', .syscall = -1 };
	return (struct hf_process){
		.pid = pid, .ppid = ppid, .nspid = &t->tid, .n_nspid = 1, .comm = comm, .exe = comm,
		.cmdline = cmdline, .cmdline_len = cmdline_len, .cgroup = comm,
		.kind = HF_KIND_PROCESS, .found = HF_FOUND_RUNNING, .threads = t, .n_threads = 1,
	};
}

/* 1 to 255. */
static inline const char *all_bytes(void)
{
	static char bytes[256];
	size_t i;

	for (i = 0; i < 255; i++)
		bytes[i] = (char)(i + 1);
	return bytes;
}

static inline void check_utf8(const char *text)
{
	size_t at, n, len = strlen(text);

	for (at = 0; at < len; at += n) {
		n = hf_utf8_len(text + at, len - at);
		ck_assert_uint_gt(n, 0);
	}
}

/* n processes, process i the child of (i - 1) / width: width 1 is a chain, width n a star. */
static inline char *format_many(size_t n, size_t width, enum hf_format how, unsigned int flags)
{
	struct hf_process *procs = calloc(n, sizeof(*procs));
	struct hf_thread *threads = calloc(n, sizeof(*threads));
	char *text;
	size_t i;

	ck_assert_ptr_nonnull(procs);
	ck_assert_ptr_nonnull(threads);
	for (i = 0; i < n; i++)
		procs[i] = named(&threads[i], (pid_t)i + 1, i ? (pid_t)((i - 1) / width + 1) : 0,
				 "name", ARGS("name"));
	text = format(procs, n, &sample_info, how, flags);
	free(threads);
	free(procs);
	return text;
}

/* Lines of a text, of which none is longer than max bytes. */
static inline size_t count_lines(const char *text, size_t max)
{
	size_t n;

	for (n = 0; *text; n++) {
		size_t len = strcspn(text, "\n");

		ck_assert_uint_le(len, max);
		text += len + 1;
	}
	return n;
}

/* Deep, wide, and both. */
static const struct {
	size_t n, width;
} sizes[] = { { 10000, 1 }, { 20000, 20000 }, { 20000, 2 } };

static inline TCase *add_case(Suite *suite, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, 30);
	suite_add_tcase(suite, tc);
	return tc;
}

#endif
