#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hold --json prints the tree, on one line, in place of the `held` line.
. "$(dirname "$0")/lib.sh"

as_json()
{
	busy
	start_hold --json "$CG"
	must_stand
	python3 -c '
import json, sys
tree = json.loads(sys.argv[1])
assert tree["schema"] == 1, tree
assert [p["pid"] for p in tree["processes"]] == [int(sys.argv[2])], tree
assert tree["counts"]["held"] == 1, tree
' "$HELD" "$VICTIM" || fail "$HELD"
	end_hold TERM
	expect 0 ""
	[[ $RELEASED == released\ * ]] || fail "'$RELEASED'"
	must_be_free
}
on_each_freezer as_json
