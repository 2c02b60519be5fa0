#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --all holds a whole machine: one of its own, a PID namespace with an init, daemons, shells, so that nobody else
# stands still.  This file is the test outside, the machine's init, and the shell from which holdfast is run.
. "$(dirname "$0")/lib.sh"

N_COUNTERS=6
# count I: a counter of the machine.  Its file is written over, and never empty.
count()
{
	cat "$MACHINE/count.$1"
}

counts()
{
	local i
	for ((i = 0; i < N_COUNTERS; i++)); do
		count "$i"
	done
}

# What counts is still, or all of it moves.
must_all_stand()
{
	local before
	before=$(counts)
	sleep 0.1	# not to wait for something: this long they must not move
	[[ $(counts) == "$before" ]] || fail "somebody ran: $before / $(counts)"
}

all_moved()
{
	local i now
	mapfile -t now < <(counts)
	for ((i = 0; i < N_COUNTERS; i++)); do
		[[ ${now[i]} != "${before[i]}" ]] || return 1
	done
}

must_all_move()
{
	local before
	mapfile -t before < <(counts)
	await all_moved
}

has_sleepers()
{
	(($(pgrep -c -x sleep) >= $1))
}

has_zombie()
{
	ps -eo stat= | awk '/^Z/ { found = 1 } END { exit !found }'
}

counted()
{
	[[ $(count "$1") != "$2" ]]
}

# A PID and a name for each of the machine's processes.
processes()
{
	ps -eo pid=,stat=,comm= | awk '{ print $1, $2, $3 }'
}

# ---- The machine ------------------------------------------------------------------------------

be_init()
{
	local i
	for ((i = 0; i < N_COUNTERS; i++)); do
		echo 0 > "$MACHINE/count.$i"
		# shellcheck disable=SC2016
		setsid sh -c 'while :; do i=$((i + 1)); echo $i 1<> "$1"; done' sh "$MACHINE/count.$i" &
	done
	for ((i = 0; i < 12; i++)); do
		setsid sleep "10$i" &
	done
	setsid bash -c 'sleep 2001 & sleep 2002 & bash -c "sleep 2003; true"; true' &
	# One that was stopped by its user, and one that is dead and not reaped: its parent had become a sleeper by then.
	setsid sleep 3001 &
	STOPPED=$!
	until [[ $(cat "/proc/$STOPPED/comm") == sleep ]]; do sleep 0.01; done
	kill -STOP "$STOPPED"
	# shellcheck disable=SC2016
	setsid bash -c 'until [[ $(< /proc/$$/comm) == sleep ]]; do :; done & exec sleep 3002' &
	echo "$STOPPED" > "$MACHINE/stopped"
	# The shell that the administrator sits at, an ancestor of holdfast.
	bash "$0" administer
	echo $? > "$MACHINE/status"
	exit 0
}

administer()
{
	STOPPED=$(cat "$MACHINE/stopped")
	await has_sleepers 17
	await has_zombie
	must_all_move

	run tree --all --json
	expect 0 ""
	processes > "$TMP/ps"
	python3 - "$OUT" "$TMP/ps" $$ "$STOPPED" <<- 'END' 2> "$TMP/err" || fail "json: $OUT"
		import json, sys
		tree, us, stopped = json.loads(sys.argv[1]), int(sys.argv[3]), int(sys.argv[4])
		assert tree["target"]["kind"] == "machine", tree["target"]
		held = {p["pid"]: p for p in tree["processes"]}
		# Alive then and now, by pid and name: but for init, the shell and what it runs now.
		alive = {int(pid) for pid, stat, comm in map(str.split, open(sys.argv[2]))
		         if comm == "sleep" or (comm == "sh" and "Z" not in stat)}
		assert alive <= held.keys(), (alive - held.keys())
		assert 1 not in held and us not in held, held.keys()
		assert not any(p["comm"].startswith("holdfast") for p in held.values()), held
		assert held[stopped]["found"] == "stopped" and held[stopped]["stop_signal"] == 19
		assert any(p["found"] == "zombie" for p in held.values()), "no zombie"
		assert tree["counts"]["held"] == tree["counts"]["threads"] >= 20, tree["counts"]
	END
	[[ $(state_letter "$STOPPED") == T ]] || fail "the stopped one is not stopped any more"
	must_all_move

	start_hold --all --for 2s
	[[ $HELD == "held all: "* ]] || fail "'$HELD'"
	must_all_stand
	await_release
	expect 0 ""
	must_all_move
	[[ $(state_letter "$STOPPED") == T ]] || fail "the stopped one is not stopped any more"

	# Left out: a process, a name.
	first=$(pgrep -f "count.0$" | head -n 1)
	start_hold --all --except "$first" --except sleep --for 5s
	first_count=$(count 0) second_count=$(count 1)
	await counted 0 "$first_count"
	! counted 1 "$second_count" || fail "the second counter ran"
	[[ $(tracer_of "$(pgrep -x sleep | head -n 1)") == 0 ]] || fail "a sleeper is held"
	end_hold INT
	expect 0 ""
	must_all_move

	# Of a long name the kernel keeps 15 bytes.
	cp "$(command -v sleep)" "$TMP/sleeper-of-a-long-name"
	"$TMP/sleeper-of-a-long-name" 1000 &
	long=$!
	STARTED+=("$long")
	disown "$long"
	await grep -q "^Name:	sleeper-of-a-lo" "/proc/$long/status"
	start_hold --all --except sleeper-of-a-long-name --for 5s
	[[ $(tracer_of "$long") == 0 ]] || fail "one of a long name is held"
	end_hold INT
	expect 0 ""
	kill "$long"

	# In the background, whose keeper is nobody's child: still not who asked for it.
	run hold -d --all --for 1m
	expect 0 "hold all ends by itself in 60.0 s"
	[[ $OUT == "held all: "* ]] || fail "'$OUT'"
	[[ $(tracer_of $$) == 0 ]] || fail "the shell is held"
	must_all_stand
	run release all
	expect 0 ""
	must_all_move
	run hold -d --all
	expect 0 "hold all ends by itself in 10.0 s"
	run extend all 0
	expect 1 "a hold of the machine always ends by itself"
	run release all
	expect 0 ""

	# Somebody is traced already, by one who is outside of his own tree.
	start_hold -p "$first"
	run tree --all
	expect 1 "thread $first (sh) is traced by"
	first_count=$(count 0)
	run tree --all --on-traced skip
	expect 3 "1 thread left out"
	! counted 0 "$first_count" || fail "released by another hold"
	end_hold TERM
	must_all_move

	# Whoever stops holdfast itself does not keep the machine: it is ended, and all is released.
	VICTIM=$first
	for time in 300ms 2s 9s; do
		start_hold --all --for "$time"
		stop_while_held "$HOLD_PID" && break
	done
	await gone "$HOLD_PID"
	must_all_move
	grep -q "did not end by its time and was killed; everybody was released" "$TMP/hold.err" || fail "the guard said nothing"

	run why --all
	expect 0 ""
	run tree --all --except /
	expect 1 "nobody to hold"
	run tree --all --except /no/such/cgroup
	expect 1 "cannot leave out who is in /no/such/cgroup"
	for nobody in slep 0 999999999; do
		run tree --all --except "$nobody"
		expect 1 "cannot leave out "
	done
	# Nothing is left: nobody traced, nobody stopped but the one who was.
	for pid in $(ps -eo pid=); do
		[[ ! -d /proc/$pid || $(tracer_of "$pid" 2> /dev/null) =~ ^0?$ ]] || fail "$pid is traced"
	done
	[[ $(ps -eo stat= | awk '/^[Tt]/ { n++ } END { print n }') == 1 ]] || fail "somebody is stopped: $(processes)"
}

case ${1-} in
init) be_init ;;
administer) administer ;;
*)
	((EUID == 0)) || leave_out "only root can make a PID namespace with a /proc of its own"
	command -v unshare > /dev/null || leave_out "unshare (util-linux) is missing"
	unshare --pid --fork --mount-proc true 2> /dev/null || leave_out "no PID namespace can be made here"
	export MACHINE=$TMP/machine
	mkdir "$MACHINE"
	unshare --pid --fork --kill-child --mount-proc bash "$0" init > "$TMP/said" 2>&1
	[[ $(cat "$MACHINE/status" 2> /dev/null) == 0 ]] || fail "$(cat "$TMP/said")"
	;;
esac
