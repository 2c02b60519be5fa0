#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Code that has neither unwind tables nor a frame pointer ends a stack, and nobody is told that it is complete, though the
# frame pointer is 0 as at the end of a chain; deep stacks keep their columns; a process without a name has a line, too.
. "$(dirname "$0")/lib.sh"

cc=${CC:-cc}
command -v "$cc" > /dev/null || leave_out "no C compiler"

cat > "$TMP/deep.c" <<-'END'
	#include <pthread.h>
	#include <sys/prctl.h>
	#include <unistd.h>
	__attribute__((noinline)) int deep(int n)
	{
		int r = n ? deep(n - 1) : pause();

		__asm__ volatile("" ::: "memory");
		return r + 1;
	}
	void *worker(void *arg)
	{
		(void)arg;
		deep(150);
		return NULL;
	}
	int main(void)
	{
		pthread_t thread;

		prctl(PR_SET_NAME, "");
		pthread_create(&thread, NULL, worker, NULL);
		pause();
		return 0;
	}
END

without()
{
	"$cc" -O1 -fomit-frame-pointer -fno-asynchronous-unwind-tables -fno-unwind-tables -pthread -o "$TMP/without" "$TMP/deep.c" ||
		fail "cannot compile"
	in_cgroup "$CG" "$TMP/without"
	await threads_asleep 2
	run stack "$CG"
	expect 3 ""
	[[ $OUT == *"2 incomplete"* && $OUT == *"it ends here: there is no unwind information for this code"* ]] || fail "$OUT"
	run stack --json "$CG"
	expect 3 ""
	[[ $OUT != *outermost* ]] || fail "$OUT"
	run stack --folded "$CG"
	expect 3 ""
	grep -q '^\[no name\];\[incomplete\];deep;pause 1$' "$TMP/out" || fail "$OUT"
	must_be_free
}

with()
{
	"$cc" -O1 -fomit-frame-pointer -fasynchronous-unwind-tables -pthread -o "$TMP/with" "$TMP/deep.c" || fail "cannot compile"
	in_cgroup "$CG" "$TMP/with"
	await threads_asleep 2
	run stack "$CG"
	expect 0 ""
	grep -Eq '^#9  0x[0-9a-f]{16} deep' "$TMP/out" || fail "$OUT"
	grep -Eq '^#100 0x[0-9a-f]{16} deep' "$TMP/out" || fail "$OUT"
	must_be_free
}

on_each_freezer without
on_each_freezer with
