#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# recover --json: one object, valid whatever bytes a path has; and the text shows none that steers a terminal.
. "$(dirname "$0")/lib.sh"

HOLDFAST_RUNTIME_DIR=$TMP/run
export HOLDFAST_RUNTIME_DIR

# check PATH HOLDER DRY: the object on standard input is about that one leftover.
check='
import datetime, json, os, re, sys
path, holder, version, dry = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "dry"
text = sys.stdin.buffer.read()
assert text.endswith(b"\n") and text.count(b"\n") == 1, text
answer = json.loads(text.decode("utf-8"))
assert set(answer) == {"dry_run", "leftovers", "recovered"}, answer
assert answer["dry_run"] is dry and answer["recovered"] == (0 if dry else 1), answer
left, = answer["leftovers"]
assert set(left) == {"kind", "path", "version", "found", "left", "holder", "since", "text"}, left
assert left["kind"] == "changed" and left["found"] == "thawed" and left["left"] == "frozen", left
assert left["version"] == version and left["holder"] == holder, left
since = datetime.datetime.strptime(left["since"], "%Y-%m-%dT%H:%M:%S.%fZ")
age = (datetime.datetime.utcnow() - since).total_seconds()
assert 0 <= age < 600, left
assert left["path"].startswith(path[:path.rindex("/") + 1]), left
assert left["path"] in left["text"], left
if "a" == path[-1]:
    assert left["path"] == path, left
'
as_json()
{
	local name
	for name in a $'t\tab "\\ \xff\xc3\xa9\x01'; do
		child "$name"
		idle "$CHILD"
		leave_frozen "$CHILD"
		run recover --dry-run --json
		expect 0 ""
		python3 -c "$check" "$CHILD" "$LEFT_BY" "$VERSION" dry < "$TMP/out" || fail "$OUT"
		run recover --dry-run
		expect 0 ""
		[[ $OUT != *[$'\001'-$'\011']* && $(wc -l < "$TMP/out") == 1 ]] || fail "$OUT"
		[[ $name == a || $OUT == *"t\tab \"\ "* ]] || fail "$OUT"
		run recover --json
		expect 0 ""
		python3 -c "$check" "$CHILD" "$LEFT_BY" "$VERSION" real < "$TMP/out" || fail "$OUT"
		run state "$CHILD"
		[[ $OUT == thawed* ]] || fail "$OUT"
	done
}

run recover --json
expect 0 ""
[[ $OUT == '{"dry_run":false,"leftovers":[],"recovered":0}' ]] || fail "$OUT"
on_each_freezer as_json
echo junk > "$TMP/run/x.hold"
run recover --json
expect 1 "cannot read journal"
python3 -c '
import json, sys
left, = json.load(sys.stdin)["leftovers"]
assert left["kind"] == "unreadable" and left["version"] is None and left["since"] is None, left
assert left["path"] == sys.argv[1], left
' "$TMP/run/x.hold" < "$TMP/out" || fail "$OUT"
