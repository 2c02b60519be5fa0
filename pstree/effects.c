/* SPDX-License-Identifier: MIT */
/*
 * effects - see effects.h.
 */
#include "effects.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "own.h"
#include "sys.h"
#include "timers.h"

struct finder {
	struct hf_collector *c;
	struct hf_process *p;
	const struct hf_face *face;
	struct hf_effect *effects;	/* in the arena of the tree */
	size_t n, cap;
	uint64_t pending;		/* of the process and all its threads */
};

/* In the arena, which keeps an outgrown array until the end; there are few. */
static int grow(struct finder *f)
{
	size_t cap = f->cap ? f->cap * 2 : 8;
	struct hf_effect *effects = hf_arena_array(&f->c->tree->arena, struct hf_effect, cap);

	if (!effects)
		return hf_collect_no_memory(f->c);
	if (f->n)
		memcpy(effects, f->effects, f->n * sizeof(*effects));
	f->effects = effects;
	f->cap = cap;
	return 0;
}

__attribute__((format(printf, 4, 5))) static int tell(struct finder *f, enum hf_effect_kind kind,
						      pid_t tid, const char *format, ...)
{
	char text[200];
	va_list args;
	int n;

	if (f->n == f->cap && grow(f) < 0)
		return -ENOMEM;
	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if ((size_t)n >= sizeof(text))
		n = sizeof(text) - 1;
	f->effects[f->n] = (struct hf_effect){ .kind = kind, .tid = tid };
	f->effects[f->n].text = hf_collect_keep(f->c, text, (size_t)n);
	return f->effects[f->n++].text ? 0 : hf_collect_no_memory(f->c);
}

/* ---- Calls -------------------------------------------------------------------------------------------- */

static int tell_call(struct finder *f, const struct hf_thread *t)
{
	const char *name = hf_syscall_name(t->syscall);

	if (t->restart == HF_RESTART_IN_FULL)
		return tell(f, HF_EFFECT_TIMEOUT, t->tid, "%s waits for its whole time-out once more",
			    name ? name : "its system call");
	if (t->restart == HF_RESTART_LEFT)
		return tell(f, HF_EFFECT_INTERRUPTED, t->tid, "%s returns EINTR",
			    name ? name : "its system call");
	return 0;
}

/* ---- Signals ------------------------------------------------------------------------------------------ */

#define BIT(sig) (UINT64_C(1) << ((sig) - 1))

/* Those whose default is to be ignored, or to stop (signal(7)). */
#define HARMLESS (BIT(SIGCHLD) | BIT(SIGCONT) | BIT(SIGURG) | BIT(SIGWINCH) | BIT(SIGSTOP) | BIT(SIGTSTP) | \
		  BIT(SIGTTIN) | BIT(SIGTTOU))

uint64_t hf_effects_fatal(uint64_t pending, const struct hf_status *status)
{
	return pending & ~status->sig_blocked & ~status->sig_ignored & ~status->sig_caught & ~HARMLESS;
}

/* The init of a PID namespace is not killed by default actions. */
static bool is_init(const struct hf_process *p)
{
	return p->n_nspid > 1 && p->nspid[p->n_nspid - 1] == 1;
}

static int tell_fatal(struct finder *f, pid_t tid, uint64_t fatal)
{
	char name[32];

	if (!fatal || is_init(f->p))
		return 0;
	return tell(f, HF_EFFECT_DIES, tid, "%s is pending and will end the process",
		    hf_signal_name(__builtin_ctzll(fatal) + 1, name, sizeof(name)));
}

/* What is pending for the process is taken by any thread that does not block it. */
static int tell_signals(struct finder *f)
{
	uint64_t shared = 0;
	size_t i;
	int r;

	for (i = 0; i < f->p->n_threads; i++) {
		const struct hf_thread *t = &f->p->threads[i];
		char name[HF_PROC_NAME_MAX];
		struct hf_status st;

		if (t->state != HF_THREAD_HELD && t->state != HF_THREAD_ARMED)
			continue;
		snprintf(name, sizeof(name), "task/%d/status", (int)t->tid);
		if (hf_status_read(f->face->fd, name, &f->c->buf, &st) < 0)
			continue;
		f->pending |= st.sig_pending | st.shared_pending;
		shared |= hf_effects_fatal(st.shared_pending, &st);
		r = tell_fatal(f, t->tid, hf_effects_fatal(st.sig_pending, &st));
		if (r < 0)
			return r;
	}
	return tell_fatal(f, 0, shared);
}

/* ---- Timers ------------------------------------------------------------------------------------------- */

static int tell_posix_timers(struct finder *f)
{
	struct hf_timer timer;
	uint64_t told = 0;
	char name[32];
	size_t pos = 0;
	int r = 0;

	if (!f->pending || hf_read_at(f->face->fd, "timers", &f->c->buf) < 0)
		f->c->buf.len = 0;	/* nothing has run out; or a kernel without that file */
	while (r == 0 && hf_timers_next(f->c->buf.data, f->c->buf.len, &pos, &timer) > 0) {
		if (!timer.signal || !(f->pending & BIT(timer.signal)))
			continue;
		told |= BIT(timer.signal);
		r = tell(f, HF_EFFECT_TIMER, 0, "timer %" PRIu32 " has run out: %s is pending", timer.id,
			 hf_signal_name(timer.signal, name, sizeof(name)));
	}
	/* setitimer(2) and alarm(2) have no entry anywhere. */
	if (r == 0 && (f->pending & ~told & BIT(SIGALRM)))
		r = tell(f, HF_EFFECT_TIMER, 0, "SIGALRM is pending, as when an alarm has run out");
	return r;
}

static int tell_timerfd(struct finder *f, const char *fd)
{
	char name[HF_PROC_NAME_MAX];
	uint64_t ticks;

	snprintf(name, sizeof(name), "%sfdinfo/%.20s", f->face->via, fd);
	if (hf_read_at(f->face->fd, name, &f->c->buf) < 0 ||
	    hf_timerfd_parse(f->c->buf.data, f->c->buf.len, &ticks) < 0 || ticks == 0)
		return 0;
	return tell(f, HF_EFFECT_TIMER, 0, "timerfd %.20s has run out%s and was not read", fd,
		    ticks > 1 ? " more than once" : "");
}

/* ---- Watchdog ----------------------------------------------------------------------------------------- */

/* The value of a variable, up to its NUL; NULL when it is not there. */
static const char *variable(const char *environment, size_t len, const char *name)
{
	size_t at, name_len = strlen(name);

	for (at = 0; at < len; at += strnlen(environment + at, len - at) + 1)
		if (len - at > name_len && memcmp(environment + at, name, name_len) == 0 &&
		    environment[at + name_len] == '=' && memchr(environment + at, '\0', len - at))
			return environment + at + name_len + 1;
	return NULL;
}

uint64_t hf_effects_watchdog_us(const char *environment, size_t len, pid_t pid)
{
	const char *us = variable(environment, len, "WATCHDOG_USEC");
	const char *whom = variable(environment, len, "WATCHDOG_PID");

	if (!us || !isdigit((unsigned char)*us) || (whom && strtol(whom, NULL, 10) != pid))
		return 0;
	return strtoull(us, NULL, 10);
}

static int tell_watchdog(struct finder *f)
{
	char name[HF_PROC_NAME_MAX];
	uint64_t us;

	snprintf(name, sizeof(name), "%senviron", f->face->via);
	/* Of an environment that is larger, a watchdog behind that is missed. */
	if (hf_read_head_at(f->face->fd, name, HF_COLLECT_MEMORY_MAX, &f->c->buf) < 0)
		return 0;
	us = hf_effects_watchdog_us(f->c->buf.data, f->c->buf.len, f->p->nspid[f->p->n_nspid - 1]);
	if (!us)
		return 0;
	return tell(f, HF_EFFECT_WATCHDOG, 0, "systemd expects a sign of life every %" PRIu64 ".%" PRIu64 " s",
		    us / 1000000, us / 100000 % 10);
}

/* ---- Descriptors ------------------------------------------------------------------------------------- */

struct peers {
	size_t connections, watched;	/* watched: with SO_KEEPALIVE on our side */
};

static void count_peer(const struct finder *f, const char *fd, struct peers *peers)
{
	const struct hf_process *p = f->p;
	/* Behind a dead leader it is asked for through a live thread. */
	pid_t tid = p->n_threads ? p->threads[p->n_threads - 1].tid : p->pid;
	hf_owned_fd copy = hf_sys_getfd(p->pid, tid, (int)strtol(fd, NULL, 10));
	int protocol = 0, keepalive = 0;
	socklen_t size = sizeof(int);
	struct tcp_info info = { 0 };

	if (copy < 0 || getsockopt(copy, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) < 0 ||
	    protocol != IPPROTO_TCP)
		return;
	size = sizeof(info);
	if (getsockopt(copy, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 || info.tcpi_state != TCP_ESTABLISHED)
		return;
	peers->connections++;
	size = sizeof(int);
	peers->watched += getsockopt(copy, SOL_SOCKET, SO_KEEPALIVE, &keepalive, &size) == 0 && keepalive;
}

static int tell_peers(struct finder *f, const struct peers *peers)
{
	if (!peers->connections)
		return 0;
	return tell(f, HF_EFFECT_PEERS, 0, "%zu established TCP connection%s, whose peers get no answer (%zu with keepalive)",
		    peers->connections, peers->connections == 1 ? "" : "s", peers->watched);
}

static int tell_descriptors(struct finder *f)
{
	char name[HF_PROC_NAME_MAX];
	hf_owned_fd fd = -1;
	hf_owned_dir DIR *dir = NULL;
	const struct dirent *entry;
	struct peers peers = { 0 };
	int r = 0;

	snprintf(name, sizeof(name), "%sfd", f->face->via);
	fd = openat(f->face->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return 0;	/* gone, or not for us to see */
	while (r == 0 && (entry = readdir(dir))) {
		char link[32];
		ssize_t n;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		n = readlinkat(fd, entry->d_name, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		if (strcmp(link, "anon_inode:[timerfd]") == 0)
			r = tell_timerfd(f, entry->d_name);
		else if (strncmp(link, "socket:", 7) == 0)
			count_peer(f, entry->d_name, &peers);
	}
	hf_take_fd(&fd);	/* closed with the directory */
	return r < 0 ? r : tell_peers(f, &peers);
}

/* ---- All ---------------------------------------------------------------------------------------------- */

int hf_effects_of_process(struct hf_collector *c, struct hf_process *p, const struct hf_face *face,
			  bool read_memory)
{
	struct finder f = { .c = c, .p = p, .face = face };
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < p->n_threads; i++)
		r = tell_call(&f, &p->threads[i]);
	if (r == 0)
		r = tell_signals(&f);
	if (r == 0)
		r = tell_posix_timers(&f);
	if (r == 0)
		r = tell_descriptors(&f);
	if (r == 0 && read_memory)
		r = tell_watchdog(&f);
	p->effects = f.effects;
	p->n_effects = f.n;
	return r;
}
