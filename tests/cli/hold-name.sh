#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --name is the name in both lines; the default is a name that --name takes, too.
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

sleep 1000 &
first=$!
sleep 1000 &
second=$!
STARTED+=("$first" "$second")
disown -a
start_hold --pid "$first" --pid "$second"
[[ $HELD =~ ^"held "([A-Za-z0-9._:@-]+)": 2 processes, " ]] || fail "'$HELD'"
end_hold TERM
run hold --for 0s --name "${BASH_REMATCH[1]}" --pid "$first"
expect 0 ""
