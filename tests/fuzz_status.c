/* SPDX-License-Identifier: MIT */
/*
 * fuzz_status - /proc/PID/status (base/procfs.c).  Any bytes are read within their bounds; what fails
 * leaves nothing behind; what is written as the kernel writes it is read as what it was, lines that
 * nobody knows make no difference, and what has been cut is refused or lacks whole lines.
 */
#include "procfs.h"

#include <errno.h>
#include <stdarg.h>

#include "fuzz.h"

static int parse(const char *text, size_t len, struct hf_status *ret)
{
	size_t i;
	int r;

	memset(ret, FUZZ_FILLER, sizeof(*ret));
	r = hf_status_parse(text, len, ret);
	FUZZ_REQUIRE(r == 0 || r == -EBADMSG);
	if (r < 0) {
		FUZZ_REQUIRE(fuzz_is_untouched(ret, sizeof(*ret)));
		return r;
	}
	FUZZ_REQUIRE(memchr(ret->comm, '\0', sizeof(ret->comm)));
	FUZZ_REQUIRE((ret->state >= 'A' && ret->state <= 'Z') || (ret->state >= 'a' && ret->state <= 'z'));
	FUZZ_REQUIRE(ret->pid >= 0 && ret->tgid >= 0 && ret->ppid >= 0 && ret->tracer >= 0);
	FUZZ_REQUIRE(ret->n_nspid >= 1 && ret->n_nspid <= HF_NS_DEPTH);
	for (i = 0; i < ret->n_nspid; i++)
		FUZZ_REQUIRE(ret->nspid[i] >= 0);
	FUZZ_REQUIRE(ret->seccomp >= -1);
	return 0;
}

/* ---- What must be the same ---------------------------------------------------------------- */

static int is_same_in_what_is_needed(const struct hf_status *a, const struct hf_status *b)
{
	return strcmp(a->comm, b->comm) == 0 && a->state == b->state && a->tgid == b->tgid &&
	       a->pid == b->pid && a->ppid == b->ppid && a->tracer == b->tracer && a->uid == b->uid &&
	       a->euid == b->euid && a->suid == b->suid && a->fsuid == b->fsuid && a->gid == b->gid &&
	       a->egid == b->egid && a->sgid == b->sgid && a->fsgid == b->fsgid &&
	       a->n_threads == b->n_threads;
}

static int is_same_nspid(const struct hf_status *a, const struct hf_status *b)
{
	return a->n_nspid == b->n_nspid &&
	       memcmp(a->nspid, b->nspid, a->n_nspid * sizeof(a->nspid[0])) == 0;
}

static int is_same(const struct hf_status *a, const struct hf_status *b)
{
	return is_same_in_what_is_needed(a, b) && is_same_nspid(a, b) && a->seccomp == b->seccomp &&
	       a->sig_pending == b->sig_pending && a->shared_pending == b->shared_pending;
}

/* Whether cut is whole but for lines at the end that a kernel may lack. */
static int is_whole_but_for_the_end(const struct hf_status *cut, const struct hf_status *whole)
{
	return is_same_in_what_is_needed(cut, whole) &&
	       (is_same_nspid(cut, whole) || (cut->n_nspid == 1 && cut->nspid[0] == cut->pid)) &&
	       (cut->seccomp == whole->seccomp || cut->seccomp == -1) &&
	       (cut->sig_pending == whole->sig_pending || cut->sig_pending == 0) &&
	       (cut->shared_pending == whole->shared_pending || cut->shared_pending == 0);
}

/* The name is that of the first line that has one, the kernel's escapes undone. */
static void require_name(const char *text, size_t len, const char *comm)
{
	const char *end = text + len, *at = text;
	size_t n = 0;

	while (end - at < 6 || memcmp(at, "Name:\t", 6) != 0)
		at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
	for (at += 6; *at != '\n' && n < HF_COMM_MAX - 1; at++, n++) {
		char c = at[0] == '\\' && at[1] == 'n' ? '\n' : at[0];

		at += at[0] == '\\' && (at[1] == 'n' || at[1] == '\\');
		FUZZ_REQUIRE(comm[n] == c);
	}
	FUZZ_REQUIRE(comm[n] == '\0' && strlen(comm) == n);
	FUZZ_REQUIRE(!memchr(at, '\0', (size_t)((const char *)memchr(at, '\n', (size_t)(end - at)) - at)));
}

/* ---- Writing ------------------------------------------------------------------------------ */

struct text {
	char bytes[2048];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	t->len += (size_t)vsnprintf(t->bytes + t->len, sizeof(t->bytes) - t->len, fmt, ap);
	va_end(ap);
	FUZZ_REQUIRE(t->len < sizeof(t->bytes));
}

static void add_name(struct text *t, const char *comm)
{
	add(t, "Name:\t");
	for (; *comm; comm++) {
		if (*comm == '\n')
			add(t, "\\n");
		else if (*comm == '\\')
			add(t, "\\\\");
		else
			add(t, "%c", *comm);
	}
	add(t, "\n");
}

/* As proc_pid_status() of the kernel does it, with what is left out below in between. */
static void format(const struct hf_status *st, struct text *t)
{
	size_t i;

	t->len = 0;
	add_name(t, st->comm);
	add(t, "Umask:\t0022\nState:\t%c (a word)\nTgid:\t%d\nNgid:\t0\n", st->state, st->tgid);
	add(t, "Pid:\t%d\nPPid:\t%d\nTracerPid:\t%d\n", st->pid, st->ppid, st->tracer);
	add(t, "Uid:\t%u\t%u\t%u\t%u\n", st->uid, st->euid, st->suid, st->fsuid);
	add(t, "Gid:\t%u\t%u\t%u\t%u\n", st->gid, st->egid, st->sgid, st->fsgid);
	add(t, "FDSize:\t64\nGroups:\t0 4 \nNStgid:\t1\nNSpid:");
	for (i = 0; i < st->n_nspid; i++)
		add(t, "\t%d", st->nspid[i]);
	add(t, "\nKthread:\t0\nThreads:\t%u\nSigQ:\t0/7\n", st->n_threads);
	add(t, "SigPnd:\t%016llx\nShdPnd:\t%016llx\n", (unsigned long long)st->sig_pending,
	    (unsigned long long)st->shared_pending);
	if (st->seccomp >= 0)
		add(t, "Seccomp:\t%d\nSeccomp_filters:\t0\n", st->seccomp);
}

/* Every cut costs as much as a parse: one in sixteen inputs pays for all of them. */
static void require_round_trip(const struct hf_status *st, int with_cuts)
{
	struct hf_status again;
	struct text t;
	char *exact;
	size_t cut;

	format(st, &t);
	exact = fuzz_exact(t.bytes, t.len);
	FUZZ_REQUIRE(parse(exact, t.len, &again) == 0 && is_same(st, &again));
	free(exact);
	for (cut = with_cuts ? 0 : t.len; cut < t.len; cut++)
		FUZZ_REQUIRE(parse(t.bytes, cut, &again) < 0 || is_whole_but_for_the_end(&again, st));
}

static void require_same_behind_unknown_lines(const char *text, size_t len, const struct hf_status *st)
{
	static const char unknown[] = "\nname:\tx\nPidx:\t1\n Pid:\t2\nThreads\t3\n";
	struct hf_status again;
	char *longer = malloc(sizeof(unknown) - 1 + len);

	FUZZ_REQUIRE(longer != NULL);
	memcpy(longer, unknown, sizeof(unknown) - 1);
	memcpy(longer + sizeof(unknown) - 1, text, len);
	FUZZ_REQUIRE(parse(longer, sizeof(unknown) - 1 + len, &again) == 0 && is_same(st, &again));
	free(longer);
}

static void make_up(struct fuzz_source from, struct hf_status *ret)
{
	size_t i;

	ret->state = (char)('a' + fuzz_take_u32(&from) % 26);
	ret->tgid = fuzz_take_id(&from);
	ret->pid = fuzz_take_id(&from);
	ret->ppid = fuzz_take_id(&from);
	ret->tracer = fuzz_take_id(&from);
	ret->uid = fuzz_take_u32(&from);
	ret->euid = fuzz_take_u32(&from);
	ret->suid = fuzz_take_u32(&from);
	ret->fsuid = fuzz_take_u32(&from);
	ret->gid = fuzz_take_u32(&from);
	ret->egid = fuzz_take_u32(&from);
	ret->sgid = fuzz_take_u32(&from);
	ret->fsgid = fuzz_take_u32(&from);
	ret->n_threads = fuzz_take_u32(&from);
	ret->sig_pending = fuzz_take_u64(&from);
	ret->shared_pending = fuzz_take_u64(&from);
	ret->seccomp = fuzz_take_id(&from) - 1;
	fuzz_take_string(&from, ret->comm, sizeof(ret->comm));
	ret->n_nspid = fuzz_take_u32(&from) % HF_NS_DEPTH + 1;
	for (i = 0; i < ret->n_nspid; i++)
		ret->nspid[i] = fuzz_take_id(&from);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct hf_status st;

	if (parse(text, size, &st) == 0) {
		require_name(text, size, st.comm);
		require_round_trip(&st, size % 16 == 0);
		require_same_behind_unknown_lines(text, size, &st);
	}
	make_up((struct fuzz_source){ data, size }, &st);
	require_round_trip(&st, size % 16 == 1);
	return 0;
}
