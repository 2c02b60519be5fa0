#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""hold.py BUILD - holdfast beside the bare system calls, and beside the tools that are installed, in one run.

In each round every way is taken once, in another order, so that what disturbs the machine disturbs all; figures are
medians, and what counts are ratios.  Nothing passes or fails.  The figures go to BUILD/bench/hold.json as well.
"""
import argparse, json, os, platform, shutil, signal, subprocess, sys, tempfile, time

sys.dont_write_bytecode = True
import lab

SHAPES = {"1xN": lambda n: (1, n), "N/10x10": lambda n: (n // 10, 10), "Nx1": lambda n: (n, 1)}
PARTS = ["library", "commands", "calls", "trees"]

args = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0], epilog="Run it as root, on a machine that is quiet.")
args.add_argument("build", help="where the build is")
args.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds that count (5)")
args.add_argument("--sizes", default="100,1000", metavar="N,...", help="numbers of threads (100,1000)")
args.add_argument("--full", action="store_true", help="100, 1000, 10000 and 20000 threads, 10000 processes in trees: an hour")
args.add_argument("--shapes", default=",".join(SHAPES), metavar="SHAPE,...", help="processes x threads (%(default)s)")
args.add_argument("--targets", default="v2,v1,pid", metavar="KIND,...", help="freezers, and a process (%(default)s)")
args.add_argument("--parts", default=",".join(PARTS), metavar="PART,...", help="what to measure (%(default)s)")
args.add_argument("--slow-threads", type=int, default=1000, metavar="N", help="largest target of tools that take seconds (1000)")
args = args.parse_args()

sizes = [100, 1000, 10000, 20000] if args.full else [int(n) for n in args.sizes.split(",")]
bench = os.path.join(os.path.abspath(args.build), "bench")
holdfast = os.path.join(os.path.abspath(args.build), "holdfast")
results = {"machine": {"kernel": platform.release(), "architecture": platform.machine(), "processors": os.cpu_count()},
           "rounds": args.rounds}


def table(title, head, rows):
    lab.progress("")
    print("\n" + title + "\n")
    cells = [head] + [["" if c is None else "%.2f" % c if isinstance(c, float) else str(c) for c in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    for row in cells:
        print("  " + "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))).rstrip())
    sys.stdout.flush()


def ms(us):
    return None if us is None else us / 1000


# ---- The library beside the bare system calls --------------------------------------------------------------------

def rounds_of(where, view, *more):
    """What build/bench/hold tells: for each way, for each figure, the median."""
    p = subprocess.run([bench + "/hold", where, str(args.rounds), view.path, *more], stdout=subprocess.PIPE)
    if p.returncode != 0:
        sys.exit("bench/hold %s: status %d" % (where, p.returncode))
    ways = {}
    for line in p.stdout.splitlines():
        figures = json.loads(line)
        for name, value in figures.items():
            if name != "way":
                ways.setdefault(figures["way"], {}).setdefault(name, []).append(value)
    return {way: {name: lab.median(values) for name, values in figures.items()} for way, figures in ways.items()}


def measure_library():
    found = results["library"] = []
    for n in sizes:
        for shape in args.shapes.split(","):
            lab.progress("%d threads, %s" % (n, shape))
            crowd = lab.Crowd(bench, *SHAPES[shape](n))
            try:
                for target in args.targets.split(","):
                    if crowd.where(target):
                        lab.progress("%d threads, %s, %s" % (n, shape, target))
                        found.append({"threads": n, "shape": shape, "target": target,
                                      "ways": rounds_of(crowd.where(target), crowd.view)})
            finally:
                crowd.end()
    rows = []
    for f in found:
        floor, ours, bare, spinning = (f["ways"].get(w, {}) for w in ("floor", "holdfast", "no-restart", "spinning"))
        frozen_late = (ours["freeze_us"] - spinning["freeze_us"]) / 1000 if spinning else None
        rows.append([f["threads"], f["shape"], f["target"],
                     ms(floor["stopping_us"]), lab.ratio(ours["stopping_us"], floor["stopping_us"]),
                     ours["stopping_us"] / f["threads"], frozen_late,
                     ms(floor["release_us"]), lab.ratio(bare["release_us"], floor["release_us"]),
                     lab.ratio(ours["release_us"], floor["release_us"]),
                     ms(floor["silence_us"]), lab.ratio(ours["silence_us"], floor["silence_us"]),
                     ms(ours["call_us"]), ours["bytes"] / f["threads"]])
    table("Hold and release by the library (x) beside the bare system calls (ms).  Hold: from the first stop to the last.\n"
          "Late: ms until \"frozen\" is seen, beside who asks without a pause.  Bare: without the restart of calls.  Stop: as a\n"
          "thread of the target sees it.  Call: ms of hf_hold_take(), with the look that comes before the first stop.",
          ["threads", "shape", "target", "hold", "x", "us/thread", "late", "release", "x bare", "x", "stop", "x", "call",
           "bytes/thread"], rows)


# ---- Whole commands ----------------------------------------------------------------------------------------------

def strace(pid):
    """Attach to all, and detach."""
    p = subprocess.Popen(["strace", "-f", "-o", "/dev/null", "-p", pid], stderr=subprocess.PIPE, text=True)
    p.stderr.readline()         # "Process 12 attached with 100 threads"
    p.send_signal(signal.SIGINT)
    p.stderr.read()
    p.wait()


def criu_works():
    return bool(shutil.which("criu")) and subprocess.run(["criu", "check"], capture_output=True).returncode == 0


def criu_freezing_us(images):
    """freezing_time of a dump, out of its statistics: a protobuf of numbers within one."""
    data = open(images + "/stats-dump", "rb").read()[12:]

    def fields(data):
        at, found = 0, {}
        def number():
            nonlocal at
            value = shift = 0
            while True:
                byte = data[at]
                at += 1
                value |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    return value
        while at < len(data):
            key = number()
            value = number()
            if key & 7 == 2:
                value, at = data[at:at + value], at + value
            found[key >> 3] = value
        return found
    return fields(fields(data)[1])[1]


class Container:
    """A crowd in a container of runc, for `runc pause`."""
    def __init__(self, processes, threads):
        self.dir = tempfile.mkdtemp(prefix="hf-bench-")
        self.name = "hf-bench-%d" % os.getpid()
        self.up = False
        os.mkdir(self.dir + "/rootfs")
        for place in ("lib", "lib64", "usr/lib", "usr/lib64", "bench", "proc"):
            os.makedirs(self.dir + "/rootfs/" + place, exist_ok=True)
        mounts = [{"destination": "/" + d, "type": "bind", "source": s, "options": ["rbind", "ro"]}
                  for d, s in (("lib", "/lib"), ("lib64", "/lib64"), ("usr/lib", "/usr/lib"), ("bench", bench))
                  if os.path.isdir(s)]
        mounts.append({"destination": "/proc", "type": "proc", "source": "proc"})
        config = {"ociVersion": "1.0.2", "root": {"path": "rootfs"}, "mounts": mounts,
                  "process": {"user": {"uid": 0, "gid": 0}, "cwd": "/", "env": ["PATH=/bench"],
                              "args": ["/bench/crowd", str(processes), str(threads), "1"]},
                  "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}]}}
        json.dump(config, open(self.dir + "/config.json", "w"))
        self.up = subprocess.run(["runc", "run", "--detach", "--bundle", self.dir, self.name], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
        time.sleep(1)

    def end(self):
        subprocess.run(["runc", "delete", "--force", self.name], capture_output=True)
        shutil.rmtree(self.dir, ignore_errors=True)


def timed(fn):
    start = time.monotonic()
    fn()
    return (time.monotonic() - start) * 1000


def tools_for(crowd, images, criu):
    """Each takes a turn, and returns its milliseconds."""
    cgroup, pid = crowd.where("v2") or crowd.where("v1"), crowd.where("pid")
    def command(*words):
        return lambda: lab.run(list(words))[0]
    tools = {"floor": command(bench + "/floor", cgroup),
             "holdfast hold": command(holdfast, "hold", "--for", "0s", cgroup)}
    slow = crowd.threads <= args.slow_threads
    if shutil.which("strace"):
        tools["strace -f -p"] = lambda: timed(lambda: strace(pid))
    if shutil.which("gdb") and slow:
        tools["gdb attach, detach"] = command("gdb", "-nx", "-batch", "-ex", "set debuginfod enabled off", "-p", pid)
    if shutil.which("eu-stack") and slow:
        tools["eu-stack -q"] = command("eu-stack", "-q", "-p", pid)
    if criu and slow:
        def dump():
            subprocess.run(["criu", "dump", "-t", pid, "--freeze-cgroup", crowd.where("v1") or cgroup, "-D", images, "-R",
                            "-v0", "--shell-job"], check=True)
            return criu_freezing_us(images) / 1000
        tools["criu's freezing"] = dump
    return tools


def measure_runc(n):
    """After the others: beside a container of 1000 threads every freeze of other threads takes twice as long."""
    container, took = Container(1, n), []
    try:
        for i in range(args.rounds + 1 if container.up else 0):
            took.append(lab.run(["runc", "pause", container.name])[0])
            lab.run(["runc", "resume", container.name])
    finally:
        container.end()
    return [{"threads": n, "tool": "runc pause", "ms": lab.median(took[1:]), "stop_ms": None}] if took else []


def measure_commands():
    found = results["commands"] = []
    criu, runc = criu_works(), shutil.which("runc")
    for name, there in (("strace", shutil.which("strace")), ("gdb", shutil.which("gdb")), ("eu-stack", shutil.which("eu-stack")),
                        ("runc", runc), ("crun", shutil.which("crun")), ("criu", criu)):
        if not there:
            lab.progress("")
            print("left out: %s, which is not installed%s" % (name, ", or does not work here" if name == "criu" else ""))
    for n in sizes:
        crowd = lab.Crowd(bench, 1, n)
        images = tempfile.mkdtemp(prefix="hf-bench-")
        try:
            tools = tools_for(crowd, images, criu)
            took, stops = {t: [] for t in tools}, {t: [] for t in tools}
            for i in range(args.rounds + 1):
                for t, turn in lab.in_turn(tools, i):
                    lab.progress("%d threads, round %d of %d: %s" % (n, i, args.rounds, t))
                    crowd.view.longest_us()
                    wall = turn()
                    time.sleep(0.02 + n * 40e-6)
                    if i > 0:
                        took[t].append(wall)
                        stops[t].append(crowd.view.longest_us() / 1000)
            for t in tools:
                found.append({"threads": n, "tool": t, "ms": lab.median(took[t]), "stop_ms": lab.median(stops[t])})
        finally:
            shutil.rmtree(images)
            crowd.end()
        if runc:
            found += measure_runc(n)
    ours = {f["threads"]: f for f in found if f["tool"] == "holdfast hold"}
    table("Whole commands on one process: ms, times holdfast; the longest stop that a thread of it saw: ms, times holdfast",
          ["threads", "tool", "ms", "x", "stop", "x"],
          [[f["threads"], f["tool"], f["ms"], lab.ratio(f["ms"], ours[f["threads"]]["ms"]), f["stop_ms"],
            lab.ratio(f["stop_ms"], ours[f["threads"]]["stop_ms"])] for f in found])


# ---- System calls per thread -------------------------------------------------------------------------------------

def calls_of(target, where):
    named = ["--pid", where] if target == "pid" else [where]
    p = subprocess.run([bench + "/calls", holdfast, "hold", "--for", "0s", "-q", *named],
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if p.returncode != 0:
        sys.exit("bench/calls: status %d" % p.returncode)
    return json.loads(p.stderr.splitlines()[-1])


def measure_calls():
    found = results["calls"] = []
    shapes = {"thread": ((1, 50), (1, 150), 100), "process": ((50, 1), (150, 1), 100)}
    for one, (small, large, more) in shapes.items():
        for target in args.targets.split(","):
            counts = []
            for shape in (small, large):
                crowd = lab.Crowd(bench, *shape)
                try:
                    counts.append(calls_of(target, crowd.where(target)) if crowd.where(target) else None)
                finally:
                    crowd.end()
            if None in counts:
                continue
            each = {c: (counts[1].get(c, 0) - counts[0].get(c, 0)) / more for c in counts[1]}
            found.append({"one": one, "target": target, "calls": {c: n for c, n in each.items() if abs(n) >= 0.5}})
    table("System calls for one more %s (hold --for 0s, the whole command)" % " or ".join(shapes),
          ["for one more", "target", "calls", "of which"],
          [[f["one"], f["target"], sum(f["calls"].values()),
            ", ".join("%s %.2g" % c for c in sorted(f["calls"].items(), key=lambda c: -c[1]))] for f in found])


# ---- Trees -------------------------------------------------------------------------------------------------------

def measure_trees():
    n = 10000 if args.full else 1000
    found = results["trees"] = {"processes": n}
    lab.progress("a tree of %d processes" % n)
    crowd = lab.Crowd(bench, n, 1)
    try:
        where = crowd.where("v2") or crowd.where("v1")
        ways = found["library"] = rounds_of(where, crowd.view, "tree")
        commands = {"floor": [bench + "/floor", where, "tree"], "holdfast tree": [holdfast, "tree", where],
                    "holdfast tree --json": [holdfast, "tree", "--json", where],
                    "ps": ["ps", "-eo", "pid,ppid,stat,args"], "pstree": ["pstree", "-p"]}
        took = turns(commands)
    finally:
        crowd.end()
    table("The tree of %d processes of one thread, ms: reading the files alone, and hf_tree_collect()" % n,
          ["tree", "files", "library", "x"],
          [[name, ms(ways["floor-" + way]["collect_us"]), ms(ways[way]["collect_us"]),
            lab.ratio(ways[way]["collect_us"], ways["floor-" + way]["collect_us"])]
           for name, way in (("brief, for text", "tree"), ("all facts, for JSON", "facts"))])
    print_turns("Whole commands for it, ms, times `holdfast tree`", took, "holdfast tree")
    found["commands"] = took
    lab.progress("a tree of 3 processes")
    crowd = lab.Crowd(bench, 3, 1)
    try:
        where = crowd.where("v2") or crowd.where("v1")
        took = turns({"floor": [bench + "/floor", where, "tree"], "holdfast tree": [holdfast, "tree", where],
                      "holdfast --version": [holdfast, "--version"]}, 5 * args.rounds)
    finally:
        crowd.end()
    print_turns("A cgroup of 3 processes: whole commands, ms, times the bare system calls", took, "floor")
    found["small"] = took


def turns(commands, rounds=None):
    commands = {name: words for name, words in commands.items() if shutil.which(words[0])}
    took = {name: [] for name in commands}
    for i in range(rounds or args.rounds):
        for name, words in lab.in_turn(commands, i):
            took[name].append(lab.run(words)[0])
    return {name: lab.median(values) for name, values in took.items()}


def print_turns(title, took, by):
    table(title, ["command", "ms", "x"], [[name, t, lab.ratio(t, took[by])] for name, t in took.items()])


lab.own_runtime_dir()
for part in args.parts.split(","):
    if part not in PARTS:
        sys.exit("there is no part %s, but %s" % (part, ", ".join(PARTS)))
for part in args.parts.split(","):
    {"library": measure_library, "commands": measure_commands, "calls": measure_calls, "trees": measure_trees}[part]()
with open(bench + "/hold.json", "w") as f:
    json.dump(results, f, indent=1)
print("\nThe figures are in %s as well." % os.path.relpath(bench + "/hold.json"))
