#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# An unknown command ends with 2, and a slip of the finger is answered with what may have been meant.
. "$(dirname "$0")/lib.sh"

run frezee
expect 2 "unknown command 'frezee'; did you mean 'freeze'?"
run hodl x
expect 2 "did you mean 'hold'?"
run help sate
expect 2 "did you mean 'state'?"
run xyzzy
expect 2 "unknown command 'xyzzy'"
[[ $ERR != *"did you mean"* ]] || fail "guessed at nonsense"
