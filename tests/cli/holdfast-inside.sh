#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A cgroup that holdfast itself is in is refused before anything is frozen.
. "$(dirname "$0")/lib.sh"

inside()
{
	busy
	for command in tree hold freeze; do
		(
			echo "$BASHPID" > "$CG/cgroup.procs"
			exec timeout 20 "$HOLDFAST" "$command" "$CG" > "$TMP/out" 2> "$TMP/err"
		)
		ended $?
		expect 1 "holdfast: $command: "
		must_be_free
	done
}
on_each_freezer inside
