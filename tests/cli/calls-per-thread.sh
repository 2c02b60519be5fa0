#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What one more thread costs in system calls: counted, so exact on any machine.  Before the first stop it is asked, where
# a cgroup can have one thread of a process without the others, whether it is one of our own (tgkill).  Between the first
# stop and the last it is seized and interrupted (ptrace), asked whose it is (tgkill) and waited for once (wait4).  At the
# release its result is looked at, and it is detached (ptrace).  `hold` has a look at whether all live, before it says that
# they are held (wait4).  Nothing else, no file under /proc, and nothing that would grow faster than the threads.
. "$(dirname "$0")/lib.sh"

CALLS=$HF_BUILD/bench/calls
CROWD=$HF_BUILD/bench/crowd
# They make system calls of their own, and do not like to be traced.
ldd "$HOLDFAST" | grep -q libasan && leave_out "the command is built with sanitizers"

# crowd PROCESSES THREADS: start them in CG, and wait until they are there.
crowd()
{
	mkfifo "$TMP/ready" || fail "mkfifo"
	(
		echo "$BASHPID" > "$CG/cgroup.procs" || exit
		exec "$CROWD" "$1" "$2" 1 < /dev/null > "$TMP/ready"
	) &
	VICTIM=$!
	STARTED+=("$VICTIM")
	disown "$VICTIM"
	read -r -t "$PATIENCE" < "$TMP/ready" || fail "the crowd did not come"
	rm "$TMP/ready"
}

# count PROCESSES THREADS OUT [OPTION...]: the calls of a hold of so many.
count()
{
	local out=$3
	crowd "$1" "$2"
	"$CALLS" "$HOLDFAST" hold -q --for 0s "${@:4}" "$CG" > "$TMP/out" 2> "$TMP/err" || fail "hold of $1 x $2: $?"
	tail -n 1 "$TMP/err" > "$TMP/$out"
	: > "$TMP/err"
	kill -KILL "$VICTIM"
	await is_empty "$CG"
}

# expect_for_one_more WHAT WANT: of two counts, the second of a hundred more.
expect_for_one_more()
{
	python3 - "$TMP/few" "$TMP/many" "$2" <<-'END' || fail "v$VERSION: one more $1 costs other system calls"
		import json, sys
		few, many = (json.load(open(f)) for f in sys.argv[1:3])
		# Of a hundred a handful more or less: the guard's end is asked for until it comes.
		each = {c: round((many[c] - few.get(c, 0)) / 100, 1) for c in many}
		# And these are called as often as it takes, while something is waited for.
		each = {c: n for c, n in each.items() if n and c not in ("ppoll", "pread64", "futex")}
		want = json.loads(sys.argv[3])
		assert each == want, "calls %s\nwant  %s" % (json.dumps(each, sort_keys=True), json.dumps(want, sort_keys=True))
	END
}

per_thread()
{
	count 1 50 few
	count 1 150 many
	expect_for_one_more thread "{\"ptrace\": 4, \"wait4\": 2, \"tgkill\": $((VERSION == 1 ? 2 : 1))}"
}
on_each_freezer per_thread
