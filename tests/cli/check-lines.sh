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
HOLDFAST_RUNTIME_DIR=$TMP/not/there run check
[[ $OUT == *"limited  runtime: $TMP/not/there: No such file or directory: "* ]] || fail "runtime: '$OUT'"
mkdir "$TMP/not"
HOLDFAST_RUNTIME_DIR=$TMP/not/there run check
[[ $OUT == *"ok       runtime: journals and kept holds have their place in $TMP/not/there"* ]] || fail "runtime: '$OUT'"
[[ ! -e $TMP/not/there ]] || fail "check made a directory"
run check --color=always
[[ $OUT == *$'\033[32mok'* ]] || fail "no colour with --color=always"
if ((EUID == 0)); then
	((rc == 0)) || fail "root cannot hold here: $OUT"
fi
