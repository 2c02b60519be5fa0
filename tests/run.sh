#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh BUILD - run all tests of a build: the libcheck programs, the scripts of tests/cli, the fuzz targets over their
# stored inputs, a sample of the sweep (SWEEP_SECONDS of it; 0: none).  One line each, the whole output of those that
# fail, and at the end one line that counts.  With HF_TESTS_REQUIRE=1 a case that has to be left out is a failure.
set -u

build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
passed=0
failed=0
log=$(mktemp)
# Journals of the holds of the tests: apart from those of this machine, and none may be left.
HOLDFAST_RUNTIME_DIR=$(mktemp -d)
export HOLDFAST_RUNTIME_DIR
trap 'rm -rf "$log" "$HOLDFAST_RUNTIME_DIR"' EXIT
# Four seconds, the default, is little on a busy machine under a sanitizer.
export CK_DEFAULT_TIMEOUT=60
export HOLDFAST="$build/holdfast" HF_BUILD="$build" HF_SOURCE="${here%/tests}"

note() {	# note NAME STATUS PASSED FAILED
	if [ -n "$(ls "$HOLDFAST_RUNTIME_DIR")" ]; then
		{ echo "journals are left behind:"; ls "$HOLDFAST_RUNTIME_DIR"; } >>"$log"
		rm -rf "${HOLDFAST_RUNTIME_DIR:?}"/*
		set -- "$1" 1 "$3" $(($4 + 1))
	fi
	passed=$((passed + $3))
	failed=$((failed + $4))
	if [ "$2" -eq 0 ]; then
		printf '  ok      %-28s %s\n' "$1" "$3"
		grep -i '^left out' "$log" | sed 's/^/          /'
	else
		printf '  FAILED  %-28s %s passed, %s failed\n' "$1" "$3" "$4"
		sed 's/^/          /' "$log"
	fi
}

# counted NAME COMMAND...: it closes, as libcheck does, with "97%: Checks: 33, Failures: 1, Errors: 0"; no such line
# means that it died.
counted() {
	name=$1
	shift
	"$@" >"$log" 2>&1 </dev/null
	status=$?
	# shellcheck disable=SC2046  # three numbers
	set -- $(sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\)$/\1 \2 \3/p' "$log" | tail -n 1)
	if [ $# -eq 3 ]; then
		bad=$(($2 + $3))
		[ $status -ne 0 ] && [ $bad -eq 0 ] && bad=1
		[ $bad -ne 0 ] && status=1
		note "$name" $status $(($1 > bad ? $1 - bad : 0)) $bad
	else
		[ $status -eq 0 ] && status=1
		note "$name" $status 0 1
	fi
}

for program in "$build"/tests/check_*; do
	case $program in *.o | *.d) continue ;; esac
	[ -x "$program" ] || continue
	counted "${program##*/}" "$program"
done

for script in "$here"/cli/[!l]*.sh "$here"/cli/l[!i]*.sh; do
	[ -f "$script" ] || continue
	timeout -k 30 120 bash "$script" >"$log" 2>&1 </dev/null
	status=$?
	name=cli/${script##*/}
	if [ $status -eq 0 ]; then note "$name" 0 1 0; else note "$name" $status 0 1; fi
done

for program in "$build"/tests/fuzz_*; do
	case $program in *.o | *.d) continue ;; esac
	[ -x "$program" ] || continue
	name=${program##*/}
	"$program" "$here/corpus/${name#fuzz_}"/* >"$log" 2>&1 </dev/null
	status=$?
	if [ $status -eq 0 ]; then note "$name" 0 1 0; else note "$name" $status 0 1; fi
done

if [ "${SWEEP_SECONDS:-30}" != 0 ]; then
	counted sweep "$here/sweep/sweep.py" --build "$build" --seconds "${SWEEP_SECONDS:-30}"
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
