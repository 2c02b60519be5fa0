# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
#
# lib - what the scripts of this folder share.  A script runs the command named by $HOLDFAST, prints
# nothing and ends with 0 when everything was as it should be; it prints what was wrong and ends with 1
# when not.  What cannot be tried here it prints as left out, which is a failure with HF_TESTS_REQUIRE=1.
#
# Whatever a script makes in the world (scratch cgroups, frozen or not, and what runs in them) is
# undone when it ends, in whichever way a script can see.

set -u
# Messages are compared in English, and trees in ASCII.
export LC_ALL=C
unset NO_COLOR
: "${HOLDFAST:?the path of the built command}"
PATIENCE=20	# seconds, for what must happen soon, on a busy machine

# In memory where that is possible: a victim that counts into a file must not wait for a disk.
TMP=$(mktemp -d -p "$([[ -w /dev/shm ]] && echo /dev/shm || echo "${TMPDIR:-/tmp}")")
CGROUPS=()	# scratch cgroups, in the order they were made
STARTED=()	# processes

fail()
{
	printf '%s: %s\n' "$(basename "$0" .sh)" "$*"
	[[ -s $TMP/err ]] && sed 's/^/    stderr: /' "$TMP/err"
	[[ -s $TMP/hold.err ]] && sed 's/^/    holder: /' "$TMP/hold.err"
	exit 1
}

left_out()
{
	[[ ${HF_TESTS_REQUIRE:-0} != 1 ]] || fail "may not be left out: $*"
	printf 'left out: %s\n' "$*"
}

leave_out()
{
	left_out "$*"
	exit 0
}

# await WORDS...: until the command succeeds; fails the script when it does not within $PATIENCE.
await()
{
	local until=$((SECONDS + PATIENCE))
	until "$@"; do
		((SECONDS < until)) || fail "waited in vain: $*"
		sleep 0.01
	done
}

# ---- Cleaning up ------------------------------------------------------------------------------

thaw_by_hand()
{
	echo 0 > "$1/cgroup.freeze"
	echo THAWED > "$1/freezer.state"
} 2>/dev/null

is_empty()
{
	[[ -z $(cat "$1/cgroup.procs" 2>/dev/null) ]]
}

clean_up()
{
	local i pid until=$((SECONDS + PATIENCE))
	trap '' HUP INT TERM
	for pid in "${STARTED[@]}"; do
		kill -KILL "$pid"
	done
	for ((i = ${#CGROUPS[@]} - 1; i >= 0; i--)); do
		thaw_by_hand "${CGROUPS[i]}"
		until is_empty "${CGROUPS[i]}" || ((SECONDS > until)); do
			while read -r pid; do
				kill -KILL "$pid"
			done < "${CGROUPS[i]}/cgroup.procs"
			sleep 0.01
		done
		until rmdir "${CGROUPS[i]}" || ((SECONDS > until)); do
			sleep 0.01
		done
	done
	rm -rf "$TMP"
} 2>/dev/null

trap clean_up EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
trap 'exit 129' HUP

# ---- Scratch cgroups --------------------------------------------------------------------------

# Where the hierarchy of version $1 with a freezer is mounted.  Fails when there is none.
mount_of()
{
	local line where
	while read -r line; do
		where=$(cut -d' ' -f5 <<< "$line")
		case $1:${line##* - } in
		2:cgroup2\ *) ;;
		1:cgroup\ *freezer*) ;;
		*) continue ;;
		esac
		printf '%b\n' "${where//\\/\\0}"
		return 0
	done < /proc/self/mountinfo
	return 1
}

# scratch VERSION [SUFFIX]: make a cgroup and put its path into CG.  Fails where that cannot be done.
scratch()
{
	local mount name=hf-cli-$$-${#CGROUPS[@]}${2-}
	mount=$(mount_of "$1") && mkdir "$mount/$name" 2>/dev/null || return 1
	CG=$mount/$name
	CGROUPS+=("$CG")
}

# child NAME: make a cgroup below CG and put its path into CHILD.
child()
{
	mkdir "$CG/$1" || fail "mkdir $CG/$1"
	CHILD=$CG/$1
	CGROUPS+=("$CHILD")
}

# on_each_freezer FUNCTION [SUFFIX]: call it with a fresh CG (and VERSION) of v2, of v1, or of both.
on_each_freezer()
{
	for VERSION in 2 1; do
		if scratch "$VERSION" "${2-}"; then
			"$1"
		else
			left_out "no v$VERSION freezer in which a cgroup can be made"
		fi
	done
}

# ---- Victims ----------------------------------------------------------------------------------

# in_cgroup CGROUP COMMAND...: start it there; VICTIM is its pid.
in_cgroup()
{
	local cgroup=$1
	shift
	(
		echo "$BASHPID" > "$cgroup/cgroup.procs" || exit
		exec "$@" < /dev/null > /dev/null 2>&1
	) &
	VICTIM=$!
	STARTED+=("$VICTIM")
	disown "$VICTIM"	# the shell has no word on how it ends
	await joined "$VICTIM" "$1"
}

# Whether process $1 runs program $2 by now: it joined before it became that.
joined()
{
	[[ $(tr '\0' ' ' < "/proc/$1/cmdline" 2>/dev/null) == "$2 "* ]]
}

# threads_asleep N: whether VICTIM has N threads, and all sleep.
threads_asleep()
{
	local task n=0
	for task in /proc/"$VICTIM"/task/*; do
		grep -q 'State:	S' "$task/status" || return 1
		n=$((n + 1))
	done
	((n == $1))
}

# idle [CGROUP]: a process that sleeps, in CG if nothing else is said.
idle()
{
	in_cgroup "${1-$CG}" sleep 1000
}

# A process that counts, in a file that is written over and never empty, as fast as it can, in CG.
busy()
{
	COUNTER=$TMP/counter.${#STARTED[@]}
	# shellcheck disable=SC2016
	in_cgroup "$CG" sh -c 'i=0; while :; do i=$((i + 1)); echo $i 1<> "$1"; done' sh "$COUNTER"
	await test -s "$COUNTER"
}

moved()
{
	[[ $(cat "$COUNTER") != "$1" ]]
}

must_move()
{
	await moved "$(cat "$COUNTER")"
}

must_stand()
{
	local before
	before=$(cat "$COUNTER")
	sleep 0.1	# not to wait for something: this long it must not move
	! moved "$before" || fail "the victim ran while it should not"
}

tracer_of()
{
	awk '/^TracerPid:/ { print $2 }' "/proc/$1/status"
}

# The victim runs as if nothing had been: nobody traces it, and its cgroup is thawed.
must_be_free()
{
	[[ $(tracer_of "$VICTIM") == 0 ]] || fail "the victim is still traced"
	[[ $("$HOLDFAST" state "$CG") == thawed\ * ]] || fail "the cgroup is not thawed"
	[[ ! -v COUNTER ]] || must_move
}

state_letter()
{
	sed 's/.*) \(.\) .*/\1/' "/proc/$1/stat" 2> /dev/null
}

gone()
{
	[[ ! -d /proc/$1 ]]
}

# reap PID: RC is how this child ended; the shell has no word on it.
reap()
{
	wait "$1"
	RC=$?
} 2> /dev/null

# ---- Running and expecting --------------------------------------------------------------------

# ended STATUS: what came of a command, into RC; OUT and ERR, from $TMP/out and $TMP/err.
ended()
{
	RC=$1
	OUT=$(cat "$TMP/out" 2> /dev/null)
	ERR=$(cat "$TMP/err" 2> /dev/null)
}

# run ARGS...: holdfast with them.
run()
{
	"$HOLDFAST" "$@" > "$TMP/out" 2> "$TMP/err"
	ended $?
}

# expect RC TEXT: the exit status, and a text on standard error ("" for nothing there).
expect()
{
	[[ $RC == "$1" ]] || fail "exit status $RC, expected $1"
	if [[ -z $2 ]]; then
		[[ -z $ERR ]] || fail "said something"
	else
		[[ $ERR == *"$2"* ]] || fail "did not say '$2'"
	fi
}

# start_hold ARGS...: HOLD_PID runs `holdfast hold`, HELD is its first line.
start_hold()
{
	exec {HOLD_OUT}< <(exec "$HOLDFAST" hold "$@" 2> "$TMP/hold.err")
	HOLD_PID=$!
	STARTED+=("$HOLD_PID")
	IFS= read -r -t "$PATIENCE" HELD <&"$HOLD_OUT" || fail "no line from hold $*"
}

# await_release: RELEASED is its next line, RC its exit status.
await_release()
{
	RELEASED=
	IFS= read -r -t "$PATIENCE" RELEASED <&"$HOLD_OUT"
	reap "$HOLD_PID"
	exec {HOLD_OUT}<&-
	ERR=$(cat "$TMP/hold.err")
}

end_hold()
{
	kill -"$1" "$HOLD_PID"
	await_release
}

# full_pipe: descriptor 9 is a pipe without room for one more byte, that nobody reads.
full_pipe()
{
	mkfifo "$TMP/pipe"
	exec 9<> "$TMP/pipe"
	dd if=/dev/zero of="$TMP/pipe" oflag=nonblock bs=4096 count=100000 2> /dev/null
	dd if=/dev/zero of="$TMP/pipe" oflag=nonblock bs=1 count=100000 2> /dev/null
}

# ---- Deaths -----------------------------------------------------------------------------------

# guard_of PID: the guard of that holdfast, or nothing.
guard_of()
{
	cat /proc/"$1"/task/*/children 2> /dev/null | tr -d ' '
}

# kill_both: the holder of start_hold, and its guard first.
kill_both()
{
	local guard
	guard=$(guard_of "$HOLD_PID")
	[[ $guard ]] || fail "no guard"
	kill -KILL "$guard"
	await is_zombie "$guard"
	kill -KILL "$HOLD_PID"
	await_release
}

is_zombie()
{
	[[ $(state_letter "$1") == Z ]]
}

is_stopped()
{
	[[ $(state_letter "$1") == T ]]
}

# Every thread of it: one that has had no processor since the signal runs on.
is_stopped_or_dead()
{
	! cat /proc/"$1"/task/*/stat 2> /dev/null | grep -q ') [^TZ] '
}

# stop_while_held PID: stop that holder; fails, and ends it, where its time was over before that, as on a busy machine.
stop_while_held()
{
	kill -STOP "$1"
	await is_stopped_or_dead "$1"
	[[ $(tracer_of "$VICTIM") == 0 ]] || return 0
	kill -KILL "$1"
	reap "$1"
	return 1
}

is_frozen()
{
	[[ $("$HOLDFAST" state "$1") == frozen\ * ]]
}

# at_call: PRELOAD is at_call.c, built.
at_call()
{
	PRELOAD=$TMP/at_call.so
	[[ -f $PRELOAD ]] || "${CC:-cc}" -D_GNU_SOURCE -fno-builtin -shared -fPIC -O2 -o "$PRELOAD" \
		"$(dirname "$0")/at_call.c" || fail "at_call.c cannot be built"
	# A sanitizer wants to be the first library.
	export ASAN_OPTIONS=verify_asan_link_order=0:${ASAN_OPTIONS-}
}

# leave_frozen CGROUP: have a holder and its guard killed when they have just frozen it.  LEFT_BY is the holder.
leave_frozen()
{
	local guard
	at_call
	LD_PRELOAD=$PRELOAD AT_CALL=freeze AT_SIGNAL=$(kill -l STOP) "$HOLDFAST" hold "$1" \
		> /dev/null 2> "$TMP/err" &
	LEFT_BY=$!
	STARTED+=("$LEFT_BY")
	await is_stopped "$LEFT_BY"
	guard=$(guard_of "$LEFT_BY")
	[[ $guard ]] || fail "no guard"
	kill -KILL "$guard"
	await is_zombie "$guard"
	kill -KILL "$LEFT_BY"
	reap "$LEFT_BY"
	# v1 may stay on the way until somebody writes again, which the holder cannot any more.
	[[ $("$HOLDFAST" state "$1") == fr* ]] || fail "it is not frozen"
}
