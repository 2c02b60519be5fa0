#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Two cgroups of one name, below the v2 and the v1 mount: the v2 one is meant as long as it has members; when it has none, and
# the other has, nobody is taken for it.
. "$(dirname "$0")/lib.sh"

mount1=$(mount_of 1) || leave_out "no v1 freezer is mounted"
mount2=$(mount_of 2) || leave_out "no v2 hierarchy is mounted"
name=hf-cli-$$-two
for mount in "$mount2" "$mount1"; do
	mkdir "$mount/$name" 2> /dev/null || leave_out "a cgroup cannot be made"
	CGROUPS+=("$mount/$name")
done
in_cgroup "$mount1/$name" sleep 1000
stranger=$VICTIM
in_cgroup "$mount2/$name" sleep 1000
meant=$VICTIM

run kill -s TERM "$name"
expect 0 ""
await gone "$meant"
for verb in "kill" "tree" "hold --for 0s" "freeze" "thaw" "state"; do
	# shellcheck disable=SC2086
	run $verb "$name"
	expect 1 "there are two cgroups $name: $mount2/$name, which is empty, and $mount1/$name; write which one"
done
[[ $(state_letter "$stranger") == S ]] || fail "the stranger: $(state_letter "$stranger")"
run kill "$mount1/$name"
expect 0 ""
await gone "$stranger"
# Both are empty: it is the first again.
run state "$name"
expect 0 ""
[[ $OUT == *" $mount2/$name (v2)" ]] || fail "'$OUT'"
