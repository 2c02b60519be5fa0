#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A target that is itself a gdb with its debuggee.  A thread has one tracer only, so the debuggee cannot be seized:
# the hold is refused, naming gdb, or leaves it out as asked; the plain freezer stops both.  gdb notices none of it.
. "$(dirname "$0")/lib.sh"

command -v gdb > /dev/null || leave_out "gdb is missing"
gdb_noticed=0

# Start gdb in CG, running a program that counts in COUNTER; its commands go to descriptor 8, what it says to $TMP/gdb.
start_gdb()
{
	COUNTER=$TMP/counter.gdb$VERSION
	mkfifo "$TMP/commands$VERSION"
	# shellcheck disable=SC2016
	(
		echo "$BASHPID" > "$CG/cgroup.procs" || exit
		exec gdb -q -nx -nh -ex 'set confirm off' -ex 'handle SIGINT stop nopass' \
			-ex run --args "$(command -v bash)" -c 'while :; do i=$((i + 1)); echo $i 1<> "$1"; done' bash "$COUNTER"
	) < "$TMP/commands$VERSION" > "$TMP/gdb" 2>&1 &
	GDB=$!
	STARTED+=("$GDB")
	disown "$GDB"
	exec 8> "$TMP/commands$VERSION"
	await test -s "$COUNTER"
	VICTIM=$(pgrep -P "$GDB" -x bash)
}

gdb_says()
{
	[[ $(grep -c "$1" "$TMP/gdb") -gt $gdb_noticed ]]
}

# It is told of a signal, and goes on: gdb and its debuggee are what they were.
gdb_must_work()
{
	kill -INT "$VICTIM"
	await gdb_says "received signal SIGINT"
	gdb_noticed=$((gdb_noticed + 1))
	echo continue >&8
	must_move
	[[ $(grep -c "received signal" "$TMP/gdb") == "$gdb_noticed" ]] || fail "gdb noticed: $(cat "$TMP/gdb")"
	[[ $(tracer_of "$VICTIM") == "$GDB" ]] || fail "the debuggee is not gdb's any more"
}

debugged()
{
	gdb_noticed=0
	start_gdb
	run tree "$CG"
	expect 1 "is traced by $GDB (gdb), which is inside the target"
	gdb_must_work

	run tree -p "$GDB"
	expect 1 "is traced by $GDB (gdb), which is inside the target"
	run tree -p "$GDB" --on-traced skip --json
	expect 3 "1 thread left out"
	python3 -c '
import json, sys
tree, gdb, debuggee = json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
found = {p["pid"]: p for p in tree["processes"]}
assert found[debuggee]["found"] == "traced" and found[debuggee]["tracer"] == gdb, found
assert found[debuggee]["threads"][0]["state"] == "skipped", found
assert all(t["state"] == "held" for t in found[gdb]["threads"]), found
' "$OUT" "$GDB" "$VICTIM" 2> "$TMP/err" || fail "json: '$OUT'"
	gdb_must_work
	start_hold "$CG" --on-traced skip
	end_hold TERM
	gdb_must_work

	run freeze "$CG"
	expect 0 ""
	must_stand
	run thaw "$CG"
	expect 0 ""
	must_move
	gdb_must_work
	exec 8>&-
}
on_each_freezer debugged
