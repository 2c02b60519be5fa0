#!/bin/bash
# SPDX-License-Identifier: MIT
#
# valgrind.sh BUILD [NAME...] - the suites (check_NAME) and some runs of the command under valgrind: no error, no
# leak, no descriptor left open.  Not those with a laboratory, whose forks and clones valgrind does not all follow;
# what they try of the library the command tries here.  Victims run as they are.
set -u

build=$(cd "$1" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
passed=0 failed=0
log=$(mktemp)
HOLDFAST_RUNTIME_DIR=$(mktemp -d)
wrapped=$(mktemp -d)
export HOLDFAST_RUNTIME_DIR HF_BUILD="$build" HF_SOURCE="${here%/tests}" CK_DEFAULT_TIMEOUT=300
trap 'rm -rf "$log" "$HOLDFAST_RUNTIME_DIR" "$wrapped"' EXIT

# A test of libcheck's is a process that ends without tidying up: what it still has is no leak.  The guard does
# not end as a program does, and has no report.
VALGRIND=(valgrind -q --error-exitcode=99 --leak-check=full "--show-leak-kinds=definite,indirect"
	"--errors-for-leak-kinds=definite,indirect")

# For the scripts: the command under valgrind, by its one name.  Descriptors that it has opened itself and not closed are
# told at its end (those of its parent are marked so).
cat >"$wrapped/holdfast" <<EOF
#!/bin/bash
exec ${VALGRIND[*]} --child-silent-after-fork=yes --log-file="$wrapped/log.%p" --track-fds=yes "$build/holdfast" "\$@"
EOF
chmod +x "$wrapped/holdfast"

note() {	# note NAME STATUS
	if [ "$2" -eq 0 ]; then
		passed=$((passed + 1))
		printf '  ok      %s\n' "$1"
	else
		failed=$((failed + 1))
		printf '  FAILED  %s\n' "$1"
		sed 's/^/          /' "$log" | tail -n 60
	fi
}

suite() {
	"${VALGRIND[@]}" "$build/tests/check_$1" >"$log" 2>&1 </dev/null
	local status=$?
	# What valgrind says of a child that passed.
	grep -q '^==[0-9]*== ' "$log" && status=1
	note "check_$1" $status
}

# Descriptors that the command has opened itself and not closed, but the one that ends with the process.
own_fds() {
	awk 'NF == 1 { if (block && block !~ /inherited from parent|hf_signals_cancel_fd/) { printf "%s", block; bad = 1 }
		       block = ""; next }
		/Open (file descriptor|AF_)/ { block = $0 "\n"; next }
		block { block = block $0 "\n" }
		END { exit !bad }' "$1"
}

script() {
	rm -f "$wrapped"/log.*
	HOLDFAST="$wrapped/holdfast" timeout -k 30 300 bash "$here/cli/$1.sh" >"$log" 2>&1 </dev/null
	local status=$? bad
	for bad in "$wrapped"/log.*; do
		[ -f "$bad" ] || continue
		if grep -qE '(definitely|indirectly) lost|Invalid|uninitialised|Mismatched' "$bad" || own_fds "$bad" >>"$log"; then
			cat "$bad" >>"$log"
			status=1
		fi
	done
	note "cli/$1" $status
}

if [ $# -gt 0 ]; then
	for name; do
		if [ -f "$here/cli/$name.sh" ]; then script "$name"; else suite "$name"; fi
	done
else
	for name in cgroupfs clock err event io names own print print_dot print_text procfs procfs_status scan task \
		writer; do
		suite "$name"
	done
	for name in tree-formats hold-for-a-time freeze-thaw-state no-such-cgroup; do
		script "$name"
	done
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
