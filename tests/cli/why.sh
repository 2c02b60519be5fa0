#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# why tells what stands in the way, as text and as JSON, and changes nothing.
. "$(dirname "$0")/lib.sh"

explained()
{
	run why "$CG"
	expect 1 ""
	[[ $OUT == "blocks   empty: "* ]] || fail "empty: '$OUT'"
	busy
	run why "$CG"
	expect 0 ""
	[[ $OUT == "nothing stands in the way" ]] || fail "nothing: '$OUT'"
	must_move

	child inner
	run freeze "$CHILD"
	run why "$CG"
	expect 0 ""
	[[ $OUT == "note     frozen: cgroup "*/inner" is set frozen"* ]] || fail "frozen: '$OUT'"
	run state "$CHILD"
	[[ $OUT == frozen\ * ]] || fail "thawed it: '$OUT'"

	start_hold "$CG"
	run why "$CG"
	expect 1 ""
	[[ $OUT == "blocks   held: "*"(holdfast) of process "*" holds cgroup $CG, or one above or below it"* && $OUT != *"blocks   traced"* ]] || fail "held: '$OUT'"
	run why --json "$CG"
	python3 -c '
import json, sys
answer = json.loads(sys.argv[1])
assert answer["holdable"] is False, answer
assert "held" in {o["kind"] for o in answer["obstacles"]}, answer
assert all(isinstance(o["blocks"], bool) and o["text"] for o in answer["obstacles"]), answer
' "$OUT" 2> "$TMP/err" || fail "json: '$OUT'"
	kill -TERM "$HOLD_PID"
	await_release
	must_be_free
	must_move
}
on_each_freezer explained

run why /sys
expect 1 "is not a cgroup directory"
