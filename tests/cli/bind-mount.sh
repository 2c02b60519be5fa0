#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A cgroup that is reached by a mount which shows only a part of the hierarchy, beside the whole or alone, as in a
# container: processes are found in it, signalled, and told by their place in the hierarchy all the same.
. "$(dirname "$0")/lib.sh"

mkdir "$TMP/bind"
# shellcheck disable=SC2016
bound='mount --make-rprivate / && mount --bind "$1" "$2" && shift 2 || exit 99
while [[ $1 != -- ]]; do umount -l "$1" || exit 99; shift; done
shift
exec "$@"'
unshare -m bash -c "$bound" sh "$TMP/bind" "$TMP/bind" -- true 2> /dev/null || leave_out "no mount namespaces"

# within ARGS...: holdfast with these arguments, where CG is at $TMP/bind, and what is mounted at GONE is not.
within()
{
	unshare -m bash -c "$bound" sh "$CG" "$TMP/bind" "${GONE[@]}" -- "$HOLDFAST" "$@" > "$TMP/out" 2> "$TMP/err"
	ended $?
}

by_a_part()
{
	local top=$CG hierarchy gone
	hierarchy=$(mount_of "$VERSION")
	child sub
	for gone in "" "$hierarchy"; do
		GONE=(${gone:+"$gone"})
		CG=$CHILD
		busy
		CG=$top
		within tree --json "$TMP/bind/sub"
		expect 0 ""
		[[ $OUT == *"\"path\":\"$TMP/bind/sub\""*"\"cgroup\":\"${CHILD#"$hierarchy"}\""* ]] || fail "$OUT"
		within why "$TMP/bind"
		expect 0 ""
		within kill -s STOP "$TMP/bind/sub"
		expect 0 ""
		[[ $OUT == "signalled $TMP/bind/sub: 1 process, SIGSTOP" ]] || fail "$OUT"
		await is_stopped "$VICTIM"
		within kill "$TMP/bind"
		expect 0 ""
		[[ $OUT == "killed $TMP/bind: 1 process" ]] || fail "$OUT"
		is_empty "$CHILD" || fail "somebody lives"
	done
}

on_each_freezer by_a_part
