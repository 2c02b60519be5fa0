#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Under a frozen parent a cgroup is frozen though nobody froze it, and cannot be thawed by itself.
. "$(dirname "$0")/lib.sh"

inherited()
{
	child inner
	idle "$CHILD"
	run freeze "$CG"
	expect 0 ""
	run state "$CHILD"
	expect 0 ""
	[[ $OUT == "frozen $CHILD (v$VERSION), by an ancestor" ]] || fail "'$OUT'"
	run state --json "$CHILD"
	[[ $OUT == *'"state":"frozen","self_frozen":false'* ]] || fail "'$OUT'"
	run thaw --timeout 500ms "$CHILD"
	expect 1 "$CG"
	run thaw "$CG"
	expect 0 ""
	run state "$CHILD"
	[[ $OUT == "thawed $CHILD (v$VERSION)" ]] || fail "'$OUT'"
}
on_each_freezer inherited
