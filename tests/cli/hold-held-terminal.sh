#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A terminal whose reader (a terminal emulator, an ssh, a tmux) is in the held target takes what its buffer takes: it
# delays the tree, and what is said on standard error, but not the release.
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2016
terminal='
import json, os, pty, select, signal, subprocess, sys, time

patience = 100
holdfast, cgroup, count = sys.argv[1], sys.argv[2], int(sys.argv[3])

def wait_for(what, test):
    until = time.monotonic() + patience
    while not test():
        if time.monotonic() > until:
            sys.exit("waited in vain: " + what)
        time.sleep(0.001)

def tracer(pid):
    with open("/proc/%d/status" % pid) as f:
        return next(int(line.split()[1]) for line in f if line.startswith("TracerPid:"))

def has_room(fd):
    return bool(select.select([], [fd], [], 0)[1])

# What the reader reads goes to a file; it ends with the terminal.
def open_terminal(path):
    master, slave = pty.openpty()
    reader = subprocess.Popen(["sh", "-c", "echo $$ > \"$1/cgroup.procs\"; exec cat > \"$2\"", "sh", cgroup, path],
                              stdin=master, stderr=subprocess.DEVNULL)
    os.close(master)
    def is_reader():
        with open("/proc/%d/comm" % reader.pid) as f:
            return f.read() == "cat\n"
    wait_for("the reader", is_reader)
    return reader, slave

def start(slave, *args):
    return subprocess.Popen([holdfast] + list(args) + [cgroup], stdin=slave, stdout=slave, stderr=slave)

def end(hold, reader, slave, path):
    try:
        code = hold.wait(patience)
    except subprocess.TimeoutExpired:
        sys.exit("it does not end: " + open("/proc/%d/wchan" % hold.pid).read())
    os.close(slave)
    reader.wait(patience)
    with open(path, newline="") as f:
        return code, f.read().replace("\r\n", "\n")

def must_release(hold, reader, sig):
    hold.send_signal(sig)
    wait_for("the release", lambda: tracer(reader.pid) == 0)

path = sys.argv[4]
# More than the buffer takes.
for sig in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
    reader, slave = open_terminal(path)
    hold = start(slave, "hold", "--json")
    wait_for("the hold", lambda: tracer(reader.pid) != 0)
    wait_for("a full terminal", lambda: not has_room(slave))
    # What it would say to this finds no room, and is not said.
    hold.send_signal(signal.SIGTSTP)
    must_release(hold, reader, sig)
    code, text = end(hold, reader, slave, path)
    lines = text.splitlines()
    if code != 0 or not lines[-1].startswith("released "):
        sys.exit("exit status %d, last line %r" % (code, lines[-1:]))
    trees = [line for line in lines if line.startswith("{")]
    if len(trees) != 1 or json.loads(trees[0])["counts"]["processes"] < count:
        sys.exit("%d trees" % len(trees))
    if len(text) < 65536:
        sys.exit("the terminal could take all of it")
# By time.
reader, slave = open_terminal(path)
code, text = end(start(slave, "hold", "--for", "300ms", "--json"), reader, slave, path)
if code != 0 or "released " not in text:
    sys.exit("--for: %d" % code)
# Little output, and output after the release.
for args in ["hold", "--for", "10ms"], ["tree", "--json"], ["tree"], ["why"]:
    reader, slave = open_terminal(path)
    code, text = end(start(slave, *args), reader, slave, path)
    if code != 0:
        sys.exit("%s: %d: %s" % (args, code, text))
'
crowded()
{
	(($(wc -l < "$CG/cgroup.procs") > 200))
}

held_terminal()
{
	# shellcheck disable=SC2016
	in_cgroup "$CG" sh -c 'for i in $(seq 200); do sleep 1000 & done; wait'
	await crowded
	busy
	python3 -c "$terminal" "$HOLDFAST" "$CG" 200 "$TMP/read" 2> "$TMP/err" || fail "$CG"
	must_be_free
}
on_each_freezer held_terminal
