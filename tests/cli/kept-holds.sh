#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hold -d, list, show, extend, release, and -H: a hold that is taken by one command, seen by others, and released by
# another, or ends by itself.
. "$(dirname "$0")/lib.sh"

export HOLDFAST_RUNTIME_DIR=$TMP/run

nothing_kept()
{
	run list
	expect 0 ""
	[[ -z $OUT ]] || fail "still listed: '$OUT'"
	[[ -z $(ls "$HOLDFAST_RUNTIME_DIR" 2> /dev/null) ]] || fail "left: $(ls "$HOLDFAST_RUNTIME_DIR")"
}

kept()
{
	busy
	run hold -d --name suspect "$CG"
	expect 0 "hold suspect ends by itself in 5 min 0 s; 'holdfast release suspect' ends it sooner"
	[[ $OUT == "held suspect: 1 process, 1 thread, stopped after "*" ms" ]] || fail "held: '$OUT'"
	must_stand
	[[ $("$HOLDFAST" state "$CG") == thawed\ * ]] || fail "the cgroup is not thawed under the hold"
	run list
	expect 0 ""
	[[ $OUT == "NAME "*$'\n'"suspect "*" cgroup $CG" ]] || fail "list: '$OUT'"
	run list --json
	python3 -c '
import json, sys
[hold] = json.loads(sys.argv[1])
assert hold["name"] == "suspect" and hold["held"] == 1 and 0 < hold["left_ms"] <= 300000, hold
assert hold["kind"] == "cgroup" and hold["target"].endswith(sys.argv[2]), hold
' "$OUT" "$CG" 2> "$TMP/err" || fail "list --json: '$OUT'"
	# From another shell, of another session.
	setsid -w "$HOLDFAST" show suspect > "$TMP/out" 2> "$TMP/err"
	ended $?
	expect 0 ""
	[[ $OUT == "hold suspect: since "*", ends in "*" min "*"taken by process "*" (holdfast) of user "*"$CG (cgroup v$VERSION): 1 process"*"$VICTIM sh"* ]] ||
		fail "show: '$OUT'"
	run show suspect --json
	python3 -c '
import json, sys
hold = json.loads(sys.argv[1])
assert hold["tree"]["roots"] == [int(sys.argv[2])], hold
' "$OUT" "$VICTIM" 2> "$TMP/err" || fail "show --json: '$OUT'"
	run tree -H suspect --json
	[[ $OUT == '{"schema":1,'* ]] || fail "tree: '$OUT'"
	run tree -H suspect --dot
	[[ $OUT == digraph* ]] || fail "dot: '$OUT'"
	run tree -H suspect --json --effects
	python3 -c '
import json, sys
assert json.loads(sys.argv[1])["processes"][0]["effects"] == []
' "$OUT" 2> "$TMP/err" || fail "effects: '$OUT'"
	stacks_of_suspect
	run tree -H suspect "$CG"
	expect 2 "one target at a time"

	# The name is taken, and the cgroup is held.
	sleep 1000 &
	STARTED+=($!)
	disown $!
	run hold -d --name suspect -p $!
	expect 1 "a hold called suspect is kept already; give another --name"
	[[ $(tracer_of $!) == 0 ]] || fail "held all the same"
	run hold -d --name other --timeout 300ms "$CG"
	expect 1 "(holdfast-keeper)"
	expect 1 "keeps hold suspect: 'holdfast show suspect'"
	run stack -p "$VICTIM"
	expect 1 "keeps hold suspect: 'holdfast show suspect'"
	run why "$CG"
	expect 1 ""
	[[ $OUT == "blocks   held: "*"(holdfast-keeper) holds cgroup "*" keeps hold suspect" ]] || fail "why: '$OUT'"
	run why -p "$VICTIM"
	expect 1 ""
	[[ $OUT == "blocks   traced: "*"(holdfast-keeper), which is outside"*" keeps hold suspect" ]] || fail "why: '$OUT'"
	run why --json "$CG"
	python3 -c '
import json, sys
[hold] = json.loads(sys.argv[2])
facts = json.loads(sys.argv[1])["obstacles"]
assert {f["kind"] for f in facts} == {"held"}, facts
assert all(f["by"] == hold["keeper"] and f["hold"] == "suspect" for f in facts), facts
' "$OUT" "$("$HOLDFAST" list --json)" 2> "$TMP/err" || fail "why --json: '$OUT'"
	run extend suspect 1h
	expect 0 ""
	[[ $OUT == "extended suspect: it ends in 1 h 0 min" ]] || fail "extend: '$OUT'"
	run extend suspect 0
	expect 0 ""
	[[ $OUT == *"and never by itself" ]] || fail "extend: '$OUT'"
	must_stand
	# Who cannot be told is told so, elsewhere.
	run_full extend suspect 1h
	expect 1 "No space left on device"
	run release suspect
	expect 0 ""
	[[ $OUT == "released suspect: held for "*" s" ]] || fail "release: '$OUT'"
	must_be_free
	run release suspect
	expect 1 "no hold is called suspect; see holdfast list"
	nothing_kept

	# By default it is called as its cgroup; the end comes by itself.
	run hold -d --for 300ms -q "$CG"
	expect 0 ""
	[[ $OUT == "held ${CG##*/}: "* ]] || fail "'$OUT'"
	await gone_from_list
	must_be_free
	nothing_kept

	run hold -d --for 0 -q --json "$CG"
	expect 0 "has no time limit: it stays until 'holdfast release ${CG##*/}'"
	[[ $OUT == '{"schema":1,'* ]] || fail "json: '$OUT'"
	run release --frozen "${CG##*/}"
	expect 0 ""
	[[ $OUT == *", left frozen" ]] || fail "'$OUT'"
	[[ $("$HOLDFAST" state "$CG") == frozen\ * ]] || fail "not left frozen"
	[[ $(tracer_of "$VICTIM") == 0 ]] || fail "still attached"
	must_stand
	run thaw "$CG"
	must_be_free

	run hold -d -q --name a "$CG"
	sleep 1000 &
	STARTED+=($!)
	disown $!
	local sleeper=$!
	run hold -d -q --name b -p "$sleeper"
	expect 0 ""
	run release --frozen b
	expect 1 "only a cgroup can be left frozen"
	[[ $(state_letter "$sleeper") == t ]] || fail "let go although it failed"
	run release --all --stop
	expect 0 ""
	[[ $OUT == "released a: "*", left stopped"$'\n'"released b: "*", left stopped" ]] || fail "'$OUT'"
	[[ $(state_letter "$sleeper") == T ]] || fail "not left stopped"
	run release --all
	expect 0 "no hold is kept"
	kill -KILL "$sleeper"
	kill -CONT "$VICTIM"
	must_be_free

	# Whoever could not be told of the hold has none.
	run_full hold -d -q --name untold "$CG"
	expect 1 "writing to standard output: No space left on device"
	[[ $ERR == *"everything was released"* ]] || fail "did not say that it was released"
	must_be_free
	nothing_kept
	"$HOLDFAST" hold -d -q --name untold "$CG" 2> "$TMP/err" 1> >(exec true)
	ended $?
	[[ $RC == 0 || $RC == 1 ]] || fail "exit status $RC"	# true(1) may have ended by then, or not
	"$HOLDFAST" release -q untold > /dev/null 2>&1
	await gone_from_list
	must_be_free
	untold_by_a_full_pipe

	# The keeper killed: all is released, and the next command cleans up.
	run hold -d -q --name dies "$CG"
	kill -KILL "$("$HOLDFAST" list --json | sed 's/.*"keeper":\([0-9]*\).*/\1/')"
	await not_traced
	must_be_free
	run list
	nothing_kept

	# Whoever asked for it killed: before it stands nobody is left held, afterwards the hold stays.
	local i
	for i in 0 1 2 5 10 20 50; do
		"$HOLDFAST" hold -d -q --name killed --for 10s "$CG" > /dev/null 2>&1 &
		STARTED+=($!)
		sleep "0.0$(printf %02d $i)"	# not to wait for something: at another moment each time
		kill -KILL $! 2> /dev/null	# or it has ended by itself
		reap $!
		await stands_or_is_gone
		"$HOLDFAST" release -q killed > /dev/null 2>&1
		# A keeper that has its name and no socket yet is not on the list, and may freeze for a moment before it ends.
		await test ! -e "$HOLDFAST_RUNTIME_DIR/killed.lock"
		await not_traced
		await is_thawed "$CG"
		must_be_free
	done
	nothing_kept
	called_off
	kill -KILL "$VICTIM"
}

# Whoever asked for it ends while it is taken, which another hold makes last; or when it stands, and he does not know yet.
called_off()
{
	local sig
	for sig in KILL TERM; do
		start_hold "$CG"
		"$HOLDFAST" hold -d -q --name off --timeout 60s "$CG" > "$TMP/out" 2> "$TMP/err" &
		STARTED+=($!)
		await test -S "$HOLDFAST_RUNTIME_DIR/off.sock"
		kill -"$sig" $!
		reap $!
		((RC == 128 + $(kill -l "$sig"))) || fail "exit status $RC"
		[[ $sig == KILL || $(< "$TMP/err") == *"hold: cancelled while "* ]] || fail "did not say so"
		# Not when the other hold ends, nor at the time of its own.
		await test ! -e "$HOLDFAST_RUNTIME_DIR/off.lock"
		end_hold TERM
		must_be_free
		nothing_kept
	done
	at_call
	LD_PRELOAD=$PRELOAD AT_CALL=connect AT_SIGNAL=$(kill -l KILL) "$HOLDFAST" hold -d -q --name off --for 1m "$CG" \
		> "$TMP/out" 2> "$TMP/err" &
	reap $!
	((RC == 128 + $(kill -l KILL))) || fail "exit status $RC"
	await test ! -e "$HOLDFAST_RUNTIME_DIR/off.lock"
	await not_traced
	must_be_free
	nothing_kept
}

# As a hold of our own would show them, and as often as one likes: nobody moves meanwhile.
stacks_of_suspect()
{
	local first
	run stack -H suspect --json
	expect 0 ""
	first=$(python3 -c '
import json, sys
o = json.loads(sys.argv[1])
def threads(o):
    for k, v in o.items() if isinstance(o, dict) else enumerate(o) if isinstance(o, list) else ():
        if k == "frames": yield v
        else: yield from threads(v)
frames = list(threads(o))
assert len(frames) == 1 and len(frames[0]) >= 2, frames
print(frames)
' "$OUT" 2> "$TMP/err") || fail "stack --json: '$OUT'"
	run stack -H suspect --no-names
	expect 0 ""
	[[ $OUT == *"PID $VICTIM sh: TID $VICTIM"* && $OUT != *ptrace_stop* ]] || fail "stack: '$OUT'"
	run stack -H suspect --normalise
	first=$OUT
	run stack -H suspect --normalise
	[[ $OUT == "$first" ]] || fail "another stack: '$first' and '$OUT'"
	run stack -H nobody
	expect 1 "no hold is called nobody"
	must_stand
}

run_full()
{
	: > "$TMP/out"
	"$HOLDFAST" "$@" > /dev/full 2> "$TMP/err"
	ended $?
}

# A reader who does not read, and Ctrl-C.
untold_by_a_full_pipe()
{
	python3 - "$HOLDFAST" "$CG" 2> "$TMP/err" <<- 'END' || fail "a full pipe"
	import fcntl, os, signal, subprocess, sys, time
	r, w = os.pipe()
	fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, 4096)
	os.write(w, b"x" * 4096)
	p = subprocess.Popen([sys.argv[1], "hold", "-d", "-q", "--name", "untold", sys.argv[2]], stdout=w)
	while b"untold" not in subprocess.run([sys.argv[1], "list"], stdout=subprocess.PIPE).stdout:
	    assert p.poll() is None, p.returncode
	p.send_signal(signal.SIGINT)
	assert p.wait(timeout=20) == -signal.SIGINT, p.returncode
	END
	must_be_free
	nothing_kept
}

gone_from_list()
{
	[[ -z $("$HOLDFAST" list) ]]
}

not_traced()
{
	[[ $(tracer_of "$VICTIM") == 0 ]]
}

is_thawed()
{
	[[ $("$HOLDFAST" state "$1") == thawed\ * ]]
}

polls()
{
	[[ $(cat "/proc/$1/wchan" 2> /dev/null) == *poll* ]]
}

# A keeper that is still taking does not answer yet: it is then one or the other.
stands_or_is_gone()
{
	gone_from_list || timeout 5 "$HOLDFAST" show killed > /dev/null 2>&1
}
on_each_freezer kept

sleep 1000 &
STARTED+=($!)
disown $!
run hold -d -q --name full -p $!
expect 0 ""
run_full release full
expect 1 "No space left on device"
expect 1 "hold full was released all the same"
nothing_kept

# A keeper that is stopped, of whom others want so much that its backlog is full, keeps nobody from going on, or from
# being interrupted.
sleep 1000 &
STARTED+=($!)
disown $!
sleeper=$!
run hold -d -q --name deaf --for 1m -p "$sleeper"
expect 0 ""
keeper=$("$HOLDFAST" list --json | sed 's/.*"keeper":\([0-9]*\).*/\1/')
kill -STOP "$keeper"
await is_stopped "$keeper"
"$HOLDFAST" list > "$TMP/out" 2> "$TMP/err" &
await polls $!
asked=$SECONDS
kill -TERM $!
reap $!
# At once, and not after the fifteen seconds for which an answer is waited for.
((RC == 143 && SECONDS - asked < 10)) || fail "list: exit status $RC after $((SECONDS - asked)) s"
python3 - "$HOLDFAST" "$HOLDFAST_RUNTIME_DIR/deaf.sock" "$sleeper" <<- 'END' 2> "$TMP/err" || fail "a full backlog"
	import socket, subprocess, sys
	holdfast, path, pid = sys.argv[1:]
	crowd = []
	try:
	    while True:
	        crowd.append(socket.socket(socket.AF_UNIX))
	        crowd[-1].setblocking(False)
	        crowd[-1].connect(path)
	except BlockingIOError:
	    pass
	for words, says in ((["list"], "hold deaf does not answer"), (["show", "deaf"], "hold deaf does not answer"),
	                    (["stack", "--timeout", "1s", "-p", pid], "is traced by")):
	    p = subprocess.run([holdfast] + words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=10)
	    assert p.returncode == 1 and says in p.stderr.decode(), (words, p)
END
kill -CONT "$keeper"
run release deaf
expect 0 ""
nothing_kept

# Nobody holds who asks for it: the command, and the shell that it is run from.
not_ours()
{
	bash -c "$1" "$HOLDFAST" > "$TMP/out" 2> "$TMP/err"
	ended $?
	expect 1 "$2"
	nothing_kept
}
# shellcheck disable=SC2016
not_ours 'exec "$0" hold -d --for 3s --pid $$' "contains the holder itself"
# shellcheck disable=SC2016
not_ours '"$0" hold -d --for 3s --pid $$; exit $?' "an ancestor of the holder: nobody could let it go"

long=$(printf 'a%.0s' {1..65})
run hold -d --name "$long" -p 1
expect 2 "with --detach a name has at most 64 characters"
run hold -d --name "a/b" -p 1
expect 2 "cannot be a name"
run hold -d --then kill -p 1
expect 2 "--then goes with a hold in the foreground"
run extend x
expect 2 "for how long?"
run extend x 1
expect 2 "it has no unit"
run release
expect 2 "which hold?"
run release a --all
expect 2 "--all, or a name"
run release a --stop --kill
expect 2 "exclude each other"
run show ../x
expect 1 "no hold is called ../x"
