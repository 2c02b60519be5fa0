#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --version prints the version on standard output, with or without a command.
. "$(dirname "$0")/lib.sh"

for call in --version -V "tree --version" "check -V"; do
	# shellcheck disable=SC2086
	run $call
	expect 0 ""
	[[ $OUT =~ ^holdfast\ [0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "$call: '$OUT'"
done
