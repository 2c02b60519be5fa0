#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Without a systemd that answers, a unit is found by the name of its cgroup, with sd-bus and without.
. "$(dirname "$0")/lib.sh"

export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$TMP/nobody DBUS_SESSION_BUS_ADDRESS=unix:path=$TMP/nobody
unit=hf-cli-$$-unit
with=$HOLDFAST

found()
{
	local slice=$CG
	child "$unit.service"
	CG=$CHILD
	busy

	run tree --json -u $unit
	expect 0 ""
	[[ $OUT == *"\"path\":\"$CG\""*"\"pid\":$VICTIM,"* ]] || fail "tree -u: '$OUT'"
	must_be_free
	run why --unit $unit.service
	expect 0 ""

	start_hold -u $unit
	[[ $HELD == "held $unit.service: 1 process, 1 thread, "* ]] || fail "'$HELD'"
	must_stand
	end_hold TERM
	[[ $RC == 0 && $RELEASED == "released $unit.service: "* ]] || fail "$RC '$RELEASED'"
	must_be_free

	run freeze -u $unit
	expect 0 ""
	[[ $OUT == "frozen $CG (v$VERSION)" ]] || fail "freeze: '$OUT'"
	must_stand
	run state --unit $unit.service
	[[ $OUT == "frozen $CG "* ]] || fail "state: '$OUT'"
	run thaw -u $unit
	expect 0 ""
	must_be_free
	run freeze -u "$unit-nobody"
	expect 1 "no cgroup of a unit $unit-nobody.service"

	# The slice is a unit, too, and has more in it.
	CG=$slice
	child "$unit.scope"
	idle "$CHILD"
	run tree --json --unit "$(basename "$slice")"
	expect 0 ""
	[[ $OUT == *'"processes":2,'* ]] || fail "the slice: '$OUT'"
	run tree -u "$unit.socket"
	expect 1 "no cgroup of a unit $unit.socket"
	run tree --user -u "$unit"
	expect 1 "no cgroup of a unit $unit.service of this user"

	# A unit's name may be there twice for somebody who is not systemd.
	child "$unit-more.slice"
	CG=$CHILD
	child "$unit.service"
	run tree -u "$unit"
	expect 1 "several cgroups are called $unit.service: "
	[[ $ERR == *"/$unit.service, "*"/$unit.service; name one with --cgroup" ]] || fail "which ones"
	# In a container or another service it is none of this machine's.
	CG=$slice
	child "$unit-vm.scope"
	CG=$CHILD
	child "$unit-inner.service"
	run tree -u "$unit-inner"
	expect 1 "no cgroup of a unit $unit-inner.service"
	clean_victims
}

# What the next round shall not find.
clean_victims()
{
	local i
	for VICTIM in "${STARTED[@]}"; do
		kill -KILL "$VICTIM" 2> /dev/null
		await gone "$VICTIM"
	done
	STARTED=()
	for ((i = ${#CGROUPS[@]} - 1; i >= 0; i--)); do
		await rmdir "${CGROUPS[i]}"
	done 2> /dev/null
	CGROUPS=()
	unset COUNTER
}

for HOLDFAST in "$with" "$HF_BUILD/tests/holdfast-without-systemd"; do
	on_each_freezer found .slice
done

run tree -u init.scope
expect 1 "unit init.scope is systemd itself, PID 1"
run tree -u -.slice
expect 1 "for the whole machine there is --all"
run tree -u x.timer
expect 1 "unit x.timer is a timer, which has no processes"
run tree -u x@
expect 2 "it is a template"
