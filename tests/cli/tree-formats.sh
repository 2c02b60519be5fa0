#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tree prints text, JSON and DOT, and leaves everybody as they were.
. "$(dirname "$0")/lib.sh"

formats()
{
	busy
	child inner
	idle "$CHILD"
	run tree "$CG"
	expect 0 ""
	[[ $OUT == *"$VICTIM sleep"* ]] || fail "$OUT"
	[[ $OUT != *$'\033'* ]] || fail "colours in a file"
	run tree --color=always "$CG"
	expect 0 ""
	[[ $OUT == *$'\033['* ]] || fail "no colours with --color=always"
	for pretty in "" --pretty; do
		# shellcheck disable=SC2086
		run tree --json $pretty "$CG"
		expect 0 ""
		python3 - "$CG" "$VICTIM" "$TMP/out" <<-'END' || fail "$OUT"
			import json, sys
			tree = json.load(open(sys.argv[3]))
			assert tree["schema"] == 1, tree
			assert tree["target"]["path"] == sys.argv[1], tree
			assert tree["counts"]["processes"] == len(tree["processes"]), tree
			assert int(sys.argv[2]) in [p["pid"] for p in tree["processes"]], tree
		END
	done
	run tree --dot "$CG"
	expect 0 ""
	[[ $OUT == *digraph*"{"*"}" ]] || fail "$OUT"
	must_be_free
}
on_each_freezer formats
