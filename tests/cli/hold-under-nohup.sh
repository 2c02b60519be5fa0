#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Started with SIGHUP ignored, as by nohup, hold goes on when the terminal hangs up; and an ignored SIGINT,
# as scripts give to what they start in the background, releases all the same.
. "$(dirname "$0")/lib.sh"

refuses()
{
	grep -q "not stopping" "$TMP/hold.err"
}

nohup_hold()
{
	busy
	trap '' HUP INT
	start_hold "$CG"
	trap 'exit 129' HUP
	trap 'exit 130' INT
	kill -HUP "$HOLD_PID"
	# Signals are taken in the order of their numbers, HUP before TSTP: once this one is
	# answered, the other has been ignored.
	kill -TSTP "$HOLD_PID"
	await refuses
	must_stand
	end_hold INT
	[[ $RC == 0 ]] || fail "exit status $RC"
	must_be_free
}
on_each_freezer nohup_hold
