#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --timeout is the deadline of the release as well: one who cannot be killed does not keep holdfast for the default ten seconds.
. "$(dirname "$0")/lib.sh"

[[ -w /dev/fuse ]] || leave_out "no /dev/fuse"

kept()
{
	child server
	local server=$CHILD
	child target
	in_cgroup "$server" "$HF_BUILD/tests/victims/fuse" late
	await sleeps_in_fuse "$server"
	# Its read is with the server, so not even SIGKILL ends it before the server does.
	echo "$READER" > "$CHILD/cgroup.procs" || fail "cannot move the reader"
	run why "$CHILD"
	local begin=$SECONDS
	run hold --on-armed accept --for 0s --then kill --timeout 700ms "$CHILD"
	((SECONDS - begin < 8)) || fail "it took $((SECONDS - begin)) s"
	expect 4 "1 threads were killed but had not ended by the deadline: thread $READER (reader), state D, in kernel function request_wait_answer, system call pread64"
	[[ $ERR == *"is the server in the same cgroup?"* ]] || fail "does not say what it means"
	kill -KILL "$VICTIM"
	await is_empty "$CHILD"
}

sleeps_in_fuse()
{
	local pid
	while read -r pid; do
		[[ $(cat "/proc/$pid/comm" 2>/dev/null) == reader ]] && READER=$pid
	done < "$1/cgroup.procs"
	[[ -v READER && $(cat "/proc/$READER/wchan" 2>/dev/null) == *request* ]]
}
on_each_freezer kept
