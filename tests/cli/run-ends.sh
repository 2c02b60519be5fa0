#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# However run ends, by the time, a signal or SIGKILL, the target is released, and the command is told.
. "$(dirname "$0")/lib.sh"

# The command: notes the signals it gets, one line each, and the moment it begins.
# shellcheck disable=SC2016
notes='
for s in INT TERM HUP USR1; do
	trap "echo $s >> \"$1/got\"; test ! -e \"$1/obey\" || exit 9" $s
done
echo $$ > "$1/pid"
mv "$1/pid" "$1/begun"
while :; do sleep 0.01; done
'

# start_run [idle] ARGS...: RUN_PID runs the command under it, COMMAND_PID is the command, which is `notes`, or sleeps.
start_run()
{
	local script=$notes
	rm -f "$TMP/begun" "$TMP/got" "$TMP/obey"
	if [[ $1 == idle ]]; then
		# shellcheck disable=SC2016
		script='echo $$ > "$1/pid"; mv "$1/pid" "$1/begun"; exec sleep 1000'
		shift
	fi
	# A shell without job control has its background ignore SIGINT, and no trap undoes that.
	env --default-signal=INT "$HOLDFAST" run "$@" -- sh -c "$script" sh "$TMP" 2> "$TMP/err" &
	RUN_PID=$!
	STARTED+=("$RUN_PID")
	await test -e "$TMP/begun"
	COMMAND_PID=$(cat "$TMP/begun")
	STARTED+=("$COMMAND_PID")
}

is_free()
{
	[[ $(tracer_of "$VICTIM") == 0 ]]
}

by_a_signal()
{
	busy
	for signal in INT TERM HUP USR1; do
		start_run "$CG"
		must_stand
		kill "-$signal" "$RUN_PID"
		# Released first, while the command, which does not obey, runs on.
		await test -s "$TMP/got"
		is_free || fail "$signal: the command was told before the target was released"
		must_be_free
		kill -0 "$COMMAND_PID" 2> /dev/null || fail "$signal: the command has ended"
		touch "$TMP/obey"
		kill -TERM "$RUN_PID"
		reap "$RUN_PID"
		[[ $RC == 9 ]] || fail "$signal: exit status $RC"
		[[ $(tr '\n' ' ' < "$TMP/got") == "$signal TERM " ]] || fail "$signal: got $(cat "$TMP/got")"
	done
}

by_the_time()
{
	busy
	run run --for 200ms "$CG" -- sleep 1000
	[[ $RC == 125 ]] || fail "exit status $RC"
	grep -q "the time (200.0 ms) was over before the command had ended: $CG was released, and the command killed by SIGTERM" \
		"$TMP/err" || fail "message"
	must_be_free
	# One that does not obey: the target is free long before the command has ended.
	start_run --for 1s "$CG"
	await test -s "$TMP/got"
	is_free || fail "the command was told before the target was released"
	must_be_free
	reap "$RUN_PID"
	[[ $RC == 125 ]] || fail "exit status $RC"
	grep -q "by SIGKILL" "$TMP/err" || fail "message"
	gone "$COMMAND_PID" || fail "the command lives"
	# One that is stopped.
	start_run idle --for 1s "$CG"
	kill -STOP "$COMMAND_PID"
	reap "$RUN_PID"
	[[ $RC == 125 ]] || fail "stopped: exit status $RC"
	grep -q "by SIGTERM" "$TMP/err" || fail "stopped: message"
	# And by a signal to us.
	start_run idle "$CG"
	kill -STOP "$COMMAND_PID"
	kill -TERM "$RUN_PID"
	reap "$RUN_PID"
	[[ $RC == 143 ]] || fail "stopped, and TERM: exit status $RC"
	must_be_free
	# One that ends in time is not ended.
	run run --for 20s "$CG" -- true
	expect 0 ""
	must_be_free
}

by_our_death()
{
	busy
	start_run "$CG"
	must_stand
	kill -KILL "$RUN_PID"
	reap "$RUN_PID"
	await is_free
	must_be_free
	await test -s "$TMP/got"
	[[ $(cat "$TMP/got") == TERM ]] || fail "killed: got $(cat "$TMP/got")"
	kill -KILL "$COMMAND_PID"
	# Stopped, it cannot obey its time: its guard ends it.
	for time in 1s 5s 20s; do
		start_run --for "$time" "$CG"
		stop_while_held "$RUN_PID" && break
		kill -KILL "$COMMAND_PID"
	done
	reap "$RUN_PID"
	[[ $RC == 137 ]] || fail "stopped: exit status $RC"
	await is_free
	must_be_free
	await test -s "$TMP/got"
	[[ $(cat "$TMP/got") == TERM ]] || fail "stopped: got $(cat "$TMP/got")"
	kill -KILL "$COMMAND_PID"
}

# A signal before the command was begun: it is not run, and holdfast ends by it.
before_it_stands()
{
	busy
	in_cgroup "$CG" sleep 1000
	# Somebody else's hold keeps it waiting.
	start_hold "$CG"
	"$HOLDFAST" run "$CG" -- touch "$TMP/ran" 2> "$TMP/err" &
	RUN_PID=$!
	STARTED+=("$RUN_PID")
	await blocks_signals "$RUN_PID"
	kill -TERM "$RUN_PID"
	reap "$RUN_PID"
	[[ $RC == 143 ]] || fail "exit status $RC"
	[[ ! -e $TMP/ran ]] || fail "the command was run"
	end_hold TERM
	must_be_free
}

# It has come to blocking SIGTERM, the first thing it does.
blocks_signals()
{
	(($(awk '/^SigBlk:/ { print "0x" $2 }' "/proc/$1/status") & 1 << 14))
}

deaths_are_attended_to()
{
	busy
	first=$VICTIM
	busy
	start_run "$CG"
	kill -KILL "$first"
	await gone "$first"	# its parent, which is us, is told only once it has been reaped by its tracer
	await grep -q "thread $first died while held" "$TMP/err"
	must_stand
	touch "$TMP/obey"
	kill -TERM "$RUN_PID"
	reap "$RUN_PID"
	must_be_free
}

# The keys of a terminal go to everybody in the foreground: the command gets them once.
from_a_terminal()
{
	busy
	rm -f "$TMP/begun" "$TMP/got" "$TMP/obey"
	python3 -c '
import os, pty, signal, sys, time
tmp, patience = sys.argv[1], float(sys.argv[2])
def await_(what):
    until = time.time() + patience
    while not what():
        assert time.time() < until, "waited in vain"
        time.sleep(0.01)
def got():
    try: return open(tmp + "/got").read().split()
    except OSError: return []
pid, fd = pty.fork()
if pid == 0:
    # As a shell does it: Ctrl-Z stops nobody in a group without a shell above it.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.execv(sys.argv[3], sys.argv[3:])
    status = os.waitpid(job, 0)[1]
    os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 99)
await_(lambda: os.path.exists(tmp + "/begun"))
command = int(open(tmp + "/begun").read())
holder = int(open("/proc/%d/stat" % command).read().rsplit(")", 1)[1].split()[1])
# Ctrl-Z does not stop what holds, nor for long the command: it goes on to note signals.
os.write(fd, b"\x1a")
os.kill(command, 10)
await_(lambda: "USR1" in got())
os.write(fd, b"\x03")
await_(lambda: "INT" in got())
# A second one would be here by now: the first has passed the holder.
await_(lambda: "TracerPid:\t0" in open("/proc/%s/status" % os.environ["VICTIM"]).read())
open(tmp + "/obey", "w").close()
os.kill(holder, 15)
_, status = os.waitpid(pid, 0)
assert os.WIFEXITED(status) and os.WEXITSTATUS(status) == 9, status
assert got() == ["USR1", "INT", "TERM"], got()
' "$TMP" "$PATIENCE" "$HOLDFAST" run "$CG" -- sh -c "$notes" sh "$TMP" > "$TMP/out" 2> "$TMP/err" || {
		kill -KILL "$(cat "$TMP/begun")"
		fail "on a terminal"
	}
	must_be_free
}

export VICTIM
# Victims of one function must not keep the next one from its time.
alone()
{
	"$TEST"
	kill -KILL "${STARTED[@]}" 2> /dev/null
	STARTED=()
	unset COUNTER
}

TEST=by_a_signal on_each_freezer alone
TEST=by_the_time on_each_freezer alone
TEST=by_our_death on_each_freezer alone
TEST=before_it_stands on_each_freezer alone
TEST=deaths_are_attended_to on_each_freezer alone
TEST=from_a_terminal on_each_freezer alone
