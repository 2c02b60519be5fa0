#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --verbose tells which calls were restarted, and with their whole time-out; --effects and --json tell it, too;
# --no-restart leaves them alone, and then they return EINTR.
. "$(dirname "$0")/lib.sh"

[[ $(uname -m) == x86_64 ]] || leave_out "the calls of this victim are restarted on x86-64"
sleepers=$HF_BUILD/tests/victims/sleepers

told()
{
	in_cgroup "$CG" "$sleepers" eintr
	local pid=$VICTIM
	await asleep "$pid"
	run tree -v "$CG"
	expect 0 "25 interrupted calls restarted, 0 timed out, 0 left to return EINTR"
	[[ $ERR =~ 19\ threads\ restarted\ with\ the\ whole\ time-out:(\ [0-9]+){8}\ \.\.\. ]] || fail "no list of threads"
	await asleep "$pid"
	run hold -v --for 1ms "$CG"
	expect 0 "25 interrupted calls restarted"
	await asleep "$pid"
	run hold --for 1ms "$CG"
	expect 0 ""
	await asleep "$pid"
	run run -v "$CG" -- true
	expect 0 "25 interrupted calls restarted"
	await asleep "$pid"
	run run -v --no-restart "$CG" -- true
	expect 0 "holdfast: run:"
	[[ $ERR != *"interrupted calls"* ]] || fail "restarted calls"
	await asleep "$pid"
	run tree --json "$CG"
	[[ $OUT == *'"restarted":25,"restarted_in_full":19,"expired":0,"left_interrupted":0}'* ]] || fail "no counts in the JSON"
	[[ $(grep -o '"restart":"in-full"' <<< "$OUT" | wc -l) == 19 ]] || fail "not 19 threads in the JSON"
	await asleep "$pid"
	run tree --effects "$CG"
	[[ $(grep -c 'waits for its whole time-out once more' <<< "$OUT") == 19 ]] || fail "not 19 effects"
	await asleep "$pid"
	run tree --effects --no-restart "$CG"
	[[ $(grep -c 'returns EINTR' <<< "$OUT") == 25 ]] || fail "not 25 calls that return EINTR"
	await asleep "$pid"
	run tree --effects --json "$CG"
	[[ $OUT == *'"effects":[{"kind":"timeout","tid":'* ]] || fail "no effects in the JSON"
	kill -KILL "$pid"
}

# The 25 threads sleep in their calls: none of them naps while it still prepares.
asleep()
{
	[[ $(cat "/proc/$1"/task/*/stat 2> /dev/null | grep -c ') S ') -ge 25 ]] &&
		[[ $(grep -l -E 'nanosleep' "/proc/$1"/task/*/wchan 2> /dev/null | wc -l) -eq 0 ]]
}

on_each_freezer told
