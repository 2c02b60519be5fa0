#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Inside a PID namespace holdfast says that there are threads it has no number for (v2), or that there may be (v1).
# With the /proc of another one, whose numbers mean others, it does nothing at all.
. "$(dirname "$0")/lib.sh"

unshare --pid --fork --mount-proc true 2> /dev/null || leave_out "no PID namespace can be made"

inside()
{
	unshare --pid --fork --mount-proc "$HOLDFAST" "$@" > "$TMP/out" 2> "$TMP/err"
	ended $?
}

said()
{
	busy
	inside tree "$CG"
	if ((VERSION == 2)); then
		expect 1 "has threads outside our PID namespace (1), which have no id here; hold it from outside"
	else
		expect 1 "is empty: nobody to hold that we could see; a v1 cgroup does not list threads outside our PID namespace"
	fi
	inside why --json "$CG"
	[[ $RC == 1 && $OUT == *"\"kind\":\"$( ((VERSION == 2)) && echo namespace || echo empty)\",\"blocks\":true"* ]] ||
		fail "why: '$OUT'"
	must_be_free
}
on_each_freezer said

refused_with_a_foreign_proc()
{
	unshare --pid --fork "$HOLDFAST" "$@" > "$TMP/out" 2> "$TMP/err"
	ended $?
	expect "$([[ $1 == run ]] && echo 125 || echo 1)" "it shows another PID namespace than ours; mount our own there"
	# From where the numbers are true.
	must_be_free
}

foreign_proc()
{
	local words
	busy
	for words in "tree $CG" "hold --for 1s $CG" "run $CG -- true" "why $CG" "freeze $CG" "kill -s USR1 $CG" \
		"tree -p $VICTIM" "kill -s USR1 -p $VICTIM" "tree --all"; do
		# shellcheck disable=SC2086  # words
		refused_with_a_foreign_proc $words
	done
}
on_each_freezer foreign_proc
