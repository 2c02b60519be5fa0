/* SPDX-License-Identifier: MIT */
/*
 * check_options - tests of cli/options.c and its pure half, cli/words.c.
 */
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "cmd.h"
#include "suite.h"

/* ---- Durations -------------------------------------------------------------------------- */

static const struct {
	const char *text;
	unsigned int ms;
} good_durations[] = {
	{ "500ms", 500 }, { "10s", 10000 }, { "2m", 120000 }, { "2min", 120000 }, { "1h", 3600000 },
	{ "0s", 0 }, { "0ms", 0 }, { "007s", 7000 }, { "1000h", HF_DURATION_MAX_MS },
	{ "3600000000ms", HF_DURATION_MAX_MS }, { "3600000s", HF_DURATION_MAX_MS },
};

START_TEST(a_duration_is_digits_and_a_unit)
{
	const char *why = NULL;
	unsigned int ms = 12345;

	ck_assert_int_eq(hf_duration_parse(good_durations[_i].text, &ms, &why), 0);
	ck_assert_uint_eq(ms, good_durations[_i].ms);
	ck_assert_ptr_null(why);
}
END_TEST

static const struct {
	const char *text;
	int code;
	const char *why;
} bad_durations[] = {
	{ "", -EINVAL, "must begin with digits" },
	{ "s", -EINVAL, "must begin with digits" },
	{ "-1s", -EINVAL, "must begin with digits" },
	{ "+1s", -EINVAL, "must begin with digits" },
	{ " 1s", -EINVAL, "must begin with digits" },
	{ "10", -EINVAL, "no unit: write 10s or 500ms" },
	{ "0", -EINVAL, "no unit" },
	{ "1.5s", -EINVAL, "fractions" },
	{ "1,5s", -EINVAL, "fractions" },
	{ "10 s", -EINVAL, "units are" },
	{ "10S", -EINVAL, "units are" },
	{ "10sec", -EINVAL, "units are" },
	{ "10d", -EINVAL, "units are" },
	{ "1h30m", -EINVAL, "units are" },
	{ "0x10s", -EINVAL, "units are" },
	{ "10s ", -EINVAL, "units are" },
	{ "1001h", -ERANGE, "longest is 1000h" },
	{ "3600000001ms", -ERANGE, "longest is 1000h" },
	{ "4294967296ms", -ERANGE, "longest is 1000h" },
	{ "18446744073709551616ms", -ERANGE, "longest is 1000h" },
	{ "18446744073709551617s", -ERANGE, "longest is 1000h" },
	{ "99999999999999999999999999999999999999h", -ERANGE, "longest is 1000h" },
};

START_TEST(a_wrong_duration_is_refused_with_what_is_wrong)
{
	const char *why = NULL;
	unsigned int ms = 12345;

	ck_assert_int_eq(hf_duration_parse(bad_durations[_i].text, &ms, &why),
			 bad_durations[_i].code);
	ck_assert_uint_eq(ms, 12345);
	ck_assert_ptr_nonnull(why);
	ck_assert_msg(strstr(why, bad_durations[_i].why), "'%s': %s", bad_durations[_i].text, why);
}
END_TEST

static const struct {
	const char *text;
	int r;
	size_t size;
} sizes[] = {
	{ "1", 0, 1 }, { "65536", 0, 65536 }, { "64K", 0, 65536 }, { "64KiB", 0, 65536 }, { "1M", 0, 1048576 },
	{ "1MiB", 0, 1048576 }, { "2G", 0, 2147483648 }, { "1024GiB", 0, (size_t)1 << 40 }, { "007", 0, 7 },
	{ "", -EINVAL, 0 }, { "K", -EINVAL, 0 }, { "-1", -EINVAL, 0 }, { "1k", -EINVAL, 0 }, { "1 K", -EINVAL, 0 },
	{ "1KB", -EINVAL, 0 }, { "1.5M", -EINVAL, 0 }, { "0", -ERANGE, 0 }, { "0K", -ERANGE, 0 },
	{ "1025G", -ERANGE, 0 }, { "18446744073709551617", -ERANGE, 0 }, { "99999999999999999999999G", -ERANGE, 0 },
};

START_TEST(a_size_is_digits_and_perhaps_a_unit)
{
	const char *why = NULL;
	size_t size = 0;

	ck_assert_int_eq(hf_size_parse(sizes[_i].text, &size, &why), sizes[_i].r);
	ck_assert_uint_eq(size, sizes[_i].size);
	ck_assert(sizes[_i].r == 0 || why);
}
END_TEST

/* ---- Names and choices ------------------------------------------------------------------- */

static const struct {
	const char *name;
	bool ok;
} names[] = {
	{ "pod", true }, { "a", true }, { "cron.service", true }, { "user@1000:x_y-z.9", true },
	{ "_", true }, { "9", true },
	{ "", false }, { "-x", false }, { ".x", false }, { ".", false }, { "..", false },
	{ "a b", false }, { "a/b", false }, { "a\n", false }, { "a\\b", false }, { "\xc3\xa4", false },
	{ "a\x7f", false },
};

START_TEST(a_name_is_made_of_letters_digits_and_five_signs)
{
	ck_assert_int_eq(hf_name_ok(names[_i].name), names[_i].ok);
}
END_TEST

START_TEST(a_name_has_a_greatest_length)
{
	char name[HF_NAME_MAX + 2];

	memset(name, 'x', sizeof(name));
	name[HF_NAME_MAX + 1] = '\0';
	ck_assert(!hf_name_ok(name));
	name[HF_NAME_MAX] = '\0';
	ck_assert(hf_name_ok(name));
}
END_TEST

static const struct {
	const char *path, *name;
} paths[] = {
	{ "/sys/fs/cgroup/pod", "pod" }, { "/sys/fs/cgroup/pod/", "pod" }, { "pod//", "pod" },
	{ "pod", "pod" }, { "/a/x y", "x_y" }, { "/a/x\ny", "x_y" }, { "/a/-x", "_x" },
	{ "/a/.x", "_x" }, { "/a/..", "_." }, { "/", "_" }, { "", "_" },
	{ "/a/dev-\\x2d.mount", "dev-_x2d.mount" }, { "/a/\xff\xfe", "__" },
};

START_TEST(the_default_name_is_the_last_component_and_always_a_name)
{
	char name[HF_NAME_MAX + 1];

	hf_name_of_path(paths[_i].path, name);
	ck_assert_str_eq(name, paths[_i].name);
	ck_assert(hf_name_ok(name));
}
END_TEST

START_TEST(a_long_component_is_cut_to_a_name)
{
	char path[600], name[HF_NAME_MAX + 1];

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	hf_name_of_path(path, name);
	ck_assert_uint_eq(strlen(name), HF_NAME_MAX);
}
END_TEST

START_TEST(a_choice_is_a_whole_word)
{
	ck_assert_int_eq(hf_choice("run|stop|kill", "run"), 0);
	ck_assert_int_eq(hf_choice("run|stop|kill", "stop"), 1);
	ck_assert_int_eq(hf_choice("run|stop|kill", "kill"), 2);
	ck_assert_int_eq(hf_choice("run|stop|kill", "kil"), -1);
	ck_assert_int_eq(hf_choice("run|stop|kill", "killl"), -1);
	ck_assert_int_eq(hf_choice("run|stop|kill", ""), -1);
	ck_assert_int_eq(hf_choice("run|stop|kill", "run|stop"), -1);
}
END_TEST

START_TEST(choices_stand_for_the_enumerators_of_the_library)
{
	ck_assert_int_eq(hf_choice(hf_opts[HF_OPT_THEN].arg, "run"), HF_RELEASE_AS_FOUND);
	ck_assert_int_eq(hf_choice(hf_opts[HF_OPT_THEN].arg, "stop"), HF_RELEASE_STOPPED);
	ck_assert_int_eq(hf_choice(hf_opts[HF_OPT_THEN].arg, "kill"), HF_RELEASE_DEAD);
	ck_assert_int_eq(hf_choice(hf_opts[HF_OPT_ON_ARMED].arg, "fail"), HF_ON_ARMED_FAIL);
	ck_assert_int_eq(hf_choice(hf_opts[HF_OPT_ON_ARMED].arg, "accept"), HF_ON_ARMED_ACCEPT);
	ck_assert_int_eq(hf_choice(hf_opts[HF_OPT_ON_TRACED].arg, "fail"), HF_ON_TRACED_FAIL);
	ck_assert_int_eq(hf_choice(hf_opts[HF_OPT_ON_TRACED].arg, "skip"), HF_ON_TRACED_SKIP);
	ck_assert_int_eq(hf_choice(hf_opts[HF_OPT_COLOR].arg, "auto"), HF_WHEN_AUTO);
	ck_assert_int_eq(hf_choice(hf_opts[HF_OPT_COLOR].arg, "always"), HF_WHEN_ALWAYS);
	ck_assert_int_eq(hf_choice(hf_opts[HF_OPT_COLOR].arg, "never"), HF_WHEN_NEVER);
}
END_TEST

START_TEST(a_slip_of_the_finger_is_near_and_another_word_is_not)
{
	ck_assert(hf_near("freze", "freeze"));
	ck_assert(hf_near("freezee", "freeze"));
	ck_assert(!hf_near("breath", "freeze"));
	ck_assert(hf_near("hodl", "hold"));
	ck_assert(hf_near("tre", "tree"));
	ck_assert(hf_near("three", "tree"));
	ck_assert(!hf_near("kill", "help"));
	ck_assert(!hf_near("run", "tree"));
	ck_assert(!hf_near("", "hold"));
	ck_assert(!hf_near("x", "hold"));
	ck_assert(!hf_near("a-word-that-is-much-too-long-for-the-table", "hold"));
}
END_TEST

static const struct {
	const char *text;
	int sig;
} signals[] = {
	{ "TERM", SIGTERM }, { "SIGTERM", SIGTERM }, { "term", SIGTERM }, { "sigTerm", SIGTERM }, { "15", SIGTERM },
	{ "KILL", SIGKILL }, { "USR1", SIGUSR1 }, { "CLD", SIGCHLD }, { "IOT", SIGABRT }, { "poll", SIGIO },
	{ "RTMIN", 34 }, { "SIGRTMIN", 34 }, { "RTMIN+0", 34 }, { "RTMIN+3", 37 }, { "rtmin+30", 64 }, { "RTMAX", 64 },
	{ "SIGRTMAX-1", 63 }, { "RTMAX-30", 34 }, { "1", 1 }, { "64", 64 },
	{ "0", 0 }, { "65", 0 }, { "-9", 0 }, { "+9", 0 }, { "9x", 0 }, { "", 0 }, { "SIG", 0 }, { "SIGSIGTERM", 0 },
	{ "TERMX", 0 }, { "TER", 0 }, { "RTMIN-1", 0 }, { "RTMIN+31", 0 }, { "RTMIN+", 0 }, { "RTMIN+x", 0 },
	{ "RTMAX+1", 0 }, { "RTMAX-31", 0 }, { "99999999999999999999", 0 }, { "RTMIN+99999999999", 0 },
};

START_TEST(a_signal_has_a_name_or_a_number)
{
	ck_assert_int_eq(hf_signal_parse(signals[_i].text), signals[_i].sig);
}
END_TEST

/* ---- The table --------------------------------------------------------------------------- */

/* --all means one thing to a target and another to release: no command takes both. */
static bool are_apart(int a, int b)
{
	return a == HF_OPT_ALL_HOLDS && b == HF_OPT_ALL && !(HF_OPT_TARGET & HF_OPT_BIT(ALL_HOLDS));
}

START_TEST(every_option_has_its_own_name_and_letter_and_words)
{
	int a, b;

	ck_assert_int_le(HF_OPT_COUNT, 64);	/* a command's set is a uint64_t */
	for (a = 0; a < HF_OPT_COUNT; a++) {
		ck_assert_ptr_nonnull(hf_opts[a].name);
		ck_assert_uint_gt(strlen(hf_opts[a].help), 0);
		for (b = 0; b < a; b++) {
			if (are_apart(a, b))
				continue;
			ck_assert_str_ne(hf_opts[a].name, hf_opts[b].name);
			ck_assert(!hf_opts[a].letter || hf_opts[a].letter != hf_opts[b].letter);
		}
	}
}
END_TEST

/* ---- Parsing ----------------------------------------------------------------------------- */

static const struct hf_cmd made_up = {
	.name = "made-up",
	.operand = HF_OPERAND_CGROUP,
	.opts = (UINT64_C(1) << HF_OPT_COUNT) - 1,
};

/* What a failing call says goes to standard error; here into a pipe. */
static char said[1024];

static int parse(const struct hf_cmd *cmd, char **argv, struct hf_args *args)
{
	int ends[2], old = dup(STDERR_FILENO), argc = 0, r;
	ssize_t n;

	while (argv[argc])
		argc++;
	ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
	dup2(ends[1], STDERR_FILENO);
	r = hf_args_parse(cmd, argc, argv, args);
	dup2(old, STDERR_FILENO);
	n = read(ends[0], said, sizeof(said) - 1);
	said[n < 0 ? 0 : n] = '\0';
	close(old);
	close(ends[0]);
	close(ends[1]);
	return r;
}

/* Compound literals live as long as the block they are in: call parse() outside the ck_ macros. */
#define ARGV(...) ((char *[]){ (char[]){ "made-up" }, __VA_ARGS__, NULL })
#define S(literal) ((char[]){ literal })

START_TEST(options_become_values)
{
	struct hf_args a;
	int r;

	r = parse(&made_up, ARGV(S("--timeout"), S("2s"), S("pod"), S("--on-armed=accept"),
					      S("--on-traced=skip"), S("--for=500ms"), S("--name=n"),
					      S("--then=kill"), S("--json"), S("--pretty"), S("-q"),
					      S("--color=always")), &a);
	ck_assert_int_eq(r, 0);
	ck_assert_str_eq(said, "");
	ck_assert_str_eq(a.operand, "pod");
	ck_assert_uint_eq(a.timeout_ms, 2000);
	ck_assert_int_eq(a.on_armed, HF_ON_ARMED_ACCEPT);
	ck_assert_int_eq(a.on_traced, HF_ON_TRACED_SKIP);
	ck_assert(a.limited);
	ck_assert_uint_eq(a.for_ms, 500);
	ck_assert_str_eq(a.name, "n");
	ck_assert_int_eq(a.then, HF_RELEASE_DEAD);
	ck_assert(a.json && a.pretty && a.quiet && !a.verbose && !a.dot);
	ck_assert_int_eq(a.colour, HF_WHEN_ALWAYS);
}
END_TEST

START_TEST(what_is_not_said_has_its_default)
{
	struct hf_args a;
	int r;

	r = parse(&made_up, ARGV(S("-g"), S("pod")), &a);
	ck_assert_int_eq(r, 0);
	ck_assert_str_eq(a.operand, "pod");
	ck_assert_uint_eq(a.timeout_ms, HF_TIMEOUT_DEFAULT_MS);
	ck_assert_int_eq(a.on_armed, HF_ON_ARMED_FAIL);
	ck_assert_int_eq(a.on_traced, HF_ON_TRACED_FAIL);
	ck_assert_int_eq(a.then, HF_RELEASE_AS_FOUND);
	ck_assert_int_eq(a.colour, HF_WHEN_AUTO);
	ck_assert(!a.limited && !a.json && !a.quiet && !a.verbose);
	ck_assert_ptr_null(a.name);
}
END_TEST

START_TEST(two_dashes_end_the_options)
{
	struct hf_args a;
	int r;

	r = parse(&made_up, ARGV(S("--json"), S("--"), S("--dot")), &a);
	ck_assert_int_eq(r, 0);
	ck_assert_str_eq(a.operand, "--dot");
	ck_assert(!a.dot);
}
END_TEST

static const struct hf_cmd runs = {
	.name = "made-up",
	.operand = HF_OPERAND_TARGET_PROGRAM,
	.opts = HF_OPT_TARGET | HF_OPT_BIT(QUIET) | HF_OPT_EVERYWHERE,
};

START_TEST(what_follows_the_two_dashes_is_the_program_and_not_read)
{
	char *argv[] = { S("made-up"), S("-q"), S("pod"), S("--"), S("ls"), S("--bogus"), S("--"), S("-h"), NULL };
	struct hf_args a;

	ck_assert_int_eq(parse(&runs, argv, &a), 0);
	ck_assert_str_eq(a.operand, "pod");
	ck_assert(a.quiet && !a.help);
	ck_assert_ptr_eq(a.program, argv + 4);
	ck_assert_str_eq(a.program[3], "-h");
	ck_assert_ptr_null(a.program[4]);
}
END_TEST

static const struct {
	const char *words[4];
	const char *message;
} no_program[] = {
	{ { "pod", "ls" }, "write -- between the target and the command: holdfast made-up TARGET -- COMMAND" },
	{ { "pod", "ls", "--bogus" }, "write -- between" },
	{ { "pod" }, "write -- between" },
	{ { "-g", "--help" }, "write -- between" },
	{ { "pod", "--" }, "which command? Write it behind the --" },
	{ { "pod", "--", "" }, "which command?" },
	{ { "--", "ls" }, "which target?" },
	{ { "a", "b", "--", "ls" }, "one cgroup at a time" },
};

START_TEST(a_program_without_its_dashes_gets_a_specific_answer)
{
	char name[] = "made-up", copies[4][64];
	char *argv[6] = { name };
	struct hf_args args;
	int i;

	for (i = 0; i < 4 && no_program[_i].words[i]; i++) {
		snprintf(copies[i], sizeof(copies[i]), "%s", no_program[_i].words[i]);
		argv[i + 1] = copies[i];
	}
	ck_assert_int_eq(parse(&runs, argv, &args), HF_EXIT_USAGE);
	ck_assert_msg(strstr(said, no_program[_i].message), "wanted '%s', got '%s'", no_program[_i].message, said);
}
END_TEST

START_TEST(help_and_version_win_over_what_follows)
{
	struct hf_args a;
	int r;

	r = parse(&made_up, ARGV(S("--help"), S("--bogus")), &a);
	ck_assert_int_eq(r, 0);
	ck_assert(a.help);
	r = parse(&made_up, ARGV(S("-V")), &a);
	ck_assert_int_eq(r, 0);
	ck_assert(a.version);
}
END_TEST

static const struct {
	const char *words[4];
	const char *message;
} wrong[] = {
	{ { "--bogus", "pod" }, "made-up: unknown option --bogus\n" },
	{ { "--bogus=3", "pod" }, "made-up: unknown option --bogus\n" },
	{ { "--jsno", "pod" }, "unknown option --jsno; did you mean --json?" },
	{ { "--ver", "pod" }, "--ver is ambiguous" },
	{ { "-x", "pod" }, "unknown option -x" },
	{ { "-qx", "pod" }, "unknown option -x" },
	{ { "-x", "1" }, "unknown option -x" },
	{ { "--json=yes", "pod" }, "--json takes no argument" },
	{ { "pod", "--timeout" }, "--timeout needs an argument: DURATION" },
	{ { "-g" }, "--cgroup needs an argument: PATH" },
	{ { "--timeout", "10", "pod" }, "--timeout: '10' is no duration: it has no unit: write 10s or 500ms" },
	{ { "--timeout", "0s", "pod" }, "--timeout must be longer than nothing" },
	{ { "--for", "1001h", "pod" }, "--for: '1001h' is no duration: the longest is 1000h" },
	{ { "--then", "pause", "pod" }, "--then takes run or stop or kill, not 'pause'" },
	{ { "--on-armed", "skip", "pod" }, "--on-armed takes fail or accept, not 'skip'" },
	{ { "--on-traced", "x", "pod" }, "--on-traced takes fail or skip, not 'x'" },
	{ { "--name", "-x", "pod" }, "--name: '-x' cannot be a name" },
	{ { "--name", "a\033b", "pod" }, "--name: 'a\\x1bb' cannot be a name" },
	{ { "a", "b" }, "one cgroup at a time, but both 'a' and 'b' were given" },
	{ { "-g", "a", "b" }, "one cgroup at a time" },
	{ { "-g", "a", "-gb" }, "one cgroup at a time" },
	{ { "" }, "the cgroup's name is empty" },
	{ { "--json" }, "which cgroup?" },
	{ { "-u", "cron", "pod" }, "one cgroup at a time: its path, --unit or --container" },
	{ { "-u", "cron", "-c", "web" }, "one cgroup at a time" },
	{ { "--user", "pod" }, "--user goes with --unit" },
	{ { "--json", "--dot", "pod" }, "--json and --dot exclude each other" },
	{ { "--pretty", "pod" }, "--pretty goes with --json" },
	{ { "-q", "-v", "pod" }, "--quiet and --verbose exclude each other" },
};

START_TEST(a_wrong_call_gets_a_specific_answer)
{
	char name[] = "made-up", copies[4][64];
	char *argv[6] = { name };
	struct hf_args args;
	int i;

	for (i = 0; i < 4 && wrong[_i].words[i]; i++) {
		snprintf(copies[i], sizeof(copies[i]), "%s", wrong[_i].words[i]);
		argv[i + 1] = copies[i];
	}
	ck_assert_int_eq(parse(&made_up, argv, &args), HF_EXIT_USAGE);
	ck_assert_msg(strncmp(said, "holdfast: made-up: ", 19) == 0, "%s", said);
	ck_assert_msg(strstr(said, wrong[_i].message), "wanted '%s', got '%s'", wrong[_i].message, said);
	ck_assert_msg(strstr(said, "see 'holdfast made-up --help'"), "%s", said);
}
END_TEST

START_TEST(a_command_takes_only_its_own_options)
{
	static const struct hf_cmd poor = { .name = "poor", .opts = HF_OPT_EVERYWHERE };
	struct hf_args args;
	int r;

	r = parse(&poor, ARGV(S("--json")), &args);
	ck_assert_int_eq(r, HF_EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(said, "poor: unknown option --json"));
	r = parse(&poor, ARGV(S("-q")), &args);
	ck_assert_int_eq(r, HF_EXIT_USAGE);
	r = parse(&poor, ARGV(S("word")), &args);
	ck_assert_int_eq(r, HF_EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(said, "takes no operand, but was given 'word'"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("options");
	TCase *tc = tcase_create("words");

	tcase_add_loop_test(tc, a_duration_is_digits_and_a_unit, 0, COUNT_OF(good_durations));
	tcase_add_loop_test(tc, a_size_is_digits_and_perhaps_a_unit, 0, COUNT_OF(sizes));
	tcase_add_loop_test(tc, a_wrong_duration_is_refused_with_what_is_wrong, 0,
			    COUNT_OF(bad_durations));
	tcase_add_loop_test(tc, a_name_is_made_of_letters_digits_and_five_signs, 0, COUNT_OF(names));
	tcase_add_test(tc, a_name_has_a_greatest_length);
	tcase_add_loop_test(tc, the_default_name_is_the_last_component_and_always_a_name, 0,
			    COUNT_OF(paths));
	tcase_add_test(tc, a_long_component_is_cut_to_a_name);
	tcase_add_test(tc, a_choice_is_a_whole_word);
	tcase_add_test(tc, choices_stand_for_the_enumerators_of_the_library);
	tcase_add_test(tc, a_slip_of_the_finger_is_near_and_another_word_is_not);
	tcase_add_loop_test(tc, a_signal_has_a_name_or_a_number, 0, COUNT_OF(signals));
	suite_add_tcase(suite, tc);

	tc = tcase_create("parse");
	tcase_add_test(tc, every_option_has_its_own_name_and_letter_and_words);
	tcase_add_test(tc, options_become_values);
	tcase_add_test(tc, what_is_not_said_has_its_default);
	tcase_add_test(tc, two_dashes_end_the_options);
	tcase_add_test(tc, what_follows_the_two_dashes_is_the_program_and_not_read);
	tcase_add_loop_test(tc, a_program_without_its_dashes_gets_a_specific_answer, 0, COUNT_OF(no_program));
	tcase_add_test(tc, help_and_version_win_over_what_follows);
	tcase_add_loop_test(tc, a_wrong_call_gets_a_specific_answer, 0, COUNT_OF(wrong));
	tcase_add_test(tc, a_command_takes_only_its_own_options);
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
