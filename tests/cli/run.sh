#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run ends as the command does, which sees the target stopped and is told what is held; afterwards the target runs.
. "$(dirname "$0")/lib.sh"

# What the command finds, each in a file of its own.
# shellcheck disable=SC2016
look='
cd "$1" || exit
echo "$HOLDFAST_PIDS" > pids
echo "$HOLDFAST_ROOT" > root
echo "${HOLDFAST_CGROUP-unset}" > cgroup
(cat < "$HOLDFAST_TREE") > tree
grep State "/proc/$HOLDFAST_ROOT/status" > state
cat /proc/self/status > status
ls /proc/self/fd > fds
cat /proc/self/cgroup > where
'

statuses()
{
	busy
	run run "$CG" -- true
	expect 0 ""
	[[ -z $OUT ]] || fail "prints"
	must_be_free
	run run "$CG" -- sh -c 'echo out; echo err >&2; exit 42'
	expect 42 err
	[[ $OUT == out ]] || fail "output"
	for signal in TERM KILL SEGV; do
		# shellcheck disable=SC2016
		run run "$CG" -- sh -c 'kill -'$signal' $$'
		[[ $RC == $((128 + $(kill -l "$signal"))) ]] || fail "$signal: exit status $RC"
		must_be_free
	done
	run run "$CG" -- "$TMP/nothing"
	expect 127 "run: cannot run $TMP/nothing: No such file"
	run run "$CG" -- no-such-command-here
	expect 127 "run: cannot run no-such-command-here: No such file"
	run run "$CG" -- /etc
	expect 126 "run: cannot run /etc: Permission denied"
	# Found, and yet not to be run: its interpreter is missing.
	printf '#!/no/such/interpreter\n' > "$TMP/script"
	chmod +x "$TMP/script"
	run run "$CG" -- "$TMP/script"
	expect 127 "cannot run $TMP/script"
	must_be_free
	run run "$CG/none" -- true
	expect 125 "no such cgroup"
	run run -q "$CG" true
	expect 2 "write -- between the target and the command"
	run run "$CG" --
	expect 2 "which command? Write it behind the --"
	run run -- true
	expect 2 "which target?"
}

told()
{
	child below
	in_cgroup "$CHILD" sleep 1000
	first=$VICTIM
	idle
	mkdir -p "$TMP/at"
	run run "$CG" -- sh -c "$look" sh "$TMP/at"
	expect 0 ""
	[[ $(tr ' ' '\n' < "$TMP/at/pids" | sort -n) == $(printf '%s\n' "$first" "$VICTIM" | sort -n) ]] ||
		fail "HOLDFAST_PIDS: $(cat "$TMP/at/pids")"
	[[ $(cat "$TMP/at/root") == "$first" ]] || fail "HOLDFAST_ROOT: $(cat "$TMP/at/root")"
	[[ $(cat "$TMP/at/cgroup") == "$CG" ]] || fail "HOLDFAST_CGROUP: $(cat "$TMP/at/cgroup")"
	grep -q "t (tracing stop)" "$TMP/at/state" || fail "not stopped: $(cat "$TMP/at/state")"
	python3 -c 'import json, sys
tree = json.load(open(sys.argv[1]))
assert [p["pid"] for p in tree["processes"]] == [int(p) for p in sys.argv[2:]], tree
assert tree["counts"]["held"] == 2, tree' "$TMP/at/tree" "$first" "$VICTIM" || fail "HOLDFAST_TREE"
	! grep -q "$(basename "$CG")" "$TMP/at/where" || fail "the command is in the target"
	must_be_free
	# Of another target, run by the first.
	run run "$CG" -- "$HOLDFAST" run -p $$ -- true
	expect 125 "an ancestor of the holder"
	sleep 1000 &
	disown $!
	STARTED+=($!)
	run run "$CG" -- "$HOLDFAST" run -p $! -- sh -c "$look" sh "$TMP/at"
	expect 0 ""
	[[ $(cat "$TMP/at/cgroup") == unset ]] || fail "HOLDFAST_CGROUP of another: $(cat "$TMP/at/cgroup")"
	[[ $(cat "$TMP/at/pids") == "$!" ]] || fail "HOLDFAST_PIDS of another: $(cat "$TMP/at/pids")"
	must_be_free
}

# It is a program like any other: mask, dispositions and descriptors are those that we were given.
normal()
{
	idle
	mkdir -p "$TMP/at"
	for given in default ignore; do
		python3 -c 'import os, signal, sys
ignore = sys.argv[1] == "ignore"
for sig in signal.SIGPIPE, signal.SIGCHLD, signal.SIGUSR1:
    signal.signal(sig, signal.SIG_IGN if ignore else signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGUSR2] if ignore else [])
for fd in range(3, 256):
    try: os.close(fd)
    except OSError: pass
os.dup2(0, 7)
os.execv(sys.argv[2], sys.argv[2:])' $given "$HOLDFAST" run "$CG" -- cp /proc/self/status "$TMP/at/status" || fail "$given"
		python3 -c 'import sys
status = dict(l.rstrip("\n").split(":\t", 1) for l in open(sys.argv[2]) if ":\t" in l)
bit = lambda n: 1 << (n - 1)
ignored, blocked = int(status["SigIgn"], 16), int(status["SigBlk"], 16)
wanted = (bit(13) | bit(17) | bit(10), bit(12)) if sys.argv[1] == "ignore" else (0, 0)
assert (ignored & (bit(13) | bit(17) | bit(10)), blocked) == wanted, (hex(ignored), hex(blocked))
' $given "$TMP/at/status" || fail "$given: signals"
	done
	# The shell that lists them has one of its own for the directory.
	(
		exec 7< /dev/null
		for ((fd = 10; fd < 256; fd++)); do
			eval "exec $fd>&-"
		done
		exec 3>&- 4>&- 5>&- 6>&- 8>&- 9>&-
		exec "$HOLDFAST" run "$CG" -- ls /proc/self/fd
	) > "$TMP/out" 2> "$TMP/err" < /dev/null || fail "descriptors"
	[[ $(tr '\n' ' ' < "$TMP/out") == "0 1 2 3 7 " ]] || fail "descriptors: $(tr '\n' ' ' < "$TMP/out")"
	# shellcheck disable=SC2016
	"$HOLDFAST" run "$CG" -- sh -c 'test ! -e /proc/self/fd/0 && test ! -e /proc/self/fd/1' <&- >&- 2> "$TMP/err" ||
		fail "closed descriptors are not as they were"
}

# Victims of one function must not keep the next one from its time.
alone()
{
	"$TEST"
	kill -KILL "${STARTED[@]}" 2> /dev/null
	STARTED=()
	unset COUNTER
}

TEST=statuses on_each_freezer alone
TEST=told on_each_freezer alone
TEST=normal on_each_freezer alone
