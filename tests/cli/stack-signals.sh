#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Stacks as programs have them that crash, run out of stack or switch stacks, and catch that: each leads to main(), or to the
# first function of its thread, whatever of it is where; what has no end that can be told says so.
. "$(dirname "$0")/lib.sh"

cc=${CC:-cc}
cat > "$TMP/odd.c" <<'END'
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define FRAME __attribute__((noinline, noclone)) static

static volatile int after;
static const char *mode;

FRAME void wait_here(void)
{
	for (;;)
		pause();
}

FRAME void on_signal(int sig)
{
	if (!strcmp(mode, "nested") && sig != SIGUSR1)
		raise(SIGUSR1);
	puts("ready");
	fflush(stdout);
	wait_here();
	after++;
}

FRAME void catch(int flags)
{
	static char alternate[256 * 1024];
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = flags };

	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
}

FRAME void call_nothing(void (*volatile nothing)(void))
{
	nothing();
	after++;
}

FRAME int overflow(int n)
{
	volatile char much[4096];

	much[0] = (char)n;
	return overflow(n + 1) + much[0];
}

FRAME void lock_a_part(void)
{
	char much[5 * 4096];
	char *page = much + (-(unsigned long)much & 4095) + 4096;

	memset(much, 1, sizeof(much));
	/* A mapping of its own, whether locking is allowed or not. */
	madvise(page, 4096, MADV_DONTDUMP);
	on_signal(SIGUSR1);
	after += much[0];
}

FRAME void write_zeros(void)
{
	volatile unsigned long *frame = __builtin_frame_address(0);
	int i;

	for (i = 0; i < 512; i++)
		frame[i] = 0;
	on_signal(SIGUSR1);
	after++;
}

static void coroutine(void)
{
	on_signal(SIGUSR1);
	after++;
}

FRAME void switch_stacks(void)
{
	static ucontext_t here, there;
	static char stack[256 * 1024];

	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = sizeof(stack);
	there.uc_link = &here;
	makecontext(&there, coroutine, 0);
	swapcontext(&here, &there);
	after++;
}

/* Far from the end of the stack. */
FRAME void deep_down(void)
{
	volatile char much[200 * 1024];

	much[0] = 1;
	if (!strcmp(mode, "zeros"))
		write_zeros();
	after += much[0];
}

static void *go(void *unused)
{
	catch(strcmp(mode, "null") ? SA_ONSTACK : 0);
	if (!strncmp(mode, "null", 4))
		call_nothing(NULL);
	else if (!strcmp(mode, "overflow"))
		after += overflow(0);
	else if (!strcmp(mode, "nested"))
		raise(SIGSEGV);
	else if (!strcmp(mode, "parts"))
		lock_a_part();
	else if (!strcmp(mode, "context"))
		switch_stacks();
	deep_down();
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	mode = argv[1];
	if (argc < 3) {
		go(NULL);
	} else {
		pthread_create(&thread, NULL, go, NULL);
		pthread_join(thread, NULL);
	}
	return after;
}
END
$cc -O1 -fomit-frame-pointer -pthread "$TMP/odd.c" -o "$TMP/odd" || fail "odd.c"

asleep()
{
	grep -q "^ready" "$TMP/ready" && [[ $(cat "/proc/$VICTIM/task/"*/wchan) != *0* ]]
}

# odd STATUS FRAMES MODE [thread]: what a stack in that mode is, by patterns of names.
odd()
{
	local status=$1 frames=$2
	shift 2
	"$TMP/odd" "$@" > "$TMP/ready" &
	VICTIM=$!
	STARTED+=("$VICTIM")
	disown "$VICTIM"
	await asleep
	run stack --limit 16M --normalise --pid "$VICTIM"
	[[ $RC == "$status" ]] || fail "$*: status $RC: $(grep -v overflow "$TMP/out" | head -40)"
	expect "$status" ""
	# shellcheck disable=SC2254
	case $(sed -n 's/^#[0-9]* *\([^ ]*\) .*/\1/p; s/^ *it ends here: \(.*\)/(\1)/p' "$TMP/out" | tr '\n' ' ') in
	*$frames*) ;;
	*) fail "$*: $(grep -v overflow "$TMP/out" | head -40)" ;;
	esac
	kill -KILL "$VICTIM"
	await gone "$VICTIM"
}

for thread in "" thread; do
	end="go main "
	[[ -z $thread ]] || end="go start_thread "
	# shellcheck disable=SC2086
	{
		odd 0 "pause wait_here on_signal * [?][?] call_nothing $end" null $thread
		odd 0 "pause wait_here on_signal * [?][?] call_nothing $end" null-on-another $thread
		odd 0 "pause wait_here on_signal * overflow overflow *overflow $end" overflow $thread
		odd 0 "pause wait_here on_signal * on_signal * $end" nested $thread
		odd 0 "pause wait_here on_signal lock_a_part $end" parts $thread
		odd 3 "pause wait_here on_signal write_zeros (its return address is 0, and there is more of its stack)" zeros $thread
		odd 3 "pause wait_here on_signal coroutine __start_context (its caller would be where there is no code)" context $thread
	}
done
