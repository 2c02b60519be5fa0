#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A reader who does not read blocks tree when everything is released already, and Ctrl-C still ends it.
. "$(dirname "$0")/lib.sh"

blocks_in_write()
{
	[[ $(cat "/proc/$1/wchan") == *pipe* ]]
}

full_pipe
blocked()
{
	local pid
	busy
	"$HOLDFAST" tree "$CG" >&9 2> "$TMP/err" &
	pid=$!
	STARTED+=("$pid")
	await blocks_in_write "$pid"
	must_be_free
	kill -TERM "$pid"
	reap "$pid"
	ended "$RC"
	expect 143 ""
}
on_each_freezer blocked
