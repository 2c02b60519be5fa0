#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A result that cannot be written is an error, with 1, and the target runs.
. "$(dirname "$0")/lib.sh"

[[ -c /dev/full ]] || leave_out "no /dev/full"
full()
{
	busy
	for call in "tree $CG" "tree --json $CG" "hold $CG" "hold --json $CG" "state $CG" "freeze $CG" "thaw $CG" \
		"why $CG" "recover" "check"; do
		# shellcheck disable=SC2086
		timeout 20 "$HOLDFAST" $call > /dev/full 2> "$TMP/err"
		ended $?
		expect 1 "No space left on device"
		must_be_free
	done
}
on_each_freezer full
