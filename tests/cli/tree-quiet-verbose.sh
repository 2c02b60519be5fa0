#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --verbose tells the steps on standard error; without it a good end is silent there.
. "$(dirname "$0")/lib.sh"

told()
{
	idle
	run tree -v "$CG"
	expect 0 "freeze "
	[[ $ERR == *"1 thread: 1 held"* ]] || fail "no counts"
	run tree -q "$CG"
	expect 0 ""
}
on_each_freezer told
