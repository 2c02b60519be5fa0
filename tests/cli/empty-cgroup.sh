#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Nobody to hold: tree and hold end with 1, and the cgroup stays thawed.
. "$(dirname "$0")/lib.sh"

nobody()
{
	for command in tree hold; do
		run "$command" "$CG"
		expect 1 "$CG"
		run state "$CG"
		[[ $OUT == thawed\ * ]] || fail "$command left it: $OUT"
	done
}
on_each_freezer nobody
