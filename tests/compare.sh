#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# compare.sh [STOPS] - what different ways to stop a process do to its blocking calls.  The victim `sleepers` has a
# thread for each kind of call and counts how often it comes back; none of them ever should.  Each way stops a victim
# of its own STOPS times (default 5).  Prints a table in Markdown: how many of the calls came back, and how often
# in each stop.  Needs root, and gdb and strace for their rows.
set -u

stops=${1:-5}
build=${HF_BUILD:-build}
holdfast=${HOLDFAST:-$build/holdfast}
tmp=$(mktemp -d)
HOLDFAST_RUNTIME_DIR=$tmp
export HOLDFAST_RUNTIME_DIR
v1=$(awk '$3 == "cgroup" && $4 ~ /(^|,)freezer(,|$)/ { print $2; exit }' /proc/mounts)
v2=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
pid=''
cgroup=''

clean() {
	exec 7>&- 8<&-
	[ -n "$pid" ] && kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	pid=''
	# The child of the victim dies with it; until then its cgroup cannot go.
	while [ -n "$cgroup" ] && [ -d "$cgroup" ] && ! rmdir "$cgroup" 2>/dev/null; do sleep 0.05; done
	cgroup=''
}
trap 'clean; rm -rf "$tmp"' EXIT

start() {	# start [MOUNT]: a victim, asleep in all its calls, in a cgroup of its own
	rm -f "$tmp/ask" "$tmp/answer" "$tmp/ready"
	mkfifo "$tmp/ask" "$tmp/answer" "$tmp/ready"
	VICTIM_READY_FD=9 "$build/tests/victims/sleepers" report <"$tmp/ask" >"$tmp/answer" 9<>"$tmp/ready" &
	pid=$!
	exec 7>"$tmp/ask" 8<"$tmp/answer"
	head -c 4 "$tmp/ready" >/dev/null
	[ $# -eq 0 ] && return
	cgroup=$1/hf-compare-$$
	mkdir "$cgroup"
	for p in "$pid" $(cat /proc/"$pid"/task/*/children); do echo "$p" >"$cgroup/cgroup.procs"; done
}

state_is() {	# state_is LETTER: wait until the victim's first thread is in that state
	until grep -q "^State:.$1" "/proc/$pid/status"; do sleep 0.01; done
}

# One stop and its end, each way.
by_signal() { kill -STOP "$pid"; state_is T; sleep 0.05; kill -CONT "$pid"; }
by_freezer_v1() { "$holdfast" freeze "$cgroup"; sleep 0.05; "$holdfast" thaw "$cgroup"; } >/dev/null
by_freezer_v2() { by_freezer_v1; }
by_gdb() { gdb -q -nx -batch -p "$pid" -ex detach >/dev/null 2>&1; }
by_strace() {
	strace -f -q -o /dev/null -p "$pid" & local tracer=$!
	until [ "$(awk '/^TracerPid/ { print $2 }' "/proc/$pid/status")" -gt 0 ]; do sleep 0.01; done
	sleep 0.3
	kill -INT $tracer
	wait $tracer 2>/dev/null
}
by_holdfast_v1() { "$holdfast" hold -q --for 50ms "$cgroup" >/dev/null; }
by_holdfast_v2() { by_holdfast_v1; }
by_holdfast_pid() { "$holdfast" hold -q --for 50ms -p "$pid" >/dev/null; }

row() {	# row NAME FUNCTION [MOUNT]
	local name=$1 way=$2 i
	shift 2
	start "$@"
	for ((i = 0; i < stops; i++)); do
		$way
		sleep 0.2
	done
	echo >&7
	while IFS= read -r line <&8 && [ -n "$line" ]; do echo "$line"; done >"$tmp/counts"
	clean
	awk -v name="$name" -v stops="$stops" '
		{ calls++; if ($2) { ended++; sum += $2 } }
		END { printf "| %s | %d of %d | %g |\n", name, ended, calls, sum / stops }
	' "$tmp/counts"
}

echo "| stopped by | calls that came back | EINTRs per stop |"
echo "| --- | --- | --- |"
row "SIGSTOP, SIGCONT" by_signal
[ -n "$v1" ] && row "freezer v1" by_freezer_v1 "$v1"
[ -n "$v2" ] && row "freezer v2" by_freezer_v2 "$v2"
command -v gdb >/dev/null && row "gdb attach, detach" by_gdb
command -v strace >/dev/null && row "strace attach, detach" by_strace
[ -n "$v1" ] && row "holdfast, v1" by_holdfast_v1 "$v1"
[ -n "$v2" ] && row "holdfast, v2" by_holdfast_v2 "$v2"
row "holdfast, --pid" by_holdfast_pid
