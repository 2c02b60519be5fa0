#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Help was asked for: it goes to standard output, ends with 0, and each command has its own.
. "$(dirname "$0")/lib.sh"

for call in --help -h help "help help"; do
	# shellcheck disable=SC2086
	run $call
	expect 0 ""
	[[ $OUT == usage:* ]] || fail "$call: no usage line"
done
run help
all=$OUT
for command in $("$HOLDFAST" __complete); do
	[[ $all == *$'\n'"  $command "* ]] || fail "help does not list $command"
	run "$command" --help
	expect 0 ""
	[[ $OUT == "usage: holdfast $command"* ]] || fail "$command --help: wrong usage line"
	[[ $OUT == *Examples:* ]] || fail "$command --help has no examples"
	help=$OUT
	run help "$command"
	expect 0 ""
	[[ $OUT == "$help" ]] || fail "help $command is not $command --help"
	awk 'length > 80 { exit 1 }' <<< "${OUT%%Examples:*}" || fail "$command --help is too wide"
done
