#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --then stop leaves everybody in a group-stop, as kill -STOP does.
. "$(dirname "$0")/lib.sh"

stopped()
{
	busy
	start_hold --then stop "$CG"
	end_hold TERM
	expect 0 ""
	[[ $RELEASED == *", left stopped" ]] || fail "'$RELEASED'"
	[[ $(state_letter "$VICTIM") == T ]] || fail "state $(state_letter "$VICTIM")"
	[[ $(tracer_of "$VICTIM") == 0 ]] || fail "still traced"
	must_stand
	kill -CONT "$VICTIM"
	must_be_free
}
on_each_freezer stopped
