#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A deadline that a large target cannot meet is told as that, and not as threads that kept coming; everybody is let go.
. "$(dirname "$0")/lib.sh"

frames=${HF_BUILD:?the directory of the build}/tests/victims/frames

too_short()
{
	in_cgroup "$CG" "$frames" chain 1000
	await threads_asleep 1001
	for target in "$CG" "--pid=$VICTIM"; do
		run hold --for 0s --timeout 1ms "$target"
		[[ $RC != 0 ]] || leave_out "a thousand threads are held within a millisecond here"
		expect 1 "deadline"
		[[ $ERR != *"kept appearing"* ]] || fail "$target: nobody came"
		[[ $ERR == *"everybody was released"* || $ERR == *"nothing was changed"* || $ERR == *"not frozen by the deadline"* ]] ||
			fail "$target: what became of them?"
		must_be_free
	done
}
on_each_freezer too_short
