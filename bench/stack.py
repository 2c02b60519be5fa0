#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""stack.py BUILD [--rounds N] [--realtime] [TARGET...] - holdfast stack beside what else gives stacks, in one run.

Targets: c100, c1000, c10000 (C, 36 frames in each thread), python (64 threads), node, bash, stopN (how long N threads
stand still).  Each round runs every tool once, in another order, so that what disturbs the machine, or is left by the one
before, disturbs all; ratios are of medians.  --realtime runs tools and targets with a real-time priority, for machines
that are busy with other things.  What is not installed is left out.
"""
import argparse, os, shutil, statistics, sys

sys.dont_write_bytecode = True
import lab

args = argparse.ArgumentParser(description=__doc__)
args.add_argument("build")
args.add_argument("--rounds", type=int, default=5)
args.add_argument("--realtime", action="store_true")
args.add_argument("--gdb-threads", type=int, default=1000, help="largest target that gdb is run on")
args.add_argument("targets", nargs="*")
args = args.parse_intermixed_args()

PYTHON = """
import threading, sys
event = threading.Event()
def wait(n):
    return wait(n - 1) if n else event.wait()
for i in range(63):
    threading.Thread(target=wait, args=(4,), daemon=True).start()
print("ready", flush=True)
wait(4)
"""
bench = os.path.join(args.build, "bench")
COMMANDS = {
    "bash": ["bash", "-c", "echo ready; read x < <(sleep 100000)"],
    "c100": [bench + "/crowd", "1", "100", "30"],
    "c1000": [bench + "/crowd", "1", "1000", "30"],
    "c10000": [bench + "/crowd", "1", "10000", "30"],
    "python": ["/usr/bin/python3", "-c", PYTHON],
    "node": ["node", "-e", "console.log('ready'); setInterval(() => {}, 100000)"],
}


prepare = lab.realtime if args.realtime else None


def run(command):
    return lab.run(command, prepare, 128)


def tools_for(name, target):
    pid, cgroup = target.where("pid"), target.where("v2")
    holdfast = os.path.join(args.build, "holdfast")
    tools = {
        "floor": [bench + "/floor", cgroup],
        "floor+copy": [bench + "/floor", cgroup, "copy"],
        "empty hold": [holdfast, "hold", "--for", "0ms", cgroup],
        "addresses": [holdfast, "stack", "--no-names", cgroup],
        "names": [holdfast, "stack", cgroup],
    }
    if shutil.which("eu-stack"):
        tools["eu-stack -q"] = ["eu-stack", "-q", "-p", pid]
        tools["eu-stack"] = ["eu-stack", "-p", pid]
    threads = len(os.listdir("/proc/%s/task" % pid))
    if shutil.which("gdb") and threads <= args.gdb_threads:
        tools["gdb"] = ["gdb", "-nx", "-batch", "-ex", "set debuginfod enabled off", "-ex", "thread apply all bt", "-p", pid]
    return tools


def silence(target, command):
    """The longest time that a thread of the target did not run, in ms, while command ran."""
    target.view.longest_us()
    run(command)
    return target.view.longest_us() / 1000


def measure_stop(threads):
    """What the target sees: the longest silence of a thread of its own (goal S5)."""
    target = lab.Crowd(bench, 1, threads, 30, prepare)
    cgroup = target.where("v2")
    holdfast = os.path.join(args.build, "holdfast")
    # An empty hold takes all the steps of holdfast, and copies nothing.
    ways = {
        "floor": [bench + "/floor", cgroup], "floor+copy": [bench + "/floor", cgroup, "copy"],
        "empty hold": [holdfast, "hold", "--for", "0ms", cgroup],
        "stack": [holdfast, "stack", cgroup],
    }
    try:
        gaps = {w: [] for w in ways}
        for i in range(args.rounds):
            for w, command in lab.in_turn(ways, i):
                gaps[w].append(silence(target, command))
    finally:
        target.end()
    gap = {w: statistics.median(v) for w, v in gaps.items()}
    print("stop of %d threads, as a thread of the target sees it, ms: %s" %
          (threads, ", ".join("%s %.1f" % x for x in gap.items())))
    print("    %-24s %6.2f" % ("stack / floor", gap["stack"] / gap["floor"]))
    print("    %-24s %6.2f" % ("stack / empty hold", gap["stack"] / gap["empty hold"]))


def measure(name):
    if not shutil.which(COMMANDS[name][0]):
        print("%s: left out, %s is not here" % (name, COMMANDS[name][0]))
        return
    target = lab.Target(COMMANDS[name], prepare)
    try:
        tools = tools_for(name, target)
        walls, cpus = {t: [] for t in tools}, {t: [] for t in tools}
        for i in range(args.rounds):
            for t, command in lab.in_turn(tools, i):
                if t == "gdb" and i >= 3:
                    continue
                wall, cpu = run(command)
                walls[t].append(wall)
                cpus[t].append(cpu)
    finally:
        target.end()
    wall = {t: statistics.median(v) for t, v in walls.items()}
    cpu = {t: statistics.median(v) for t, v in cpus.items()}
    print("%s: wall (processor) ms: " % name +
          ", ".join("%s %.1f (%.1f)" % (t, wall[t], cpu[t]) for t in tools))
    ratios = [("addresses / floor+copy", "addresses", "floor+copy"), ("eu-stack -q / addresses", "eu-stack -q", "addresses"),
              ("eu-stack / names", "eu-stack", "names"), ("gdb / names", "gdb", "names"),
              ("eu-stack -q / names", "eu-stack -q", "names")]
    for text, a, b in ratios:
        if a in wall:
            print("    %-24s %6.2f" % (text, wall[a] / wall[b]))
    # What stacks add to a hold, beside what a bare copy of registers and 8 KiB of stack adds to the floor.
    print("    %-24s %6.2f" % ("work of stacks / copy", (cpu["addresses"] - cpu["empty hold"]) /
                               max(cpu["floor+copy"] - cpu["floor"], 0.001)))
    sys.stdout.flush()


lab.own_runtime_dir()
for name in args.targets or ["bash", "c100", "c1000", "python", "node", "stop1000"]:
    if name.startswith("stop"):
        measure_stop(int(name[len("stop"):]))
    else:
        measure(name)
