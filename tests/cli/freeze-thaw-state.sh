#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# freeze, thaw and state, by both of their names: what they print is what is so.
. "$(dirname "$0")/lib.sh"

prints()
{
	local want=$1
	shift
	run "$@"
	expect 0 ""
	[[ $OUT == "$want" ]] || fail "$*: '$OUT', expected '$want'"
}

plain_freezer()
{
	local pair freeze thaw name
	name=$(basename "$CG")
	busy
	prints "thawed $CG (v$VERSION)" state "$CG"
	for pair in freeze:thaw pause:resume; do
		freeze=${pair%:*} thaw=${pair#*:}
		prints "frozen $CG (v$VERSION)" "$freeze" "$CG"
		must_stand
		prints "frozen $CG (v$VERSION)" state -g "$CG"
		prints "frozen $CG (v$VERSION)" "$freeze" "$CG"
		prints "thawed $CG (v$VERSION)" "$thaw" "$CG"
		must_move
		prints "thawed $CG (v$VERSION)" "$thaw" "$CG"
	done
	# Relative to the mount of the freezer.
	prints "thawed $CG (v$VERSION)" state "$name"
}
on_each_freezer plain_freezer
