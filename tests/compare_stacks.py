#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compare_stacks.py HOLDFAST.json EU-STACK.txt GDB.txt|- - the stacks of one stopped process by three tools.

Every thread must have the same frames in the same order, and the same names.  Differences that are known, and why:

  versions     eu-stack shows the version of a symbol ("pause@GLIBC_2.2.5"), holdfast leaves it out.
  rust         eu-stack shows mangled Rust names, or with their hashes; holdfast shows them as they are written.
  inlined      gdb shows functions that were inlined as frames of their own, without an address: they are passed over.
  tail calls   gdb shows functions that were left by a jump to the next, which it concludes from debugging information; no
               return address of theirs is on the stack.
  beyond       gdb goes on where there is no unwind information, by guessing from the code; eu-stack and holdfast go by the
               frame pointer, or end.  From there on gdb is not compared.
  born         a thread that has not left the system call it was born in: that code is marked as the outermost, where
               holdfast ends, and eu-stack takes what the register of the frame pointer held in the parent for an address.

Prints what was compared and which differences were met; exits with 1 when one is not among them.
"""
import json, re, sys


def by_holdfast(path):
    stacks = {}
    for kind in json.load(open(path))["stacks"]:
        for thread in kind["threads"]:
            stacks[thread["tid"]] = kind
    return stacks


def by_eu_stack(path):
    stacks, frames = {}, None
    for line in open(path, errors="replace"):
        m = re.match(r"TID (\d+):", line)
        if m:
            frames = stacks.setdefault(int(m.group(1)), [])
        m = re.match(r"#\d+\s+0x([0-9a-f]+)( - 1)?\s*(.*)", line)
        if m:
            frames.append((int(m.group(1), 16), m.group(3).strip() or None))
    return stacks


def by_gdb(path):
    stacks, frames = {}, None
    for line in open(path, errors="replace"):
        m = re.match(r"Thread \d+ \(.*?(?:LWP|process) (\d+)", line)
        if m:
            frames = stacks.setdefault(int(m.group(1)), [])
        m = re.match(r"#\d+\s+(?:0x([0-9a-f]+) in )?(\S+)", line)
        if m and frames is not None:
            frames.append(int(m.group(1), 16) if m.group(1) else None)
    return stacks


met = {}
errors = 0


def meet(what):
    met[what] = met.get(what, 0) + 1


def wrong(tid, text, *lists):
    global errors
    errors += 1
    if errors <= 3:
        print("thread %d: %s" % (tid, text))
        for one in lists:
            print("    " + " ".join(hex(x) if isinstance(x, int) else str(x) for x in one))


def same_name(ours, theirs):
    if ours["name"] == theirs:
        return True
    if theirs and "@" in theirs and theirs.split("@")[0] == ours["name"]:
        meet("versions")
        return True
    symbol = ours.get("symbol", "")
    if symbol.startswith("_R") or re.search(r"17h[0-9a-f]{16}E", symbol):
        meet("rust")
        return True
    return False


def is_newborn(kind):
    return kind["syscall_name"] in ("clone", "clone3") and kind["end"] == "outermost" and len(kind["frames"]) == 1


def against_eu_stack(tid, kind, theirs):
    frames = kind["frames"]
    ips = [int(f["ip"], 16) for f in frames]
    if is_newborn(kind) and len(theirs) > 1:
        meet("born")
        theirs = theirs[:1]
    if ips != [ip for ip, _ in theirs]:
        wrong(tid, "eu-stack has other frames", ips, [ip for ip, _ in theirs])
        return
    for frame, (ip, name) in zip(frames, theirs):
        if not same_name(frame, name):
            wrong(tid, "at 0x%x eu-stack says %s, and not %s" % (ip, name, frame["name"]))


def against_gdb(tid, frames, theirs):
    ips = [int(f["ip"], 16) for f in frames]
    # Up to the first frame that is a guess of ours, or our last.
    guess = next((i for i, f in enumerate(frames) if f["how"] == "frame-pointer"), len(ips))
    if guess < len(ips):
        meet("beyond")
    known = set(ips[:guess])
    addressed = [ip for ip in theirs if ip is not None]
    without = len(theirs) - len(addressed)
    if without:
        meet("inlined")
    common = [ip for ip in addressed if ip in known]
    missing = [ip for ip in ips[:guess] if ip not in set(addressed)]
    extra = [ip for ip in addressed if ip not in known]
    if extra and guess == len(ips):
        meet("tail calls")
    if len(missing) > without:
        wrong(tid, "gdb does not have all frames", ips, addressed)
    elif common != [ip for ip in ips[:guess] if ip in set(common)]:
        wrong(tid, "gdb has another order", ips, addressed)


ours, eu = by_holdfast(sys.argv[1]), by_eu_stack(sys.argv[2])
gdb = by_gdb(sys.argv[3]) if sys.argv[3] != "-" else None
if set(ours) != set(eu):
    sys.exit("other threads: %s and %s" % (sorted(ours), sorted(eu)))
frames = 0
for tid, kind in sorted(ours.items()):
    frames += len(kind["frames"])
    against_eu_stack(tid, kind, eu[tid])
    if gdb is not None and tid not in gdb:
        wrong(tid, "gdb does not show it")
    elif gdb is not None:
        against_gdb(tid, kind["frames"], gdb[tid])
print("%d threads, %d frames: %s" % (len(ours), frames, ", ".join("%s %d" % x for x in sorted(met.items())) or "no difference"))
sys.exit(1 if errors or not frames else 0)
