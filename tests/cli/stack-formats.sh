#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# stack prints text, JSON, folded and normalised stacks, tells by its status whether they are complete, and leaves everybody as
# they were.
. "$(dirname "$0")/lib.sh"

frames=${HF_BUILD:?the directory of the build}/tests/victims/frames

formats()
{
	in_cgroup "$CG" "$frames" chain 6
	await threads_asleep 7
	run stack "$CG"
	expect 0 ""
	[[ $OUT == *"1 process, 7 threads, 3 different stacks, stopped for "*" ms"* ]] || fail "headline: $OUT"
	[[ $OUT == *"5 threads of PID $VICTIM frames: TID "*"sleeping in pause"* ]] || fail "merged: $OUT"
	[[ $OUT == *"#0  0x"*" pause+0x"*"#1  0x"*" wait_here+0x"*"#2  0x"*" inner+0x"*"#3  0x"*" middle+0x"* ]] ||
		fail "frames: $OUT"
	[[ $OUT != *"it ends here"* ]] || fail "incomplete: $OUT"

	run stack --no-merge "$CG"
	expect 0 ""
	[[ $(grep -c "^TID " "$TMP/out") == 7 && $(grep -c "^PID $VICTIM - frames" "$TMP/out") == 1 ]] || fail "$OUT"

	for pretty in "" --pretty; do
		# shellcheck disable=SC2086
		run stack --json $pretty "$CG"
		expect 0 ""
		python3 - "$VICTIM" "$TMP/out" <<-'END' || fail "$OUT"
			import json, sys
			seen = json.load(open(sys.argv[2]))
			assert seen["schema"] == 1 and seen["counts"]["threads"] == 7, seen
			assert seen["counts"]["stacks"] == len(seen["stacks"]) == 3, seen
			assert sum(len(s["threads"]) for s in seen["stacks"]) == 7, seen
			first = seen["stacks"][0]
			assert len(first["threads"]) == 5 and first["syscall_name"] == "pause", first
			names = [f["name"] for f in first["frames"]]
			assert names[:6] == ["pause", "wait_here", "inner", "middle", "outer", "chain"], names
			assert all(f["how"] == "cfi" for f in first["frames"][1:]), first
			assert all(s["end"] == "outermost" and s["why"] is None for s in seen["stacks"]), seen
			assert all(f["build_id"] for f in first["frames"]), first
		END
	done

	run stack --folded "$CG"
	expect 0 ""
	grep -q '^frames;.*;chain;outer;middle;inner;wait_here;pause 5$' "$TMP/out" || fail "$OUT"
	grep -q '^frames;_start;.*;main;outer;middle;inner;wait_here;pause 1$' "$TMP/out" || fail "$OUT"
	[[ $(cut -d' ' -f1 "$TMP/out") == $(cut -d' ' -f1 "$TMP/out" | sort) ]] || fail "not sorted: $OUT"

	run stack --no-names "$CG"
	expect 0 ""
	[[ $OUT == *"?? - "*libc* && $OUT != *wait_here* ]] || fail "$OUT"
	must_be_free
}

# Two runs of the same program are the same text, though ids and addresses differ.
normalised()
{
	local first
	in_cgroup "$CG" "$frames" chain 4
	await threads_asleep 5
	run stack --normalise "$CG"
	first=$(sed '/nanosleep/,/^$/d' "$TMP/out")
	kill -KILL "$VICTIM"
	await gone "$VICTIM"
	in_cgroup "$CG" "$frames" chain 4
	await threads_asleep 5
	run stack --normalise "$CG"
	expect 0 ""
	[[ $(sed '/nanosleep/,/^$/d' "$TMP/out") == "$first" ]] || fail "$first differs from $OUT"
	[[ $OUT == *"3 x frames: sleeping in pause"* ]] || fail "$OUT"
	[[ $OUT != *0x* && $OUT != *$VICTIM* ]] || fail "ids or addresses: $OUT"
	kill -KILL "$VICTIM"
	await gone "$VICTIM"
}

limited()
{
	in_cgroup "$CG" "$frames" deep 5000
	await threads_asleep 2
	run stack --limit 16K "$CG"
	expect 3 "1 stack larger than the copy limit; raise it with --limit"
	[[ $OUT == *"it ends here: the stack is larger than what was copied of it"* && $OUT == *", 1 incomplete, "* ]] ||
		fail "$OUT"
	run stack --limit 16K --while-held "$CG"
	expect 0 ""
	(($(grep -c recurse "$TMP/out") == 5000)) || fail "$(grep -c recurse "$TMP/out") frames"
	run stack --limit 1M "$CG"
	expect 0 ""
	(($(grep -c recurse "$TMP/out") == 5000)) || fail "$(grep -c recurse "$TMP/out") frames"
	must_be_free
}

lines()
{
	in_cgroup "$CG" "$frames" chain 2
	await threads_asleep 3
	run stack --lines "$CG"
	expect 0 ""
	if ldconfig -p | grep -q 'libdw\.so\.1 ' && pkg-config --exists libdw 2> /dev/null; then
		grep -q ' wait_here+0x.* tests/victims/frames\.c:[0-9]*$' "$TMP/out" || fail "$OUT"
	else
		left_out "source lines: no libdw"
	fi
}

on_each_freezer formats
on_each_freezer limited
scratch 2 && normalised
scratch 2 && lines
for words in "--json --folded" "--folded --normalise" "--no-merge --folded" "--lines --no-names" "--limit 0" "--limit x"; do
	# shellcheck disable=SC2086
	run stack $words pod
	expect 2 "-"
done
