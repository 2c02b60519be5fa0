#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# recover: what a holdfast left frozen that was killed together with its guard is shown, then put back; and what it
# must not touch is told.
. "$(dirname "$0")/lib.sh"

HOLDFAST_RUNTIME_DIR=$TMP/run
export HOLDFAST_RUNTIME_DIR

is()
{
	[[ $OUT == "$1" ]] || fail "'$OUT' and not '$1'"
}

recovers()
{
	busy
	run recover
	expect 0 ""
	is "nothing was left behind"

	leave_frozen "$CG"
	await is_frozen "$CG"
	must_stand
	for _ in 1 2; do
		run recover --dry-run
		expect 0 ""
		is "would thaw cgroup $CG, which process $LEFT_BY left frozen when it was killed"
		must_stand
	done
	run recover
	expect 0 ""
	is "thawed cgroup $CG, which process $LEFT_BY left frozen when it was killed"
	must_be_free
	run recover
	expect 0 ""
	is "nothing was left behind"

	# Thawed by somebody else meanwhile.
	leave_frozen "$CG"
	thaw_by_hand "$CG"
	run recover
	expect 0 ""
	[[ $OUT == "cgroup $CG is thawed, as process $LEFT_BY found it: "* ]] || fail "'$OUT'"
	must_be_free

	# Frozen, thawed or not in between, with our own words for it.
	leave_frozen "$CG"
	run freeze "$CG"
	run recover
	is "nothing was left behind"
	[[ $("$HOLDFAST" state "$CG") == frozen\ * ]] || fail "it was thawed"
	run thaw "$CG"
	must_be_free

	# Held by another holdfast now.
	leave_frozen "$CG"
	start_hold "$CG"
	run recover
	expect 0 ""
	is "cgroup $CG, which process $LEFT_BY left frozen, is held by somebody else now"
	end_hold TERM
	run recover
	expect 0 ""
	is "thawed cgroup $CG, which process $LEFT_BY left frozen when it was killed"
	must_be_free
}

is_kept()
{
	busy
	for way in stay kill; do
		start_hold --on-death $way "$CG"
		kill_both
		for _ in 1 2; do
			run recover
			expect 0 ""
			[[ $OUT == "cgroup $CG stays frozen"*"holdfast thaw"* ]] || fail "'$OUT'"
			must_stand
		done
		run thaw "$CG"
		run recover
		expect 0 ""
		must_be_free
	done
}

# Whether the results can be written or not, what is to be done is done.
without_output()
{
	busy
	leave_frozen "$CG"
	"$HOLDFAST" recover >&- 2> "$TMP/err"
	ended $?
	expect 1 "standard output is closed"
	must_be_free
	[[ -c /dev/full ]] || return 0
	leave_frozen "$CG"
	"$HOLDFAST" recover > /dev/full 2> "$TMP/err"
	ended $?
	expect 1 "No space left on device"
	must_be_free
}

statuses()
{
	busy
	# 1: a file that cannot be read; the rest is done.
	leave_frozen "$CG"
	echo "from another version" > "$TMP/run/0000.hold"
	run recover
	expect 1 "cannot read journal $TMP/run/0000.hold: it is no journal of this version"
	[[ $OUT == *"$TMP/run/0000.hold cannot be read, and is left there"* ]] || fail "'$OUT'"
	must_be_free
	rm "$TMP/run/0000.hold" || fail "it was removed"
	# 1: a directory that others may write to.
	chmod 0777 "$TMP/run"
	run recover
	expect 1 "it belongs to somebody else, or others may write to it"
	chmod 0700 "$TMP/run"
	# 2: there is nothing to name.
	run recover "$CG"
	expect 2 "takes no"
	# 4: it cannot be put back from where the cgroup cannot be written.
	leave_frozen "$CG"
	# shellcheck disable=SC2016
	if unshare -m sh -c 'mount --make-rprivate / && mount --bind "$1" "$1"' sh "$CG" 2> /dev/null; then
		# shellcheck disable=SC2016
		unshare -m sh -c 'mount --make-rprivate / && mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" &&
			exec "$2" recover' sh "$CG" "$HOLDFAST" > "$TMP/out" 2> "$TMP/err"
		ended $?
		expect 4 "can be tried again"
		is "cgroup $CG, which process $LEFT_BY left frozen, cannot be thawed: Read-only file system"
		await is_frozen "$CG"
		must_stand
	else
		left_out "no mount namespaces"
	fi
	run recover
	expect 0 ""
	must_be_free
}

on_each_freezer recovers
on_each_freezer is_kept
on_each_freezer without_output
on_each_freezer statuses
[[ -z $(ls "$TMP/run") ]] || fail "journals are left: $(ls "$TMP/run")"
