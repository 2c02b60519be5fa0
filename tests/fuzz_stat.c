/* SPDX-License-Identifier: MIT */
/*
 * fuzz_stat - /proc/PID/stat (base/procfs.c).  Any bytes are read within their bounds; what fails leaves
 * nothing behind; what is written as the kernel writes it is read as what it was, or refused when
 * it has been cut.
 */
#include "procfs.h"

#include <errno.h>

#include "fuzz.h"

static int parse(const char *text, size_t len, struct hf_stat *ret)
{
	int r;

	memset(ret, FUZZ_FILLER, sizeof(*ret));
	r = hf_stat_parse(text, len, ret);
	FUZZ_REQUIRE(r == 0 || r == -EBADMSG);
	if (r < 0) {
		FUZZ_REQUIRE(fuzz_is_untouched(ret, sizeof(*ret)));
		return r;
	}
	FUZZ_REQUIRE(memchr(ret->comm, '\0', sizeof(ret->comm)));
	FUZZ_REQUIRE(ret->pid >= 0 && ret->ppid >= 0 && ret->pgid >= -1 && ret->sid >= -1);
	FUZZ_REQUIRE((ret->state >= 'A' && ret->state <= 'Z') || (ret->state >= 'a' && ret->state <= 'z'));
	return 0;
}

static int is_same(const struct hf_stat *a, const struct hf_stat *b)
{
	return a->pid == b->pid && strcmp(a->comm, b->comm) == 0 && a->state == b->state &&
	       a->ppid == b->ppid && a->pgid == b->pgid && a->sid == b->sid && a->flags == b->flags &&
	       a->n_threads == b->n_threads && a->start_time_ticks == b->start_time_ticks;
}

/* A field that is wanted must be a number as strtoll(3) reads it, and nothing else. */
static int is_number(const char *field, long long value)
{
	char *end;

	return strtoll(field, &end, 10) == value && *end == '\0' && end != field;
}

/* The same once more, field by field, as anybody would do it who had no hurry. */
static void require_as_read_plainly(const char *data, size_t len, const struct hf_stat *st)
{
	char *text = fuzz_string(data, len), *name = strchr(text, '(') + 1, *end = strrchr(text, ')'), *rest, *field;
	size_t name_len = (size_t)(end - name), shown = name_len < HF_COMM_MAX ? name_len : HF_COMM_MAX - 1;
	int nr;

	FUZZ_REQUIRE(!memchr(data + (name - text), '\0', name_len));
	FUZZ_REQUIRE(strlen(st->comm) == shown && strncmp(st->comm, name, shown) == 0);
	name[-2] = '\0';
	FUZZ_REQUIRE(is_number(text, st->pid));
	FUZZ_REQUIRE(end[1] == ' ' && end[2] == st->state && end[3] == ' ');
	rest = end + 4;
	for (nr = 4; nr <= 22; nr++) {
		field = strsep(&rest, " ");
		FUZZ_REQUIRE(field && rest && *field);
		FUZZ_REQUIRE(nr != 4 || is_number(field, st->ppid));
		FUZZ_REQUIRE(nr != 5 || is_number(field, st->pgid));
		FUZZ_REQUIRE(nr != 6 || is_number(field, st->sid));
		FUZZ_REQUIRE(nr != 9 || is_number(field, st->flags));
		FUZZ_REQUIRE(nr != 20 || is_number(field, st->n_threads));
		FUZZ_REQUIRE(nr != 22 || strtoull(field, NULL, 10) == st->start_time_ticks);
	}
	free(text);
}

/* As do_task_stat() of the kernel does it, without the fields that follow. */
static size_t format(const struct hf_stat *st, char *ret, size_t cap)
{
	return (size_t)snprintf(ret, cap, "%d (%s) %c %d %d %d 34816 -1 %u 1 0 0 0 5 6 0 0 20 0 %u 0 %llu 0\n",
				st->pid, st->comm, st->state, st->ppid, st->pgid, st->sid, st->flags,
				st->n_threads, (unsigned long long)st->start_time_ticks);
}

static void require_round_trip(const struct hf_stat *st)
{
	char text[512], *exact;
	struct hf_stat again;
	size_t len = format(st, text, sizeof(text)), cut;

	exact = fuzz_exact(text, len);
	FUZZ_REQUIRE(parse(exact, len, &again) == 0 && is_same(st, &again));
	free(exact);
	/* A name with a parenthesis might be taken for more than a name where its end is missing. */
	for (cut = strchr(st->comm, ')') ? len : 0; cut < len; cut++)
		FUZZ_REQUIRE(parse(text, cut, &again) < 0 || is_same(st, &again));
}

static void make_up(struct fuzz_source from, struct hf_stat *ret)
{
	ret->state = (char)('A' + fuzz_take_u32(&from) % 26);
	ret->pid = fuzz_take_id(&from);
	ret->ppid = fuzz_take_id(&from);
	ret->pgid = fuzz_take_id(&from) - 1;
	ret->sid = fuzz_take_id(&from) - 1;
	ret->flags = fuzz_take_u32(&from);
	ret->n_threads = fuzz_take_u32(&from);
	ret->start_time_ticks = fuzz_take_u64(&from);
	fuzz_take_string(&from, ret->comm, sizeof(ret->comm));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_stat st;

	/* An empty file is read into no memory at all. */
	if (parse(size ? (const char *)data : NULL, size, &st) == 0) {
		require_as_read_plainly((const char *)data, size, &st);
		require_round_trip(&st);
	}
	make_up((struct fuzz_source){ data, size }, &st);
	require_round_trip(&st);
	return 0;
}
