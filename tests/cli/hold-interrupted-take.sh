#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A signal that came while the hold was being taken cancels it: everything is undone, nothing was held.
. "$(dirname "$0")/lib.sh"

# The signal is pending, and blocked, before holdfast starts: it cancels, and does not end the process.
pending='
import os, signal, sys
number = getattr(signal, "SIG" + sys.argv[1])
signal.pthread_sigmask(signal.SIG_BLOCK, [number])
os.kill(os.getpid(), number)
os.execv(sys.argv[2], sys.argv[2:])
'
interrupted()
{
	busy
	for signal in INT TERM; do
		timeout 20 python3 -c "$pending" "$signal" "$HOLDFAST" hold --then kill "$CG" \
			> "$TMP/out" 2> "$TMP/err"
		ended $?
		expect 1 "hold: cancelled while"
		[[ ! -s $TMP/out ]] || fail "$signal: $(cat "$TMP/out")"
		must_be_free
	done
}
on_each_freezer interrupted
