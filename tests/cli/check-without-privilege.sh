#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A user who may write no freezer is told so, with the remedy, and check ends with 1.
. "$(dirname "$0")/lib.sh"

((EUID == 0)) || leave_out "only root can become another user"
command -v setpriv > /dev/null || leave_out "setpriv (util-linux) is missing"
cp "$HOLDFAST" "$TMP/holdfast"
chmod 755 "$TMP" "$TMP/holdfast"
setpriv --reuid=65534 --regid=65534 --clear-groups "$TMP/holdfast" check > "$TMP/out" 2> "$TMP/err"
ended $?
[[ $OUT == *"limited  privilege: uid 65534 without CAP_SYS_PTRACE"*"; run as root"* ]] || fail "$OUT"
if grep -q 'freezer.*writable\|may be frozen$' "$TMP/out"; then
	leave_out "uid 65534 has been given a freezer here"
fi
expect 1 ""
[[ $OUT == *"no       freezer v"*"no cgroup there can be written"*"run as root"* ]] || fail "$OUT"
