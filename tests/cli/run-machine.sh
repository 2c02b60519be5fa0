#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The use that holding a machine was asked for: an atomic file operation.  The machine is a PID namespace with a
# /proc of its own, an init, and processes that look all the time whether a file is there.
. "$(dirname "$0")/lib.sh"

command -v unshare > /dev/null || leave_out "unshare (util-linux) is missing"
unshare --pid --fork --mount-proc true 2> /dev/null || leave_out "no PID namespace can be made here"

mkdir "$TMP/at" "$TMP/at/current" "$TMP/at/new"
echo old > "$TMP/at/current/file"
echo new > "$TMP/at/new/file"

# A look is one system call.  Each worker tells of its misses, and that it goes on.
cat > "$TMP/worker.py" <<'PYTHON'
import os, sys
turns = 0
while True:
    if not os.access("current/file", os.F_OK):
        open("missed.%s" % sys.argv[1], "w").close()
    turns += 1
    if turns % 1000 == 0:
        with open("turns.%s" % sys.argv[1], "w") as f:
            f.write(str(turns))
PYTHON

# The operation: in the middle of it there is no current.  How long it lasts is given.
cat > "$TMP/swap" <<'SHELL'
mv current old && sleep "$1" && mv new current && mv old new
SHELL

cat > "$TMP/machine" <<'SHELL'
set -u
cd "$1" || exit
fail() { echo "$*"; exit 1; }
await() { local n=0; until "$@"; do ((n++ < 6000)) || fail "waited in vain: $*"; sleep 0.01; done; }
moved() { [[ $(cat "turns.$1" 2> /dev/null) != "$2" ]]; }
all_move() { local i was; for i in 1 2 3 4; do was=$(cat "turns.$i" 2> /dev/null); await moved "$i" "$was"; done; }

# One worker belongs to a daemon of its own session, one is an orphan, which came to init.
python3 ../worker.py 1 &
python3 ../worker.py 2 &
setsid sh -c 'python3 ../worker.py 3 & wait' &
sh -c 'python3 ../worker.py 4 & exit'
all_move

# The contrast: without a hold they see the gap.
sh ../swap 0.5
await compgen -G 'missed.*' > /dev/null
all_move	# whoever was about to note it has done so
rm -f missed.*

for ((i = 0; i < 5; i++)); do
	"$HOLDFAST" run --all -- sh ../swap 0.1 || fail "run: exit status $?"
	all_move
	! compgen -G 'missed.*' || fail "round $i: somebody looked meanwhile"
done
[[ $(cat current/file) == old ]] || fail "not swapped six times"

# The command is not held with the others, nor told of as a newcomer; it sees them stopped.
"$HOLDFAST" run --all -- sh -c 'echo "$HOLDFAST_PIDS"; for p in $HOLDFAST_PIDS; do grep -H State /proc/$p/status; done' \
	> said 2>&1 || fail "run: exit status $?"
(($(grep -c "t (tracing stop)" said) == $(head -n 1 said | wc -w))) || fail "$(cat said)"
! grep -q "held" said || fail "$(cat said)"

# It ends by its time.
"$HOLDFAST" run --all --for 200ms -- sleep 1000 2> said && fail "no limit"
grep -q "was over before the command had ended: all was released" said || fail "$(cat said)"
all_move
exit 0
SHELL
unshare --pid --fork --mount-proc --kill-child bash "$TMP/machine" "$TMP/at" > "$TMP/out" 2>&1 || fail "$(cat "$TMP/out")"
