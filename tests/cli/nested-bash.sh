#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A bash inside a bash, on a terminal of their own: held and released, the outer one notices nothing, and the inner one goes
# on.  Stopped and continued by signals, as the contrast, the outer one does notice.
. "$(dirname "$0")/lib.sh"

command -v python3 > /dev/null || leave_out "python3 is missing"
python3 - "$HOLDFAST" "$PATIENCE" > "$TMP/out" 2> "$TMP/err" <<'END' || fail "$(cat "$TMP/out")"
import os, pty, re, select, signal, subprocess, sys, time

holdfast, patience = sys.argv[1], float(sys.argv[2])

class Shell:
    """An interactive bash; say() types a line and returns what came until its mark."""
    def __init__(self):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(PS1="", TERM="dumb")
            os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
        self.n = 0
        self.seen = ""
        self.say("bind 'set enable-bracketed-paste off' 2> /dev/null; stty -echo")

    def read_until(self, pattern):
        end = time.monotonic() + patience
        while not re.search(pattern, self.seen):
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                sys.exit(f"no {pattern!r} in {self.seen!r}")
            self.seen += os.read(self.fd, 4096).decode(errors="replace")
        m = re.search(pattern, self.seen)
        before, self.seen = self.seen[:m.start()], self.seen[m.end():]
        return before, m

    def say(self, line):
        self.n += 1
        os.write(self.fd, f"{line}\n".encode())
        # In two parts, so that the terminal's echo of the line is not taken for its output.
        os.write(self.fd, f"echo 'mark''-'{self.n}-$$\n".encode())
        text, m = self.read_until(rf"mark-{self.n}-(\d+)\r?\n")
        return text, int(m[1])

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.close(self.fd)
        os.waitpid(self.pid, 0)

def state(pid):
    return open(f"/proc/{pid}/stat").read().rsplit(") ", 1)[1][0]

def nested():
    shell = Shell()
    outer = shell.say(":")[1]
    shell.say("export PS1=''; bash --norc --noprofile -i")
    inner = shell.say("stty -echo")[1]
    assert outer == shell.pid and inner != outer, (shell.pid, outer, inner)
    return shell, outer, inner

shell, outer, inner = nested()
for _ in range(5):
    hold = subprocess.Popen([holdfast, "hold", "-p", str(inner)], stdout=subprocess.PIPE, text=True)
    assert hold.stdout.readline().startswith(f"held {inner}: 1 process"), "not held"
    assert state(inner) == "t", state(inner)
    # Whoever is typed to now is the inner one, when it is back: the outer one still waits for it.
    os.write(shell.fd, b"echo 'typed''-while-held-'$$\n")
    hold.send_signal(signal.SIGTERM)
    assert hold.wait() == 0
    text, m = shell.read_until(r"typed-while-held-(\d+)")
    assert int(m[1]) == inner, (text, m[0])
    assert "Stopped" not in text, text
    text, who = shell.say(":")
    assert who == inner and "Stopped" not in text, (text, who, inner)
shell.end()

# The contrast: the outer one is told, says so, and takes the terminal back.
shell, outer, inner = nested()
os.kill(inner, signal.SIGSTOP)
shell.read_until(r"Stopped +bash")
text, who = shell.say(":")
assert who == outer, f"the contrast is none: {who} answers, {text!r}"
shell.end()
END
