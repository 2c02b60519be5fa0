#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# stack shows the frames and names that eu-stack and gdb show of the same stopped process: same functions, same order.
# compare_stacks.py lists the differences that are allowed, and why.
. "$(dirname "$0")/lib.sh"

here=$(cd "$(dirname "$0")/.." && pwd)
command -v eu-stack > /dev/null || leave_out "eu-stack (elfutils) is missing"
[[ -x ${HF_BUILD:-}/holdfast ]] || fail "HF_BUILD is the directory of the build"
scratch 2 || leave_out "no v2 freezer in which a cgroup can be made"
mkfifo "$TMP/fifo"

threads_of()
{
	find "/proc/$1/task" -mindepth 1 -maxdepth 1 2> /dev/null | wc -l
}

has_threads()
{
	(($(threads_of "$VICTIM") >= $1))
}

is_stopped()
{
	[[ $(state_letter "$VICTIM") == T ]]
}

in_vdso()
{
	python3 -c 'import json, sys
stacks = json.load(open(sys.argv[1]))["stacks"]
sys.exit(not any(s["frames"] and s["frames"][0]["file"] == "[vdso]" for s in stacks))' "$TMP/json"
}

look()
{
	kill -STOP "$VICTIM"
	await is_stopped
	"$HOLDFAST" stack --no-merge --json "$CG" > "$TMP/json" 2> "$TMP/err"
	RC=$?
	((RC == 0 || RC == WITH_STATUS)) ||
		fail "$NAME: status $RC: $(grep -o '{"threads":[^{}]*{[^{}]*}[^{}]*"end":"[^o][^{}]*\[' "$TMP/json" | head -n 3)"
}

# compare NAME THREADS COMMAND...: what three tools say of it, once it has that many threads.
compare()
{
	local gdb=- tries=0
	NAME=$1
	(echo "$BASHPID" > "$CG/cgroup.procs" && exec "${@:3}" <> "$TMP/fifo" > /dev/null 2>&1) &
	VICTIM=$!
	STARTED+=("$VICTIM")
	disown "$VICTIM"
	await has_threads "$2"
	[[ -z $SETTLED ]] || await "$SETTLED"
	look
	while [[ $NAME == vdso ]] && ! in_vdso; do
		((tries++ < 200)) || fail "never met in the vdso"
		kill -CONT "$VICTIM"
		look
	done
	eu-stack -n 0 -p "$VICTIM" > "$TMP/eu" 2> /dev/null
	if command -v gdb > /dev/null; then
		gdb=$TMP/gdb
		gdb -nx -batch -ex "set debuginfod enabled off" -ex "set backtrace past-main on" \
			-ex "set backtrace past-entry on" -ex "thread apply all bt" -p "$VICTIM" > "$gdb" 2> /dev/null < /dev/null
	fi
	python3 "$here/compare_stacks.py" "$TMP/json" "$TMP/eu" "$gdb" > "$TMP/out" 2>&1 ||
		fail "$NAME: $(cat "$TMP/out")"
	[[ -z ${VERBOSE:-} ]] || echo "$NAME: $(cat "$TMP/out")"
	kill -KILL "$VICTIM"
	await gone "$VICTIM"
}

# with PROGRAM NAME THREADS COMMAND...: where that is installed.
with()
{
	if command -v "$1" > /dev/null; then
		compare "${@:2}"
	else
		left_out "$2: $1 is missing"
	fi
}

# Each of its threads: of one that has just been born the tools tell different things.
asleep()
{
	! cat /proc/"$VICTIM"/task/*/stat 2> /dev/null | grep -q ') [^S] '
}

cat > "$TMP/threads.py" << 'END'
import threading
event = threading.Event()
def wait(n):
    return wait(n - 1) if n else event.wait()
for i in range(20):
    threading.Thread(target=wait, args=(i % 7,), daemon=True).start()
wait(3)
END
cat > "$TMP/plus.cc" << 'END'
#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>
namespace deep {
template <typename T> struct Holder {
	__attribute__((noinline)) int visit(const std::string &s)
	{
		std::vector<int> x{3, 1, 2};
		std::sort(x.begin(), x.end(), [&](int a, int b) { pause(); return a < b; });
		return x[0] + (int)s.size();
	}
};
}
struct Base { virtual int go(int) = 0; virtual ~Base() {} };
struct Derived : Base {
	int go(int d) override
	{
		deep::Holder<std::map<int, std::string>> h;
		return d ? go(d - 1) + 1 : h.visit("x");
	}
};
int main()
{
	std::vector<std::thread> all;
	for (int i = 0; i < 3; i++)
		all.emplace_back([i] { Derived d; Base *b = &d; return b->go(i * 3); });
	Derived d;
	return d.go(2);
}
END

cc=${CC:-cc}
$cc -O2 -fomit-frame-pointer -pthread "$here/../bench/crowd.c" -o "$TMP/crowd" || fail "crowd.c"
WITH_STATUS=0
SETTLED=asleep
compare bash 1 bash -c 'f() { read -r x; }; g() { f; }; g; :'
with /usr/bin/python3 python3 21 /usr/bin/python3 "$TMP/threads.py"
with node node 7 node -e 'setInterval(() => {}, 100000)'
# shellcheck disable=SC2016  # of perl
with perl perl 1 perl -e 'sub f { my $n = shift; $n ? f($n - 1) : sleep(1000) } f(5)'
compare "C, 1000 threads" 1000 "$TMP/crowd" 1 1000 30
if g++ -O2 -pthread "$TMP/plus.cc" -o "$TMP/plus" 2> /dev/null; then
	compare "C++" 4 "$TMP/plus"
else
	left_out "C++: no g++"
fi
with rg "Rust (ripgrep)" 1 rg x -
WITH_STATUS=3	# Go has no unwind information, and its threads do not end with a frame pointer of 0
with fzf "Go (fzf)" 2 fzf -f x
WITH_STATUS=0
SETTLED=
compare "alternate stack" 3 "$HF_BUILD/tests/victims/frames" alt
compare vdso 2 "$HF_BUILD/tests/victims/frames" clock
SETTLED=asleep
if $cc -O2 -static -s -pthread "$here/../bench/crowd.c" -o "$TMP/static" 2> /dev/null; then
	compare "stripped static binary" 10 "$TMP/static" 1 10 5
else
	left_out "stripped static binary: no static libc"
fi
