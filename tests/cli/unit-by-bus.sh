#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# systemd is asked where a unit is, over the bus; and no bus that hangs can hang holdfast.  The systemd is a small
# one of the tests' own (tests/bus/manager.c), on a private bus.
. "$(dirname "$0")/lib.sh"

command -v dbus-daemon > /dev/null || leave_out "no dbus-daemon"
"$HOLDFAST" check | grep -q "built without sd-bus" && leave_out "built without sd-bus"

# start_bus NAME: a bus whose address is then in ADDRESS, and its pid in BUS.
start_bus()
{
	cat > "$TMP/$1.conf" <<-END
		<busconfig>
		<type>custom</type><listen>unix:path=$TMP/$1</listen><auth>EXTERNAL</auth>
		<policy context="default">
		<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
		</policy>
		</busconfig>
	END
	exec {out}< <(exec dbus-daemon --config-file="$TMP/$1.conf" --nofork --print-address 2> "$TMP/$1.err")
	BUS=$!
	STARTED+=("$BUS")
	IFS= read -r -t "$PATIENCE" ADDRESS <&"$out" || fail "no bus: $(cat "$TMP/$1.err")"
}

# start_manager UNIT=CGROUP...: MANAGER is its pid; what it is asked is in $TMP/asked.
start_manager()
{
	rm -f "$TMP/asked"	# an earlier one was ready, too
	"$HF_BUILD/tests/bus/manager" "$@" > "$TMP/asked" 2>&1 &
	MANAGER=$!
	STARTED+=("$MANAGER")
	disown "$MANAGER"
	await grep -qs '^ready' "$TMP/asked"
}

stop_manager()
{
	kill -KILL "$MANAGER"
	await gone "$MANAGER"
}

start_bus bus
export DBUS_SYSTEM_BUS_ADDRESS=$ADDRESS DBUS_SESSION_BUS_ADDRESS=unix:path=$TMP/nobody
unit=hf-cli-$$-unit

asked()
{
	local below=${CG#"$(mount_of "$VERSION")"}
	busy
	# The cgroup is called like no unit: only systemd can have told.
	start_manager "$unit.service=$below" "$unit.scope=$below" "$unit-a.slice=$below" \
		"$unit-my\\x20data.mount=$below" "$unit-idle.service=" "$unit-lost.service=/$unit/nowhere"
	run tree --json -u "$unit"
	expect 0 ""
	[[ $OUT == *"\"path\":\"$CG\""*"\"pid\":$VICTIM,"* ]] || fail "tree -u: '$OUT'"
	grep -q "^GetUnit $unit.service" "$TMP/asked" || fail "not asked: $(cat "$TMP/asked")"
	grep -q '^Get org.freedesktop.systemd1.Service ControlGroup' "$TMP/asked" || fail "interface"
	must_be_free

	start_hold --unit "$unit.scope"
	[[ $HELD == "held $unit.scope: 1 process, 1 thread, "* ]] || fail "'$HELD'"
	must_stand
	end_hold TERM
	must_be_free
	for name in "$unit-a.slice" "$unit-my data.mount" "$unit-my\\x20data.mount"; do
		run why -u "$name"
		expect 0 ""
	done

	run tree -u "$unit-idle"
	expect 1 "unit $unit-idle.service has no processes: systemd says that it is inactive (dead)"
	run tree -u "$unit-none"
	expect 1 "systemd has no unit $unit-none.service"
	run tree -u "$unit-lost"
	expect 1 "unit $unit-lost.service is in cgroup /$unit/nowhere, which is below no freezer"

	run tree --user -u "$unit"
	expect 1 "no cgroup of a unit $unit.service of this user"
	DBUS_SESSION_BUS_ADDRESS=$ADDRESS run tree --user -u "$unit"
	expect 0 ""
	run check
	[[ $OUT == *"ok       units: systemd 254.test tells where units are"* ]] || fail "check: '$OUT'"
	stop_manager
}
on_each_freezer asked

# A systemd that does not answer, a bus without one, a bus that does not answer: the cgroup's name tells.
by_path()
{
	run tree --json -u "$unit-path"
	[[ $RC == 0 && $OUT == *"\"path\":\"$CG\""* ]] || fail "$1: $RC '$OUT'"
}

unanswered()
{
	child "$unit-path.service"
	CG=$CHILD
	idle
	by_path "no systemd on the bus"
	expect 0 ""
	start_manager "$unit-path.service=/$unit/nowhere"
	kill -STOP "$MANAGER"
	by_path "a stopped systemd"
	expect 0 "systemd was asked for unit $unit-path.service: no answer within 2000 ms; going by the names of cgroups"
	run tree -q --json -u "$unit-path"
	expect 0 ""
	stop_manager

	kill -STOP "$BUS"
	by_path "a stopped bus"
	expect 0 "no answer within 2000 ms"
	run check
	[[ $OUT == *"limited  units: sd-bus is built in, but systemd does not answer (no answer within"* ]] ||
		fail "check: '$OUT'"
	kill -CONT "$BUS"
	kill -KILL "$VICTIM"
	await rmdir "$CG" 2> /dev/null
}
on_each_freezer unanswered .slice
