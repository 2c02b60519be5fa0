#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A path that does not exist is named, with 1.
. "$(dirname "$0")/lib.sh"

for command in tree hold freeze thaw state; do
	run "$command" /sys/fs/cgroup/hf-cli-no-such-thing
	expect 1 "$command: "
	[[ $ERR == *hf-cli-no-such-thing* ]] || fail "$command does not name the path"
	run "$command" -g hf-cli-no-such-thing
	expect 1 "hf-cli-no-such-thing"
	[[ -z $OUT ]] || fail "$command printed something"
done
