/* SPDX-License-Identifier: MIT */
/*
 * fuzz_syscall - /proc/PID/syscall (base/procfs.c).  Any bytes are read within their bounds; what fails
 * leaves nothing behind; what is written as the kernel writes it is read as what it was, or
 * refused when it has been cut.
 */
#include "procfs.h"

#include <errno.h>

#include "fuzz.h"

static int parse(const char *text, size_t len, struct hf_syscall *ret)
{
	int r;

	memset(ret, FUZZ_FILLER, sizeof(*ret));
	r = hf_syscall_parse(text, len, ret);
	FUZZ_REQUIRE(r == 0 || r == -EBADMSG);
	if (r < 0)
		FUZZ_REQUIRE(fuzz_is_untouched(ret, sizeof(*ret)));
	else
		FUZZ_REQUIRE(ret->nr >= -1 && !(ret->running && ret->nr != -1));
	return r;
}

static int is_same(const struct hf_syscall *a, const struct hf_syscall *b)
{
	return a->running == b->running && a->nr == b->nr && a->sp == b->sp && a->pc == b->pc &&
	       memcmp(a->args, b->args, sizeof(a->args)) == 0;
}

/* As proc_pid_syscall() of the kernel does it. */
static size_t format(const struct hf_syscall *sc, char *ret, size_t cap)
{
	const unsigned long long sp = sc->sp, pc = sc->pc;
	unsigned long long args[6];
	size_t i;

	for (i = 0; i < 6; i++)
		args[i] = sc->args[i];
	if (sc->running)
		return (size_t)snprintf(ret, cap, "running\n");
	if (sc->nr < 0)
		return (size_t)snprintf(ret, cap, "%ld 0x%llx 0x%llx\n", sc->nr, sp, pc);
	return (size_t)snprintf(ret, cap, "%ld 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx\n",
				sc->nr, args[0], args[1], args[2], args[3], args[4], args[5], sp, pc);
}

static void require_round_trip(const struct hf_syscall *sc)
{
	struct hf_syscall again;
	char text[256], *exact;
	size_t len = format(sc, text, sizeof(text)), cut;

	exact = fuzz_exact(text, len);
	FUZZ_REQUIRE(parse(exact, len, &again) == 0 && is_same(sc, &again));
	free(exact);
	for (cut = 0; cut < len; cut++)
		FUZZ_REQUIRE(parse(text, cut, &again) < 0);
}

static void make_up(struct fuzz_source from, struct hf_syscall *ret)
{
	size_t i;

	*ret = (struct hf_syscall){ .nr = fuzz_take_id(&from) - 1 };
	ret->sp = fuzz_take_u64(&from);
	ret->pc = fuzz_take_u64(&from);
	for (i = 0; ret->nr >= 0 && i < 6; i++)
		ret->args[i] = fuzz_take_u64(&from);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_syscall sc;

	if (parse((const char *)data, size, &sc) == 0)
		require_round_trip(&sc);
	make_up((struct fuzz_source){ data, size }, &sc);
	require_round_trip(&sc);
	return 0;
}
