#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# With standard output closed nothing is stopped; it is reported, with 1.
. "$(dirname "$0")/lib.sh"

closed()
{
	busy
	for call in help "check" "tree $CG" "hold --for 1ms $CG" "state $CG" "freeze $CG" "thaw $CG" "why $CG" \
		"recover" "tree --version"; do
		# shellcheck disable=SC2086
		"$HOLDFAST" $call >&- 2> "$TMP/err"
		ended $?
		expect 1 "standard output is closed"
		must_be_free
	done
}
on_each_freezer closed
