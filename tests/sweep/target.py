# SPDX-License-Identifier: MIT
"""
target - a scratch cgroup with victims in it, and the proof that it is as it was made: settings, states, nobody
traced, everybody counting who did, parents told nothing.

The victims are those of tests/victims; each of their threads counts in a slot of a board (victims/victim.h) that is
mapped here.  Whatever is made here has SWEEP_MARK in its name or environment, so that clean_up() finds it whoever
was killed.
"""
import mmap
import os
import re
import select
import shutil
import signal
import struct
import tempfile
import time

import calls

MARK_ENV = "HOLDFAST_SWEEP"
NAP_US = 500            # between two counts of a victim's thread
PATIENCE_S = 60         # for what must happen, on a busy machine

# struct victim_board of victims/victim.h
_EVENTS, _SLOTS, _SLOT = 4096, 2048, 64
_SLOTS_AT = (8 + _EVENTS * 20 + 63) // 64 * 64
_BOARD = _SLOTS_AT + _SLOTS * _SLOT


def mount_of(version):
    """Where the hierarchy of that version with a freezer is mounted, or None."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as f:
        for line in f:
            before, after = line.rstrip("\n").split(" - ")
            kind, _, options = after.split(" ")
            if kind == "cgroup2" if version == 2 else kind == "cgroup" and "freezer" in options.split(","):
                return re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), before.split(" ")[4])
    return None


def _read(*path):
    with open(os.path.join(*path), encoding="ascii", errors="replace") as f:
        return f.read()


def _write(text, *path):
    fd = os.open(os.path.join(*path), os.O_WRONLY)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _status(tid, fields=("State", "TracerPid")):
    text = _read(f"/proc/{tid}/status")
    return [re.search(rf"^{field}:\s+(\S+)", text, re.M)[1] for field in fields]


# ---- Cleaning up ------------------------------------------------------------------------------

def _thaw(path):
    for text, name in (("0", "cgroup.freeze"), ("THAWED", "freezer.state")):
        try:
            _write(text, path, name)
        except OSError:
            pass


def _remove(top):
    """Thaw, kill and remove a cgroup with all below it."""
    until = time.monotonic() + PATIENCE_S
    levels = [path for path, _, _ in os.walk(top, topdown=False)]
    while levels and time.monotonic() < until:
        for path in reversed(levels):
            _thaw(path)
        for path in list(levels):
            try:
                for pid in _read(path, "cgroup.procs").split():
                    os.kill(int(pid), signal.SIGKILL)
                os.rmdir(path)
            except OSError:
                pass
            if not os.path.exists(path):
                levels.remove(path)
        time.sleep(0.001)


def _is_alive(pid):
    return os.path.exists(f"/proc/{pid}/stat") and _status(pid, ("State",)) != ["Z"]


def _marked_processes(mark):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if f"{MARK_ENV}={mark}".encode() in _read("/proc", pid, "environ").encode().split(b"\0"):
                yield int(pid)
        except OSError:
            pass


def clean_up(mark):
    """Everything that the sweep with this mark (its process) has made."""
    for pid in _marked_processes(mark):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    for version in (1, 2):
        mount = mount_of(version)
        for name in os.listdir(mount) if mount else ():
            if name.startswith(f"hf-sweep-{mark}-"):
                _remove(os.path.join(mount, name))
    for name in os.listdir(tempfile.gettempdir()):
        if name.startswith(f"hf-sweep-{mark}-"):
            shutil.rmtree(os.path.join(tempfile.gettempdir(), name), ignore_errors=True)


def clean_up_dead():
    """After sweeps whose janitor was killed with them."""
    for version in (1, 2):
        mount = mount_of(version)
        for name in os.listdir(mount) if mount else ():
            m = re.match(r"hf-sweep-(\d+)-", name)
            if m and not _is_alive(int(m[1])):
                clean_up(int(m[1]))


def start_janitor(mark):
    """A process that cleans up when this one, and all that it forks, are gone.  Returns its pid and our end."""
    theirs, ours = os.pipe()
    pid = os.fork()
    if pid:
        os.close(theirs)
        return pid, ours
    try:
        os.setsid()
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sig, signal.SIG_IGN)
        os.close(ours)
        os.read(theirs, 1)
        clean_up(mark)
    finally:
        os._exit(0)


# ---- Victims ----------------------------------------------------------------------------------

class Victim:
    """moves: the first slots of its own that count.  state: that of its first thread, or None for any running one."""

    def __init__(self, target, cgroup, *argv, slots=1):
        ready, ready_in = os.pipe()
        self.first = target.slots_used
        self.slots = range(self.first, self.first + slots)
        target.slots_used += slots
        self.still_at = None            # the counts of one that does not run
        self.state = None
        self.pid = os.fork()
        if self.pid == 0:
            try:
                calls.die_with_parent()
                os.setpgid(0, 0)
                if cgroup:
                    _write("0", cgroup, "cgroup.procs")
                os.dup2(os.open("/dev/null", os.O_WRONLY), 2)
                for fd in (target.board_fd, ready_in):
                    os.set_inheritable(fd, True)
                program = os.path.join(target.build, "tests", "victims", argv[0])
                os.execve(program, [program, *argv[1:]],
                          {MARK_ENV: str(target.mark), "VICTIM_BOARD_FD": str(target.board_fd),
                           "VICTIM_READY_FD": str(ready_in)})
            finally:
                os._exit(91)
        os.close(ready_in)
        if not select.select([ready], [], [], PATIENCE_S)[0] or len(os.read(ready, 4)) != 4:
            raise RuntimeError(f"victim {argv[0]} did not get ready")
        os.close(ready)
        self.target = target
        self.cgroup = cgroup
        self.tids, self.children = self.list_tids()

    def list_tids(self):
        """Of its processes: a vfork parent's child is one of them.  And those children."""
        tids, pids = [], [self.pid]
        for pid in pids:
            for tid in os.listdir(f"/proc/{pid}/task"):
                tids.append(int(tid))
                pids += map(int, _read(f"/proc/{pid}/task/{tid}/children").split())
        return sorted(tids), pids[1:]

    def counts(self):
        return [self.target.count(slot) for slot in self.slots]

    def stop(self):
        """As a user does; the one notice of it is taken by its parent, us."""
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED)
        self.state = "T"
        self.still_at = self.counts()

    def news(self):
        """What its parent has been told since."""
        info = os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WCONTINUED | os.WEXITED | os.WNOHANG)
        return f"its parent was told si_code {info.si_code}, status {info.si_status}" if info else None

    def heard(self, words):
        """None when the next news is this."""
        news = self.news()
        if words is None:
            return news
        return None if news and news.endswith(words) else f"victim {self.pid}: {news}, and not {words}"

    def wrong(self, frozen):
        """frozen: it is in a v1 cgroup that is, where everybody shows D."""
        try:
            if self.list_tids()[0] != self.tids:
                return f"victim {self.pid} has other threads than before"
            for tid in self.tids:
                state, tracer = _status(tid)
                if tracer != "0":
                    return f"thread {tid} is traced by {tracer}"
                if state in "tTZX" and state != self.state:
                    return f"thread {tid} is in state {state}"
                if self.state and tid == self.pid and state not in (self.state, "D" if frozen else self.state):
                    return f"thread {tid} is in state {state}, and was in {self.state}"
        except (OSError, TypeError):
            return f"victim {self.pid} is gone"
        return None

    def not_held(self, tracers):
        """Who of it is not in the hands of one of these threads."""
        for tid in self.tids:
            state, tracer = _status(tid)
            if int(tracer) not in tracers:
                return f"thread {tid} is said to be held, but traced by {tracer}"
            # A vfork parent sleeps on, but for the moments in which the freezer wakes it up; who is frozen on v1 besides
            # shows that.
            frozen = state == "D" and self.target.version == 1 and (
                self.still_at is not None or self.target.own_setting(self.target.path))
            if state != "t" and not frozen and not (self.state == "D" and tid == self.pid):
                return f"thread {tid} is said to be held, but in state {state}"
        return None


def _await(wrong, until):
    """None as soon as wrong() says that nothing is, or what it says in the end."""
    while True:
        problem = wrong()
        if not problem or time.monotonic() > until:
            return problem
        time.sleep(0.0003)


# ---- The target -------------------------------------------------------------------------------

def _running(t):
    t.add(t.path, "spin", "1", slots=1)
    t.add(t.path, "spin", "1", slots=1)


def _threads(t):
    t.add(t.path, "spin", "4", slots=4)


def _stopped(t):
    t.add(t.path, "spin", "2", slots=2).stop()


def _nested(t):
    t.add(t.level("thawed"), "spin", "1", slots=1)
    frozen = t.level("frozen")
    victim = t.add(frozen, "spin", "1", slots=1)
    t.freeze(frozen, True)
    victim.still_at = victim.counts()


def _vfork(t):
    t.add(t.path, "vforkwait", slots=1).state = "D"


KINDS = {
    "running": (_running,),
    "threads": (_threads,),
    "stopped": (_stopped, _running),
    "nested": (_nested, _running),
    "vfork": (_vfork, _running),
    "mixed": (_threads, _stopped, _nested, _vfork),
}


class Target:
    """A cgroup of a version, or some processes, which is version 0."""

    def __init__(self, build, version, kind, mark, serial):
        self.build, self.version, self.mark = build, version, mark
        self.path = os.path.join(mount_of(version), f"hf-sweep-{mark}-{serial}") if version else None
        self.frozen = {}                # own setting by path, as the sweep made it
        self.victims = []
        self.slots_used = 0
        self.has_run = False            # somebody who does not, as as_made() saw
        self.board_fd = os.memfd_create("board")
        os.ftruncate(self.board_fd, _BOARD)
        self.board = mmap.mmap(self.board_fd, _BOARD)
        self.rundir = tempfile.mkdtemp(prefix=f"hf-sweep-{mark}-")
        self.env = {MARK_ENV: str(mark), "HOLDFAST_RUNTIME_DIR": self.rundir, "LC_ALL": "C"}
        if version:
            self._make(self.path)
        for fill in KINDS[kind]:
            if version or fill != _nested:
                fill(self)
        problem = self.as_made()
        if problem:
            raise RuntimeError(f"a new target: {problem}")
        self.n_threads = sum(len(v.tids) for v in self.victims)

    def operand(self):
        return [self.path] if self.path else [word for v in self.victims for word in ("--pid", str(v.pid))]

    def done(self):
        if self.path:
            _remove(self.path)
        for v in self.victims:
            for pid in () if self.path else (v.pid, *v.children):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            try:
                os.waitpid(v.pid, 0)
            except ChildProcessError:
                pass
        shutil.rmtree(self.rundir, ignore_errors=True)
        self.board.close()
        os.close(self.board_fd)

    def _make(self, path):
        os.mkdir(path)
        self.frozen[path] = False

    def level(self, name):
        self._make(os.path.join(self.path, name))
        return os.path.join(self.path, name)

    def add(self, cgroup, *argv, slots):
        self.victims.append(Victim(self, cgroup, *argv, str(NAP_US), slots=slots))
        return self.victims[-1]

    def count(self, slot):
        return struct.unpack_from("=Q", self.board, _SLOTS_AT + slot * _SLOT)[0]

    # -- Settings --

    def freeze(self, path, frozen):
        """As a user would, without holdfast."""
        if self.version == 2:
            _write("1" if frozen else "0", path, "cgroup.freeze")
        else:
            _write("FROZEN" if frozen else "THAWED", path, "freezer.state")
        self.frozen[path] = frozen
        until = time.monotonic() + PATIENCE_S
        while self.is_frozen(path) != frozen:
            if time.monotonic() > until:
                raise RuntimeError(f"{path} cannot be frozen")
            time.sleep(0.0002)

    def own_setting(self, path):
        if self.version == 2:
            return _read(path, "cgroup.freeze").strip() == "1"
        return _read(path, "freezer.self_freezing").strip() == "1"

    def is_frozen(self, path):
        if self.version == 2:
            return "frozen 1" in _read(path, "cgroup.events")
        return _read(path, "freezer.state").strip() == "FROZEN"

    def is_set(self, path):
        """As the sweep made it."""
        return self.frozen.get(path, False)

    def should_be_frozen(self, path):
        return self.is_set(path) or self.is_set(self.path)

    # -- Proofs --

    def _wrong_settings(self):
        for path, frozen in self.frozen.items():
            if self.own_setting(path) != frozen:
                return f"{path} is {'thawed' if frozen else 'frozen'} by its own setting"
            if self.is_frozen(path) != self.should_be_frozen(path):
                return f"{path} is {'thawed' if self.should_be_frozen(path) else 'frozen'}"
        return None

    def _wrong_victims(self):
        for v in self.victims:
            problem = v.wrong(self.version == 1 and self.is_set(self.path))
            if problem:
                return problem
        return None

    def _wrong_files(self):
        left = os.listdir(self.rundir)
        return f"a journal is left: {left}" if left else None

    def as_made(self, seconds=PATIENCE_S, may_have_run=False, files=False):
        """
        None, or what is not as it was made in the end.  may_have_run: also those who do not run now.  files: some may be
        left in the runtime directory.
        """
        until = time.monotonic() + seconds
        problem = _await(lambda: self._wrong_settings() or self._wrong_victims() or
                         (None if files else self._wrong_files()), until)
        if problem:
            return problem
        for v in self.victims:
            news = v.news()
            if news:
                return f"victim {v.pid}: {news}"
        return self._counting(until, may_have_run)

    def _counting(self, until, may_have_run):
        everything_frozen = self.is_set(self.path)
        before = {v: v.counts() for v in self.victims}
        self.has_run = False
        for v in self.victims:
            if v.still_at is not None and before[v] != v.still_at:
                self.has_run = True
                v.still_at = before[v]
                if not may_have_run:
                    return f"victim {v.pid}, who does not run, has run"
        moving = [] if everything_frozen else [v for v in self.victims if v.still_at is None]
        while not all(now > then for v in moving for now, then in zip(v.counts(), before[v])):
            if time.monotonic() > until:
                return "not everybody counts who did"
            time.sleep(0.0002)
        return None

    def settings_as_made(self, seconds):
        """Whoever may have been killed meanwhile.  An empty cgroup is not frozen on v2 before it has members."""
        def wrong():
            for path, frozen in self.frozen.items():
                if self.own_setting(path) != frozen:
                    return f"{path} is {'thawed' if frozen else 'frozen'} by its own setting"
            return self._wrong_files()
        return _await(wrong, time.monotonic() + seconds)

    def all_dead(self, seconds):
        def wrong():
            alive = [tid for v in self.victims for tid in v.tids if _is_alive(tid)]
            return f"threads {alive} are alive" if alive else None
        return _await(wrong, time.monotonic() + seconds)

    def still(self, may_have_run):
        """Nobody runs, nor has since the hold: who has counted before this has done so under it, or after."""
        before = [v.counts() for v in self.victims]
        time.sleep(20 * NAP_US / 1e6)
        if before != [v.counts() for v in self.victims]:
            return "somebody runs in what stays frozen"
        ran = [v for v, counts in zip(self.victims, before) if v.still_at not in (None, counts)]
        for v in ran:
            v.still_at = v.counts()
        return f"victim {ran[0].pid}, who does not run, has run" if ran and not may_have_run else None

    def as_stopped(self, seconds):
        """None, or who is not stopped as by kill -STOP, with one notice of that to the parent who was not stopped before."""
        def wrong():
            for v in self.victims:
                for tid in v.tids:
                    state, tracer = _status(tid)
                    frozen = self.version == 1 and self.should_be_frozen(v.cgroup)
                    if tracer != "0":
                        return f"thread {tid} is traced by {tracer}"
                    # A vfork parent takes its SIGSTOP when its child has execed.
                    if state != "T" and not (state == "D" and (frozen or tid == v.pid and v.state == "D")):
                        return f"thread {tid} is in state {state}, and not stopped"
            return self._wrong_settings() or self._wrong_files()
        until = time.monotonic() + seconds
        problem = _await(wrong, until)
        for v in self.victims if not problem else ():
            said = None if v.state else f"si_code {os.CLD_STOPPED}, status {int(signal.SIGSTOP)}"
            problem = problem or _await(lambda v=v, said=said: v.heard(said), until)
        return problem

    def continue_all(self):
        """
        As a user does, but for those who were stopped before.  On v1 not under a freeze: a thread that is continued there
        cannot be told from one that is stopped, and runs for a moment when it is held the next time.
        """
        for v in self.victims:
            frozen = self.version == 1 and self.is_set(v.cgroup)
            if frozen:
                self.freeze(v.cgroup, False)
            if v.state != "T":
                for pid in (v.pid, *v.children):
                    os.kill(pid, signal.SIGCONT)
            if frozen:
                self.freeze(v.cgroup, True)
                v.still_at = v.counts()
            while v.news():
                pass

    def held_by(self, pid):
        """None, or who of it is not held by that process."""
        tracers = set(map(int, os.listdir(f"/proc/{pid}/task")))
        for v in self.victims:
            problem = v.not_held(tracers)
            if problem:
                return problem
        return None
