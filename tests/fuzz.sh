#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fuzz.sh search BUILD [NAME...] - search with each target (all, or those named) for FUZZ_SECONDS, one after
#	the other.  What libFuzzer collects stays in BUILD/corpus/NAME and is where the next search begins.
#	BUILD/new/NAME then has the inputs that reach what no stored one reaches: who thinks one worth
#	keeping gives it a name in tests/corpus/NAME.  Inputs that fail are in BUILD/failing.
# fuzz.sh coverage BUILD FILE... - what the stored inputs reach of each of these source files.
set -eu

goal=$1
build=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
seconds=${FUZZ_SECONDS:-600}
# Journals that targets make up: apart from those of this machine.
HOLDFAST_RUNTIME_DIR=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
export HOLDFAST_RUNTIME_DIR
trap 'rm -rf "$HOLDFAST_RUNTIME_DIR"' EXIT

targets() {
	for file in "$here"/fuzz_*.c; do
		name=${file##*/fuzz_}
		[ "$name" = main.c ] || echo "${name%.c}"
	done
}

# A line of the last report, which ends with "stat::NAME: VALUE".
statistic() {
	sed -n "s/^stat::$1: *//p" "$2" | tail -n 1
}

search() {	# search NAME
	program=$build/tests/fuzz_$1
	log=$build/$1.log
	mkdir -p "$build/corpus/$1" "$build/new" "$build/failing"
	if "$program" -max_total_time="$seconds" -max_len=4096 -timeout=120 -rss_limit_mb=1024 \
		-print_final_stats=1 -artifact_prefix="$build/failing/$1-" "$build/corpus/$1" \
		"$here/corpus/$1" >"$log" 2>&1 </dev/null; then
		rm -rf "$build/new/$1"
		cp -r "$here/corpus/$1" "$build/new/$1"
		"$program" -merge=1 -use_counters=0 "$build/new/$1" "$build/corpus/$1" >>"$log" 2>&1 </dev/null
		for input in "$here/corpus/$1"/*; do
			rm -f "$build/new/$1/${input##*/}"
		done
		printf '  ok      %-12s %s executions in %s s, %s inputs reach something new\n' "$1" \
			"$(statistic number_of_executed_units "$log")" "$seconds" "$(ls "$build/new/$1" | wc -l)"
	else
		printf '  FAILED  %-12s see %s and %s\n' "$1" "$log" "$build/failing"
		grep -E 'not so:|^==[0-9]*==|runtime error:|SUMMARY' "$log" | sed 's/^/          /'
		return 1
	fi
}

coverage() {	# coverage FILE...
	programs=
	for name in $(targets); do
		LLVM_PROFILE_FILE=$build/$name.profraw "$build/tests/fuzz_$name" "$here/corpus/$name"/* >/dev/null
		programs="$programs${programs:+ -object=}$build/tests/fuzz_$name"
	done
	llvm-profdata merge -o "$build/all.profdata" "$build"/*.profraw
	# shellcheck disable=SC2086  # a list of names
	set -- $programs "-instr-profile=$build/all.profdata" "$@"
	llvm-cov report "$@"
	llvm-cov show -show-branches=count "$@" >"$build/coverage.txt"
	echo "line by line: $build/coverage.txt"
}

case $goal in
search)
	# shellcheck disable=SC2046  # a list of names
	[ $# -gt 0 ] || set -- $(targets)
	status=0
	for name in "$@"; do
		search "$name" || status=1
	done
	exit $status
	;;
coverage) coverage "$@" ;;
esac
