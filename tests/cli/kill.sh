#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# kill says how many processes it has signalled, knows signals by their names and numbers, and tells who is in the way.
. "$(dirname "$0")/lib.sh"

killed()
{
	idle
	idle
	child below
	in_cgroup "$CHILD" sleep 1000
	run kill "$CG"
	expect 0 ""
	[[ $OUT == "killed $CG: 3 processes" ]] || fail "$OUT"
	is_empty "$CG" || fail "somebody lives"
	is_empty "$CHILD" || fail "somebody lives below"
	run kill "$CG"
	expect 1 "is empty: nobody to signal"
	[[ -z $OUT ]] || fail "$OUT"
	idle
	run kill -q "$CG"
	expect 0 ""
	[[ -z $OUT ]] || fail "$OUT"
	idle
	run kill --json -p "$VICTIM"
	expect 0 ""
	[[ $OUT == "{\"target\":\"$VICTIM\",\"signal\":9,\"name\":\"SIGKILL\",\"processes\":1,\"skipped\":0}" ]] ||
		fail "$OUT"
	await gone "$VICTIM"
}

signalled()
{
	busy
	for name in STOP SIGSTOP sigstop 19; do
		run kill -s $name "$CG"
		expect 0 ""
		[[ $OUT == "signalled $CG: 1 process, SIGSTOP" ]] || fail "$OUT"
		await_letter T
		run kill --signal CONT -p "$VICTIM"
		[[ $OUT == "signalled $VICTIM: 1 process, SIGCONT" ]] || fail "$OUT"
		must_be_free
	done
	# An action by default: it ends by that.
	run kill -s RTMIN+3 "$CG"
	expect 0 ""
	[[ $OUT == "signalled $CG: 1 process, SIGRTMIN+3" ]] || fail "$OUT"
	await is_empty "$CG"
}

await_letter()
{
	await letter_is "$1"
}

letter_is()
{
	[[ $(state_letter "$VICTIM") == "$1" ]]
}

held_by_another()
{
	busy
	start_hold "$CG"
	run kill --timeout 300ms "$CG"
	expect 1 "is held by"
	end_hold TERM
	must_be_free
	run kill "$CG"
	expect 0 ""
}

# Victims of one function must not keep the next one from its time.
alone()
{
	"$TEST"
	kill -KILL "${STARTED[@]}" 2> /dev/null
	STARTED=()
	unset COUNTER
}

TEST=killed on_each_freezer alone
TEST=signalled on_each_freezer alone
TEST=held_by_another on_each_freezer alone
for name in 0 65 99999999999 SIGNONE RTMIN+99 RTMAX+1 "" +1 -1; do
	run kill -s "$name" /sys
	expect 2 "--signal: '$name' is no signal: write TERM, SIGTERM, 15 or RTMIN+1"
done
run kill /nonesuch
expect 1 "no such cgroup"
run kill
expect 2 "which target?"
