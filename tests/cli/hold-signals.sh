#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Whatever signal ends hold, it releases first.  Asked to end (INT, TERM, HUP) it ends with 0; any other
# signal that ends a process does so afterwards.
. "$(dirname "$0")/lib.sh"

signals()
{
	busy
	for signal in INT TERM HUP; do
		start_hold "$CG"
		end_hold "$signal"
		expect 0 ""
		[[ $RELEASED == released\ * ]] || fail "$signal: '$RELEASED'"
		must_be_free
	done
	for signal in QUIT PIPE ALRM USR1 USR2 XCPU RTMIN; do
		start_hold --then kill "$CG"
		end_hold "$signal"
		[[ $RC == $((128 + $(kill -l "$signal"))) ]] || fail "$signal: exit status $RC"
		[[ $RELEASED == released\ * && $RELEASED != *killed ]] || fail "$signal: '$RELEASED'"
		must_be_free
	done
}
ulimit -c 0
on_each_freezer signals
