#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each signal that ends a process, after one call of the C library and another, to each command that changes
# something: nobody is left frozen, stopped or traced who was not, and the exit status tells what is so.  Together the
# signals come after every call; SIGNAL_STRIDE=1 has each of them do so.
. "$(dirname "$0")/lib.sh"

HOLDFAST_RUNTIME_DIR=$TMP/run
export HOLDFAST_RUNTIME_DIR

sweep='
import glob, os, shutil, signal, subprocess, sys, time

holdfast, cgroup, version, tmp, victim, counter, preload, stride, offset = sys.argv[1:]
stride, offset = int(stride), int(offset)
# A machine that is busy enough keeps the victim from its stop for longer than the 10 seconds that are usual.
patience = 100
within = ["--timeout", "60s"]
rundir = tmp + "/run"
names = ["INT", "TERM", "HUP", "QUIT", "PIPE", "ALRM", "USR1", "USR2"]
signals = [getattr(signal, "SIG" + name) for name in names]
commands = {
    "tree": ["tree", *within, cgroup],
    "hold": ["hold", *within, "--for", "1ms", cgroup],
    "why": ["why", cgroup],
    "freeze": ["freeze", *within, cgroup],
    "thaw": ["thaw", *within, cgroup],
    "recover": ["recover"],
}
# The same two with processes for a target: without a cgroup, so once is enough.
if version == "2":
    commands["tree -p"] = ["tree", *within, "-p", victim]
    commands["hold -p"] = ["hold", *within, "--for", "1ms", "-p", victim]

def read(path):
    with open(path) as f:
        return f.read()

def own_setting():
    name = "cgroup.freeze" if version == "2" else "freezer.self_freezing"
    return read(cgroup + "/" + name) == "1\n"

def set_freezer(frozen):
    if version == "2":
        name, word = "cgroup.freeze", "1" if frozen else "0"
    else:
        name, word = "freezer.state", "FROZEN" if frozen else "THAWED"
    with open(cgroup + "/" + name, "w") as f:
        f.write(word)

def fail(what):
    sys.exit("v%s: %s" % (version, what))

def wait_for(what, test):
    until = time.monotonic() + patience
    while not test():
        if time.monotonic() > until:
            fail(what)
        time.sleep(0.001)

def is_free():
    status = dict(line.split(":", 1) for line in read("/proc/%s/status" % victim).splitlines() if ":" in line)
    return status["TracerPid"].strip() == "0" and status["State"].split()[0] not in "Tt"

def run(command, environment):
    done = subprocess.run([holdfast] + commands[command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=dict(os.environ, LD_PRELOAD=preload, **environment),
                          timeout=patience)
    return done.returncode, done.stdout.decode(), done.stderr.decode()

def prepare(command):
    if command == "thaw":
        set_freezer(True)
    elif command == "recover":
        set_freezer(True)
        shutil.copy(tmp + "/left.hold", rundir)

def is_in_order(command, code, out):
    journals = os.listdir(rundir)
    if command == "freeze":
        return own_setting() == (code == 0)
    if command == "thaw":
        return code != 0 or not own_setting()
    if command == "recover":
        return code != 0 and own_setting() == bool(journals) or not own_setting() and not journals
    if command.startswith("hold"):
        lines = [line.split()[0] for line in out.splitlines()]
        return not own_setting() and (lines == ["held", "released"] or code != 0 and lines == [])
    return not own_setting()

def try_one(command, sig, call):
    prepare(command)
    what = "%s, %s after call %d" % (command, signal.Signals(sig).name, call)
    try:
        code, out, err = run(command, {"AT_CALL": str(call), "AT_SIGNAL": str(int(sig))})
    except subprocess.TimeoutExpired:
        fail(what + ": does not end")
    # Ended as if nothing had been (too late, or it is how hold ends), or by that signal.
    if code not in (0, -sig):
        fail("%s: exit status %d: %s" % (what, code, err))
    # Nobody is anybody elses: what guards there were have ended, and said nothing.
    if "guard" in err:
        fail("%s: %s" % (what, err))
    if not is_in_order(command, code, out):
        fail("%s: exit status %d, frozen: %s, journals: %s, output: %s" %
             (what, code, own_setting(), os.listdir(rundir), out))
    set_freezer(False)
    for name in glob.glob(rundir + "/*.hold"):
        os.unlink(name)
    wait_for(what + ": the victim is traced or stopped", is_free)
    before = read(counter)
    wait_for(what + ": the victim does not run", lambda: read(counter) != before)
    return code

def count_calls(command):
    prepare(command)
    code, out, err = run(command, {"AT_COUNT": tmp + "/calls"})
    if code != 0:
        fail("%s: exit status %d: %s" % (command, code, err))
    set_freezer(False)
    return int(read(tmp + "/calls"))

tried = by_signal = 0
for command in commands:
    calls = count_calls(command)
    for k, sig in enumerate(signals):
        for call in range(1 + (offset + k) % stride, calls + 1, stride):
            tried += 1
            by_signal += try_one(command, sig, call) != 0
print("v%s: %d signals sent, %d ended it" % (version, tried, by_signal))
if not 0 < by_signal < tried:
    fail("nothing was tried")
'
at_any_moment()
{
	busy
	at_call
	leave_frozen "$CG"
	mv "$TMP"/run/*.hold "$TMP/left.hold" || fail "no journal"
	run thaw "$CG"
	python3 -c "$sweep" "$HOLDFAST" "$CG" "$VERSION" "$TMP" "$VICTIM" "$COUNTER" "$PRELOAD" \
		"${SIGNAL_STRIDE:-16}" "$((RANDOM % 16))" 2> "$TMP/err" || fail "$CG"
	must_be_free
}
ulimit -c 0
on_each_freezer at_any_moment
