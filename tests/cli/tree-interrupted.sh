#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A signal that came while tree held somebody ends it after the release.
. "$(dirname "$0")/lib.sh"

# Starts tree again and again and ends each one a little later than the one before.  Popen() returns when
# the program has been started, so the signal is for holdfast.
interrupt='
import signal, subprocess, sys, time
for delay_us in range(0, 8000, 200):
    tree = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
    time.sleep(delay_us / 1e6)
    tree.send_signal(signal.SIGTERM)
    if tree.wait() not in (0, -signal.SIGTERM):
        sys.exit("tree ended with %d" % tree.returncode)
'
crowded()
{
	(($(wc -l < "$CG/cgroup.procs") > 150))
}

interrupted()
{
	# Enough processes that most of the delays end within the hold.
	# shellcheck disable=SC2016
	in_cgroup "$CG" sh -c 'for i in $(seq 150); do sleep 1000 & done; wait'
	await crowded
	busy
	python3 -c "$interrupt" "$HOLDFAST" tree "$CG" 2> "$TMP/err" || fail "after $CG"
	must_be_free
}
on_each_freezer interrupted
