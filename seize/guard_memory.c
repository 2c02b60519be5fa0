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

/* Around what is in use: the thread's own storage behind errno, and stack frames yet to come. */
#define NEAR 65536u

/* Not worth dropping; and the dynamic linker keeps its tables in small mappings, where nobody tells them apart. */
#define SMALL (256u << 10)

/* Sanitizers, whose shadow memory looks like everybody's. */
extern void asan_init(void) __asm__("__asan_init") __attribute__((weak));
extern void msan_init(void) __asm__("__msan_init") __attribute__((weak));
extern void tsan_init(void) __asm__("__tsan_init") __attribute__((weak));

struct mapping {
	uintptr_t start, end;
	bool private_data;	/* can be written, and is not shared */
	bool has_file;
	bool is_special;	/* [vdso] and its like, which the kernel has put there */
};

static const char *read_hex(const char *at, uintptr_t *ret)
{
	*ret = 0;
	for (;; at++) {
		if (*at >= '0' && *at <= '9')
			*ret = *ret * 16 + (uintptr_t)(*at - '0');
		else if (*at >= 'a' && *at <= 'f')
			*ret = *ret * 16 + (uintptr_t)(*at - 'a' + 10);
		else
			return at;
	}
}

static const char *skip_word(const char *at)
{
	at += strcspn(at, " ");
	return at + strspn(at, " ");
}

/* One line of /proc/PID/maps (proc(5)): start-end perms offset device inode, and perhaps a name. */
static struct mapping read_mapping(const char *line)
{
	struct mapping m = { 0 };
	const char *at = read_hex(line, &m.start);

	if (*at == '-')
		at = read_hex(at + 1, &m.end);
	at = skip_word(at);
	m.private_data = strlen(at) > 4 && at[1] == 'w' && at[3] == 'p';
	at = skip_word(skip_word(skip_word(at)));
	m.has_file = *at != '0';
	at = skip_word(at);
	m.is_special = *at == '[' && strncmp(at, "[heap]", 6) != 0 && strncmp(at, "[anon", 5) != 0 &&
		       strncmp(at, "[stack", 6) != 0;
	return m;
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
static void drop_unused(const struct mapping *m, uintptr_t used, bool stack)
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

static bool holds(const struct mapping *m, uintptr_t address)
{
	return address >= m->start && address < m->end;
}

/*
 * What follows right behind the data of a program or library is the rest of its data, which is anonymous (.bss).
 * Returns whether this mapping is such data.
 */
static bool drop_one(const char *line, uintptr_t previous_end, bool after_data)
{
	const uintptr_t stack = (uintptr_t)__builtin_frame_address(0), own = (uintptr_t)&errno;
	struct mapping m = read_mapping(line);

	if (m.has_file)
		return m.private_data;
	if (after_data && m.start == previous_end)
		return false;
	/* A thread has both in one: the storage is above the stack, and so stays. */
	if (m.private_data && !m.is_special && m.start < m.end && m.end - m.start >= SMALL) {
		if (holds(&m, stack))
			drop_unused(&m, stack, true);
		else
			drop_unused(&m, own, false);
	}
	return false;
}

void hf_guard_drop_memory(void)
{
	char text[8192];
	uintptr_t previous_end = 0;
	size_t len = 0;
	bool after_data = false;
	int fd;
	long n;

	if (asan_init || msan_init || tsan_init)
		return;
	fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
	while (fd >= 0 && (n = syscall(SYS_read, fd, text + len, sizeof(text) - 1 - len)) > 0) {
		char *line = text, *end;

		len += (size_t)n;
		text[len] = '\0';
		for (; (end = memchr(line, '\n', len - (size_t)(line - text))); line = end + 1) {
			*end = '\0';
			if (strstr(line, "valgrind"))
				goto out;
			after_data = drop_one(line, previous_end, after_data);
			previous_end = read_mapping(line).end;
		}
		len -= (size_t)(line - text);
		memmove(text, line, len);
		/* A line longer than all our room: a path like that does not exist. */
		if (len == sizeof(text) - 1)
			break;
	}
out:
	if (fd >= 0)
		syscall(SYS_close, fd);
}
