/* SPDX-License-Identifier: MIT */
/*
 * fuzz_words - durations, pids, names, choices and near misses of the command line (cli/words.c).  A duration
 * or pid is what arithmetic says, or nothing; every name that is made from a path is one that may be given; a choice
 * is the word that was written.
 */
#include "options.h"

#include <errno.h>
#include <limits.h>

#include "fuzz.h"

/* ---- Durations ---------------------------------------------------------------------------- */

/* In milliseconds, or more than the longest where that is so; 0 also where it is none. */
static unsigned __int128 plain_duration(const char *text)
{
	static const struct {
		const char *name;
		unsigned int ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "min", 60000 }, { "h", 3600000 } };
	size_t digits = strspn(text, "0123456789"), i;
	unsigned __int128 n;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (digits == 0 || strcmp(text + digits, units[i].name) != 0)
			continue;
		n = strtoull(text, NULL, 10);
		return n * units[i].ms;
	}
	return 0;
}

static void require_duration(const char *text)
{
	const unsigned __int128 plain = plain_duration(text);
	const char *why = NULL;
	unsigned int ms;
	int r;

	memset(&ms, FUZZ_FILLER, sizeof(ms));
	r = hf_duration_parse(text, &ms, &why);
	FUZZ_REQUIRE(r == 0 || r == -EINVAL || r == -ERANGE);
	FUZZ_REQUIRE((r == 0) == (why == NULL));
	if (r < 0)
		FUZZ_REQUIRE(fuzz_is_untouched(&ms, sizeof(ms)) && strlen(why) > 0);
	FUZZ_REQUIRE((r == -ERANGE) == (plain > HF_DURATION_MAX_MS));
	FUZZ_REQUIRE(r < 0 ? plain == 0 || r == -ERANGE : plain == ms);
}

static void require_made_duration(struct fuzz_source from)
{
	char text[32];
	uint64_t n = fuzz_take_u64(&from);

	snprintf(text, sizeof(text), "%llums", (unsigned long long)n);
	require_duration(text);
	snprintf(text, sizeof(text), "%llus", (unsigned long long)(n % 4000000));
	require_duration(text);
	snprintf(text, sizeof(text), "%lluh", (unsigned long long)(n % 1100));
	require_duration(text);
}

/* Digits and nothing else, 1 to the largest int; 0 for all else. */
static void require_pid(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long long n = strtoull(text, NULL, 10);
	pid_t pid = hf_pid_parse(text);

	FUZZ_REQUIRE(pid == (text[digits] || digits == 0 || n > INT_MAX ? 0 : (pid_t)n));
}

/* ---- Names -------------------------------------------------------------------------------- */

static int plain_name(const char *text)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@-";
	size_t len = strlen(text);

	return len > 0 && len <= HF_NAME_MAX && strspn(text, letters) == len && text[0] != '-' &&
	       text[0] != '.';
}

static void require_name(const char *text)
{
	char name[HF_NAME_MAX + 1], again[HF_NAME_MAX + 1];

	FUZZ_REQUIRE(hf_name_ok(text) == plain_name(text));
	memset(name, FUZZ_FILLER, sizeof(name));
	hf_name_of_path(text, name);
	FUZZ_REQUIRE(memchr(name, '\0', sizeof(name)) && hf_name_ok(name));
	hf_name_of_path(name, again);
	FUZZ_REQUIRE(strcmp(name, again) == 0);
	if (plain_name(text))
		FUZZ_REQUIRE(strcmp(name, text) == 0);
}

/* ---- Choices and near misses ---------------------------------------------------------------- */

/* The words of any list are what stands between its bars, up to an empty or too long one. */
static void require_choices(const char *words)
{
	char word[16];
	size_t pos = 0, before, n;

	for (n = 0;; n++) {
		before = pos;
		memset(word, FUZZ_FILLER, sizeof(word));
		if (!hf_choice_next(words, &pos, word, sizeof(word)))
			break;
		FUZZ_REQUIRE(pos > before && pos <= strlen(words));
		FUZZ_REQUIRE(strncmp(words + before, word, strlen(word)) == 0 && !strchr(word, '|'));
		FUZZ_REQUIRE(words[pos] == '\0' || words[pos - 1] == '|');
		FUZZ_REQUIRE(hf_choice(words, word) >= 0 && (size_t)hf_choice(words, word) <= n);
	}
	FUZZ_REQUIRE(pos == before && fuzz_is_untouched(word, sizeof(word)));
}

static void require_choice(const char *text)
{
	static const char *const words[] = { "run", "stop", "kill" };
	int n = hf_choice("run|stop|kill", text), i, is = -1;

	for (i = 0; i < 3; i++)
		if (strcmp(text, words[i]) == 0)
			is = i;
	FUZZ_REQUIRE(n == is);
	require_choices(text);
}

static void require_near(const char *text)
{
	static const char candidate[] = "on-traced";
	size_t len = strlen(text), n = strlen(candidate);
	char *longer = malloc(len + 2);

	FUZZ_REQUIRE(longer != NULL);
	FUZZ_REQUIRE(hf_near(text, text) == (len >= 2 && len <= 24));
	FUZZ_REQUIRE(!hf_near(text, candidate) || (len + 2 >= n && len <= n + 2));
	/* How far words are apart is the same from either side. */
	FUZZ_REQUIRE(hf_near(text, candidate) == hf_near(candidate, text) || len <= 4);
	/* One slip is forgiven whatever the word is. */
	memcpy(longer, text, len);
	memcpy(longer + len, "x", 2);
	FUZZ_REQUIRE(hf_near(longer, text) == (len >= 1 && len + 1 <= 24));
	free(longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);

	require_duration(text);
	require_made_duration((struct fuzz_source){ data, size });
	require_pid(text);
	require_name(text);
	require_choice(text);
	require_near(text);
	free(text);
	return 0;
}
