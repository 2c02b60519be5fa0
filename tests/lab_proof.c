/* SPDX-License-Identifier: MIT */
/*
 * lab_proof - who runs and who does not, who is traced, and what parents were told (see lab.h).
 * Looks only at what the kernel and the victims say, never at what the library says.
 */
#include "lab.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "lab_internal.h"
#include "procfs.h"

/* ---- Counters ------------------------------------------------------------------------------- */

struct counts {
	uint64_t at[VICTIM_SLOTS];
};

static void snapshot(const struct lab *lab, struct counts *ret)
{
	uint32_t n = atomic_load(&lab->board->n_slots);

	for (uint32_t i = 0; i < n; i++)
		ret->at[i] = atomic_load(&lab->board->slots[i].count);
}

static bool moves(struct lab *lab, uint32_t i)
{
	return atomic_load(&lab->board->slots[i].duty) == VICTIM_MOVES;
}

static void fail_slot(struct lab *lab, const struct lab_victim *v, uint32_t i, const char *what)
{
	pid_t tid = atomic_load(&lab->board->slots[i].tid);
	char state = lab_state(tid);

	ck_abort_msg("slot %u of victim %d (v%d): %s; its thread %d is in state %c", i - v->first,
		     (int)v->pid, lab->version, what, (int)tid, state ? state : '-');
}

static void check_moving(struct lab *lab, const struct lab_victim *v, const struct counts *before,
			 struct hf_deadline deadline)
{
	for (uint32_t i = v->first; i < v->first + v->n; i++) {
		_Atomic uint64_t *count = &lab->board->slots[i].count;
		struct hf_nap nap = HF_NAP_INIT;

		if (atomic_load(&lab->board->slots[i].duty) == VICTIM_STAYS && atomic_load(count))
			fail_slot(lab, v, i, "a blocked call came back");
		if (!moves(lab, i))
			continue;
		while (atomic_load(count) == before->at[i])
			if (!hf_nap(&nap, deadline))
				fail_slot(lab, v, i, "does not run");
	}
}

static void check_still(struct lab *lab, const struct lab_victim *v, const struct counts *before)
{
	for (uint32_t i = v->first; i < v->first + v->n; i++)
		if (atomic_load(&lab->board->slots[i].count) != before->at[i])
			fail_slot(lab, v, i, "ran while it was held");
}

void lab_victim_moving(struct lab *lab, const struct lab_victim *victim)
{
	struct counts before;

	snapshot(lab, &before);
	check_moving(lab, victim, &before, hf_deadline_in_ms(LAB_PATIENCE_MS));
}

void lab_moving(struct lab *lab)
{
	struct hf_deadline deadline = hf_deadline_in_ms(LAB_PATIENCE_MS);
	struct counts before;

	snapshot(lab, &before);
	for (unsigned int i = 0; i < lab->n_victims; i++)
		if (!lab->victims[i].still)
			check_moving(lab, &lab->victims[i], &before, deadline);
	/* By now the others had time enough to show that they run too. */
	for (unsigned int i = 0; i < lab->n_victims; i++)
		if (lab->victims[i].still)
			check_still(lab, &lab->victims[i], &before);
}

static void still(struct lab *lab, const struct lab_victim *only, unsigned int ms)
{
	struct hf_deadline end = hf_deadline_in_ms(ms);
	struct counts before;

	snapshot(lab, &before);
	/* Reading all the time is the burning: who is not held gets a share of the processors. */
	do {
		for (unsigned int i = 0; i < lab->n_victims; i++)
			if (!only || only == &lab->victims[i])
				check_still(lab, &lab->victims[i], &before);
	} while (!hf_deadline_passed(end));
}

void lab_still(struct lab *lab, unsigned int ms)
{
	still(lab, NULL, ms);
}

void lab_victim_still(struct lab *lab, const struct lab_victim *victim, unsigned int ms)
{
	still(lab, victim, ms);
}

/* ---- States --------------------------------------------------------------------------------- */

char lab_state(pid_t tid)
{
	struct hf_stat stat;

	return hf_tid_stat(tid, &stat) < 0 ? 0 : stat.state;
}

void lab_await_state(pid_t tid, char state)
{
	struct hf_deadline deadline = hf_deadline_in_ms(LAB_PATIENCE_MS);
	struct hf_nap nap = HF_NAP_INIT;
	char now;

	while ((now = lab_state(tid)) != state)
		if (!hf_nap(&nap, deadline))
			ck_abort_msg("%d should be in state %c and is in %c", (int)tid, state,
				     now ? now : '-');
}

void lab_await_frozen(const struct lab *lab, const char *path, bool frozen)
{
	struct hf_deadline deadline = hf_deadline_in_ms(LAB_PATIENCE_MS);
	struct hf_nap nap = HF_NAP_INIT;

	while (lab_is_frozen(lab, path) != frozen)
		ck_assert_msg(hf_nap(&nap, deadline), "%s: %sfrozen", path, frozen ? "not " : "");
}

void lab_await_gone(pid_t pid)
{
	struct hf_deadline deadline = hf_deadline_in_ms(LAB_PATIENCE_MS);
	struct hf_nap nap = HF_NAP_INIT;

	while (lab_state(pid))
		if (!hf_nap(&nap, deadline))
			ck_abort_msg("%d should be gone and is in state %c", (int)pid, lab_state(pid));
}

void lab_await_empty(struct lab *lab, const char *path)
{
	struct hf_deadline deadline = hf_deadline_in_ms(LAB_PATIENCE_MS);
	struct hf_nap nap = HF_NAP_INIT;

	while (lab_threads(lab, path))
		if (!hf_nap(&nap, deadline))
			ck_abort_msg("%zu threads are left in %s", lab_threads(lab, path), path);
}

static void check_thread(pid_t tid, void *arg)
{
	struct hf_status status;

	(void)arg;
	if (hf_tid_status(tid, &status) < 0)
		return;		/* it ended, as threads in a storm do */
	if (status.tracer || status.state == 't')
		ck_abort_msg("%d (%s) is in state %c, traced by %d", (int)tid, status.comm,
			     status.state, (int)status.tracer);
}

static void check_level(const char *path, void *arg)
{
	const struct lab *lab = arg;

	lab_ids(path, lab_threads_file(lab), check_thread, NULL);
}

void lab_untouched(struct lab *lab)
{
	for (unsigned int i = 0; i < lab->n_levels; i++) {
		const struct lab_level *level = &lab->levels[i];

		if (lab_own_bit(lab, level->path) != level->frozen)
			ck_abort_msg("%s was left %s by itself", level->path,
				     level->frozen ? "thawed" : "frozen");
	}
	lab_walk(lab->top, false, check_level, lab);
}

static bool settings_are_right(struct lab *lab)
{
	for (unsigned int i = 0; i < lab->n_levels; i++)
		if (lab_own_bit(lab, lab->levels[i].path) != lab->levels[i].frozen)
			return false;
	return true;
}

void lab_await_settings(struct lab *lab)
{
	struct hf_deadline deadline = hf_deadline_in_ms(LAB_PATIENCE_MS / 4);
	struct hf_nap nap = HF_NAP_INIT;

	while (!settings_are_right(lab))
		if (!hf_nap(&nap, deadline))
			return;		/* lab_untouched() says which */
}

void lab_as_before(struct lab *lab)
{
	lab_untouched(lab);
	lab_moving(lab);
}

/* ---- What parents were told ----------------------------------------------------------------- */

static const char *code_name(int code)
{
	static const char *const names[] = {
		[CLD_EXITED] = "exited", [CLD_KILLED] = "killed", [CLD_DUMPED] = "dumped",
		[CLD_TRAPPED] = "trapped", [CLD_STOPPED] = "stopped", [CLD_CONTINUED] = "continued",
	};

	return code >= CLD_EXITED && code <= CLD_CONTINUED ? names[code] : "?";
}

const char *lab_told(struct lab *lab, pid_t pid)
{
	static char text[2048];
	const struct victim_board *board = lab->board;
	size_t used = 0;

	lab_sync_ward(lab);
	text[0] = '\0';
	for (uint32_t i = 0; i < VICTIM_EVENTS && atomic_load(&board->events[i].complete); i++) {
		const struct victim_event *e = &board->events[i];

		if (e->pid != pid)
			continue;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used ? ", " : "",
					 code_name(e->code));
		if (e->code != CLD_CONTINUED && used < sizeof(text))
			used += (size_t)snprintf(text + used, sizeof(text) - used, " %d", e->status);
		if (used >= sizeof(text))
			break;
	}
	return text;
}

void lab_await_told(struct lab *lab, pid_t pid, const char *told)
{
	struct hf_deadline deadline = hf_deadline_in_ms(LAB_PATIENCE_MS / 4);
	struct hf_nap nap = HF_NAP_INIT;

	while (strcmp(lab_told(lab, pid), told) != 0)
		if (!hf_nap(&nap, deadline))
			ck_abort_msg("the parent of %d was told \"%s\" and not \"%s\"", (int)pid,
				     lab_told(lab, pid), told);
}

/* ---- Holds ---------------------------------------------------------------------------------- */

hf_hold *lab_take(const char *path, const struct hf_take_options *opts)
{
	struct hf_error err = HF_ERROR_INIT;
	hf_hold *hold = NULL;
	int r = hf_hold_cgroup(path, opts, &hold, &err);

	if (r < 0)
		ck_abort_msg("hf_hold_cgroup(%s): %d, %s: %s [%s]", path, r,
			     hf_stage_name(err.stage), err.text, err.note);
	ck_assert_ptr_nonnull(hold);
	return hold;
}

void lab_let_go(hf_hold *hold, enum hf_release how)
{
	struct hf_error err = HF_ERROR_INIT;
	int r = hf_hold_release(hold, how, NULL, &err);

	if (r != 0)
		ck_abort_msg("hf_hold_release: %d, %s [%s]", r, err.text, err.note);
	hf_hold_free(hold);
}

void lab_cycle(struct lab *lab, const char *path)
{
	hf_hold *hold;

	lab_moving(lab);
	hold = lab_take(path, NULL);
	lab_still(lab, LAB_HOLD_MS);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
}

void lab_become_user(const void *arg)
{
	uid_t uid = *(const uid_t *)arg;

	if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
		_exit(1);
}

void lab_join(const void *path)
{
	if (lab_write(path, "cgroup.procs", "0") < 0)
		_exit(2);
}

__attribute__((noreturn)) static void attempt(const char *path, const struct hf_take_options *opts,
					      struct lab_attempt *ret)
{
	uint64_t begin = lab_ms();
	hf_hold *hold = NULL;

	ret->r = hf_hold_cgroup(path, opts, &hold, &ret->err);
	ret->ms = lab_ms() - begin;
	if (ret->r == 0) {
		ret->info = *hf_hold_info(hold);
		ret->info.path = NULL;
		ret->release = hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, &ret->err);
		hf_hold_free(hold);
	}
	_exit(0);
}

void lab_attempt(const char *path, const struct hf_take_options *opts,
		 void (*prepare)(const void *arg), const void *arg, struct lab_attempt *ret)
{
	struct lab_attempt *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	ck_assert_ptr_ne(shared, MAP_FAILED);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (prepare)
			prepare(arg);
		attempt(path, opts, shared);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the attempt ended with %#x",
		      (unsigned int)status);
	*ret = *shared;
	munmap(shared, sizeof(*shared));
}

void lab_says(const struct hf_error *err, const char *word)
{
	ck_assert_msg(strstr(err->text, word) || strstr(err->note, word),
		      "the message does not say \"%s\": %s [%s]", word, err->text, err->note);
}
