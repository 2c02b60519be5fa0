#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --on-death: when the holder is killed the guard resumes the target, keeps it frozen or kills it, and says so.
. "$(dirname "$0")/lib.sh"

said()
{
	grep -q "$1" "$TMP/hold.err"
}

dies()
{
	local guard
	guard=$(guard_of "$HOLD_PID")
	kill -KILL "$HOLD_PID"
	await_release
	[[ -z $RELEASED && $RC == 137 ]] || fail "'$RELEASED', $RC"
	await ended_or_zombie "$guard"
}

ended_or_zombie()
{
	gone "$1" || is_zombie "$1"
}

resumed()
{
	busy
	start_hold --on-death resume "$CG"
	must_stand
	dies
	must_be_free
}

kept()
{
	busy
	start_hold --on-death stay "$CG"
	await is_frozen "$CG"
	dies
	said "holdfast: guard: the holder died; cgroup $CG stays frozen, as asked; holdfast thaw lets it go" ||
		fail "the guard did not say so"
	await is_frozen "$CG"
	must_stand
	[[ $(tracer_of "$VICTIM") == 0 ]] || fail "still traced"
	run thaw "$CG"
	must_be_free
	run recover
	[[ $OUT == "nothing was left behind" ]] || fail "'$OUT'"
	# A normal end is no death.
	start_hold --on-death stay "$CG"
	end_hold TERM
	expect 0 ""
	must_be_free
}

killed()
{
	local first
	idle
	first=$VICTIM
	busy
	start_hold --on-death kill "$CG"
	await is_frozen "$CG"
	dies
	said "holdfast: guard: the holder died; killed everybody in cgroup $CG, as asked" ||
		fail "the guard did not say so"
	await ended_or_zombie "$first"
	await ended_or_zombie "$VICTIM"
	await is_empty "$CG"
	run state "$CG"
	[[ $OUT == thawed\ * ]] || fail "'$OUT'"
	run recover
	[[ $OUT == "nothing was left behind" ]] || fail "'$OUT'"
	unset COUNTER
}

HOLDFAST_RUNTIME_DIR=$TMP/run
export HOLDFAST_RUNTIME_DIR
on_each_freezer resumed
on_each_freezer kept
on_each_freezer killed
run hold --on-death never "$CG"
expect 2 "never"
