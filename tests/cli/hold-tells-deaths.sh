#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A held process that is killed is reaped at once, and hold tells it; --quiet does not.
. "$(dirname "$0")/lib.sh"

told()
{
	grep -q "thread $VICTIM died while held" "$TMP/hold.err"
}

dies()
{
	local extra=() victim began
	for _ in 1 2 3 4 5; do
		idle
		extra+=("$VICTIM")
	done
	busy
	start_hold "$CG"
	kill -KILL "$VICTIM"
	await gone "$VICTIM"	# its parent is told only when the holder has reaped it
	await told
	# At once, not when it looks again after a second: five in a row take no five seconds.
	began=$SECONDS
	for victim in "${extra[@]}"; do
		kill -KILL "$victim"
		await gone "$victim"
	done
	((SECONDS - began <= 3)) || fail "dead processes wait to be reaped"
	end_hold TERM
	[[ $RC == 0 ]] || fail "exit status $RC"
	busy
	start_hold -q "$CG"
	kill -KILL "$VICTIM"
	await gone "$VICTIM"
	end_hold TERM
	expect 0 ""
}
on_each_freezer dies
