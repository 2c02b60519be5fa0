# SPDX-License-Identifier: MIT
"""
point - one run of a command with its injections, which are its steps, and what was seen meanwhile.

A step is CLOCK@WHEN=ACTION, see sweep.py.
"""
import errno
import re
import sys
import time

import calls

HUNG_S = 15             # every run ends by itself within this time

# ---- Which errors a call can plausibly have ----------------------------------------------------

_FILE = "ENOENT ENODEV EPERM EMFILE ENOMEM EINTR EIO"
_STAT = "ENOENT ENOMEM EPERM EIO"
_NEW_FD = "EMFILE ENOMEM ENODEV EPERM"
_NAME = "ENOSPC ENOENT EPERM EIO ENOMEM"

# Not here are calls that do not fail, such as getpid; close, which closes even when it fails; those that the C
# library makes on its own account and does not survive, such as rseq and futex; and brk, which has no errno.
ERRNOS = {name: errnos.split() for names, errnos in (
    ("open openat openat2", _FILE),
    ("ptrace", "ESRCH EPERM EIO ENOMEM"),
    ("wait4 waitid", "EINTR ENOMEM"),
    ("clone clone3 fork vfork", "EAGAIN ENOMEM EPERM ENOSPC"),
    ("mmap mprotect mremap madvise", "ENOMEM EAGAIN"),
    ("poll ppoll pselect6 select", "EINTR ENOMEM"),
    ("getdents64", "ENOENT EIO ENOMEM"),
    ("stat lstat fstat newfstatat statx statfs fstatfs access faccessat faccessat2 readlink readlinkat", _STAT),
    ("mkdir mkdirat link linkat unlink unlinkat fallocate ftruncate", _NAME),
    ("socketpair socket pidfd_open timerfd_create signalfd4 memfd_create pipe2 dup dup2 dup3 eventfd2", _NEW_FD),
    ("fcntl", "EMFILE EAGAIN"),
    ("flock", "EINTR EAGAIN ENOMEM"),
    ("getrandom", "EAGAIN EINTR"),
    ("sched_setscheduler setsid setpgid", "EPERM ESRCH"),
    ("prctl", "EPERM"),
    ("chdir", "ENOENT EPERM"),
    ("close_range", "EMFILE ENOMEM"),
    ("kill tgkill pidfd_send_signal", "ESRCH EPERM EAGAIN"),
    ("sendto sendmsg recvfrom recvmsg", "EAGAIN EINTR ENOMEM"),
    ("timerfd_settime", "ENOMEM"),
    ("nanosleep clock_nanosleep", "EINTR"),
) for name in names.split()}

# Reading and writing: by what is behind the descriptor.
FILE_ERRNOS = {call: [(start, errnos.split()) for start, errnos in kinds] for call, kinds in (
    (("read", "pread64"), (("/proc/", "ESRCH EINTR ENOMEM EIO"), ("/sys/fs/cgroup/", "ENODEV EINTR ENOMEM EIO"),
                           ("socket:", "EINTR ENOMEM"), ("anon_inode:", "EAGAIN EINTR"), ("/", "EIO EINTR"))),
    (("write", "pwrite64"), (("/sys/fs/cgroup/", "ENODEV EINTR EAGAIN ENOMEM EIO EPERM ENOSPC"),
                             ("/", "EIO ENOSPC EINTR EAGAIN"))),
) for call in call}


def plausible_errnos(call):
    if call.name in FILE_ERRNOS:
        path = call.path()
        return next((errnos for start, errnos in FILE_ERRNOS[call.name] if path.startswith(start)), ())
    return ERRNOS.get(call.name, ())


O_PATH = 0o10000000     # with it hf_std_open() makes main()'s first call


# ---- One run -------------------------------------------------------------------------------------

class Step:
    def __init__(self, text):
        m = re.fullmatch(r"(holder|guard)@(?:(\d+)|(\w+)#(\d+)(\+1)?)=(kill-(?:holder|guard|both)|E[A-Z]+|E\d+)", text)
        if not m:
            sys.exit(f"sweep: not a step: {text}")
        self.clock, self.action = m[1], m[6]
        self.n, self.name, self.of_name, self.next = int(m[2] or 0), m[3], int(m[4] or 0), bool(m[5])
        self.when = text[len(self.clock) + 1:text.index("=")]
        self.reached = None             # the name of the call

    def __str__(self):
        return f"{self.clock}@{self.when}={self.action}"

    def is_due(self, call):
        if self.reached or call.role != self.clock:
            return False
        if not self.name:
            return call.n == self.n
        if self.of_name == 0:           # it was the one before
            return True
        if call.name == self.name:
            self.of_name -= 1
            return self.of_name == 0 and not self.next
        return False


class Point:
    """One run with its injections, and what was seen meanwhile."""

    def __init__(self, steps, counting=False, says_held=False):
        self.steps = steps
        self.counting = counting
        self.says_held = says_held      # on standard output, while it holds
        self.names = {"holder": [], "guard": []}
        self.n_errnos = {"holder": [], "guard": []}     # how many each call could have, when `counting`
        self.guard_since = None         # how many calls the holder had made when the guard made its first
        self.changes = []               # which calls of the holder wrote to the freezer, or were for ptrace without one
        self.n_changes = 0              # and were let pass
        self.begun = False              # main() has
        self.ending = False             # the holder has told the guard to end
        self.guard_killed_early = False
        self.guard_killed = False
        self.guard_hindered = False     # killed, or one of its calls failed
        self.holder_killed = False
        self.message_spoiled = False    # the call that failed was to say something
        self.lied = None                # what was wrong when the command said that it holds

    def reached(self):
        return all(step.reached for step in self.steps)

    def run(self, argv, target):
        self.target = target
        begun = time.monotonic()
        self.result = calls.Run(argv, target.env, self.on_call, HUNG_S)
        self.seconds = time.monotonic() - begun

    def on_call(self, run, call):
        self.names[call.role].append(call.name)
        self.begun |= call.name == "openat" and call.args[2] & O_PATH != 0
        if call.role == "guard" and self.guard_since is None:
            self.guard_since = len(self.names["holder"])
        if self.counting:
            self.n_errnos[call.role].append(len(plausible_errnos(call)) if self.begun else 0)
        changes = call.role == "holder" and self.watch_holder(call)
        for step in self.steps:
            if step.is_due(call):
                number = self.act(step, run, call)
                if number:
                    return number
        self.n_changes += changes and not self.holder_killed
        return 0

    def watch_holder(self, call):
        """Whether the call changes something."""
        if call.name == "shutdown":
            self.ending = True
        if call.name in ("write", "pwrite64") and call.args[0] == 1 and self.says_held and not self.ending and self.lied is None:
            self.lied = self.target.held_by(call.pid) or ""
        if self.target.version == 0:
            if call.name != "ptrace":
                return False
        elif call.name not in ("write", "pwrite64") or not call.path().endswith(("cgroup.freeze", "freezer.state")):
            return False
        self.changes.append(call.n)
        return True

    def act(self, step, run, call):
        if step.action.startswith("E"):
            # Before main() it is the dynamic linker whose calls would fail.
            if not self.begun:
                return 0
            plausible = plausible_errnos(call)
            if step.action[1:].isdigit() and int(step.action[1:]) < len(plausible):
                step.action = plausible[int(step.action[1:])]
            if step.action not in plausible:
                return 0
            step.reached = call.name
            self.guard_hindered |= call.role == "guard"
            self.message_spoiled |= call.name == "write" and call.args[0] in (1, 2)
            return getattr(errno, step.action)
        if step.action != "kill-holder":
            if step.action == "kill-guard" and not self.names["guard"]:
                return 0                # there is none yet
            self.guard_hindered = self.guard_killed = True
            self.guard_killed_early |= not self.ending
            run.kill("guard")
        if step.action != "kill-guard":
            self.holder_killed = True
            run.kill("holder")
        step.reached = call.name
        return 0
