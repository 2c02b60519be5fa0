#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
sweep - proof by sweep that nothing is left behind: a command is run once for each system call that it makes, and at
that call the holder, its guard or both are killed, or the call fails.  After each run the target must be as before,
and the command must have told the truth.

    sweep.py [--build DIR]                      all points, with a target that has one of everything
    sweep.py --kinds running stopped ...        with simpler targets
    sweep.py --seconds 100                      a sample: the urgent points, others evenly spread while the time lasts
    sweep.py hold:v1:mixed:holder@57=EIO        one point, as a failure names it
    sweep.py --list hold:v1:mixed               the calls that the command makes there

A point is JOB:VERSION:TARGET:STEPS.  A step is CLOCK@WHEN=ACTION: at a call of the `holder` (the command's own
process) or of the `guard` (every other one), `kill-holder`, `kill-guard`, `kill-both`, or an errno for that call
(E2: the third of those that it can plausibly have).  When is 57 (the 57th call), pwrite64#3 (the third of that name)
or pwrite64#3+1 (the call after it).  Several steps are separated by commas.  How many calls there are varies a little
from run to run: a point that is not reached does not count.
"""
import argparse
import errno
import json
import os
import random
import re
import select
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import calls
import target as targets

HUNG_S = 6               # every run ends by itself within this time
TIMEOUT = "1s"          # the command's own deadline

JOBS = {
    "hold": ["hold", "--for", "5ms", "--timeout", TIMEOUT],
    "tree": ["tree", "--json", "--timeout", TIMEOUT],
    "freeze": ["freeze", "--timeout", TIMEOUT],
    "thaw": ["thaw", "--timeout", TIMEOUT],
}

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

    def __init__(self, build, job, target, steps):
        self.build, self.job, self.target, self.steps = build, job, target, steps
        self.names = {"holder": [], "guard": []}
        self.n_errnos = {"holder": [], "guard": []}     # how many each call could have, when `counting`
        self.counting = self.strict = False
        self.guard_since = None         # how many calls the holder had made when the guard made its first
        self.changes = []               # which calls of the holder wrote to the freezer
        self.begun = False              # main() has
        self.ending = False             # the holder has told the guard to end
        self.guard_killed_early = False
        self.guard_hindered = False     # killed, or one of its calls failed
        self.holder_killed = False
        self.message_spoiled = False    # the call that failed was to say something
        self.lied = None                # what was wrong when the command said that it holds

    def reached(self):
        return all(step.reached for step in self.steps)

    def run(self):
        argv = [os.path.join(self.build, "holdfast"), *JOBS[self.job], *self.target.operand()]
        begun = time.monotonic()
        self.result = calls.Run(argv, self.target.env, self.on_call, HUNG_S)
        self.seconds = time.monotonic() - begun

    def on_call(self, run, call):
        self.names[call.role].append(call.name)
        self.begun |= call.name == "openat" and call.args[2] & O_PATH != 0
        if call.role == "guard" and self.guard_since is None:
            self.guard_since = len(self.names["holder"])
        if self.counting:
            self.n_errnos[call.role].append(len(plausible_errnos(call)) if self.begun else 0)
        if call.role == "holder":
            self.watch_holder(call)
        for step in self.steps:
            if step.is_due(call):
                number = self.act(step, run, call)
                if number:
                    return number
        return 0

    def watch_holder(self, call):
        if call.name == "shutdown":
            self.ending = True
        if call.name not in ("write", "pwrite64"):
            return
        if call.args[0] == 1 and self.job == "hold" and not self.ending and self.lied is None:
            self.lied = self.target.held_by(call.pid) or ""
        if call.path().endswith(("cgroup.freeze", "freezer.state")):
            self.changes.append(call.n)

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
            self.guard_hindered = True
            self.guard_killed_early |= not self.ending
            run.kill("guard")
        if step.action != "kill-guard":
            self.holder_killed = True
            run.kill("holder")
        step.reached = call.name
        return 0


# ---- The verdict -----------------------------------------------------------------------------------

class Verdict:
    """problem: None or what is wrong.  silent: the guard was killed and nobody said so."""

    def __init__(self, point):
        self.point, self.target, self.r = point, point.target, point.result
        self.recovered = False
        self.silent = False
        self.problem = self.told() or self.left()

    def code(self):
        return os.waitstatus_to_exitcode(self.r.status) if self.r.status is not None else None

    def told(self):
        """What is wrong with how it ended and what it said."""
        p, code = self.point, self.code()
        if self.r.hung:
            return f"still running after {HUNG_S} s"
        if p.lied:
            return f"said that it holds, but {p.lied}"
        if p.holder_killed:
            return None if code in (-signal.SIGKILL, 0) else f"ended with {code} although killed"
        if code is None or code < 0:
            return f"ended by signal {-(code or 0)}"
        if code == 0:
            return self.success()
        if code not in (1, 4):
            return f"exit status {code}"
        if "holdfast: " not in self.r.err and not p.message_spoiled:
            return f"exit status {code} without a message"
        return None

    def success(self):
        p, out = self.point, self.r.out
        if p.guard_killed_early and "guard" not in self.r.err:
            self.silent = True
            if p.strict:
                return "the guard was killed and nobody said so"
        if p.job == "hold":
            if p.lied is None:
                return "exit status 0, but it never said that it holds"
            m = re.search(r"^held [^:]*: [^,]*, (\d+) threads?", out)
            if not m or "\nreleased " not in out or int(m[1]) != self.target.n_threads:
                return f"exit status 0, but said {out!r}"
        elif p.job == "tree":
            try:
                counts = json.loads(out)["counts"]
            except (ValueError, KeyError):
                return f"exit status 0, but said {out[:80]!r}"
            if counts["held"] + counts["armed"] != self.target.n_threads:
                return f"exit status 0, but held {counts}"
        return None

    def left(self):
        """What is wrong with what it left behind."""
        t, p = self.target, self.point
        if self.r.alive:
            return f"processes are left: {sorted(self.r.alive)}"
        if p.holder_killed and p.guard_hindered:
            problem = self.recover()
            if problem:
                return problem
        if p.job in ("freeze", "thaw"):
            problem = self.plain()
            if problem:
                return problem
        # A v1 level that was found frozen has to be thawed for its stops, and when the tracer dies the kernel lets its
        # threads go, at once: they run until the guard has frozen them again.
        return t.as_made(2, may_have_run=t.version == 1 and p.holder_killed)

    def recover(self):
        """When the guard was killed or hindered, too, it is for the journal to tell."""
        done = subprocess.run([os.path.join(self.point.build, "holdfast"), "recover"], env=self.target.env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=HUNG_S)
        self.recovered = "nothing was left behind" not in done.stdout
        return None if done.returncode == 0 else f"recover: exit status {done.returncode}: {done.stdout}"

    def plain(self):
        """The plain freezer leaves behind what it was asked for; who was killed in it, one or the other."""
        t, p, code = self.target, self.point, self.code()
        is_set = t.own_setting(t.path)
        if code == 0 and is_set != (p.job == "freeze"):
            return f"exit status 0, but the cgroup is {'frozen' if is_set else 'thawed'}"
        if p.job == "freeze" and code not in (0, -signal.SIGKILL) and is_set and "stays so" not in self.r.err:
            return f"exit status {code}, but the cgroup is frozen"
        t.frozen[t.path] = is_set
        problem = t.as_made(2)
        t.freeze(t.path, False)
        return problem


# ---- Which points there are --------------------------------------------------------------------------

SLACK = 1.05            # a run may make more calls than the one that was counted


def points_of(count):
    """
    (urgency, steps) of every point of a command.  Urgent, which is 0, are the holder's death while the target is
    changed, and all that may hinder putting it back.  count(steps) is a run with these steps whose calls are counted.
    """
    counted = count([])
    n = {role: len(names) for role, names in counted.names.items()}
    first, last = (counted.changes[0], counted.changes[-1]) if counted.changes else (0, -1)
    guarded = counted.guard_since is not None

    for i in range(1, int(n["holder"] * SLACK) + 1):
        yield (0 if first <= i <= last + 1 else 1), [f"holder@{i}=kill-holder"]
        if guarded and i >= counted.guard_since:
            yield 1, [f"holder@{i}=kill-guard"]
            yield 1, [f"holder@{i}=kill-both"]
    for i in range(1, n["guard"] + 1):
        for action in ("kill-holder", "kill-guard", "kill-both"):
            yield 0, [f"guard@{i}={action}"]
    for clock in ("holder", "guard"):
        for name, step in errors(counted, clock):
            # Those that write to the freezer are few, and their number is always the same.
            yield (0 if name == "pwrite64" else 1), [step]
    # Killed after each change, so that the guard has something to do, and then the guard is killed in it, or hindered.
    for change in range(1, len(counted.changes) + 1) if guarded else ():
        death = f"holder@pwrite64#{change}+1=kill-holder"
        undone = count([death])
        for i in range(1, len(undone.names["guard"]) + 1):
            yield 0, [death, f"guard@{i}=kill-guard"]
        for name, step in errors(undone, "guard"):
            yield (0 if name in ("pwrite64", "pread64") else 1), [death, step]


def errors(counted, clock):
    seen = {}
    for name, n_errnos in zip(counted.names[clock], counted.n_errnos[clock]):
        seen[name] = seen.get(name, 0) + 1
        for k in range(n_errnos):
            yield name, f"{clock}@{name}#{seen[name]}=E{k}"


# ---- Sweeping --------------------------------------------------------------------------------------

class Sweeper:
    """Tries points, one after the other, on one target at a time, and tells what came of them."""

    def __init__(self, args, mark, serial, tell):
        self.args, self.mark, self.serial, self.tell = args, mark, serial, tell
        self.n_targets = 0
        self.target, self.key = None, None

    def take_target(self, key):
        if self.key != key:
            self.done()
            self.n_targets += 1
            self.target = targets.Target(self.args.build, *key, self.mark, f"{self.serial}-{self.n_targets}")
            self.key = key
        return self.target

    def done(self):
        if self.target:
            self.target.done()
        self.target, self.key = None, None

    def run(self, config, steps, counting=False):
        """Of a config, which is job, version and kind of the target.  The point as it went."""
        job, version, kind = config
        target = self.take_target((version, kind))
        if job == "thaw":
            target.freeze(target.path, True)
        point = Point(self.args.build, job, target, [Step(step) for step in steps])
        point.counting, point.strict = counting, self.args.strict
        point.run()
        verdict = Verdict(point)
        if point.reached():
            self.tell({
                "point": f"{job}:v{version}:{kind}:" + ",".join(map(str, point.steps)),
                "calls": [step.reached for step in point.steps], "problem": verdict.problem,
                "silent": verdict.silent, "ran": target.has_run, "recovered": verdict.recovered, "code": verdict.code(),
                "seconds": round(point.seconds, 4), "err": point.result.err.strip(),
                "out": point.result.out.strip()[:300],
            })
        if verdict.problem:
            self.done()
        return point


CHUNK = 200             # points of a sample that are sorted, so that a target is made for several of them


def all_points(sweeper, args):
    """As (config, steps), in the order in which they shall be tried."""
    points = []
    for job in args.jobs:
        for version in args.versions:
            for kind in args.kinds:
                config = job, version, kind
                for urgency, steps in points_of(lambda steps, c=config: sweeper.run(c, steps, counting=True)):
                    if not args.action or any(re.search(args.action, step) for step in steps):
                        points.append((urgency, config, steps))
    sweeper.done()
    if not args.seconds:
        return [(config, steps) for _, config, steps in points]
    # A sample: the urgent ones first, and then others evenly spread, as far as the time goes.
    random.Random(1).shuffle(points)
    points.sort(key=lambda p: p[0])
    ordered = []
    for i in range(0, len(points), CHUNK):
        ordered += sorted(points[i:i + CHUNK], key=lambda p: p[1])
    return [(config, steps) for _, config, steps in ordered]


def sweep(args, mark, serial, points, tell):
    sweeper = Sweeper(args, mark, serial, tell)
    until = time.monotonic() + args.seconds if args.seconds else None
    try:
        for config, steps in points:
            if until and time.monotonic() > until:
                break
            sweeper.run(config, steps)
    finally:
        sweeper.done()


def start_worker(args, mark, serial, points):
    """A process that sweeps; what it tells comes as lines of JSON from the descriptor that is returned."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid:
        os.close(theirs)
        return pid, ours
    try:
        calls.die_with_parent()
        calls.adopt_orphans()
        for sig in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sig, lambda *_: os._exit(1))
        os.close(ours)
        with open(theirs, "w", encoding="utf-8", buffering=1) as pipe:
            sweep(args, mark, serial, points, lambda told: pipe.write(json.dumps(told) + "\n"))
        os._exit(0)
    except BaseException:       # pylint: disable=broad-except
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(1)


# ---- The report ------------------------------------------------------------------------------------

class Report:
    def __init__(self, args):
        self.args = args
        self.points = self.failed = self.silent = self.recovered = self.ran = 0
        self.seconds = 0.0
        self.slowest = (0.0, "")

    def take(self, told):
        self.points += 1
        self.seconds += told["seconds"]
        self.silent += told["silent"]
        self.recovered += told["recovered"]
        self.ran += told["ran"] and not told["problem"]
        self.slowest = max(self.slowest, (told["seconds"], told["point"]))
        if self.args.log:
            self.args.log.write(json.dumps(told) + "\n")
        if not told["problem"]:
            return
        self.failed += 1
        print(f"FAILED {told['problem']}\n"
              f"    {sys.argv[0]} --build {self.args.build} {told['point']}   # {', '.join(told['calls'])}")
        for line in (told["out"] + "\n" + told["err"]).strip().splitlines():
            print(f"    | {line}")
        sys.stdout.flush()

    def end(self, wanted, workers_failed):
        print(f"{self.points} points, {self.failed} failed; {wanted} planned, "
              f"{self.seconds / max(self.points, 1) * 1000:.0f} ms for each command, "
              f"{self.slowest[0]:.1f} s for the longest ({self.slowest[1]})")
        print(f"{self.recovered} were put back by holdfast recover; in {self.silent} the guard was killed and nobody "
              f"said so; in {self.ran} a v1 cgroup that was found frozen ran for a moment")
        percent = 100 * (self.points - self.failed) // max(self.points, 1)
        print(f"{percent}%: Checks: {self.points}, Failures: {self.failed}, Errors: {workers_failed}")
        return 1 if self.failed or workers_failed or not self.points else 0


def collect(workers, report):
    """Until all workers have ended.  Returns how many of them failed."""
    rest = {fd: b"" for _, fd in workers}
    while rest:
        for fd in select.select(list(rest), [], [])[0]:
            text = os.read(fd, 65536)
            if not text:
                del rest[fd]
                continue
            *lines, rest[fd] = (rest[fd] + text).split(b"\n")
            for line in lines:
                report.take(json.loads(line))
    return sum(os.waitpid(pid, 0)[1] != 0 for pid, _ in workers)


def parse_args():
    here = os.path.dirname(os.path.abspath(__file__))
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("points", nargs="*", metavar="POINT")
    p.add_argument("--build", default=os.path.join(here, "..", "..", "build"))
    p.add_argument("--seconds", type=float, help="a sample that takes about as long")
    p.add_argument("--list", metavar="JOB:VERSION:TARGET", help="print the calls, without any injection")
    p.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS))
    p.add_argument("--versions", nargs="+", type=int, choices=(1, 2), default=[1, 2])
    p.add_argument("--kinds", nargs="+", choices=targets.KINDS, default=["mixed"])
    p.add_argument("--action", help="only points with a step that this regular expression matches")
    p.add_argument("--strict", action="store_true", help="a guard that is killed must be missed")
    p.add_argument("--workers", type=int, default=os.sysconf("SC_NPROCESSORS_ONLN"))
    p.add_argument("--log", type=argparse.FileType("w"), help="every point, as a line of JSON")
    args = p.parse_args()
    args.versions = [v for v in args.versions if targets.mount_of(v)]
    return args


def parse_point(text):
    job, version, kind, *steps = text.split(":", 3)
    if job not in JOBS or version not in ("v1", "v2") or kind not in targets.KINDS:
        sys.exit(f"sweep: not a point: {text}")
    return (job, int(version[1:]), kind), steps[0].split(",") if steps and steps[0] else []


def list_calls(sweeper, text):
    config, _ = parse_point(text)
    point = sweeper.run(config, [])
    for role, names in point.names.items():
        for i, name in enumerate(names, 1):
            print(f"{role}@{i}\t{name}{'  <- changes' if role == 'holder' and i in point.changes else ''}")
    print(point.result.out + point.result.err, end="")


def why_left_out(args):
    if os.geteuid() != 0:
        return "only root can make cgroups and look at every call"
    if not args.versions:
        return "no freezer is mounted"
    with open(os.path.join(args.build, "holdfast"), "rb") as f:
        if b"__asan_report_load" in f.read():
            return "a sanitizer's own calls would fail"
    return None


def main():
    args = parse_args()
    why = why_left_out(args)
    if why:
        print(f"left out: the sweep: {why}\n100%: Checks: 0, Failures: 0, Errors: 0")
        return 1 if os.environ.get("HF_TESTS_REQUIRE") == "1" else 0
    mark = os.getpid()
    targets.clean_up_dead()
    janitor, pipe = targets.start_janitor(mark)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    report = Report(args)
    workers = []
    try:
        calls.adopt_orphans()
        sweeper = Sweeper(args, mark, "plan", report.take)
        if args.list:
            list_calls(sweeper, args.list)
            return 0
        points = [parse_point(p) for p in args.points] or all_points(sweeper, args)
        workers += [start_worker(args, mark, str(i), points[i::args.workers]) for i in range(args.workers)]
        return report.end(len(points), collect(workers, report))
    finally:
        for pid, _ in workers:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        os.close(pipe)
        os.waitpid(janitor, 0)


if __name__ == "__main__":
    sys.exit(main())
