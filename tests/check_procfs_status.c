/* SPDX-License-Identifier: MIT */
/*
 * check_procfs_status - tests of hf_status_parse() of base/procfs.c, line by line of the file.
 */
#include "procfs.h"

#include <errno.h>

#include "suite.h"

/* As Linux 6.18 writes it for a process in a nested PID namespace with a stop signal pending. */
#define STATUS_HEAD "Umask:\t0022\n"
#define STATUS_STATE "State:\tT (stopped)\n"
#define STATUS_IDS "Tgid:\t100\nNgid:\t0\nPid:\t101\nPPid:\t50\nTracerPid:\t0\n"
#define STATUS_UID "Uid:\t1000\t1001\t1002\t1003\n"
#define STATUS_GID "Gid:\t2000\t2001\t2002\t2003\n"
#define STATUS_GROUPS "FDSize:\t256\nGroups:\t4 24 27 1000 \n"
#define STATUS_NS "NStgid:\t100\t7\t1\nNSpid:\t101\t8\t2\nNSpgid:\t100\t7\t1\nNSsid:\t50\t0\t0\n"
#define STATUS_VM "Kthread:\t0\nVmPeak:\t    3060 kB\nVmSize:\t    3060 kB\nCoreDumping:\t0\n"
#define STATUS_SIG \
	"SigQ:\t1/96365\nSigPnd:\t0000000000040000\nShdPnd:\tffffffffffffffff\n" \
	"SigBlk:\t0000000000000001\nSigIgn:\t0000000000000002\nSigCgt:\t0000000000000004\n"
#define STATUS_TAIL \
	"CapInh:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t2\nSeccomp_filters:\t1\n" \
	"Cpus_allowed:\t3\nCpus_allowed_list:\t0-1\nnonvoluntary_ctxt_switches:\t0\n"
#define STATUS_ALL \
	"Name:\tsrv\n" STATUS_HEAD STATUS_STATE STATUS_IDS STATUS_UID STATUS_GID STATUS_GROUPS \
	STATUS_NS STATUS_VM "Threads:\t3\n" STATUS_SIG STATUS_TAIL
/* What cannot be missing, and the place where one line stands. */
#define STATUS_WITH(name, state, ids, uid, more) \
	BYTES(name state ids uid STATUS_GID more)
#define NAME "Name:\tsrv\n"
#define THREADS "Threads:\t3\n"

START_TEST(status_gives_every_member)
{
	struct bytes in = BYTES(STATUS_ALL);
	char *copy = exact_copy(in);
	struct hf_status st;

	memset(&st, FILLER, sizeof(st));
	ck_assert_int_eq(hf_status_parse(copy, in.len, &st), 0);
	free(copy);
	ck_assert_str_eq(st.comm, "srv");
	ck_assert_int_eq(st.state, 'T');
	ck_assert_int_eq(st.tgid, 100);
	ck_assert_int_eq(st.pid, 101);
	ck_assert_int_eq(st.ppid, 50);
	ck_assert_int_eq(st.tracer, 0);
	ck_assert_uint_eq(st.uid, 1000);
	ck_assert_uint_eq(st.euid, 1001);
	ck_assert_uint_eq(st.suid, 1002);
	ck_assert_uint_eq(st.fsuid, 1003);
	ck_assert_uint_eq(st.gid, 2000);
	ck_assert_uint_eq(st.egid, 2001);
	ck_assert_uint_eq(st.sgid, 2002);
	ck_assert_uint_eq(st.fsgid, 2003);
	ck_assert_uint_eq(st.n_threads, 3);
	ck_assert_uint_eq(st.n_nspid, 3);
	ck_assert_int_eq(st.nspid[0], 101);
	ck_assert_int_eq(st.nspid[1], 8);
	ck_assert_int_eq(st.nspid[2], 2);
	ck_assert_uint_eq(st.sig_pending, 0x40000);
	ck_assert_uint_eq(st.shared_pending, UINT64_MAX);
	ck_assert_uint_eq(st.sig_blocked, 1);
	ck_assert_uint_eq(st.sig_ignored, 2);
	ck_assert_uint_eq(st.sig_caught, 4);
	ck_assert_int_eq(st.seccomp, 2);
}
END_TEST

START_TEST(keys_that_older_kernels_lack_have_their_defaults)
{
	struct bytes in = STATUS_WITH(NAME, STATUS_STATE, STATUS_IDS, STATUS_UID, THREADS);
	struct hf_status st;

	memset(&st, FILLER, sizeof(st));
	ck_assert_int_eq(hf_status_parse(in.text, in.len, &st), 0);
	ck_assert_uint_eq(st.n_nspid, 1);
	ck_assert_int_eq(st.nspid[0], 101);
	ck_assert_uint_eq(st.sig_pending, 0);
	ck_assert_uint_eq(st.shared_pending, 0);
	ck_assert_int_eq(st.seccomp, -1);
}
END_TEST

/* The lines of STATUS_ALL that are needed, by the text they begin with. */
static const char *const needed[] = {
	"Name:", "State:", "Tgid:", "Pid:", "PPid:", "TracerPid:", "Uid:", "Gid:", "Threads:",
};

/* Copies STATUS_ALL without, or with something else for, the line that begins with key. */
static size_t status_but(char *text, const char *key, const char *instead)
{
	static const char all[] = STATUS_ALL;
	const char *line, *end;
	size_t len = 0, n;

	for (line = all; *line; line = end + 1) {
		end = strchr(line, '\n');
		n = (size_t)(end - line) + 1;
		if (strncmp(line, key, strlen(key)) == 0) {
			n = strlen(instead);
			memcpy(text + len, instead, n);
		} else {
			memcpy(text + len, line, n);
		}
		len += n;
	}
	return len;
}

/* "Pid:" missing must not be made up for by "PPid:", "TracerPid:" or "NSpid:". */
START_TEST(a_status_without_a_needed_key_is_refused)
{
	static char text[4096];
	struct hf_status st;

	memset(&st, FILLER, sizeof(st));
	ck_assert_int_eq(hf_status_parse(text, status_but(text, needed[_i], ""), &st), -EBADMSG);
	ck_assert(is_untouched(&st, sizeof(st)));
}
END_TEST

static const struct {
	const char *key, *line;
} bad_lines[] = {
	{ "Name:", "Name:\n" },
	{ "Name:", "Name:srv\n" },
	{ "State:", "State:\n" },
	{ "State:", "State:\t\n" },
	{ "State:", "State:\t(stopped)\n" },
	{ "State:", "State:\tTT\n" },
	{ "State:", "State:\t4\n" },
	{ "Tgid:", "Tgid:\t\n" },
	{ "Tgid:", "Tgid:\t-1\n" },
	{ "Tgid:", "Tgid:\tx\n" },
	{ "Tgid:", "Tgid:\t1x\n" },
	{ "Tgid:", "Tgid:\t1 2\n" },
	{ "Pid:", "Pid:\t2147483648\n" },
	{ "Pid:", "Pid:\t4294967297\n" },
	{ "Pid:", "Pid:\t18446744073709551617\n" },
	{ "Pid:", "Pid:\t0x10\n" },
	{ "PPid:", "PPid:\t-1\n" },
	{ "TracerPid:", "TracerPid:\t99999999999\n" },
	{ "Uid:", "Uid:\t1\t2\t3\n" },
	{ "Uid:", "Uid:\t1\t2\t3\t4\t5\n" },
	{ "Uid:", "Uid:\t1\t2\t3\t4294967296\n" },
	{ "Uid:", "Uid:\t-1\t2\t3\t4\n" },
	{ "Gid:", "Gid:\t1\t2\t3\t\n" },
	{ "Gid:", "Gid:\t1,2,3,4\n" },
	{ "NSpid:", "NSpid:\n" },
	{ "NSpid:", "NSpid:\t\n" },
	{ "NSpid:", "NSpid:\t1\tx\n" },
	{ "NSpid:", "NSpid:\t1\t-1\n" },
	{ "NSpid:", "NSpid:\t1\t4294967296\n" },
	{ "Threads:", "Threads:\t-1\n" },
	{ "Threads:", "Threads:\t4294967296\n" },
	{ "SigPnd:", "SigPnd:\t\n" },
	{ "SigPnd:", "SigPnd:\t10000000000000000\n" },
	{ "SigPnd:", "SigPnd:\t00000000000000g0\n" },
	{ "ShdPnd:", "ShdPnd:\t-1\n" },
	{ "SigBlk:", "SigBlk:\t\n" },
	{ "SigIgn:", "SigIgn:\tx\n" },
	{ "SigCgt:", "SigCgt:\t10000000000000000\n" },
	{ "Seccomp:", "Seccomp:\t2147483648\n" },
	{ "Seccomp:", "Seccomp:\tfilter\n" },
};

START_TEST(a_value_that_does_not_fit_is_refused_and_nothing_is_touched)
{
	static char text[4096];
	struct hf_status st;

	memset(&st, FILLER, sizeof(st));
	ck_assert_int_eq(hf_status_parse(text, status_but(text, bad_lines[_i].key,
							  bad_lines[_i].line), &st), -EBADMSG);
	ck_assert(is_untouched(&st, sizeof(st)));
}
END_TEST

static const struct {
	const char *line, *comm;
} comms[] = {
	{ "Name:\t\n", "" },
	{ "Name:\t \n", " " },
	{ "Name:\t\t\n", "\t" },
	{ "Name:\t  two  words \n", "  two  words " },
	{ "Name:\ta\\nPid:\\t1\n", "a\nPid:\\t1" },
	{ "Name:\t\\\\\n", "\\" },
	{ "Name:\t\\\\n\n", "\\n" },
	{ "Name:\t\\\\\\n\n", "\\\n" },
	{ "Name:\t\\\\\\\\\n", "\\\\" },
	{ "Name:\ta\\\n", "a\\" },		/* the kernel does not write these two */
	{ "Name:\ta\\x\\040\n", "a\\x\\040" },
	{ "Name:\t(a) R (b)\n", "(a) R (b)" },
	{ "Name:\tPid:\t1\n", "Pid:\t1" },
	{ "Name:\t\xff\xc3\x28\x01\x7f\n", "\xff\xc3\x28\x01\x7f" },
	{ "Name:\tkworker/u8:0-events_unbound\n", "kworker/u8:0-events_unbound" },
	{ "Name:\t0123456789012345678901234567890123456789012345678901234567890123456789\n",
	  "012345678901234567890123456789012345678901234567890123456789012" },
};

START_TEST(a_name_is_unescaped_and_may_be_any_bytes)
{
	static char text[4096];
	struct hf_status st;

	ck_assert_int_eq(hf_status_parse(text, status_but(text, "Name:", comms[_i].line), &st), 0);
	ck_assert_str_eq(st.comm, comms[_i].comm);
	ck_assert_int_eq(st.pid, 101);
}
END_TEST

START_TEST(a_name_with_a_nul_is_refused)
{
	struct bytes in = STATUS_WITH("Name:\ta\0b\n", STATUS_STATE, STATUS_IDS, STATUS_UID, THREADS);
	struct hf_status st;

	ck_assert_int_eq(hf_status_parse(in.text, in.len, &st), -EBADMSG);
}
END_TEST

static const struct {
	const char *line;
	char state;
} state_lines[] = {
	{ "State:\tR (running)\n", 'R' },	   { "State:\tS (sleeping)\n", 'S' },
	{ "State:\tD (disk sleep)\n", 'D' },	   { "State:\tt (tracing stop)\n", 't' },
	{ "State:\tZ (zombie)\n", 'Z' },	   { "State:\tX (dead)\n", 'X' },
	{ "State:\tI (idle)\n", 'I' },		   { "State:\tP\n", 'P' },
	{ "State:\tQ (not known yet) 1 2\n", 'Q' },
};

START_TEST(a_state_is_its_letter)
{
	static char text[4096];
	struct hf_status st;

	ck_assert_int_eq(hf_status_parse(text, status_but(text, "State:", state_lines[_i].line),
					 &st), 0);
	ck_assert_int_eq(st.state, state_lines[_i].state);
}
END_TEST

static const struct {
	struct bytes in;
	pid_t pid, ppid, tracer;
	uid_t uid;
	size_t n_nspid;
} statuses[] = {
	/* A zombie has no memory and no file descriptors. */
	{ BYTES("Name:\tsh\nState:\tZ (zombie)\nTgid:\t8\nNgid:\t0\nPid:\t8\nPPid:\t1\n"
		"TracerPid:\t9\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nFDSize:\t0\nGroups:\t \n"
		"NStgid:\t8\nNSpid:\t8\nKthread:\t0\nThreads:\t1\nSigQ:\t0/1\n"
		"SigPnd:\t0000000000000000\nShdPnd:\t0000000000000000\nSeccomp:\t0\n"),
	  8, 1, 9, 0, 1 },
	/* A kernel thread. */
	{ BYTES("Name:\tkthreadd\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t2\nNgid:\t0\nPid:\t2\n"
		"PPid:\t0\nTracerPid:\t0\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nNSpid:\t2\n"
		"Kthread:\t1\nThreads:\t1\nSeccomp:\t0\n"),
	  2, 0, 0, 0, 1 },
	/* The ids that nobody has: overflow ids, and (uid_t)-1. */
	{ STATUS_WITH(NAME, STATUS_STATE, STATUS_IDS, "Uid:\t4294967295\t65534\t0\t4294967295\n",
		      THREADS), 101, 50, 0, UINT32_MAX, 1 },
	/* The first of two keys counts, and unknown lines do not matter. */
	{ STATUS_WITH(NAME, STATUS_STATE, STATUS_IDS "Pid:\t999\n" "PPid:\tx\n" "\n" "garbage\n"
		      "\0\0\n" "pid:\t5\n" " Pid:\t6\n" "Pid\t7\n", STATUS_UID, THREADS),
	  101, 50, 0, 1000, 1 },
	/* Blanks may be spaces, and stand at the end. */
	{ STATUS_WITH(NAME, STATUS_STATE, "Tgid:\t1\nPid:  12 \nPPid:\t3\t\nTracerPid: 4\n",
		      STATUS_UID, THREADS), 12, 3, 4, 1000, 1 },
	/* As deep as namespaces go. */
	{ STATUS_WITH(NAME, STATUS_STATE, STATUS_IDS, STATUS_UID, THREADS
		      "NSpid:\t1\t2\t3\t4\t5\t6\t7\t8\t9\t10\t11\t12\t13\t14\t15\t16\t17\t18\t19"
		      "\t20\t21\t22\t23\t24\t25\t26\t27\t28\t29\t30\t31\t32\t33\n"),
	  101, 50, 0, 1000, 33 },
	/* One that the reader's namespace does not reach. */
	{ STATUS_WITH(NAME, STATUS_STATE, "Tgid:\t0\nPid:\t0\nPPid:\t0\nTracerPid:\t0\n", STATUS_UID,
		      THREADS "NSpid:\t0\n"), 0, 0, 0, 1000, 1 },
};

START_TEST(every_kind_of_task_has_a_status)
{
	char *copy = exact_copy(statuses[_i].in);
	struct hf_status st;

	ck_assert_int_eq(hf_status_parse(copy, statuses[_i].in.len, &st), 0);
	ck_assert_int_eq(st.pid, statuses[_i].pid);
	ck_assert_int_eq(st.ppid, statuses[_i].ppid);
	ck_assert_int_eq(st.tracer, statuses[_i].tracer);
	ck_assert_uint_eq(st.uid, statuses[_i].uid);
	ck_assert_uint_eq(st.n_nspid, statuses[_i].n_nspid);
	free(copy);
}
END_TEST

START_TEST(deeper_namespaces_than_there_can_be_are_refused)
{
	struct bytes in = STATUS_WITH(NAME, STATUS_STATE, STATUS_IDS, STATUS_UID, THREADS
		"NSpid:\t1\t2\t3\t4\t5\t6\t7\t8\t9\t10\t11\t12\t13\t14\t15\t16\t17\t18\t19"
		"\t20\t21\t22\t23\t24\t25\t26\t27\t28\t29\t30\t31\t32\t33\t34\n");
	struct hf_status st;

	memset(&st, FILLER, sizeof(st));
	ck_assert_int_eq(hf_status_parse(in.text, in.len, &st), -EBADMSG);
	ck_assert(is_untouched(&st, sizeof(st)));
}
END_TEST

/* Cut in the middle of "Threads:\t3" or "Seccomp:\t2" the number might have been longer. */
START_TEST(a_status_that_was_cut_inside_a_line_is_refused)
{
	struct bytes in = BYTES(STATUS_ALL);
	size_t cut, enough = (size_t)(strstr(in.text, "Seccomp:\t2\n") - in.text) + 11;
	size_t least = (size_t)(strstr(in.text, "Threads:\t3\n") - in.text) + 11;
	struct hf_status st;
	char *copy;
	int r;

	for (cut = 0; cut <= in.len; cut++) {
		copy = exact_copy((struct bytes){ in.text, cut });
		r = hf_status_parse(copy, cut, &st);
		if (cut >= enough || (cut >= least && in.text[cut - 1] == '\n')) {
			ck_assert_int_eq(r, 0);
			ck_assert_int_eq(st.pid, 101);
			ck_assert_uint_eq(st.n_threads, 3);
		} else {
			ck_assert_int_eq(r, -EBADMSG);
		}
		free(copy);
	}
}
END_TEST

#define LOOP(tcase, test, table) tcase_add_loop_test(tcase, test, 0, (int)COUNT_OF(table))

static TCase *status_case(void)
{
	TCase *tcase = tcase_create("status");

	tcase_add_test(tcase, status_gives_every_member);
	tcase_add_test(tcase, keys_that_older_kernels_lack_have_their_defaults);
	LOOP(tcase, a_status_without_a_needed_key_is_refused, needed);
	LOOP(tcase, a_value_that_does_not_fit_is_refused_and_nothing_is_touched, bad_lines);
	LOOP(tcase, a_name_is_unescaped_and_may_be_any_bytes, comms);
	tcase_add_test(tcase, a_name_with_a_nul_is_refused);
	LOOP(tcase, a_state_is_its_letter, state_lines);
	LOOP(tcase, every_kind_of_task_has_a_status, statuses);
	tcase_add_test(tcase, deeper_namespaces_than_there_can_be_are_refused);
	tcase_add_test(tcase, a_status_that_was_cut_inside_a_line_is_refused);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("procfs status");

	suite_add_tcase(suite, status_case());
	return hf_suite_run(suite);
}
