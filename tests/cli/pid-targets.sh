#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --pid holds a process with its descendants, needs no cgroup, and says what it cannot be used for.
. "$(dirname "$0")/lib.sh"

scratch 2 || scratch 1 || leave_out "no freezer in which a cgroup can be made"
CG_KEPT=$CG
busy
run tree --pid "$VICTIM"
expect 0 ""
[[ $OUT == "process $VICTIM: 1 process, 1 thread, stopped for "*$'\n'"$VICTIM sh  sh -c "* ]] || fail "text: '$OUT'"
must_move
run tree --json -p "$VICTIM" -p "$VICTIM"
expect 0 ""
python3 -c '
import json, sys
tree, pid = json.loads(sys.argv[1]), int(sys.argv[2])
target = tree["target"]
assert target["kind"] == "processes" and target["pids"] == [pid, pid], target
assert target["path"] is target["version"] is target["found"] is None, target
assert tree["roots"] == [pid] and tree["counts"]["held"] == 1, tree
assert tree["processes"][0]["cgroup"].endswith("'"${CG_KEPT##*/}"'"), tree
' "$OUT" "$VICTIM" 2> "$TMP/err" || fail "json: '$OUT'"
run why -p "$VICTIM"
expect 0 ""
[[ $OUT == "nothing stands in the way" ]] || fail "why: '$OUT'"

start_hold -p "$VICTIM"
[[ $HELD == "held $VICTIM: 1 process, 1 thread, stopped after "* ]] || fail "'$HELD'"
must_stand
run tree -p "$VICTIM"
expect 1 "is traced by"
# The cgroup that it is in is not free for another hold either, and is thawed all the while.
[[ $("$HOLDFAST" state "$CG") == thawed\ * ]] || fail "something is frozen"
run tree "$CG"
expect 1 "is traced by"
end_hold TERM
[[ $RELEASED == "released $VICTIM: held for "* ]] || fail "'$RELEASED'"
must_be_free

start_hold -p "$VICTIM" --then stop --for 0s
await_release
[[ $(state_letter "$VICTIM") == T ]] || fail "not left stopped"
kill -CONT "$VICTIM"
must_be_free

run tree -p $$
expect 1 "an ancestor of the holder: nobody could let it go"
run tree -p 0
expect 2 "'0' is no process id"
run tree -p "$VICTIM" --on-death stay
expect 2 "unknown option --on-death"
run hold -p "$VICTIM" --on-death stay
expect 2 "--on-death goes with a cgroup"
kill -KILL "$VICTIM"
await gone "$VICTIM"
run tree -p "$VICTIM"
expect 1 "there is no process $VICTIM"
