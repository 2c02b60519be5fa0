# SPDX-License-Identifier: MIT
"""lab - what the measuring programs share: a crowd in scratch cgroups, commands that are timed, medians."""
import atexit, mmap, os, random, shutil, signal, statistics, struct, subprocess, sys, tempfile, time

VIEW = struct.Struct("QII")     # struct view of view.h


def hierarchies():
    """Where the freezers are: {2: DIR, 1: DIR}, as far as they are mounted."""
    found = {}
    for line in open("/proc/self/mountinfo"):
        fields = line.split()
        kind, options = fields[fields.index("-") + 1], fields[-1].split(",")
        if kind == "cgroup2" and 2 not in found:
            found[2] = fields[4]
        elif kind == "cgroup" and "freezer" in options and 1 not in found:
            found[1] = fields[4]
    return found


def own_runtime_dir():
    """Journals of the holds that are timed, apart from this machine's, unless the caller has said where; in memory, as /run is."""
    if "HOLDFAST_RUNTIME_DIR" not in os.environ:
        os.environ["HOLDFAST_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="hf-bench-", dir="/dev/shm")
        atexit.register(shutil.rmtree, os.environ["HOLDFAST_RUNTIME_DIR"], ignore_errors=True)


def progress(text):
    """On a terminal one line that is written over; elsewhere nothing."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text)
        sys.stderr.flush()


def realtime():
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(5))


class View:
    """How long a thread of the target saw itself stopped, in shared memory with crowd.c."""
    def __init__(self):
        fd, self.path = tempfile.mkstemp(prefix="hf-bench-", dir="/dev/shm")
        os.ftruncate(fd, VIEW.size)
        self.memory = mmap.mmap(fd, VIEW.size)
        os.close(fd)

    def longest_us(self):
        """Since it was asked last."""
        longest = VIEW.unpack(self.memory[:])[0]
        self.memory[8:12] = struct.pack("I", 1)
        while self.memory[8:12] != b"\0\0\0\0":
            time.sleep(0.001)
        return longest

    def end(self):
        if not self.memory.closed:
            self.memory.close()
            os.unlink(self.path)


class Target:
    """A command in scratch cgroups of its own, one of each hierarchy; it has said "ready"."""
    def __init__(self, command, prepare=None):
        self.cgroups = {v: os.path.join(top, "hf-bench-%d" % os.getpid()) for v, top in hierarchies().items()}
        for path in self.cgroups.values():
            os.mkdir(path)

        def enter():
            for path in self.cgroups.values():
                with open(path + "/cgroup.procs", "w") as f:
                    f.write("0")
            if prepare:
                prepare()
        self.process = None
        try:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, preexec_fn=enter)
            if not self.process.stdout.readline():
                sys.exit("%s did not start" % command[0])
            time.sleep(0.5)     # until all have gone to sleep
        except BaseException:
            self.end()
            raise

    def where(self, kind):
        """What holdfast is told: the cgroup of v2 or v1, or the PID."""
        return str(self.process.pid) if kind == "pid" else self.cgroups.get(2 if kind == "v2" else 1)

    def end(self):
        killed = set()
        for path in self.cgroups.values():
            while True:
                pids = open(path + "/cgroup.procs").read().split()
                killed.update(pids)
                for pid in pids:
                    try:
                        os.kill(int(pid), signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                if self.process and not pids:
                    self.process.wait()
                if not open(path + "/tasks" if os.path.exists(path + "/tasks") else path + "/cgroup.procs").read():
                    break
                time.sleep(0.01)
            os.rmdir(path)
        if self.process:
            self.process.wait()
        # Until init has reaped them they have their numbers still, and 20,000 more may be too many.
        late = time.monotonic() + 30
        while time.monotonic() < late and any(os.path.exists("/proc/" + pid) for pid in killed):
            time.sleep(0.01)


class Crowd(Target):
    def __init__(self, bench, processes, threads, depth=1, prepare=None):
        self.view = View()
        try:
            super().__init__([bench + "/crowd", str(processes), str(threads), str(depth), self.view.path], prepare)
        except BaseException:
            self.view.end()
            raise
        self.threads = processes * threads

    def end(self):
        super().end()
        self.view.end()


def warm(megabytes):
    """A guest's memory may have gone back to its host, which is not ours to measure."""
    memory = bytearray(b"x") * (megabytes << 20)
    del memory


def run(command, prepare=None, megabytes=0):
    """A whole command that needs so much memory: wall and processor time in milliseconds."""
    time.sleep(0.1)     # those whom the last one let go are to be back in their waits
    warm(megabytes)
    null = subprocess.DEVNULL
    start = time.monotonic()
    p = subprocess.Popen(command, stdout=null, stderr=null, stdin=null, preexec_fn=prepare)
    _, status, usage = os.wait4(p.pid, 0)
    wall = time.monotonic() - start
    p.returncode = status
    if status != 0:
        sys.exit("%s: status %d" % (" ".join(command), status))
    return wall * 1000, (usage.ru_utime + usage.ru_stime) * 1000


def in_turn(ways, turn):
    """
    The items of a dictionary, in another order in each turn, the same in each run: who always comes after one that has
    just read the same files finds them in the processor's caches, and the other does not.
    """
    return random.Random(turn).sample(list(ways.items()), len(ways))


def median(values):
    return statistics.median(values) if values else None


def ratio(a, b):
    return a / b if a is not None and b else None
