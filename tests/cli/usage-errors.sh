#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A wrong call ends with 2, says exactly what is wrong on standard error, and prints nothing else.
. "$(dirname "$0")/lib.sh"

wrong()
{
	local text=$1
	shift
	run "$@"
	expect 2 "$text"
	[[ -z $OUT ]] || fail "$*: printed something"
	(($(wc -l < "$TMP/err") <= 2)) || fail "$*: more than a specific answer"
}

wrong "which command?"
wrong "unknown option --json; options follow the command's name" --json tree x
wrong "tree: which target? Write the path of a cgroup, or --pid PID, --unit NAME, --container ID or --all" tree
wrong "tree: one target at a time" tree --pid 1 x
wrong "hold: one target at a time" hold --all --pid 1
wrong "tree: --pid: '1x' is no process id" tree --pid 1x
wrong "tree: --pid: '' is no process id" tree --pid ""
wrong "tree: --pid: '99999999999' is no process id" tree -p 99999999999
wrong "tree: --except goes with --all" tree --except sh x
wrong "hold: --on-death goes with a cgroup" hold --all --on-death stay
# With nobody left to hold, where it is not refused.
wrong "hold: --for 0: a hold of the machine always ends by itself" hold -d --all --for 0 --except /
wrong "tree: one target at a time" tree -u cron x
wrong "tree: one target at a time" tree -u cron -c web
wrong "why: one target at a time" why -c web --all
wrong "tree: one unit at a time, but both 'a' and 'b' were given" tree -u a -u b
wrong "tree: one container at a time, but both 'a' and 'b' were given" tree -c a --container b
wrong "tree: the unit's name is empty" tree -u ""
wrong "tree: the container's name is empty" tree -c ""
wrong "tree: --user goes with --unit" tree --user x
wrong "tree: --unit: 'getty@' is no name of a unit: it is a template" tree -u getty@
wrong "freeze: unknown option --pid" freeze --pid 1
wrong "freeze: which cgroup? Write its path, or --unit NAME or --container ID" freeze
wrong "freeze: unknown option --pid" freeze --pid 1
wrong "tree: unknown option --bogus" tree --bogus x
wrong "did you mean --timeout?" tree --timeuot 3s x
wrong "hold: --for: '10' is no duration: it has no unit: write 10s or 500ms" hold --for 10 x
wrong "hold: --then takes run or stop or kill, not 'die'" hold --then die x
wrong "hold: --name: '-n' cannot be a name" hold --name -n x
wrong "tree: --json and --dot exclude each other" tree --json --dot x
wrong "freeze: one cgroup at a time" freeze a b
wrong "state: the cgroup's name is empty" state ""
wrong "check: it takes no operand, but was given 'x'" check x
wrong "state: unknown option --for" state --for 1s x
wrong "thaw: --timeout needs an argument: DURATION" thaw x --timeout
wrong "stack: --timeout is for taking a hold; --hold looks at one that stands" stack -H x --timeout 1s
wrong "tree: --on-armed is for taking a hold" tree --on-armed accept -H x
wrong "stack: --lines does not go with --folded" stack --folded --lines x
HOLDFAST_RUNTIME_DIR=run wrong "HOLDFAST_RUNTIME_DIR takes an absolute path, not 'run'" list
wrong "kill: unknown option -9; a signal is given with -s" kill -9 x
wrong "kill: unknown option -T; a signal is given with -s" kill -TERM x
wrong "kill: --on-traced goes with --pid and --all" kill --on-traced skip x
