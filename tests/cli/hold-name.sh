#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --name is the name in both lines.
. "$(dirname "$0")/lib.sh"

named()
{
	idle
	idle
	start_hold --name my.hold@1 "$CG"
	[[ $HELD == "held my.hold@1: 2 processes, 2 threads, stopped after "* ]] || fail "'$HELD'"
	end_hold TERM
	[[ $RELEASED == "released my.hold@1: held for "* ]] || fail "'$RELEASED'"
}
on_each_freezer named
