#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Control characters of a name reach neither the terminal nor the line structure.
. "$(dirname "$0")/lib.sh"

odd()
{
	run state "$CG/"$'no\nsuch\033[31m'
	expect 1 "no such cgroup: $CG/no"
	[[ $ERR != *$'\033'* ]] || fail "an escape character reached the terminal"
	(($(wc -l < "$TMP/err") == 1)) || fail "a name broke the line"
	run "frob"$'\033\n'
	expect 2 'frob\x1b\n'
	child $'a\ttab\033'
	idle "$CHILD"
	run state "$CHILD"
	expect 0 ""
	[[ $OUT == "thawed $CG/a\\ttab\\x1b (v$VERSION)" ]] || fail "'$OUT'"
	start_hold "$CHILD"
	[[ $HELD == "held a_tab_: 1 process, 1 thread, stopped after "* ]] || fail "'$HELD'"
	end_hold TERM
	[[ $RELEASED == "released a_tab_: held for "* ]] || fail "'$RELEASED'"
}
on_each_freezer odd
