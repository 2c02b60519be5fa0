#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Somebody else traces a thread: it fails, naming the tracer; with --on-traced skip it ends with 3.
. "$(dirname "$0")/lib.sh"

# Seizes process $1 and says so; holds on until it is killed.
tracer='
import ctypes, os, signal, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long] * 4
assert libc.ptrace(0x4206, int(sys.argv[1]), 0, 0) == 0, os.strerror(ctypes.get_errno())
print("seized", flush=True)
signal.pause()
'
traced()
{
	local tracer_pid line=
	idle
	busy
	exec {tracer_out}< <(exec python3 -c "$tracer" "$VICTIM")
	tracer_pid=$!
	STARTED+=("$tracer_pid")
	read -r -t "$PATIENCE" line <&"$tracer_out"
	[[ $line == seized ]] || leave_out "python3 cannot ptrace here"
	run tree "$CG"
	expect 1 "$tracer_pid"
	[[ -z $OUT ]] || fail "printed a tree"
	must_move
	run tree --on-traced skip "$CG"
	expect 3 "1 thread left out"
	[[ -n $OUT ]] || fail "printed no tree"
	run tree -q --on-traced skip "$CG"
	expect 3 ""
	must_move
	kill -KILL "$tracer_pid"
	reap "$tracer_pid"
	exec {tracer_out}<&-
	run tree "$CG"
	expect 0 ""
	must_be_free
}
on_each_freezer traced
