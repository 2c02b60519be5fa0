#!/bin/sh
# SPDX-License-Identifier: MIT
#
# demo - hold and release a small workload of our own, for somebody who sees holdfast for the first
# time.  Everything happens in one scratch cgroup, on the v2 or the v1 freezer, whatever the machine
# has, and is taken away again however the demonstration ends.
#
# usage: demo.sh PATH-OF-HOLDFAST [PATH-OF-SPIN]

set -u

holdfast=$1
spin=${2:-$(dirname "$1")/tests/victims/spin}
work=
cgroup=
version=
holder=

say() {
	printf '%s\n' "$*"
}

fail() {
	say "demo: $*" >&2
	exit 1
}

# Show a command as it is run.
show() {
	printf '\n  $ %s\n\n' "$*"
}

# ---- The freezer -------------------------------------------------------------------------------

# The first mount of that file system type whose options have that word.
mount_of() {
	awk -v type="$1" -v word="$2" '
		{ for (i = 7; $i != "-"; i++); }
		$(i + 1) == type && ("," $(i + 3) "," ~ "," word "," || word == "") { print $5; exit }
	' /proc/self/mountinfo
}

# A new cgroup below mount $1 that has the file $2.
try_cgroup() {
	[ -n "$1" ] && mkdir "$1/hf-demo-$$" 2>/dev/null || return 1
	cgroup=$1/hf-demo-$$
	[ -w "$cgroup/$2" ] && return 0
	rmdir "$cgroup"
	cgroup=
	return 1
}

make_cgroup() {
	if try_cgroup "$(mount_of cgroup2 '')" cgroup.freeze; then
		version=2
	elif try_cgroup "$(mount_of cgroup freezer)" freezer.state; then
		version=1
	else
		fail "found no freezer: neither a v2 hierarchy (cgroup.freeze) nor a v1 one (freezer.state)" \
			"in which a cgroup can be made; \`$holdfast check\` says why"
	fi
}

# ---- Cleaning up -------------------------------------------------------------------------------

kill_members() {
	while read -r pid; do
		kill -KILL "$pid" 2>/dev/null
	done <"$cgroup/cgroup.procs"
}

clean_up() {
	trap '' INT TERM HUP PIPE
	trap - EXIT
	[ -n "$holder" ] && kill -TERM "$holder" 2>/dev/null && wait "$holder"
	if [ -n "$cgroup" ]; then
		tries=0
		while [ -d "$cgroup" ] && [ $tries -lt 100 ]; do
			if [ $version = 2 ]; then
				echo 0 >"$cgroup/cgroup.freeze"
			else
				echo THAWED >"$cgroup/freezer.state"
			fi
			kill_members
			rmdir "$cgroup" 2>/dev/null || sleep 0.05
			tries=$((tries + 1))
		done
		[ -d "$cgroup" ] && say "demo: could not remove $cgroup" >&2
	fi
	[ -n "$work" ] && rm -rf "$work"
}

# ---- The workload ------------------------------------------------------------------------------

# Run a command in the cgroup, in the background.  It joins before it becomes the command.
inside() {
	sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$cgroup" "$@" </dev/null >/dev/null 2>&1 &
}

# The state letter of a process: the name may contain anything and ends at the last bracket.
state_of() {
	sed 's/.*) \(.\).*/\1/' "/proc/$1/stat" 2>/dev/null
}

await() {
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || fail "waited in vain: $*"
		sleep 0.05
	done
}

is_state() {
	[ "$(state_of "$1")" = "$2" ]
}

is_named() {
	[ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$2" ]
}

has_zombie() {
	for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
		is_state "$child" Z && return 0
	done
	return 1
}

ticks() {
	cat "$work/ticks" 2>/dev/null || echo 0
}

ticks_beyond() {
	now=$(ticks)
	[ "${now:-0}" -gt "$1" ]
}

# Processor time of the busy program so far, which the kernel counts in hundredths of a second.
cpu_time() {
	sed 's/.*) //' "/proc/$busy/stat" | awk '{ print ($12 + $13) * 10 " ms" }'
}

start_workload() {
	# A shell with children: it counts in a file, and each `sleep` is a child of its own.
	cat >"$work/count" <<-'END'
		n=0
		while :; do
			n=$((n + 1))
			echo $n >"$1.new"
			mv "$1.new" "$1"
			sleep 0.02
		done
	END
	inside sh "$work/count" "$work/ticks"
	inside "$spin" 4
	busy=$!
	inside sleep 1000
	stopped=$!
	# The shell becomes a program that never asks for the child it started: a zombie.
	inside sh -c 'true & exec sleep 1000'
	careless=$!
	await ticks_beyond 3
	await has_zombie "$careless"
	await is_named "$stopped" sleep
	await is_named "$busy" spin
	kill -STOP "$stopped"
	await is_state "$stopped" T
}

# ---- The demonstration -------------------------------------------------------------------------

[ "$(id -u)" = 0 ] || fail "stopping other people's processes takes root: sudo make demo"
[ -x "$holdfast" ] && [ -x "$spin" ] || fail "not built yet; run it by: sudo make demo"
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
# Whoever reads this may stop reading (demo.sh | head): a shell that dies of that runs no EXIT trap.
trap 'exit 141' PIPE
work=$(mktemp -d) || exit 1
make_cgroup
start_workload

say "holdfast stops a group of processes at one instant, shows exactly what it holds, and lets"
say "everything go again as if nothing had happened."
say
say "This is a small workload in a cgroup of its own, on the v$version freezer: a shell that counts, a"
say "program with four busy threads, a stopped job, and a process that left a zombie behind."
say
say "1. Hold it, look at it, release it.  The first line says for how long it was stopped."
show holdfast tree --cgroup "$cgroup"
"$holdfast" tree --cgroup "$cgroup" || fail "holdfast tree failed"

say
say "2. Hold it until told otherwise.  The shell has counted to $(ticks)."
show holdfast hold --cgroup "$cgroup"
mkfifo "$work/out" || exit 1
"$holdfast" hold --cgroup "$cgroup" >"$work/out" &
holder=$!
exec 3<"$work/out"
read -r line <&3 || fail "holdfast hold failed"
say "$line"

ticks_before=$(ticks)
cpu_before=$(cpu_time)
sleep 1
ticks_after=$(ticks)
cpu_after=$(cpu_time)
say
say "   While it is held:            at first   a second later"
printf '   %-26s %10s %16s\n' "the shell's counter" "$ticks_before" "$ticks_after"
printf '   %-26s %10s %16s\n' "CPU time of the threads" "$cpu_before" "$cpu_after"
[ "$ticks_before" = "$ticks_after" ] && [ "$cpu_before" = "$cpu_after" ] ||
	fail "something ran while it was held"

say
say "3. Release it, with Ctrl-C or a SIGTERM."
show kill -TERM "$holder"
kill -TERM "$holder"
read -r line <&3 && say "$line"
wait "$holder"
status=$?
holder=
[ $status = 0 ] || fail "holdfast hold ended with $status"

await ticks_beyond "$ticks_after"
say
say "   It runs again: the shell's counter is $(ticks), and CPU time goes on from $cpu_after."
is_state "$stopped" T || fail "the stopped job is not stopped any more"
say "   The stopped job is stopped as before, and nobody in there has noticed."
