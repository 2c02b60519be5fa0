/* SPDX-License-Identifier: MIT */
/*
 * keeper - the process that keeps a hold: made by hf_keeper_start(), and alone from then on.
 *
 *	caller			keeper
 *	fork, fork	-->	own session, no terminal, no descriptor of the caller's
 *				claims the name, takes the hold
 *	reads the report  <--	says how it went
 *	connects, says so -->	from now on the caller may end: until then his end, of the socket, calls all of it off
 *				waits, in epoll: for calls, deaths, its time, newcomers
 *				releases; removes socket and lock
 *
 * Whatever ends it, everybody is released: by itself in order, after a SIGKILL by the kernel and the hold's guard.
 */
#ifndef HF_KEEPER_H
#define HF_KEEPER_H

#include "holdfast.h"
#include "kin.h"

/* What the caller wants, lent for the fork. */
struct hf_keeper_job {
	struct hf_target target;
	struct hf_take_options take;
	struct hf_keeper_options opts;
	char name[HF_KEEPER_NAME_MAX + 1];
	pid_t caller;
	struct hf_kin kin;		/* the caller's: the keeper is soon nobody's child */
	char caller_comm[64];
};

/* What came of taking. */
struct hf_keeper_report {
	int r;
	struct hf_error err;
};

/*
 * Be the keeper, and end.  caller_fd, which is no standard stream: a socket to the caller.  It is closed, or shut down, by
 * who calls the hold off; closed by the keeper when nobody is held any more, or the caller has said that he knows of it.
 */
__attribute__((noreturn)) void hf_keeper_be(const struct hf_keeper_job *job, int caller_fd);

#endif
