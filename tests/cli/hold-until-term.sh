#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hold: one line when everything is held, nobody runs, SIGTERM releases, one line, 0, everybody runs.
. "$(dirname "$0")/lib.sh"

term()
{
	local name
	name=$(basename "$CG")
	busy
	must_move
	start_hold "$CG"
	[[ $HELD =~ ^held\ $name:\ 1\ process,\ 1\ thread,\ stopped\ after\ [0-9.]+\ (us|ms)$ ]] ||
		fail "'$HELD'"
	must_stand
	[[ -d /proc/$HOLD_PID/task/$(tracer_of "$VICTIM") ]] || fail "held by $(tracer_of "$VICTIM")"
	[[ $("$HOLDFAST" state "$CG") == thawed\ * ]] || fail "the freezer is still in use"
	must_stand
	end_hold TERM
	expect 0 ""
	[[ $RELEASED =~ ^released\ $name:\ held\ for\ [0-9.]+\ (ms|s)$ ]] || fail "'$RELEASED'"
	must_be_free
}
on_each_freezer term
