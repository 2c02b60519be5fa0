/* SPDX-License-Identifier: MIT */
/*
 * guard_memory - see guard_memory.h.
 */
#include "guard_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "maps.h"

/* Around what is in use: the thread's own storage behind errno, and stack frames yet to come. */
#define NEAR 65536u

/* Not worth dropping; and the dynamic linker keeps its tables in small mappings, where nobody tells them apart. */
#define SMALL (256u << 10)

/* Sanitizers, whose shadow memory looks like everybody's. */
extern void asan_init(void) __asm__("__asan_init") __attribute__((weak));
extern void msan_init(void) __asm__("__msan_init") __attribute__((weak));
extern void tsan_init(void) __asm__("__tsan_init") __attribute__((weak));

/* Can be written, and is not shared. */
static bool is_private_data(const struct hf_map *m)
{
	return (m->prot & (HF_MAP_WRITE | HF_MAP_SHARED)) == HF_MAP_WRITE;
}

static bool begins(const struct hf_map *m, const char *name)
{
	size_t len = strlen(name);

	return m->name_len >= len && !memcmp(m->name, name, len);
}

/* [vdso] and its like, which the kernel has put there. */
static bool is_special(const struct hf_map *m)
{
	return begins(m, "[") && !begins(m, "[heap]") && !begins(m, "[anon") && !begins(m, "[stack");
}

static void drop(uintptr_t start, uintptr_t end)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	start = (start + page - 1) / page * page;
	end = end / page * page;
	if (start < end)
		syscall(SYS_madvise, start, end - start, MADV_DONTNEED);
}

/* All of it, but what is around `used`; above that too where it is the stack, which holds our callers. */
static void drop_unused(const struct hf_map *m, uintptr_t used, bool stack)
{
	if (used < m->start || used >= m->end) {
		drop(m->start, m->end);
		return;
	}
	if (used - m->start > NEAR)
		drop(m->start, used - NEAR);
	if (!stack && m->end - used > NEAR)
		drop(used + NEAR, m->end);
}

static bool holds(const struct hf_map *m, uintptr_t address)
{
	return address >= m->start && address < m->end;
}

/*
 * What follows right behind the data of a program or library is the rest of its data, which is anonymous (.bss).
 * Returns whether this mapping is such data.
 */
static bool drop_one(const struct hf_map *m, uint64_t previous_end, bool after_data)
{
	const uintptr_t stack = (uintptr_t)__builtin_frame_address(0), own = (uintptr_t)&errno;

	if (m->inode)
		return is_private_data(m);
	if (after_data && m->start == previous_end)
		return false;
	/* A thread has both in one: the storage is above the stack, and so stays. */
	if (is_private_data(m) && !is_special(m) && m->end - m->start >= SMALL) {
		if (holds(m, stack))
			drop_unused(m, stack, true);
		else
			drop_unused(m, own, false);
	}
	return false;
}

/* Whole lines, as far as they go.  False: no more is to be dropped. */
static bool drop_all(const char *text, size_t len, uint64_t *previous_end, bool *after_data)
{
	struct hf_scan lines = { text, len };
	struct hf_map m;
	int r;

	while ((r = hf_map_next(&lines, &m)) > 0) {
		if (memmem(m.name, m.name_len, "valgrind", 8))
			return false;
		*after_data = drop_one(&m, *previous_end, *after_data);
		*previous_end = m.end;
	}
	return r == 0;
}

void hf_guard_drop_memory(void)
{
	char text[8192];
	uint64_t previous_end = 0;
	size_t len = 0, whole;
	bool after_data = false;
	int fd;
	long n;

	if (asan_init || msan_init || tsan_init)
		return;
	fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
	while (fd >= 0 && (n = syscall(SYS_read, fd, text + len, sizeof(text) - len)) > 0) {
		const char *last;

		len += (size_t)n;
		last = memrchr(text, '\n', len);
		/* A line longer than all our room: a path like that does not exist. */
		if (!last && len == sizeof(text))
			break;
		whole = last ? (size_t)(last + 1 - text) : 0;
		if (!drop_all(text, whole, &previous_end, &after_data))
			break;
		len -= whole;
		memmove(text, text + whole, len);
	}
	if (fd >= 0)
		syscall(SYS_close, fd);
}
