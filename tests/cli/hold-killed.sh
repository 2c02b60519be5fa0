#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# SIGKILL of the holder, at any moment of taking, holding or releasing, leaves nobody stopped.
. "$(dirname "$0")/lib.sh"

is_thawed()
{
	[[ $("$HOLDFAST" state "$CG") == thawed\ * ]]
}

# Popen() returns when the program has been started; each round kills it a little later.
kill_often='
import signal, subprocess, sys, time
for delay_us in range(0, 8000, 200):
    hold = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
    time.sleep(delay_us / 1e6)
    hold.send_signal(signal.SIGKILL)
    hold.wait()
'
killed()
{
	busy
	start_hold "$CG"
	must_stand
	kill -KILL "$HOLD_PID"
	reap "$HOLD_PID"
	await is_thawed
	must_be_free
	python3 -c "$kill_often" "$HOLDFAST" hold --for 1ms "$CG"
	await is_thawed
	must_be_free
}
on_each_freezer killed
