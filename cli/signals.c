/* SPDX-License-Identifier: MIT */
/*
 * signals - see signals.h.
 */
#include "signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

static sigset_t mask_at_start;
static sigset_t mask_blocked;
static struct sigaction sigchld_at_start, sigpipe_at_start;

/*
 * Not blocked: faults of our own (a blocked one kills anyway, signal(7)), and what does nothing by
 * default.  SIGCONT must work, or a stopped holdfast could not be continued by fg.
 */
static const int let_through[] = {
	SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS,
	SIGCHLD, SIGCONT, SIGURG, SIGWINCH,
};

/*
 * nohup(1) means that the hold shall outlive the terminal.  An ignored SIGINT or SIGQUIT means only
 * that a shell without job control put us in the background: a script that is interrupted must not
 * leave a hold behind, so those two are taken all the same.
 */
static bool hangup_ignored(void)
{
	struct sigaction sa;

	return sigaction(SIGHUP, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN;
}

void hf_signals_block(void)
{
	const struct sigaction by_default = { .sa_handler = SIG_DFL }, ignored = { .sa_handler = SIG_IGN };
	size_t i;

	/*
	 * The kernel reaps children by itself while SIGCHLD is ignored, which may have been
	 * inherited; a hold must see them (wait(2)).
	 */
	sigaction(SIGCHLD, &by_default, &sigchld_at_start);
	sigaction(SIGPIPE, &ignored, &sigpipe_at_start);
	sigfillset(&mask_blocked);
	for (i = 0; i < sizeof(let_through) / sizeof(*let_through); i++)
		sigdelset(&mask_blocked, let_through[i]);
	if (hangup_ignored())
		sigdelset(&mask_blocked, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &mask_blocked, &mask_at_start);
}

void hf_signals_restore(void)
{
	pthread_sigmask(SIG_SETMASK, &mask_at_start, NULL);
}

void hf_signals_ignore(void)
{
	int sig;

	/* Those that wait are dropped by it, too (sigaction(2)). */
	for (sig = 1; sig < NSIG; sig++)
		if (sigismember(&mask_blocked, sig) == 1)
			signal(sig, SIG_IGN);
}

void hf_signals_as_found(void)
{
	sigaction(SIGCHLD, &sigchld_at_start, NULL);
	sigaction(SIGPIPE, &sigpipe_at_start, NULL);
	pthread_sigmask(SIG_SETMASK, &mask_at_start, NULL);
}

int hf_signals_open(void)
{
	sigset_t set = mask_blocked;
	sigset_t child;
	int fd;

	sigaddset(&set, SIGCHLD);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, &child, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int hf_signals_cancel_fd(void)
{
	static const int no_end[] = { SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE };
	static int fd;
	sigset_t set = mask_blocked;
	size_t i;

	for (i = 0; i < sizeof(no_end) / sizeof(*no_end); i++)
		sigdelset(&set, no_end[i]);
	if (fd <= 0)
		fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? 0 : fd;
}

int hf_signals_next_from(int fd, bool *ret_by_kernel)
{
	struct signalfd_siginfo info;
	ssize_t n = read(fd, &info, sizeof(info));

	if (n != (ssize_t)sizeof(info))
		return 0;
	*ret_by_kernel = info.ssi_code == SI_KERNEL;
	return (int)info.ssi_signo;
}

int hf_signals_next(int fd)
{
	bool by_kernel;

	return hf_signals_next_from(fd, &by_kernel);
}

enum hf_signal_kind hf_signal_kind_of(int sig)
{
	switch (sig) {
	case SIGCHLD:
		return HF_SIGNAL_CHILD;
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
		return HF_SIGNAL_JOB;
	case SIGINT:
	case SIGTERM:
	case SIGHUP:
		return HF_SIGNAL_END;
	default:
		return HF_SIGNAL_ABORT;
	}
}

void hf_signals_end_by(int sig)
{
	sigset_t one;

	signal(sig, SIG_DFL);
	sigemptyset(&one);
	sigaddset(&one, sig);
	raise(sig);
	pthread_sigmask(SIG_UNBLOCK, &one, NULL);
	_exit(128 + sig);	/* a signal that was taken for one that ends, and is none */
}
