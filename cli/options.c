/* SPDX-License-Identifier: MIT */
/*
 * options - see options.h.  The table, and the one parser on top of getopt_long(3).
 */
#include "options.h"

#include <getopt.h>
#include <signal.h>
#include <string.h>

#include "cmd.h"

const struct hf_opt hf_opts[HF_OPT_COUNT] = {
	[HF_OPT_CGROUP] = { "cgroup", 'g', "PATH",
		"the cgroup: absolute, or relative to the v2 or v1 freezer mount" },
	[HF_OPT_PID] = { "pid", 'p', "PID",
		"a process and all its descendants; may be given several times" },
	[HF_OPT_UNIT] = { "unit", 'u', "NAME",
		"a systemd unit that runs, with what is below it: cron is cron.service" },
	[HF_OPT_USER] = { "user", 0, NULL, "with --unit: a unit of your user manager, not of the system" },
	[HF_OPT_CONTAINER] = { "container", 'c', "ID",
		"a container of Docker, Podman, containerd, CRI-O, runc or crun: its id, or the beginning of "
		"it, or its name; or a Kubernetes pod by its uid" },
	[HF_OPT_ALL] = { "all", 'a', NULL,
		"every user process of the machine but PID 1, holdfast and its ancestors" },
	[HF_OPT_EXCEPT] = { "except", 0, "PID|COMM|CGROUP",
		"with --all: leave out a process, those of this name, or those in a cgroup (which has a "
		"slash in it); may be given several times" },
	[HF_OPT_HOLD] = { "hold", 'H', "HOLD", "the name of a hold that is kept in the background, instead of a target" },
	[HF_OPT_ALL_HOLDS] = { "all", 'a', NULL, "every hold that is kept" },
	[HF_OPT_DETACH] = { "detach", 'd', NULL,
		"leave a keeper in the background and return; the hold ends by itself after 5 minutes, or as "
		"--for says (0: never)" },
	[HF_OPT_FOR] = { "for", 0, "DURATION", "release by itself after this time (with --all always, 10s where nothing is said)" },
	[HF_OPT_NAME] = { "name", 0, "NAME",
		"what to call the hold (default: the unit's or container's name, or the cgroup's last component)" },
	[HF_OPT_THEN] = { "then", 0, "run|stop|kill",
		"how to release: running as found (default), stopped, or dead" },
	[HF_OPT_STOP] = { "stop", 0, NULL, "leave everybody stopped, as kill -STOP does" },
	[HF_OPT_KILL] = { "kill", 0, NULL, "kill everybody" },
	[HF_OPT_FROZEN] = { "frozen", 0, NULL,
		"leave the cgroup frozen and nobody attached, for another tool to take over" },
	[HF_OPT_SIGNAL] = { "signal", 's', "SIGNAL", "which one, by name or number (default: KILL)" },
	[HF_OPT_TIMEOUT] = { "timeout", 0, "DURATION",
		"give up and undo everything after this time (default: 10s)" },
	[HF_OPT_ON_ARMED] = { "on-armed", 0, "fail|accept",
		"threads that sleep uninterruptibly: fail (default; but vfork parents are "
		"accepted), or accept them all" },
	[HF_OPT_ON_TRACED] = { "on-traced", 0, "fail|skip",
		"threads that somebody else traces: fail (default), or leave them out" },
	[HF_OPT_OUTSIDE] = { "outside", 0, "hold|report",
		"threads of the target's processes that are in none of its cgroups: hold them "
		"too (default), or leave them running and report them" },
	[HF_OPT_ON_DEATH] = { "on-death", 0, "resume|stay|kill",
		"if holdfast is killed: resume the target (default), keep it frozen, or kill it; the last "
		"two keep the cgroup frozen for the whole hold" },
	[HF_OPT_NEWCOMERS] = { "newcomers", 0, "report|hold",
		"threads that come into the target while it is held: report them (default), or hold them, too" },
	[HF_OPT_NO_RESTART] = { "no-restart", 0, NULL,
		"let system calls that every stop interrupts return EINTR, instead of restarting them" },
	[HF_OPT_DRY_RUN] = { "dry-run", 'n', NULL, "show what would be done, and change nothing" },
	[HF_OPT_EFFECTS] = { "effects", 0, NULL,
		"tell what each process may notice of the hold all the same" },
	[HF_OPT_LIMIT] = { "limit", 0, "SIZE", "copy at most this much of each stack (default: 256K)" },
	[HF_OPT_WHILE_HELD] = { "while-held", 0, NULL,
		"unwind before the release, reading from the target what was not copied" },
	[HF_OPT_NO_NAMES] = { "no-names", 0, NULL, "addresses only" },
	[HF_OPT_NO_MERGE] = { "no-merge", 0, NULL, "show each thread by itself, even where stacks are equal" },
	[HF_OPT_LINES] = { "lines", 0, NULL, "source files and lines, too, where debugging information is installed" },
	[HF_OPT_FOLDED] = { "folded", 0, NULL, "print a line for each different stack, for flame graphs" },
	[HF_OPT_NORMALISE] = { "normalise", 0, NULL,
		"no ids, addresses or times, and sorted: to be compared with another run or machine" },
	[HF_OPT_JSON] = { "json", 0, NULL, "print JSON" },
	[HF_OPT_PRETTY] = { "pretty", 0, NULL, "indent the JSON" },
	[HF_OPT_DOT] = { "dot", 0, NULL, "print a graph for Graphviz" },
	[HF_OPT_COLOR] = { "color", 0, "auto|always|never",
		"colours (default: auto, only on a terminal and without NO_COLOR)" },
	[HF_OPT_NO_COLOR] = { "no-color", 0, NULL, "the same as --color=never" },
	[HF_OPT_QUIET] = { "quiet", 'q', NULL, "say nothing but errors" },
	[HF_OPT_VERBOSE] = { "verbose", 'v', NULL, "tell what each step took" },
	[HF_OPT_HELP] = { "help", 'h', NULL, "show this help" },
	[HF_OPT_VERSION] = { "version", 'V', NULL, "show the version" },
};

/* What getopt_long() returns for a long option: no character, so that letters stay apart. */
#define LONG_BASE 256

struct parse {
	const struct hf_cmd *cmd;
	struct hf_args *args;
	uint64_t given;		/* bits of the options that were written, HF_OPT_BIT() */
	struct option longs[HF_OPT_COUNT + 1];
	char letters[2 * HF_OPT_COUNT + 2];
};

static void make_tables(struct parse *p)
{
	size_t n = 0, used = 0;
	int id;

	p->letters[used++] = ':';	/* tell a missing argument from an unknown option */
	for (id = 0; id < HF_OPT_COUNT; id++) {
		const struct hf_opt *o = &hf_opts[id];

		if (!hf_cmd_takes(p->cmd, id))
			continue;
		p->longs[n++] = (struct option){
			o->name, o->arg ? required_argument : no_argument, NULL, LONG_BASE + id
		};
		if (o->letter) {
			p->letters[used++] = o->letter;
			if (o->arg)
				p->letters[used++] = ':';
		}
	}
	p->letters[used] = '\0';
	p->longs[n] = (struct option){ 0 };
}

static int id_of(const struct hf_cmd *cmd, int c)
{
	int id;

	if (c >= LONG_BASE)
		return c - LONG_BASE;
	for (id = 0; id < HF_OPT_COUNT; id++)
		if (hf_opts[id].letter == c && hf_cmd_takes(cmd, id))
			return id;
	return -1;
}

static int unknown_option(const struct parse *p, const char *word)
{
	const char *name = p->cmd->name;
	size_t len = strcspn(word, "=");
	char bare[64];
	const struct option *o;

	if (optopt >= LONG_BASE)
		return hf_usage(name, "--%s takes no argument", hf_opts[optopt - LONG_BASE].name);
	/* kill(1) has signals for options. */
	if (optopt)
		return hf_usage(name, "unknown option -%c%s", optopt, p->cmd == &hf_cmd_kill ? "; a signal is given with -s" : "");
	snprintf(bare, sizeof(bare), "%.*s", (int)(len > 2 ? len - 2 : 0), len > 2 ? word + 2 : "");
	for (o = p->longs; o->name; o++)
		if (bare[0] && strncmp(o->name, bare, strlen(bare)) == 0)
			return hf_usage(name, "--%s is ambiguous: write the option in full", bare);
	for (o = p->longs; o->name; o++)
		if (hf_near(bare, o->name))
			return hf_usage(name, "unknown option --%s; did you mean --%s?", bare,
					o->name);
	return hf_usage(name, "unknown option --%s", bare);
}

static int take_duration(const struct parse *p, int id, unsigned int *ret)
{
	const char *why;

	if (hf_duration_parse(optarg, ret, &why) < 0)
		return hf_usage(p->cmd->name, "--%s: '%s' is no duration: %s", hf_opts[id].name,
				optarg, why);
	return 0;
}

/* Into *ret the number of the word, which is the enumerator's value for all three users. */
static int take_choice(const struct parse *p, int id, unsigned int *ret)
{
	int n = hf_choice(hf_opts[id].arg, optarg);
	char list[64];
	size_t i, used = 0;

	if (n >= 0) {
		*ret = (unsigned int)n;
		return 0;
	}
	for (i = 0; hf_opts[id].arg[i] && used + 5 < sizeof(list); i++) {
		if (hf_opts[id].arg[i] == '|')
			used += (size_t)snprintf(list + used, sizeof(list) - used, " or ");
		else
			list[used++] = hf_opts[id].arg[i];
	}
	list[used] = '\0';
	return hf_usage(p->cmd->name, "--%s takes %s, not '%s'", hf_opts[id].name, list, optarg);
}

static const char *word_for(enum hf_operand operand)
{
	switch (operand) {
	case HF_OPERAND_COMMAND:
		return "command";
	case HF_OPERAND_HOLD:
	case HF_OPERAND_HOLD_TIME:
		return "hold";
	case HF_OPERAND_NONE:
	case HF_OPERAND_CGROUP:
	case HF_OPERAND_TARGET:
	case HF_OPERAND_TARGET_PROGRAM:
		break;
	}
	return "cgroup";
}

/* A time of 0 needs no unit. */
static int take_time(const struct parse *p, const char *what, const char *text)
{
	const char *why;

	p->args->limited = true;
	p->args->for_ms = 0;
	if (strcmp(text, "0") != 0 && hf_duration_parse(text, &p->args->for_ms, &why) < 0)
		return hf_usage(p->cmd->name, "%s'%s' is no duration: %s", what, text, why);
	return 0;
}

static int take_operand(const struct parse *p, const char *text)
{
	const char *what = word_for(p->cmd->operand);

	if (p->cmd->operand == HF_OPERAND_NONE)
		return hf_usage(p->cmd->name, "it takes no operand, but was given '%s'", text);
	if (p->args->operand && p->cmd->operand == HF_OPERAND_HOLD_TIME && !p->args->limited)
		return take_time(p, "", text);
	if (p->args->operand)
		return hf_usage(p->cmd->name, "one %s at a time, but both '%s' and '%s' were given",
				what, p->args->operand, text);
	if (*text == '\0')
		return hf_usage(p->cmd->name, "the %s's name is empty", what);
	p->args->operand = text;
	return 0;
}

static int take_pid(const struct parse *p)
{
	struct hf_args *a = p->args;
	pid_t pid = hf_pid_parse(optarg);

	if (pid <= 0)
		return hf_usage(p->cmd->name, "--pid: '%s' is no process id", optarg);
	if (a->n_pids == HF_PIDS_MAX)
		return hf_usage(p->cmd->name, "--pid can be given %d times", HF_PIDS_MAX);
	a->pids[a->n_pids++] = pid;
	return 0;
}

/* A name that can be given once. */
static int take_word(const struct parse *p, enum hf_opt_id id, const char **ret)
{
	if (*ret)
		return hf_usage(p->cmd->name, "one %s at a time, but both '%s' and '%s' were given", hf_opts[id].name,
				*ret, optarg);
	if (!*optarg)
		return hf_usage(p->cmd->name, "the %s's name is empty", hf_opts[id].name);
	*ret = optarg;
	return 0;
}

/* A cgroup has a slash in it, a process digits only; all else is a name. */
static int take_except(const struct parse *p)
{
	struct hf_args *a = p->args;
	struct hf_except *e = &a->excepts[a->n_excepts];

	if (a->n_excepts == HF_EXCEPTS_MAX)
		return hf_usage(p->cmd->name, "--except can be given %d times", HF_EXCEPTS_MAX);
	if (!*optarg)
		return hf_usage(p->cmd->name, "--except: who is left out? The word is empty");
	*e = (struct hf_except){ 0 };
	if (strchr(optarg, '/'))
		e->cgroup = optarg;
	else if ((e->pid = hf_pid_parse(optarg)) == 0)
		e->comm = optarg;
	a->n_excepts++;
	return 0;
}

static int take_timeout(const struct parse *p)
{
	int r = take_duration(p, HF_OPT_TIMEOUT, &p->args->timeout_ms);

	/* The library reads 0 as "the default". */
	if (r == 0 && p->args->timeout_ms == 0)
		return hf_usage(p->cmd->name, "--timeout must be longer than nothing");
	return r;
}

/* One way to release. */
static int take_then(const struct parse *p, enum hf_release then)
{
	if (p->args->then != HF_RELEASE_AS_FOUND && p->args->then != then)
		return hf_usage(p->cmd->name, "--stop, --kill and --frozen exclude each other");
	p->args->then = then;
	return 0;
}

static int take_limit(const struct parse *p)
{
	const char *why;

	if (hf_size_parse(optarg, &p->args->limit, &why) < 0)
		return hf_usage(p->cmd->name, "--limit: '%s' is no size: %s", optarg, why);
	return 0;
}

static int take_name(const struct parse *p)
{
	if (!hf_name_ok(optarg))
		return hf_usage(p->cmd->name, "--name: '%s' cannot be a name: use up to %d of A-Z a-z "
				"0-9 . _ : @ -, not beginning with '-' or '.'", optarg, HF_NAME_MAX);
	p->args->name = optarg;
	return 0;
}

static int take_signal(const struct parse *p)
{
	p->args->signal = hf_signal_parse(optarg);
	if (!p->args->signal)
		return hf_usage(p->cmd->name, "--signal: '%s' is no signal: write TERM, SIGTERM, 15 or RTMIN+1", optarg);
	return 0;
}

static int take_option(const struct parse *p, enum hf_opt_id id)
{
	struct hf_args *a = p->args;
	unsigned int n = 0;
	int r = 0;

	switch (id) {
	case HF_OPT_CGROUP:
		return take_operand(p, optarg);
	case HF_OPT_PID:
		return take_pid(p);
	case HF_OPT_UNIT:
		return take_word(p, HF_OPT_UNIT, &a->unit);
	case HF_OPT_USER:
		a->user = true;
		return 0;
	case HF_OPT_CONTAINER:
		return take_word(p, HF_OPT_CONTAINER, &a->container);
	case HF_OPT_ALL:
		a->all = true;
		return 0;
	case HF_OPT_EXCEPT:
		return take_except(p);
	case HF_OPT_ALL_HOLDS:
		a->all = true;
		return 0;
	case HF_OPT_HOLD:
		a->hold = optarg;
		return 0;
	case HF_OPT_DETACH:
		a->detach = true;
		return 0;
	case HF_OPT_FOR:
		return take_time(p, "--for: ", optarg);
	case HF_OPT_NAME:
		return take_name(p);
	case HF_OPT_THEN:
		r = take_choice(p, HF_OPT_THEN, &n);
		a->then = (enum hf_release)n;
		return r;
	case HF_OPT_STOP:
		return take_then(p, HF_RELEASE_STOPPED);
	case HF_OPT_KILL:
		return take_then(p, HF_RELEASE_DEAD);
	case HF_OPT_FROZEN:
		return take_then(p, HF_RELEASE_FROZEN);
	case HF_OPT_SIGNAL:
		return take_signal(p);
	case HF_OPT_TIMEOUT:
		return take_timeout(p);
	case HF_OPT_ON_ARMED:
		r = take_choice(p, HF_OPT_ON_ARMED, &n);
		a->on_armed = (enum hf_on_armed)n;
		return r;
	case HF_OPT_ON_TRACED:
		r = take_choice(p, HF_OPT_ON_TRACED, &n);
		a->on_traced = (enum hf_on_traced)n;
		return r;
	case HF_OPT_OUTSIDE:
		r = take_choice(p, HF_OPT_OUTSIDE, &n);
		a->on_outside = (enum hf_on_outside)n;
		return r;
	case HF_OPT_ON_DEATH:
		r = take_choice(p, HF_OPT_ON_DEATH, &n);
		a->on_death = (enum hf_on_death)n;
		return r;
	case HF_OPT_NEWCOMERS:
		r = take_choice(p, HF_OPT_NEWCOMERS, &n);
		a->on_newcomers = (enum hf_on_newcomers)n;
		return r;
	case HF_OPT_NO_RESTART:
		a->no_restart = true;
		return 0;
	case HF_OPT_EFFECTS:
		a->effects = true;
		return 0;
	case HF_OPT_DRY_RUN:
		a->dry_run = true;
		return 0;
	case HF_OPT_LIMIT:
		return take_limit(p);
	case HF_OPT_WHILE_HELD:
		a->while_held = true;
		return 0;
	case HF_OPT_NO_NAMES:
		a->no_names = true;
		return 0;
	case HF_OPT_NO_MERGE:
		a->no_merge = true;
		return 0;
	case HF_OPT_LINES:
		a->lines = true;
		return 0;
	case HF_OPT_FOLDED:
		a->folded = true;
		return 0;
	case HF_OPT_NORMALISE:
		a->normalise = true;
		return 0;
	case HF_OPT_COLOR:
		r = take_choice(p, HF_OPT_COLOR, &n);
		a->colour = (enum hf_when)n;
		return r;
	case HF_OPT_NO_COLOR:
		a->colour = HF_WHEN_NEVER;
		return 0;
	case HF_OPT_JSON:
		a->json = true;
		return 0;
	case HF_OPT_PRETTY:
		a->pretty = true;
		return 0;
	case HF_OPT_DOT:
		a->dot = true;
		return 0;
	case HF_OPT_QUIET:
		a->quiet = true;
		return 0;
	case HF_OPT_VERBOSE:
		a->verbose = true;
		return 0;
	case HF_OPT_HELP:
		a->help = true;
		return 0;
	case HF_OPT_VERSION:
		a->version = true;
		return 0;
	case HF_OPT_COUNT:
		break;
	}
	return 0;
}

/* How a hold is to be taken has no meaning for one that stands. */
static int check_kept(const struct parse *p)
{
	const uint64_t taking = HF_OPT_BIT(TIMEOUT) | HF_OPT_BIT(ON_ARMED) | HF_OPT_BIT(ON_TRACED) | HF_OPT_BIT(OUTSIDE) |
				HF_OPT_BIT(NO_RESTART);
	int id;

	for (id = 0; id < HF_OPT_COUNT; id++)
		if (p->given & taking & (1ull << id))
			return hf_usage(p->cmd->name, "--%s is for taking a hold; --hold looks at one that stands",
					hf_opts[id].name);
	return 0;
}

/* Exactly one kind of target. */
static int check_target(const struct parse *p)
{
	struct hf_args *a = p->args;
	int named = !!a->operand + !!a->n_pids + !!a->unit + !!a->container + a->all;

	if (named + !!a->hold > 1)
		return hf_usage(p->cmd->name, "one target at a time: a cgroup, --pid, --unit, --container or --all%s",
				a->hold ? ", or a hold" : "");
	if (a->n_excepts && !a->all)
		return hf_usage(p->cmd->name, "--except goes with --all");
	if (a->user && !a->unit)
		return hf_usage(p->cmd->name, "--user goes with --unit");
	if (a->hold)
		return check_kept(p);
	if (!named)
		return hf_usage(p->cmd->name, "which target? Write the path of a cgroup, or --pid PID, --unit NAME, "
				"--container ID or --all");
	a->kind = a->n_pids ? HF_TARGET_PROCESSES : a->all ? HF_TARGET_MACHINE : HF_TARGET_CGROUP;
	/* It need not be traced for that: whoever traces it does not matter, and is not met. */
	if (p->cmd == &hf_cmd_kill && a->kind == HF_TARGET_CGROUP && (p->given & HF_OPT_BIT(ON_TRACED)))
		return hf_usage(p->cmd->name, "--on-traced goes with --pid and --all; in a cgroup everybody is signalled");
	if (a->kind != HF_TARGET_CGROUP && a->on_death != HF_ON_DEATH_RESUME)
		return hf_usage(p->cmd->name, "--on-death goes with a cgroup, which can be frozen");
	if (a->detach && a->kind == HF_TARGET_MACHINE && a->limited && !a->for_ms)
		return hf_usage(p->cmd->name, "--for 0: a hold of the machine always ends by itself; write for how long");
	return 0;
}

/* The same, of commands for the freezer alone. */
static int check_cgroup(const struct parse *p)
{
	const struct hf_args *a = p->args;
	int named = !!a->operand + !!a->unit + !!a->container;

	if (named > 1)
		return hf_usage(p->cmd->name, "one cgroup at a time: its path, --unit or --container");
	if (a->user && !a->unit)
		return hf_usage(p->cmd->name, "--user goes with --unit");
	if (!named)
		return hf_usage(p->cmd->name, "which cgroup? Write its path, or --unit NAME or --container ID");
	return 0;
}

static int no_dashes(const struct parse *p)
{
	return hf_usage(p->cmd->name, "write -- between the target and the command: holdfast %s TARGET -- COMMAND",
			p->cmd->name);
}

static bool asks_for_help(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h") || !strcmp(argv[i], "--version") ||
		    !strcmp(argv[i], "-V"))
			return true;
	return false;
}

/*
 * The program and its arguments are behind the first "--", and are not ours to read: *argc ends before it.  Without
 * one its options would be taken for ours, so nothing is guessed.
 */
static int take_program(const struct parse *p, int *argc, char **argv)
{
	int i;

	for (i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "--") != 0)
			continue;
		if (i + 1 == *argc || !argv[i + 1][0])
			return hf_usage(p->cmd->name, "which command? Write it behind the --");
		p->args->program = argv + i + 1;
		*argc = i;
		return 0;
	}
	return asks_for_help(*argc, argv) ? 0 : no_dashes(p);
}

/* What may not go together, and what must be there. */
static int check_whole(const struct parse *p)
{
	const struct hf_args *a = p->args;

	if (a->json && a->dot)
		return hf_usage(p->cmd->name, "--json and --dot exclude each other");
	if (a->json + a->folded + a->normalise > 1)
		return hf_usage(p->cmd->name, "--json, --folded and --normalise exclude each other");
	if (a->lines && (a->no_names || a->folded))
		return hf_usage(p->cmd->name, "--lines does not go with --%s", a->folded ? "folded" : "no-names");
	if (a->no_merge && (a->folded || a->normalise))
		return hf_usage(p->cmd->name, "--no-merge does not go with --%s",
				a->folded ? "folded" : "normalise");
	if (a->pretty && !a->json)
		return hf_usage(p->cmd->name, "--pretty goes with --json");
	if (a->quiet && a->verbose)
		return hf_usage(p->cmd->name, "--quiet and --verbose exclude each other");
	if (p->cmd->operand == HF_OPERAND_CGROUP)
		return check_cgroup(p);
	if (p->cmd->operand == HF_OPERAND_HOLD || p->cmd->operand == HF_OPERAND_HOLD_TIME) {
		if (!a->operand && !a->all)
			return hf_usage(p->cmd->name, "which hold? Write its name; holdfast list shows them");
		if (a->operand && a->all)
			return hf_usage(p->cmd->name, "--all, or a name, but not both");
	}
	if (p->cmd->operand == HF_OPERAND_HOLD_TIME && !a->limited)
		return hf_usage(p->cmd->name, "for how long? Write a duration, such as 10m, or 0 for no limit");
	if (a->detach && a->name && strlen(a->name) > HF_KEEPER_NAME_MAX)
		return hf_usage(p->cmd->name, "--name: with --detach a name has at most %d characters", HF_KEEPER_NAME_MAX);
	if (a->detach && a->then != HF_RELEASE_AS_FOUND)
		return hf_usage(p->cmd->name, "--then goes with a hold in the foreground; holdfast release has --stop and --kill");
	if (p->cmd->operand == HF_OPERAND_TARGET_PROGRAM && !a->program)
		return no_dashes(p);
	if (p->cmd->operand == HF_OPERAND_TARGET || p->cmd->operand == HF_OPERAND_TARGET_PROGRAM)
		return check_target(p);
	return 0;
}

int hf_args_parse(const struct hf_cmd *cmd, int argc, char **argv, struct hf_args *ret)
{
	struct parse p = { .cmd = cmd, .args = ret };
	int c, id, r;

	*ret = (struct hf_args){ .timeout_ms = HF_TIMEOUT_DEFAULT_MS, .kind = HF_TARGET_CGROUP,
				  .signal = SIGKILL };
	make_tables(&p);
	if (cmd->operand == HF_OPERAND_TARGET_PROGRAM) {
		r = take_program(&p, &argc, argv);
		if (r)
			return r;
	}
	optind = 0;	/* glibc and musl: start over */
	opterr = 0;
	while ((c = getopt_long(argc, argv, p.letters, p.longs, NULL)) != -1) {
		if (c == '?')
			return unknown_option(&p, argv[optind - 1]);
		id = id_of(cmd, c == ':' ? optopt : c);
		if (id < 0)
			return hf_usage(cmd->name, "unknown option -%c", optopt);
		if (c == ':')
			return hf_usage(cmd->name, "--%s needs an argument: %s", hf_opts[id].name,
					hf_opts[id].arg);
		p.given |= 1ull << id;
		r = take_option(&p, (enum hf_opt_id)id);
		if (r || ret->help || ret->version)
			return r;
	}
	for (; optind < argc; optind++) {
		r = take_operand(&p, argv[optind]);
		if (r)
			return r;
	}
	return check_whole(&p);
}
