#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# stack finds files and names where the target has them: in another root, deleted, replaced since, stripped with the symbols in
# a separate file (by build-id) or compressed in the file itself.  What was replaced gives no names of the new file.
. "$(dirname "$0")/lib.sh"

scratch 2 || leave_out "no v2 freezer in which a cgroup can be made"
cc=${CC:-cc}
cat > "$TMP/prog.c" <<'END'
#include <unistd.h>
static volatile int after;
__attribute__((noinline)) static void hidden_leaf(void) { while (!after) pause(); }
__attribute__((noinline)) static void hidden_middle(void) { hidden_leaf(); after++; }
int main(void) { hidden_middle(); return after; }
END
$cc -O2 -Wl,--build-id "$TMP/prog.c" -o "$TMP/full" || fail "prog.c"

asleep()
{
	[[ $(state_letter "$VICTIM") == S ]] && grep -q "^Name:	$1" "/proc/$VICTIM/status"
}

# victim PROGRAM [COMMAND...]: have it run in CG.
victim()
{
	local name=$1
	shift
	("${@:-true}" > /dev/null 2>&1)
	(echo "$BASHPID" > "$CG/cgroup.procs" && exec "$name" > /dev/null 2>&1) &
	VICTIM=$!
	STARTED+=("$VICTIM")
	disown "$VICTIM"
	await asleep "$(basename "$name")"
}

end()
{
	kill -KILL "$VICTIM"
	await gone "$VICTIM"
}

has_names()
{
	run stack "$CG"
	expect 0 ""
	[[ $OUT == *" pause+0x"*" hidden_leaf+0x"*" hidden_middle+0x"*" main+0x"* ]] || fail "$1: $OUT"
	if [[ $1 == *deleted* || $1 == *replaced* ]]; then
		[[ $OUT == *" main+0x"*" - $TMP/"*" (deleted)"* ]] || fail "$1, and not told: $OUT"
	else
		[[ $OUT != *"(deleted)"* ]] || fail "$1: $OUT"
	fi
	end
}

cp "$TMP/full" "$TMP/deleted"
victim "$TMP/deleted"
rm "$TMP/deleted"
has_names "a deleted program"

cp "$TMP/full" "$TMP/replaced"
victim "$TMP/replaced"
cp "$TMP/full" "$TMP/new"
mv "$TMP/new" "$TMP/replaced"
has_names "a replaced program"

# Without symbols: shown as such.
objcopy --strip-all "$TMP/full" "$TMP/bare"
victim "$TMP/bare"
run stack "$CG"
expect 0 ""
[[ $OUT == *"pause+0x"*"#1  0x"*" ?? - $TMP/bare"*"#2  0x"*" ?? - $TMP/bare"* && $OUT != *hidden* ]] || fail "stripped: $OUT"
end

# .gnu_debugdata: the symbols that are not dynamic, as an ELF file of their own, compressed.
if command -v xz > /dev/null; then
	objcopy -S --remove-section .gdb_index --remove-section .comment --keep-symbol hidden_leaf \
		--keep-symbol hidden_middle --keep-symbol main "$TMP/full" "$TMP/mini"
	xz -k "$TMP/mini"
	objcopy --add-section .gnu_debugdata="$TMP/mini.xz" "$TMP/bare" "$TMP/minidebug"
	victim "$TMP/minidebug"
	has_names "mini debug info"
else
	left_out "mini debug info: xz is missing"
fi

# Another root, in which the program and, below /usr/lib/debug, its symbols are.
if $cc -O2 -static -Wl,--build-id "$TMP/prog.c" -o "$TMP/static" 2> /dev/null; then
	id=$(readelf -n "$TMP/static" | sed -n 's/.*Build ID: //p')
	mkdir -p "$TMP/root/usr/lib/debug/.build-id/${id:0:2}"
	objcopy --only-keep-debug "$TMP/static" "$TMP/root/usr/lib/debug/.build-id/${id:0:2}/${id:2}.debug"
	objcopy --strip-all "$TMP/static" "$TMP/root/within"
	(echo "$BASHPID" > "$CG/cgroup.procs" && exec chroot "$TMP/root" /within) &
	VICTIM=$!
	STARTED+=("$VICTIM")
	disown "$VICTIM"
	await asleep within
	run stack "$CG"
	expect 0 ""
	[[ $OUT == *" hidden_leaf+0x"*"/root/within"*" hidden_middle+0x"*" main+0x"* ]] || fail "another root: $OUT"
	end
else
	left_out "another root: no static libc"
fi

# One program under three names, in two files: equal stacks, but each process is counted under its own name, in its own file.
cp "$TMP/full" "$TMP/one"
cp "$TMP/full" "$TMP/two"
ln "$TMP/one" "$TMP/link"
for name in one two two link; do
	victim "$TMP/$name"
done
run stack "$CG"
expect 0 ""
[[ $OUT == *"4 threads of 4 processes one, two, link: TID "* ]] || fail "merged: $OUT"
run stack --folded "$CG"
expect 0 ""
grep -q '^one;.*;main;hidden_middle;hidden_leaf;pause 1$' "$TMP/out" || fail "folded, one: $OUT"
grep -q '^two;.*;main;hidden_middle;hidden_leaf;pause 2$' "$TMP/out" || fail "folded, two: $OUT"
run stack --normalise "$CG"
expect 0 ""
grep -q "^1 x one: " "$TMP/out" || fail "normalised: $OUT"
grep -q "^2 x two: " "$TMP/out" || fail "normalised: $OUT"
run stack --no-merge --json "$CG"
python3 - "$TMP/out" <<-'END' || fail "files: $OUT"
	import json, os, sys
	for kind in json.load(open(sys.argv[1]))["stacks"]:
	    [main] = [f for f in kind["frames"] if f["name"] == "main"]
	    assert os.path.basename(main["file"]) == kind["threads"][0]["process"], kind
	    assert "file_deleted" not in main, main
END
