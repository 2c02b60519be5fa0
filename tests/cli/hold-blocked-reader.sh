#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A reader who does not read delays the `held` line, never the release: by signal and by time.
. "$(dirname "$0")/lib.sh"

is_traced()
{
	[[ $(tracer_of "$VICTIM") != 0 ]]
}

is_free()
{
	! is_traced
}

full_pipe
blocked()
{
	local pid
	busy
	for format in "" --json; do
		# shellcheck disable=SC2086
		"$HOLDFAST" hold $format "$CG" >&9 2> "$TMP/err" &
		pid=$!
		STARTED+=("$pid")
		await is_traced
		kill -TERM "$pid"
		await is_free
		must_be_free
		kill -KILL "$pid"	# it waits for room for its last line, as anybody would
		reap "$pid"
	done
	"$HOLDFAST" hold --for 100ms "$CG" >&9 2> "$TMP/err" &
	pid=$!
	STARTED+=("$pid")
	await is_traced
	await is_free
	must_be_free
	kill -TERM "$pid"
	reap "$pid"
	ended "$RC"
	expect 143 ""
}
on_each_freezer blocked
