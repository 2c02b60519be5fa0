/* SPDX-License-Identifier: MIT */
/*
 * steps - see steps.h.
 */
#include "steps.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

uint64_t steps_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void steps_die(const char *what)
{
	perror(what);
	exit(1);
}

static int open_in(const char *dir, const char *name, int flags)
{
	char path[4200];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		steps_die(path);
	return fd;
}

void steps_open(struct steps *s, const char *where)
{
	char path[4200];

	*s = (struct steps){ .set_fd = -1, .state_fd = -1 };
	snprintf(s->where, sizeof(s->where), "%s", where);
	if (where[0] != '/') {
		s->pid = (pid_t)atoi(where);
		return;
	}
	snprintf(path, sizeof(path), "%s/cgroup.freeze", where);
	s->version = access(path, F_OK) == 0 ? 2 : 1;
	s->set_fd = open_in(where, s->version == 2 ? "cgroup.freeze" : "freezer.state", O_RDWR);
	s->state_fd = open_in(where, s->version == 2 ? "cgroup.events" : "freezer.state", O_RDONLY);
}

void steps_done(struct steps *s)
{
	if (s->version) {
		close(s->set_fd);
		close(s->state_fd);
	}
	free(s->tids);
	free(s->text);
}

static void set(const struct steps *s, bool frozen)
{
	const char *word = s->version == 2 ? (frozen ? "1" : "0") : (frozen ? "FROZEN" : "THAWED");

	if (write(s->set_fd, word, strlen(word)) < 0)
		steps_die(word);
}

void steps_freeze(struct steps *s)
{
	const char *frozen = s->version == 2 ? "frozen 1" : "FROZEN";
	struct timespec nap = { 0, 20000 };
	char text[256];
	ssize_t len;

	set(s, true);
	for (;;) {
		len = pread(s->state_fd, text, sizeof(text) - 1, 0);
		text[len > 0 ? len : 0] = '\0';
		if (strstr(text, frozen))
			break;
		if (s->spins)
			continue;
		nanosleep(&nap, NULL);
		if (nap.tv_nsec < 1000000)
			nap.tv_nsec += nap.tv_nsec / 2;
	}
}

void steps_thaw(struct steps *s)
{
	set(s, false);
}

static void add(struct steps *s, pid_t tid)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 1024;
		s->tids = realloc(s->tids, s->cap * sizeof(*s->tids));
		if (!s->tids)
			steps_die("realloc");
	}
	s->tids[s->n++] = tid;
}

static void add_all(struct steps *s, int fd, char end)
{
	size_t len = 0;
	ssize_t got;
	char *p;

	do {
		if (s->text_cap - len < 4097) {
			s->text_cap = s->text_cap ? s->text_cap * 2 : 65536;
			s->text = realloc(s->text, s->text_cap);
			if (!s->text)
				steps_die("realloc");
		}
		got = read(fd, s->text + len, s->text_cap - 1 - len);
		len += got > 0 ? (size_t)got : 0;
	} while (got > 0);
	s->text[len] = '\0';
	close(fd);
	for (p = s->text; *p; p = strchr(p, end) + 1)
		add(s, (pid_t)atoi(p));
}

/* A process's threads, and theirs its children. */
static void list_family(struct steps *s, pid_t pid)
{
	char path[64];
	const struct dirent *e;
	size_t i, end, first = s->n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		steps_die(path);
	while ((e = readdir(dir)))
		if (e->d_name[0] != '.')
			add(s, (pid_t)atoi(e->d_name));
	closedir(dir);
	end = s->n;
	for (i = first; i < end; i++) {
		size_t at = s->n, j, children;
		pid_t *pids;

		snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, s->tids[i]);
		add_all(s, open(path, O_RDONLY | O_CLOEXEC), ' ');
		children = s->n - at;
		if (!children)
			continue;
		pids = malloc(children * sizeof(*pids));
		if (!pids)
			steps_die("malloc");
		memcpy(pids, s->tids + at, children * sizeof(*pids));
		s->n = at;
		for (j = 0; j < children; j++)
			list_family(s, pids[j]);
		free(pids);
	}
}

void steps_list(struct steps *s)
{
	s->n = 0;
	if (s->version)
		add_all(s, open_in(s->where, s->version == 2 ? "cgroup.threads" : "tasks", O_RDONLY), '\n');
	else
		list_family(s, s->pid);
}

static void wait_for_all(const struct steps *s)
{
	int status;
	size_t i;

	for (i = 0; i < s->n; i++)
		if (waitpid(s->tids[i], &status, __WALL) < 0)
			steps_die("waitpid");
}

/* Since *mark, and set the mark anew. */
static uint64_t since(uint64_t *mark)
{
	uint64_t before = *mark;

	*mark = steps_now_us();
	return *mark - before;
}

void steps_hold(struct steps *s)
{
	uint64_t mark = steps_now_us();
	size_t i;

	s->us = (struct hf_timing){ 0 };
	if (s->version)
		steps_freeze(s);
	s->us.freeze = since(&mark);
	steps_list(s);
	for (i = 0; i < s->n; i++)
		if (ptrace(PTRACE_SEIZE, s->tids[i], NULL, NULL) < 0 ||
		    ptrace(PTRACE_INTERRUPT, s->tids[i], NULL, NULL) < 0)
			steps_die("seize");
	s->us.seize = since(&mark);
	if (s->version == 2)
		wait_for_all(s);
	s->us.wait = since(&mark);
	if (s->version)
		steps_thaw(s);
	s->us.thaw = since(&mark);
	if (s->version != 2)
		wait_for_all(s);
	s->us.wait += since(&mark);
}

void steps_release(struct steps *s)
{
	uint64_t mark = steps_now_us();
	size_t i;

	if (s->version)
		steps_freeze(s);
	for (i = 0; i < s->n; i++)
		ptrace(PTRACE_DETACH, s->tids[i], NULL, NULL);
	if (s->version)
		steps_thaw(s);
	s->us.release = since(&mark);
}
