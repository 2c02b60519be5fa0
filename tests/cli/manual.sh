#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The manual page names every command, alias and option, and mandoc has nothing to say about it.
. "$(dirname "$0")/lib.sh"

page=$(dirname "$0")/../../man/holdfast.1
for command in $("$HOLDFAST" __complete) pause resume; do
	grep -q "^\.\(It\|Ss\|Nm\|Ic\|Cm\|Nm holdfast\).* $command\b" "$page" || fail "no word on $command"
	run "$command" --help
	for option in $(grep -o -- '--[a-z][a-z-]*' "$TMP/out" | sort -u); do
		word=${option#--}
		grep -q "Fl Fl ${word}\b" "$page" || fail "no word on $command $option"
	done
done
for status in 0 1 2 3 4; do
	grep -q "^\.It $status\$" "$page" || fail "exit status $status is missing"
done
command -v mandoc > /dev/null || leave_out "mandoc is missing; the words are there"
# Style is left out: it includes manuals of others that are not installed here.
mandoc -T lint -W warning "$page" > "$TMP/out" 2>&1 || fail "$(cat "$TMP/out")"
