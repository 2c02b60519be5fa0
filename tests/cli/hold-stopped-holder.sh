#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --for ends a hold even when holdfast itself has been stopped and cannot: its guard kills it, and says so.
. "$(dirname "$0")/lib.sh"

stopped()
{
	busy
	for time in 200ms 2s 20s; do
		start_hold --for "$time" "$CG"
		stop_while_held "$HOLD_PID" && break
	done
	await_release
	[[ $RC == 137 ]] || fail "exit status $RC, '$RELEASED'"
	await grep -q "guard: the holder did not end by its time and was killed; everybody was released" "$TMP/hold.err"
	must_be_free
	# Without a time nothing ends it but who has stopped it.
	start_hold "$CG"
	kill -STOP "$HOLD_PID"
	await is_stopped "$HOLD_PID"
	must_stand
	kill -CONT "$HOLD_PID"
	end_hold TERM
	expect 0 ""
	must_be_free
}
on_each_freezer stopped
