#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A directory that is no cgroup, and a file, are refused with 1.
. "$(dirname "$0")/lib.sh"

touch "$TMP/file"
for command in tree hold freeze thaw state; do
	run "$command" "$TMP"
	expect 1 "$TMP"
	run "$command" "$TMP/file"
	expect 1 "$TMP/file"
done
