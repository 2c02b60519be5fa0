/* SPDX-License-Identifier: MIT */
/*
 * options - what may follow a command's name.  One table holds every option once, with its words
 * for --help; a command says which of them it takes.  Parsing, help and completion all read the
 * table.  Durations, names and choices are checked by pure functions.
 */
#ifndef HF_OPTIONS_H
#define HF_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "holdfast.h"

#include "out.h"

enum hf_opt_id {
	HF_OPT_CGROUP,
	HF_OPT_PID,
	HF_OPT_UNIT,
	HF_OPT_USER,
	HF_OPT_CONTAINER,
	HF_OPT_ALL,
	HF_OPT_EXCEPT,
	HF_OPT_HOLD,
	HF_OPT_ALL_HOLDS,
	HF_OPT_DETACH,
	HF_OPT_FOR,
	HF_OPT_NAME,
	HF_OPT_THEN,
	HF_OPT_STOP,
	HF_OPT_KILL,
	HF_OPT_FROZEN,
	HF_OPT_SIGNAL,
	HF_OPT_TIMEOUT,
	HF_OPT_ON_ARMED,
	HF_OPT_ON_TRACED,
	HF_OPT_OUTSIDE,
	HF_OPT_ON_DEATH,
	HF_OPT_NEWCOMERS,
	HF_OPT_NO_RESTART,
	HF_OPT_DRY_RUN,
	HF_OPT_EFFECTS,
	HF_OPT_LIMIT,
	HF_OPT_WHILE_HELD,
	HF_OPT_NO_NAMES,
	HF_OPT_NO_MERGE,
	HF_OPT_LINES,
	HF_OPT_FOLDED,
	HF_OPT_NORMALISE,
	HF_OPT_JSON,
	HF_OPT_PRETTY,
	HF_OPT_DOT,
	HF_OPT_COLOR,
	HF_OPT_NO_COLOR,
	HF_OPT_QUIET,
	HF_OPT_VERBOSE,
	HF_OPT_HELP,
	HF_OPT_VERSION,
	HF_OPT_COUNT
};
#define HF_OPT_BIT(id) (UINT64_C(1) << HF_OPT_##id)
/* Which target: of commands whose operand is one. */
#define HF_OPT_TARGET (HF_OPT_BIT(CGROUP) | HF_OPT_BIT(PID) | HF_OPT_BIT(UNIT) | HF_OPT_BIT(USER) | \
		       HF_OPT_BIT(CONTAINER) | HF_OPT_BIT(ALL) | HF_OPT_BIT(EXCEPT))
/* What every command takes. */
#define HF_OPT_EVERYWHERE (HF_OPT_BIT(HELP) | HF_OPT_BIT(VERSION))

struct hf_opt {
	const char *name;	/* without the dashes */
	char letter;		/* 0 when there is none */
	const char *arg;	/* NULL: takes none.  "a|b|c": one of these words */
	const char *help;
};
extern const struct hf_opt hf_opts[HF_OPT_COUNT];

/* What was written, ready to be used.  Strings are lent by argv. */
#define HF_PIDS_MAX 64
#define HF_EXCEPTS_MAX 64
struct hf_args {
	const char *operand;		/* CGROUP, also from --cgroup; for help a command; or NULL */
	enum hf_target_kind kind;	/* which of the next is meant */
	pid_t pids[HF_PIDS_MAX];
	size_t n_pids;
	const char *unit, *container;
	bool user;
	bool all;
	struct hf_except excepts[HF_EXCEPTS_MAX];
	size_t n_excepts;
	unsigned int timeout_ms;
	enum hf_on_armed on_armed;
	enum hf_on_traced on_traced;
	enum hf_on_outside on_outside;
	enum hf_on_death on_death;
	enum hf_on_newcomers on_newcomers;
	const char *hold;		/* -H: a hold that is kept in the background, in place of a target */
	bool detach;
	bool no_restart, effects;
	bool dry_run;
	bool limited;			/* --for was given */
	unsigned int for_ms;
	const char *name;
	enum hf_release then;
	int signal;			/* SIGKILL where nothing is said */
	char **program;			/* what follows "--", ended by NULL; or NULL */
	size_t limit;			/* bytes; 0: not given */
	bool while_held, no_names, no_merge, lines, folded, normalise;
	bool json, pretty, dot, quiet, verbose, help, version;
	enum hf_when colour;
};

struct hf_cmd;

/*
 * Parse what follows the command's name; argv[0] is that name.  0, or HF_EXIT_USAGE after one
 * specific message.  --help and --version end the parsing: nothing else is looked at.
 */
int hf_args_parse(const struct hf_cmd *cmd, int argc, char **argv, struct hf_args *ret);

/* ---- Pure ------------------------------------------------------------------------------ */

/* The longest duration: 1000 hours fit an unsigned int of milliseconds. */
#define HF_DURATION_MAX_MS 3600000000u

/*
 * "500ms", "10s", "2m", "2min", "1h": digits and a unit.  0 and *ret_ms, or what is wrong with it
 * in *ret_why (static storage) and -EINVAL or -ERANGE.
 */
int hf_duration_parse(const char *text, unsigned int *ret_ms, const char **ret_why);

/* A process id: decimal digits.  0 when it is none. */
pid_t hf_pid_parse(const char *text);
/*
 * "65536", "64K", "64KiB", "1M", "1MiB", "1G": bytes, of which there are more than none.  0 and *ret, or what is wrong
 * with it in *ret_why (static storage) and -EINVAL or -ERANGE.
 */
int hf_size_parse(const char *text, size_t *ret, const char **ret_why);

/*
 * A signal: "TERM", "SIGTERM", "15", "RTMIN+3", "SIGRTMAX-1", in capitals or not.  0 when it is none.  Realtime signals
 * count from SIGRTMIN of the C library, as kill(1) does.
 */
int hf_signal_parse(const char *text);

/* May a hold be called so: letters, digits and "._:@-", not starting with '-' or '.'. */
#define HF_NAME_MAX 255
bool hf_name_ok(const char *name);

/* The default name: the last component of a path, every other character made '_'. */
void hf_name_of_path(const char *path, char ret[HF_NAME_MAX + 1]);

/* Which of the words of "a|b|c" text is; -1 when none. */
int hf_choice(const char *words, const char *text);
/* The next word of "a|b|c" at *pos into ret; false at the end. */
bool hf_choice_next(const char *words, size_t *pos, char *ret, size_t cap);

/* Whether candidate may have been meant by word: one or two slips of the finger. */
bool hf_near(const char *word, const char *candidate);

#endif
