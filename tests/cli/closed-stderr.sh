#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# With all three standard descriptors closed nothing opened later is taken for one of them.
. "$(dirname "$0")/lib.sh"

closed()
{
	busy
	"$HOLDFAST" tree "$CG" <&- >&- 2>&-
	ended $?
	expect 1 ""
	must_be_free
	"$HOLDFAST" hold "$CG" > "$TMP/out" <&- 2>&- &
	pid=$!
	STARTED+=("$pid")
	await test -s "$TMP/out"
	for fd in 0 2; do
		[[ $(readlink "/proc/$pid/fd/$fd") == / ]] || fail "descriptor $fd is in use"
	done
	kill -TERM "$pid"
	reap "$pid"
	ended "$RC"
	expect 0 ""
	must_be_free
	"$HOLDFAST" tree /no/such/cgroup > "$TMP/out" <&- 2>&-
	ended $?
	expect 1 ""
	[[ ! -s $TMP/out ]] || fail "a message went to standard output"
}
on_each_freezer closed
