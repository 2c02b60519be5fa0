/* SPDX-License-Identifier: MIT */
/*
 * out - see out.h.
 */
#include "out.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signals.h"
#include "writer.h"

/* Room for the longest error text and note with every byte escaped would be silly; this is ample. */
#define LINE_MAX_OUT 2048

int hf_exit_worse(int a, int b)
{
	static const int order[] = {
		HF_EXIT_NOT_UNDONE, HF_EXIT_FAILED, HF_EXIT_USAGE, HF_EXIT_PARTIAL,
	};
	size_t i;

	for (i = 0; i < sizeof(order) / sizeof(*order); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return a ? a : b;
}

/* ---- Text ------------------------------------------------------------------------------ */

void hf_clean(const char *text, char *ret, size_t cap)
{
	size_t len = strlen(text), used = 0, n, shown_len;
	char shown[HF_SHOWN_MAX];

	for (; len; text += n, len -= n) {
		n = hf_show_next(text, len, shown, &shown_len);
		if (used + shown_len >= cap)
			break;
		memcpy(ret + used, shown, shown_len);
		used += shown_len;
	}
	ret[used] = '\0';
}

const char *hf_count(size_t n, const char *word, char ret[HF_COUNT_MAX])
{
	size_t len = strlen(word);
	const char *plural = n == 1 ? "" : len && word[len - 1] == 's' ? "es" : "s";

	snprintf(ret, HF_COUNT_MAX, "%zu %s%s", n, word, plural);
	return ret;
}

bool hf_locale_is_utf8(void)
{
	setlocale(LC_CTYPE, "");
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

bool hf_colour_wanted(enum hf_when when)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	switch (when) {
	case HF_WHEN_ALWAYS:
		return true;
	case HF_WHEN_NEVER:
		return false;
	case HF_WHEN_AUTO:
		break;
	}
	if (no_color && *no_color)
		return false;
	return term && *term && strcmp(term, "dumb") != 0 && isatty(STDOUT_FILENO);
}

/* ---- Messages -------------------------------------------------------------------------- */

/* One write(2) per line, so that lines of several holdfasts do not mix. */
static void write_line(int fd, const char *cmd, const char *text)
{
	char clean[LINE_MAX_OUT];
	char line[LINE_MAX_OUT + 64];
	int len;
	ssize_t n;

	hf_clean(text, clean, sizeof(clean));
	len = snprintf(line, sizeof(line), "holdfast: %s%s%s\n", cmd ? cmd : "", cmd ? ": " : "",
		       clean);
	do
		n = write(fd, line, (size_t)len);
	while (n < 0 && errno == EINTR);
}

__attribute__((format(printf, 3, 0))) static void vsay(int fd, const char *cmd, const char *fmt, va_list ap)
{
	char text[LINE_MAX_OUT];

	vsnprintf(text, sizeof(text), fmt, ap);
	write_line(fd, cmd, text);
}

bool hf_has_room(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0) > 0 && (p.revents & POLLOUT);
}

int hf_write_some(int fd, const char **text, size_t *len)
{
	ssize_t n = write(fd, *text, *len < PIPE_BUF ? *len : PIPE_BUF);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return errno;
	/* A terminal that has room for one byte has none for the two of a newline, and does not say so. */
	if (n < 0 && errno == EAGAIN)
		poll(NULL, 0, 1);
	if (n > 0) {
		*text += n;
		*len -= (size_t)n;
	}
	return 0;
}

int hf_unblocking(int fd)
{
	char path[64];
	int own = -1;

	/* O_NONBLOCK on fd itself would be a shell's, and everybody's who has that terminal open. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (isatty(fd))
		own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return own >= 0 ? own : fd;
}

void hf_say(const char *cmd, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(STDERR_FILENO, cmd, fmt, ap);
	va_end(ap);
}

void hf_say_if_ready(const char *cmd, const char *fmt, ...)
{
	static int fd = -1;	/* one holder's thread, and main() after its end */
	va_list ap;

	if (fd < 0)
		fd = hf_unblocking(STDERR_FILENO);
	if (!hf_has_room(fd))
		return;
	va_start(ap, fmt);
	vsay(fd, cmd, fmt, ap);
	va_end(ap);
}

int hf_usage(const char *cmd, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(STDERR_FILENO, cmd, fmt, ap);
	va_end(ap);
	if (cmd)
		hf_say(NULL, "see 'holdfast %s --help'", cmd);
	else
		hf_say(NULL, "see 'holdfast help'");
	return HF_EXIT_USAGE;
}

/* ---- Results --------------------------------------------------------------------------- */

int hf_print_failed(const char *cmd, int code)
{
	if (code == EBADF)
		hf_say(cmd, "standard output is closed");
	else
		hf_say(cmd, "writing to standard output: %s", strerror(code));
	return HF_EXIT_FAILED;
}

int hf_print(const char *cmd, const char *text, size_t len)
{
	ssize_t n;

	hf_signals_restore();
	while (len) {
		n = write(STDOUT_FILENO, text, len);
		if (n < 0 && errno == EAGAIN) {
			struct pollfd ready = { .fd = STDOUT_FILENO, .events = POLLOUT };

			poll(&ready, 1, -1);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return hf_print_failed(cmd, errno);
		text += n;
		len -= (size_t)n;
	}
	return HF_EXIT_DONE;
}

int hf_print_line(const char *cmd, const char *fmt, ...)
{
	char line[LINE_MAX_OUT * 4];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= sizeof(line) - 1)
		return hf_print_failed(cmd, EOVERFLOW);
	line[len] = '\n';
	return hf_print(cmd, line, (size_t)len + 1);
}

int hf_print_possible(const char *cmd)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	if (flags < 0 || (flags & O_PATH) || (flags & O_ACCMODE) == O_RDONLY)
		return hf_print_failed(cmd, EBADF);
	return HF_EXIT_DONE;
}

void hf_std_open(void)
{
	int fd;

	/*
	 * O_PATH: reading and writing stay the errors they were (EBADF), and "/" is always there.  A command that
	 * is run finds them closed as we did.
	 */
	do
		fd = open("/", O_PATH | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}
