/* SPDX-License-Identifier: MIT */
/*
 * words - the pure half of options.h: durations, names, choices, near misses.
 */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>

#include "procfs.h"

static const struct unit {
	const char *name;
	unsigned int ms;
} units[] = {
	{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "min", 60000 }, { "h", 3600000 },
};

static unsigned int unit_of(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (strcmp(name, units[i].name) == 0)
			return units[i].ms;
	return 0;
}

int hf_duration_parse(const char *text, unsigned int *ret_ms, const char **ret_why)
{
	const char *p = text;
	uint64_t n = 0;
	unsigned int unit;

	/* Beyond the limit n stands still: it is too long in any unit, and cannot overflow. */
	for (; isdigit((unsigned char)*p); p++)
		if (n <= HF_DURATION_MAX_MS)
			n = n * 10 + (uint64_t)(*p - '0');
	if (p == text) {
		*ret_why = "it must begin with digits: write 10s or 500ms";
		return -EINVAL;
	}
	if (*p == '\0') {
		*ret_why = "it has no unit: write 10s or 500ms";
		return -EINVAL;
	}
	if (*p == '.' || *p == ',') {
		*ret_why = "fractions are not understood: write 1500ms for 1.5s";
		return -EINVAL;
	}
	unit = unit_of(p);
	if (unit == 0) {
		*ret_why = "the units are ms, s, m (or min) and h";
		return -EINVAL;
	}
	if (n > HF_DURATION_MAX_MS / unit) {
		*ret_why = "the longest is 1000h";
		return -ERANGE;
	}
	*ret_ms = (unsigned int)n * unit;
	return 0;
}

pid_t hf_pid_parse(const char *text)
{
	int64_t n = 0;

	if (!*text)
		return 0;
	for (; isdigit((unsigned char)*text) && n <= INT_MAX; text++)
		n = n * 10 + (*text - '0');
	return *text || n > INT_MAX ? 0 : (pid_t)n;
}

/* "+3" of "RTMIN+3"; nothing is 0.  -1 when it is something else. */
static int parse_offset(const char *text, char sign)
{
	pid_t n;

	if (!*text)
		return 0;
	if (*text != sign || strlen(text) > 3)
		return -1;
	n = hf_pid_parse(text + 1);
	return n || !strcmp(text + 1, "0") ? (int)n : -1;
}

static int parse_realtime(const char *name)
{
	bool from_end = !strncasecmp(name, "RTMAX", 5);
	int n;

	if (!from_end && strncasecmp(name, "RTMIN", 5) != 0)
		return 0;
	n = parse_offset(name + 5, from_end ? '-' : '+');
	if (n < 0 || n > SIGRTMAX - SIGRTMIN)
		return 0;
	return from_end ? SIGRTMAX - n : SIGRTMIN + n;
}

int hf_signal_parse(const char *text)
{
	static const struct {
		const char *name;
		int sig;
	} also[] = { { "IOT", SIGABRT }, { "CLD", SIGCHLD }, { "POLL", SIGIO } };
	const char *name = strncasecmp(text, "SIG", 3) ? text : text + 3;
	char buf[32];
	size_t i;
	int sig;

	if (isdigit((unsigned char)*text)) {
		sig = hf_pid_parse(text);
		return sig <= SIGRTMAX ? sig : 0;
	}
	for (sig = 1; sig < 32; sig++)
		if (!strcasecmp(hf_signal_name(sig, buf, sizeof(buf)) + 3, name))
			return sig;
	for (i = 0; i < sizeof(also) / sizeof(*also); i++)
		if (!strcasecmp(also[i].name, name))
			return also[i].sig;
	return parse_realtime(name);
}

/* How far to shift for a unit of bytes; -1 when it is none. */
static int shift_of(const char *unit)
{
	static const struct {
		const char *name;
		int shift;
	} sizes[] = {
		{ "", 0 }, { "K", 10 }, { "KiB", 10 }, { "M", 20 }, { "MiB", 20 }, { "G", 30 }, { "GiB", 30 },
	};
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		if (strcmp(sizes[i].name, unit) == 0)
			return sizes[i].shift;
	return -1;
}

int hf_size_parse(const char *text, size_t *ret, const char **ret_why)
{
	const char *p = text;
	uint64_t n = 0;
	int shift;

	/* Beyond 2^40 n stands still, and is too large in any unit. */
	for (; isdigit((unsigned char)*p); p++)
		if (n <= UINT64_C(1) << 40)
			n = n * 10 + (uint64_t)(*p - '0');
	shift = shift_of(p);
	if (p == text || shift < 0) {
		*ret_why = "write digits, and K, M or G behind them, as in 64K";
		return -EINVAL;
	}
	if (n == 0 || n > (UINT64_C(1) << 40) >> shift) {
		*ret_why = "it must be more than nothing, and 1024G at most";
		return -ERANGE;
	}
	*ret = (size_t)(n << shift);
	return 0;
}

static bool name_char_ok(char c)
{
	return c && (isalnum((unsigned char)c) || strchr("._:@-", c));
}

bool hf_name_ok(const char *name)
{
	size_t len = 0;

	if (*name == '-' || *name == '.')
		return false;
	while (name_char_ok(name[len]))
		len++;
	return len && len <= HF_NAME_MAX && name[len] == '\0';
}

void hf_name_of_path(const char *path, char ret[HF_NAME_MAX + 1])
{
	size_t end = strlen(path);
	size_t start, n = 0;

	while (end && path[end - 1] == '/')
		end--;
	for (start = end; start && path[start - 1] != '/'; start--)
		;
	for (; start < end && n < HF_NAME_MAX; start++)
		ret[n++] = name_char_ok(path[start]) ? path[start] : '_';
	if (n == 0 || ret[0] == '-' || ret[0] == '.') {
		ret[0] = '_';
		n += n == 0;
	}
	ret[n] = '\0';
}

bool hf_choice_next(const char *words, size_t *pos, char *ret, size_t cap)
{
	size_t n = strcspn(words + *pos, "|");

	if (n == 0 || n >= cap)
		return false;
	memcpy(ret, words + *pos, n);
	ret[n] = '\0';
	*pos += n + (words[*pos + n] == '|');
	return true;
}

int hf_choice(const char *words, const char *text)
{
	char word[32];
	size_t pos = 0;
	int i;

	for (i = 0; hf_choice_next(words, &pos, word, sizeof(word)); i++)
		if (strcmp(word, text) == 0)
			return i;
	return -1;
}

#define NEAR_MAX 24

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Distance of two words in insertions, deletions, replacements and swaps of neighbours. */
static unsigned int slips(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned int d[NEAR_MAX + 1][NEAR_MAX + 1];
	size_t i, j;

	for (i = 0; i <= a_len; i++)
		d[i][0] = (unsigned int)i;
	for (j = 0; j <= b_len; j++)
		d[0][j] = (unsigned int)j;
	for (i = 1; i <= a_len; i++) {
		for (j = 1; j <= b_len; j++) {
			d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
					d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[a_len][b_len];
}

bool hf_near(const char *word, const char *candidate)
{
	size_t word_len = strlen(word);
	size_t len = strlen(candidate);

	if (word_len < 2 || word_len > NEAR_MAX || len > NEAR_MAX)
		return false;
	/* Short words are near to everything: there one slip is as many as can be forgiven. */
	return slips(word, word_len, candidate, len) <= (len <= 4 ? 1u : 2u);
}
