#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Ctrl-Z does not stop the holder while it holds: held tasks must be looked after.
. "$(dirname "$0")/lib.sh"

refuses()
{
	grep -q "not stopping while it holds" "$TMP/hold.err"
}

ctrl_z()
{
	busy
	start_hold "$CG"
	kill -TSTP "$HOLD_PID"
	await refuses
	must_stand
	end_hold TERM
	[[ $RC == 0 ]] || fail "exit status $RC"
	must_be_free
}
on_each_freezer ctrl_z
