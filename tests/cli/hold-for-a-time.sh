#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --for releases by itself, after that time.
. "$(dirname "$0")/lib.sh"

timed()
{
	busy
	for duration in 0s 1ms 300ms; do
		start_hold --for "$duration" "$CG"
		await_release
		expect 0 ""
		must_be_free
	done
	[[ $RELEASED =~ held\ for\ ([0-9]+)\.([0-9])\ s$ ]] || fail "'$RELEASED'"
	((BASH_REMATCH[1] * 10 + BASH_REMATCH[2] >= 3)) || fail "released too early: '$RELEASED'"
}
on_each_freezer timed
