#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The root of a hierarchy cannot be frozen: refused with 1, and it says so.
. "$(dirname "$0")/lib.sh"

for version in 2 1; do
	if ! mount=$(mount_of $version); then
		left_out "no v$version freezer is mounted"
		continue
	fi
	for command in tree hold freeze thaw; do
		run "$command" "$mount"
		expect 1 "root"
	done
done
