#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# v1: of a process with one thread in the cgroup all threads are held, or on request reported as outside.
. "$(dirname "$0")/lib.sh"

threads='
import threading, time
for i in range(3):
    threading.Thread(target=time.sleep, args=(1000,)).start()
print("ready", flush=True)
'
scratch 1 || leave_out "no v1 freezer in which a cgroup can be made"
exec {ready}< <(exec python3 -c "$threads")
VICTIM=$!
STARTED+=("$VICTIM")
read -r -t "$PATIENCE" line <&"$ready"
[[ $line == ready ]] || fail "the victim is not ready"
tids=(/proc/"$VICTIM"/task/*)
[[ ${#tids[@]} == 4 ]] || fail "${#tids[@]} threads"
echo "${tids[3]##*/}" > "$CG/tasks" || fail "cannot move a thread"

states()
{
	python3 -c '
import json, sys
tree = json.loads(sys.argv[1])
print(*sorted(t["state"] for p in tree["processes"] for t in p["threads"]))' "$OUT"
}
run tree --json "$CG"
expect 0 ""
[[ $(states) == "held held held held" ]] || fail "$(states)"
run tree --json --outside report "$CG"
expect 3 "3 threads outside"
[[ $(states) == "held outside outside outside" ]] || fail "$(states)"
run why "$CG"
expect 0 ""
[[ $(grep -c '^note     half: ' <<< "$OUT") == 3 ]] || fail "'$OUT'"
must_be_free
