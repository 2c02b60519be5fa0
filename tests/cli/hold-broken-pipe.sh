#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# When the reader goes away, before or after the `held` line, hold releases, says so, and ends with 1.
. "$(dirname "$0")/lib.sh"

broken()
{
	busy
	start_hold --then kill "$CG"
	must_stand
	exec {HOLD_OUT}<&-
	reap "$HOLD_PID"
	ERR=$(cat "$TMP/hold.err")
	expect 1 "Broken pipe"
	[[ $ERR == *released* ]] || fail "does not say that it released"
	must_be_free
	"$HOLDFAST" hold "$CG" 2> "$TMP/err" > >(true)
	ended $?
	expect 1 "Broken pipe"
	must_be_free
}
on_each_freezer broken
