#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# check prints one line or one object for each question, and the exit status says whether a hold is possible.
. "$(dirname "$0")/lib.sh"

run check
[[ -z $ERR ]] || fail "said something"
awk '!/^(ok     |limited|no     )  [a-z0-9_ ]+: ./ { exit 1 }' "$TMP/out" || fail "$OUT"
lines=$(wc -l < "$TMP/out") rc=$RC
run check --json
[[ $RC == "$rc" ]] || fail "$RC with --json, $rc without"
python3 - "$lines" "$TMP/out" <<-'END' || fail "$OUT"
	import json, sys
	answers = json.load(open(sys.argv[2]))
	assert len(answers) == int(sys.argv[1]), answers
	for a in answers:
	    assert sorted(a) == ["reason", "remedy", "verdict", "what"], a
	    assert a["verdict"] in ("ok", "limited", "no"), a
	    assert a["reason"], a
END
run check --color=always
[[ $OUT == *$'\033[32mok'* ]] || fail "no colour with --color=always"
if ((EUID == 0)); then
	((rc == 0)) || fail "root cannot hold here: $OUT"
fi
