#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Without root one's own processes can be held, and nobody else's; and a cgroup that one made in a delegated one.
. "$(dirname "$0")/lib.sh"

((EUID == 0)) || leave_out "only root can become another user"
command -v setpriv > /dev/null || leave_out "setpriv (util-linux) is missing"
# Where its user may run it, whatever the folder of the build lets them.
cp "$HOLDFAST" "$TMP/holdfast"
chmod 755 "$TMP/holdfast"
chmod 777 "$TMP"
HOLDFAST=$TMP/holdfast-as-user
cat > "$HOLDFAST" << END
#!/bin/sh
exec setpriv --reuid=65534 --regid=65534 --clear-groups "$TMP/holdfast" "\$@"
END
chmod 755 "$HOLDFAST"

# count_as_user [CGROUP]: VICTIM counts in COUNTER, as that user, with a child that sleeps.
count_as_user()
{
	COUNTER=$TMP/user.${#STARTED[@]}
	# shellcheck disable=SC2016
	(
		[[ -z ${1-} ]] || echo "$BASHPID" > "$1/cgroup.procs" || exit
		exec setpriv --reuid=65534 --regid=65534 --clear-groups \
			sh -c 'sleep 1000 & while :; do i=$((i + 1)); echo $i 1<> "$1"; done' sh "$COUNTER" < /dev/null
	) > /dev/null 2>&1 &
	VICTIM=$!
	STARTED+=("$VICTIM")
	disown "$VICTIM"
	await test -s "$COUNTER"
	STARTED+=("$(pgrep -P "$VICTIM" -x sleep)")
}

count_as_user
run tree -p "$VICTIM"
expect 0 ""
[[ $OUT == "process $VICTIM: 2 processes, 2 threads, stopped for "* ]] || fail "'$OUT'"
start_hold -p "$VICTIM"
[[ $HELD == "held $VICTIM: 2 processes, 2 threads, "* ]] || fail "'$HELD'"
must_stand
end_hold TERM
expect 0 ""
[[ $(tracer_of "$VICTIM") == 0 ]] || fail "the victim is still traced"
must_move

sleep 1000 &
STARTED+=($!)
run tree -p $!
expect 1 "may not be traced: it runs as uid 0, gid 0 and we as uid 65534"

delegated()
{
	chown 65534:65534 "$CG" "$CG/cgroup.procs"
	[[ $VERSION == 1 ]] || chown 65534:65534 "$CG/cgroup.threads" "$CG/cgroup.subtree_control"
	setpriv --reuid=65534 --regid=65534 --clear-groups mkdir "$CG/mine" || fail "mkdir"
	CGROUPS+=("$CG/mine")
	count_as_user "$CG/mine"
	run tree "$CG/mine"
	expect 0 ""
	[[ $OUT == *" (cgroup v$VERSION): 2 processes, 2 threads, stopped for "* ]] || fail "'$OUT'"
	must_move
	run freeze "$CG/mine"
	expect 0 ""
	must_stand
	run thaw "$CG/mine"
	expect 0 ""
	must_move
	# The delegated one itself is root's to freeze.
	run tree "$CG"
	expect 1 "run as root, or on a cgroup that was delegated to you"
	must_move
}
on_each_freezer delegated
