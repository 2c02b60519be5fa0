#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What this version does not have is refused, and not advertised.
. "$(dirname "$0")/lib.sh"

for command in core; do
	run "$command" x
	expect 2 "unknown command '$command'"
	run help
	[[ $OUT != *$'\n'"  $command "* ]] || fail "help lists $command"
done
