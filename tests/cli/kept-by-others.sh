#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Two users: each sees his own holds, root can reach another's by its directory, nobody else is answered.  Leftovers of
# dead keepers, and what only looks like one, do not get in the way.
. "$(dirname "$0")/lib.sh"

((EUID == 0)) || leave_out "only root can become another user"
command -v setpriv > /dev/null || leave_out "setpriv (util-linux) is missing"
cp "$HOLDFAST" "$TMP/holdfast"
chmod 755 "$TMP/holdfast"
chmod 777 "$TMP"
mkdir "$TMP/theirs" "$TMP/open"
chown 65534:65534 "$TMP/theirs"
chmod 700 "$TMP/theirs"

# as_user ARGS...: holdfast as another user, with a directory of his.
as_user()
{
	HOLDFAST_RUNTIME_DIR=$TMP/theirs setpriv --reuid=65534 --regid=65534 --clear-groups "$TMP/holdfast" "$@" \
		> "$TMP/out" 2> "$TMP/err"
	ended $?
}

setpriv --reuid=65534 --regid=65534 --clear-groups sleep 1000 &
VICTIM=$!
STARTED+=("$VICTIM")
disown "$VICTIM"
await joined "$VICTIM" sleep
as_user hold -d -q --name mine -p "$VICTIM"
expect 0 ""
[[ $(stat -c '%a %u' "$TMP/theirs/mine.sock") == "600 65534" ]] || fail "the socket: $(stat -c '%a %u' "$TMP/theirs/mine.sock")"
as_user list
[[ $OUT == *"mine "* ]] || fail "'$OUT'"
run list
[[ $OUT != *mine* ]] || fail "root lists another's"

# A third user, who would even be let into the directory, is not answered.
chmod 755 "$TMP/theirs"
chmod 666 "$TMP/theirs/mine.sock"
# The system's own: what is first in the path may be in a folder of root's.
PATH=/usr/bin:/bin setpriv --reuid=65533 --regid=65533 --clear-groups python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b"{\"method\":\"org.holdfast.Hold.Release\",\"parameters\":{\"how\":\"kill\"}}\0")
answer = b""
while chunk := s.recv(4096):
    answer += chunk
assert answer == b"{\"error\":\"org.varlink.service.PermissionDenied\",\"parameters\":{}}\0", answer
' "$TMP/theirs/mine.sock" 2> "$TMP/err" || fail "a stranger was answered"
[[ $(state_letter "$VICTIM") == t ]] || fail "a stranger released it"
chmod 700 "$TMP/theirs"
chmod 600 "$TMP/theirs/mine.sock"

# Root can: the directory is another's, so it has to be reached by its socket.
python3 -c '
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b"{\"method\":\"org.holdfast.Hold.Info\"}\0")
info = json.loads(s.recv(65536)[:-1])["parameters"]["info"]
assert info["uid"] == 65534 and info["held"] == 1, info
' "$TMP/theirs/mine.sock" 2> "$TMP/err" || fail "root was not answered"
as_user release mine
expect 0 ""
[[ $(tracer_of "$VICTIM") == 0 ]] || fail "still traced"

# Where others may write, nothing is believed.
chmod 777 "$TMP/open"
HOLDFAST_RUNTIME_DIR=$TMP/open run list
expect 1 "belongs to somebody else, or others may write to it"
HOLDFAST_RUNTIME_DIR=$TMP/open run hold -d -p "$VICTIM"
expect 1 "belongs to somebody else, or others may write to it"
[[ $(tracer_of "$VICTIM") == 0 ]] || fail "held all the same"

# Leftovers: of a dead keeper, a socket without a lock, a lock without a socket, a file that is neither.
export HOLDFAST_RUNTIME_DIR=$TMP/run
mkdir -m 700 "$HOLDFAST_RUNTIME_DIR"
python3 -c 'import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1])' "$TMP/run/stale.sock"
: > "$TMP/run/stale.lock"
: > "$TMP/run/alone.lock"
: > "$TMP/run/-odd name.lock"
run list
expect 0 ""
[[ -z $OUT ]] || fail "'$OUT'"
[[ $(ls "$TMP/run") == "-odd name.lock" ]] || fail "left: $(ls "$TMP/run")"
: > "$TMP/run/stale.sock"
run hold -d -q --name stale -p "$VICTIM"
expect 0 ""
run release stale
expect 0 ""
