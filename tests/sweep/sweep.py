#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
sweep - proof by sweep that nothing is left behind: a command is run once for each system call that it makes, and at
that call the holder, its guard or both are killed, or the call fails.  After each run the target must be as before,
and the command must have told the truth.

    sweep.py [--build DIR]                      all points, with a target that has one of everything
    sweep.py --kinds running stopped ...        with simpler targets
    sweep.py --seconds 60                       a sample: the urgent points, others evenly spread while the time lasts
    sweep.py hold:v1:mixed:holder@57=EIO        one point, as a failure names it
    sweep.py --list hold:v1:mixed               the calls that the command makes there

A point is JOB:VERSION:TARGET:STEPS, with version v1, v2, or pid for processes.  A step is CLOCK@WHEN=ACTION: at a call of the `holder` (the command's own
process) or of the `guard` (every other one), `kill-holder`, `kill-guard`, `kill-both`, or an errno for that call
(E2: the third of those that it can plausibly have).  When is 57 (the 57th call), pwrite64#3 (the third of that name)
or pwrite64#3+1 (the call after it).  Several steps are separated by commas.  How many calls there are varies a little
from run to run: a point that is not reached does not count.
"""
import argparse
import json
import os
import random
import re
import select
import signal
import sys
import time

sys.dont_write_bytecode = True
import calls
import jobs
import point as points
import target as targets

VERSIONS = ["pid", "v1", "v2"]  # of targets: some processes, a cgroup

# ---- Which points there are --------------------------------------------------------------------------

SLACK = 1.05            # a run may make more calls than the one that was counted


def points_of(count, since_change):
    """
    (urgency, steps) of every point of a command.  Urgent, which is 0, are the holder's death while the target is
    changed, and all that may hinder putting it back.  count(steps) is a run with these steps whose calls are counted.
    since_change: only what comes after the first change.
    """
    counted = count([])
    n = {role: len(names) for role, names in counted.names.items()}
    first, last = (counted.changes[0], counted.changes[-1]) if counted.changes else (0, -1)
    guarded = counted.guard_since is not None
    begin = first if since_change else 1

    for i in range(begin, int(n["holder"] * SLACK) + 1):
        yield (0 if first <= i <= last + 1 else 1), [f"holder@{i}=kill-holder"]
        if guarded and i >= counted.guard_since:
            yield 1, [f"holder@{i}=kill-guard"]
            yield 1, [f"holder@{i}=kill-both"]
    for i in range(1, n["guard"] + 1):
        for action in ("kill-holder", "kill-guard", "kill-both"):
            yield 0, [f"guard@{i}={action}"]
    for name, step in errors(counted, "holder", begin):
        # Those that write to the freezer are few, and their number is always the same.
        yield (0 if name == "pwrite64" else 1), [step]
    for name, step in errors(counted, "guard"):
        yield (0 if name == "pwrite64" else 1), [step]
    # Killed after each change, so that the guard has something to do, and then the guard is killed in it, or hindered.
    for change in range(1, counted.names["holder"].count("pwrite64") + 1) if guarded else ():
        death = f"holder@pwrite64#{change}+1=kill-holder"
        undone = count([death])
        begin = awake(undone.names["guard"])
        for i in range(begin, len(undone.names["guard"]) + 1):
            yield 0, [death, f"guard@{i}=kill-guard"]
        for name, step in errors(undone, "guard", begin):
            yield (0 if name in ("pwrite64", "pread64") else 1), [death, step]


def awake(names):
    """The call of a guard in which it waits for its holder's end; those before prepare it, and come without a death, too."""
    return next((i for i, name in enumerate(names, 1) if name in ("poll", "ppoll")), 1)


def errors(counted, clock, begin=1):
    seen = {}
    for i, (name, n_errnos) in enumerate(zip(counted.names[clock], counted.n_errnos[clock]), 1):
        seen[name] = seen.get(name, 0) + 1
        for k in range(n_errnos if i >= begin else 0):
            yield name, f"{clock}@{name}#{seen[name]}=E{k}"


# ---- Sweeping --------------------------------------------------------------------------------------

class Sweeper:
    """Tries points, one after the other, on one target at a time, and tells what came of them."""

    def __init__(self, args, mark, serial):
        self.args, self.mark, self.serial = args, mark, serial
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
        """Of a config, which is job, version and kind of the target.  The point as it went, and its verdict."""
        name, version, kind = config
        kind_of_job = jobs.JOBS[name]
        point = points.Point([points.Step(step) for step in steps], counting, kind_of_job.says_held)
        job = kind_of_job(self.args.build, self.take_target((version, kind)), point, self.args.strict)
        job.run()
        problem = job.judge()
        verdict = {
            "point": f"{name}:{VERSIONS[version]}:{kind}:" + ",".join(map(str, point.steps)), "reached": point.reached(),
            "calls": [step.reached for step in point.steps], "problem": problem, "silent": job.silent,
            "late": job.late(), "ran": self.target.has_run, "recovered": job.recovered, "code": job.code,
            "seconds": round(point.seconds, 4), "err": point.result.err.strip(),
            "out": point.result.out.strip()[:300],
        }
        if problem or job.spends_target:
            self.done()
        return point, verdict


CHUNK = 200             # points of a sample that are sorted, so that a target is made for several of them


def plan(sweeper, args, tell):
    """Tell all points, as [config, steps], in the order in which they shall be tried."""
    ordered = []
    for name in args.jobs:
        versions = [v for v in args.versions if v in jobs.JOBS[name].versions]
        for config in [(name, version, kind) for version in versions for kind in args.kinds]:
            def count(steps, config=config):
                point, verdict = sweeper.run(config, steps, counting=True)
                if verdict["problem"]:
                    tell({"verdict": verdict})
                return point
            for urgency, steps in points_of(count, jobs.JOBS[name].like_hold):
                if not args.action or any(re.search(args.action, step) for step in steps):
                    ordered.append((urgency, config, steps))
    if args.seconds:
        # A sample: the urgent ones first, and then others evenly spread, as far as the time goes.
        random.Random(args.seed).shuffle(ordered)
        ordered.sort(key=lambda p: p[0])
        ordered = [p for i in range(0, len(ordered), CHUNK)
                   for p in sorted(ordered[i:i + CHUNK], key=lambda p: p[1])]
    tell({"plan": [p[1:] for p in ordered]})


def sweep(sweeper, todo, until, tell):
    for config, steps in todo:
        if until and time.monotonic() > until:
            break
        verdict = sweeper.run(config, steps)[1]
        # On a busy machine that can be once.
        tell({"verdict": sweeper.run(config, steps)[1] if verdict["late"] else verdict})


def list_calls(sweeper, config, tell):
    point, verdict = sweeper.run(config, [])
    for role, names in point.names.items():
        for i, name in enumerate(names, 1):
            tell({"line": f"{role}@{i}\t{name}{'  <- changes' if role == 'holder' and i in point.changes else ''}"})
    tell({"line": verdict["out"] + verdict["err"]})


class Worker:
    """
    A process that makes a sweeper do something, and what that tells.  It is nobody's child but init's, so that a command
    which looks at its ancestors makes the same calls whoever started the sweep.
    """

    def __init__(self, args, mark, serial, act):
        self.rest = b""
        self.ended = False              # as it should
        self.fd, theirs = os.pipe()
        first = os.fork()
        if first:
            os.close(theirs)
            os.waitpid(first, 0)
            return
        try:
            if os.fork():
                os._exit(0)
            os.close(self.fd)
            os.setsid()
            self._work(theirs, Sweeper(args, mark, serial), act)
        except BrokenPipeError:         # whoever started us is gone
            pass
        except BaseException:           # pylint: disable=broad-except
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(1)

    @staticmethod
    def _work(pipe, sweeper, act):
        calls.adopt_orphans()
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        with open(pipe, "w", encoding="utf-8", buffering=1) as out:
            def tell(told):
                out.write(json.dumps(told) + "\n")
            try:
                act(sweeper, tell)
            finally:
                sweeper.done()
            tell({"end": True})

    def read(self):
        """What has been told, or None at the end."""
        text = os.read(self.fd, 65536)
        if not text:
            os.close(self.fd)
            return None
        *lines, self.rest = (self.rest + text).split(b"\n")
        return [json.loads(line) for line in lines]


class Crew:
    """Workers, and what they tell."""

    def __init__(self, args, mark, report):
        self.args, self.mark, self.report = args, mark, report
        self.plan, self.workers = [], {}
        self.failed = 0

    def work(self, acts):
        """Each act is done by a worker of its own, all at the same time."""
        workers = {}
        for serial, act in acts.items():
            worker = Worker(self.args, self.mark, serial, act)
            workers[worker.fd] = worker
        self.workers = workers
        while workers:
            for fd in select.select(list(workers), [], [])[0]:
                told = workers[fd].read()
                if told is None:
                    self.failed += not workers.pop(fd).ended
                for message in told or ():
                    self.take(workers[fd], message)

    def leave(self):
        for fd in self.workers:
            os.close(fd)

    def take(self, worker, message):
        if "verdict" in message:
            self.report.take(message["verdict"])
        elif "plan" in message:
            self.plan = message["plan"]
        elif "line" in message:
            print(message["line"])
        else:
            worker.ended = True


# ---- The report ------------------------------------------------------------------------------------

class Report:
    def __init__(self, args):
        self.args = args
        self.points = self.failed = self.silent = self.recovered = self.ran = self.missed = 0
        self.seconds = 0.0
        self.slowest = (0.0, "")

    def take(self, told):
        if self.args.log:
            self.args.log.write(json.dumps(told) + "\n")
        if not told["reached"] and not told["problem"]:
            self.missed += 1
            return
        self.points += 1
        self.seconds += told["seconds"]
        self.silent += told["silent"]
        self.recovered += told["recovered"]
        self.ran += told["ran"] and not told["problem"]
        self.slowest = max(self.slowest, (told["seconds"], told["point"]))
        if not told["problem"]:
            return
        self.failed += 1
        print(f"FAILED {told['problem']}\n"
              f"    {sys.argv[0]} --build {self.args.build} {told['point']}   # {', '.join(map(str, told['calls']))}")
        for line in (told["out"] + "\n" + told["err"]).strip().splitlines():
            print(f"    | {line}")
        sys.stdout.flush()

    def end(self, wanted, workers_failed):
        print(f"{self.points} points tried, {self.failed} failed; {wanted} planned, {self.missed} not reached; "
              f"{self.seconds / max(self.points, 1) * 1000:.0f} ms for each command, "
              f"{self.slowest[0]:.1f} s for the longest ({self.slowest[1]})")
        print(f"{self.recovered} were put back by holdfast recover; in {self.silent} the guard was killed and nobody "
              f"said so; in {self.ran} a v1 cgroup that was found frozen ran for a moment")
        percent = 100 * (self.points - self.failed) // max(self.points, 1)
        print(f"{percent}%: Checks: {self.points}, Failures: {self.failed}, Errors: {workers_failed}")
        return 1 if self.failed or workers_failed or not self.points else 0


# ---- Main ------------------------------------------------------------------------------------------

def parse_args():
    here = os.path.dirname(os.path.abspath(__file__))
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("points", nargs="*", metavar="POINT")
    p.add_argument("--build", default=os.path.join(here, "..", "..", "build"))
    p.add_argument("--seconds", type=float, help="a sample that takes about as long")
    p.add_argument("--seed", type=int, default=1, help="of the sample")
    p.add_argument("--list", metavar="JOB:VERSION:TARGET", help="print the calls, without any injection")
    p.add_argument("--jobs", nargs="+", choices=jobs.JOBS, default=list(jobs.JOBS))
    p.add_argument("--versions", nargs="+", choices=VERSIONS, default=VERSIONS)
    p.add_argument("--kinds", nargs="+", choices=targets.KINDS, default=["mixed"])
    p.add_argument("--action", help="only points with a step that this regular expression matches")
    p.add_argument("--strict", action="store_true", help="a guard that is killed must be missed")
    p.add_argument("--workers", type=int, default=os.sysconf("SC_NPROCESSORS_ONLN"))
    p.add_argument("--log", type=argparse.FileType("w"), help="every point, as a line of JSON")
    args = p.parse_args()
    args.build = os.path.relpath(args.build)
    args.versions = [VERSIONS.index(v) for v in args.versions]
    args.versions = [v for v in args.versions if v == 0 or targets.mount_of(v)]
    return args


def parse_point(text):
    job, version, kind, *steps = (text + "::").split(":")[:4]
    if job not in jobs.JOBS or version not in VERSIONS or kind not in targets.KINDS:
        sys.exit(f"sweep: not a point: {text}")
    return (job, VERSIONS.index(version), kind), [step for step in "".join(steps).split(",") if step]


def why_left_out(args):
    if os.geteuid() != 0:
        return "only root can make cgroups and look at every call"
    if not args.versions:
        return "no freezer is mounted"
    with open(os.path.join(args.build, "holdfast"), "rb") as f:
        if b"__asan_report_load" in f.read():
            return "under a sanitizer, its own calls would fail"
    return calls.why_not()


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
    crew = Crew(args, mark, report)
    try:
        if args.list:
            crew.work({"list": lambda sweeper, tell: list_calls(sweeper, parse_point(args.list)[0], tell)})
            return crew.failed
        todo = [parse_point(p) for p in args.points]
        if not todo:
            crew.work({"plan": lambda sweeper, tell: plan(sweeper, args, tell)})
            todo = crew.plan
        until = time.monotonic() + args.seconds if args.seconds else None
        crew.work({str(i): lambda sweeper, tell, i=i: sweep(sweeper, todo[i::args.workers], until, tell)
                   for i in range(args.workers)})
        return report.end(len(todo), crew.failed)
    finally:
        # The workers end when nobody reads what they tell, and the janitor cleans up after them.
        crew.leave()
        os.close(pipe)
        os.waitpid(janitor, 0)


if __name__ == "__main__":
    sys.exit(main())
