#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --then kill leaves nobody alive, and the cgroup thawed.
. "$(dirname "$0")/lib.sh"

killed()
{
	busy
	start_hold --then kill "$CG"
	end_hold INT
	expect 0 ""
	[[ $RELEASED == *", killed" ]] || fail "'$RELEASED'"
	await gone "$VICTIM"
	run state "$CG"
	[[ $OUT == thawed\ * ]] || fail "'$OUT'"
}
on_each_freezer killed
