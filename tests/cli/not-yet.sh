#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What this version does not have is refused, and not advertised.
. "$(dirname "$0")/lib.sh"

run core x
expect 2 "unknown command 'core'"
run help
[[ $OUT != *$'\n'"  core "* ]] || fail "help lists core"
