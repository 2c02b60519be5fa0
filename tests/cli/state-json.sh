#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The JSON of state, freeze and thaw is one object on one line, odd names included.
. "$(dirname "$0")/lib.sh"

as_json()
{
	child $'odd "name"\\ \xff\x1b'
	idle "$CHILD"
	for command in state freeze state thaw; do
		run "$command" --json "$CHILD"
		expect 0 ""
		(($(wc -l < "$TMP/out") == 1)) || fail "$command: not one line"
		python3 - "$VERSION" "$TMP/out" <<-'END' || fail "$command: $OUT"
			import json, sys
			state = json.load(open(sys.argv[2]))
			assert sorted(state) == ["path", "self_frozen", "state", "version"], state
			assert state["version"] == int(sys.argv[1]), state
			assert state["path"].endswith('/odd "name"\\ \\xff\x1b'), state
			assert state["state"] == ("frozen" if state["self_frozen"] else "thawed"), state
		END
	done
}
on_each_freezer as_json
