#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A real container of runc: held by its name and by the beginning of it, released; and one that `runc pause` has
# paused stays paused.  Its root directory has one program in it, a static busybox.
. "$(dirname "$0")/lib.sh"

((EUID == 0)) || leave_out "runc without root is another matter"
command -v runc > /dev/null || leave_out "no runc"
busybox=$(command -v busybox) || leave_out "no busybox"
ldd "$busybox" > /dev/null 2>&1 && leave_out "no static busybox"

container=hf-cli-$$-runc
remove_container()
{
	runc resume "$container"
	runc delete --force "$container"
	clean_up
} > /dev/null 2>&1
trap remove_container EXIT

mkdir -p "$TMP/bundle/rootfs/bin" "$TMP/bundle/rootfs/proc" "$TMP/bundle/rootfs/tmp"
cp "$busybox" "$TMP/bundle/rootfs/bin/busybox"
# No network, no devices, no limits: what a container needs to be one, and a counter that shows whether it runs.
cat > "$TMP/bundle/config.json" <<'END'
{ "ociVersion": "1.0.2",
  "process": { "user": { "uid": 0, "gid": 0 }, "cwd": "/", "env": [ "PATH=/bin" ], "args": [ "/bin/busybox", "sh", "-c",
    "busybox sleep 1000 & i=0; while :; do i=$((i + 1)); echo $i > /tmp/count; done" ] },
  "root": { "path": "rootfs" },
  "mounts": [ { "destination": "/proc", "type": "proc", "source": "proc" } ],
  "linux": { "namespaces": [ { "type": "pid" }, { "type": "mount" }, { "type": "ipc" }, { "type": "uts" } ] } }
END

runc run --detach --bundle "$TMP/bundle" "$container" > "$TMP/out" 2> "$TMP/err" < /dev/null ||
	leave_out "runc does not work here: $(tail -n 1 "$TMP/err")"
: > "$TMP/err"
COUNTER=$TMP/bundle/rootfs/tmp/count
await test -s "$COUNTER"

status_of()
{
	runc state "$container" | python3 -c 'import json, sys; print(json.load(sys.stdin)["status"])'
}

# Both processes of the container, and nobody else, are in the tree.
must_be_the_container()
{
	python3 - "$TMP/out" "$(runc ps --format json "$container")" "$1" <<-'END' || fail "$2"
		import json, sys
		tree = json.load(open(sys.argv[1]))
		assert [p["pid"] for p in tree["processes"]] == json.loads(sys.argv[2]), (tree, sys.argv[2])
		assert len(tree["processes"]) == 2 and tree["counts"]["held"] == 2, tree["counts"]
		assert tree["target"]["found"] == sys.argv[3], tree["target"]
		assert tree["target"]["kind"] == "cgroup", tree["target"]
	END
}

run tree --json --container "$container"
expect 0 ""
must_be_the_container thawed "$OUT"
must_move

run state -c "${container::-2}"
expect 0 ""
[[ $OUT == "thawed "* ]] || fail "state: '$OUT'"
start_hold -c "${container::-2}"
[[ $HELD == "held $container: 2 processes, 2 threads, "* ]] || fail "'$HELD'"
must_stand
[[ $(status_of) == running ]] || fail "runc sees $(status_of)"
end_hold TERM
[[ $RC == 0 && $RELEASED == "released $container: "* ]] || fail "$RC '$RELEASED'"
must_move

run hold -q -d -c "${container::-2}"
expect 0 ""
[[ $OUT == "held $container: 2 processes, "* ]] || fail "in the background: '$OUT'"
must_stand
run release "$container"
[[ $RC == 0 ]] || fail "release: $RC"
must_move

runc pause "$container" || fail "runc pause"
must_stand
run tree --json -c "$container"
expect 0 ""
must_be_the_container frozen "paused: $OUT"
[[ $(status_of) == paused ]] || fail "after a tree it is $(status_of)"
must_stand
start_hold -c "$container"
end_hold TERM
[[ $RC == 0 && $(status_of) == paused ]] || fail "after a hold it is $(status_of), $RC"
must_stand
runc resume "$container" || fail "runc resume"
must_move

# Dead, but not deleted: it still has a cgroup, with nobody in it.
runc kill "$container" KILL
ended_here()
{
	[[ $(status_of) == stopped ]]
}
await ended_here
run tree -c "$container"
expect 1 "nobody to hold"
runc delete "$container"
run tree -c "$container"
expect 1 "no container $container"
