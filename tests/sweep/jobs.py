# SPDX-License-Identifier: MIT
"""
jobs - what is swept: commands, each with what it promises.  After every run of one, whatever happened to it, its
judgement says what is wrong, if anything is: with how it ended, with what it said, with what it left behind.
"""
import json
import os
import re
import signal
import subprocess

import point as points
from target import PATIENCE_S

TIMEOUT = "3s"          # the command's own deadline


def _exit_code(result):
    return os.waitstatus_to_exitcode(result.status) if result.status is not None else None


class Job:
    """
    For one run: the point is tried by run(), and judged by judge(), which returns what is wrong or None.
    silent: the guard was killed and nobody said so.  recovered: it took `holdfast recover`.
    """
    args = ()
    versions = (1, 2)       # of target
    says_held = False
    like_hold = False       # its first steps are those of another job: only what comes after is swept
    spends_target = False   # nobody is left alive in it, perhaps

    def __init__(self, build, target, point, strict=False):
        self.holdfast = os.path.join(build, "holdfast")
        self.target, self.point, self.strict = target, point, strict
        self.recovered = self.silent = False

    def prepare(self):
        """Before the run."""

    def operand(self):
        return self.target.operand()

    def run(self):
        self.prepare()
        self.point.run([self.holdfast, *self.args, *self.operand()], self.target)
        self.r, self.code = self.point.result, _exit_code(self.point.result)

    def late(self):
        """It did not end by its time: a fault, or a busy machine."""
        return self.r.hung or "did not end by its time" in self.r.err

    def judge(self):
        return self.told() or self.strays() or self.left()

    # -- How it ended, and what it said --

    def told(self):
        p, code = self.point, self.code
        if self.late():
            return f"still running after {points.HUNG_S} s" if self.r.hung else "its guard had to end it"
        if p.lied:
            return f"said that it holds, but {p.lied}"
        if p.holder_killed:
            return None if code in (-signal.SIGKILL, 0) else f"ended with {code} although killed"
        if code is None or code < 0:
            return f"ended by signal {-(code or 0)}"
        if code == 0:
            return self.silence() or self.success()
        if code not in (1, 4):
            return f"exit status {code}"
        if "holdfast: " not in self.r.err and not p.message_spoiled:
            return f"exit status {code} without a message"
        if p.n_changes and "nothing was changed" in self.r.err:
            return "said that nothing was changed, and it was"
        return None

    def silence(self):
        if self.point.guard_killed_early and "guard" not in self.r.err:
            self.silent = True
            if self.strict:
                return "the guard was killed and nobody said so"
        return None

    def success(self):
        """It ended with 0: what it said."""
        return None

    # -- What it left behind --

    def strays(self):
        return f"processes are left: {sorted(self.r.alive)}" if self.r.alive else None

    def left(self):
        return self.back_as_made()

    def guard_could_not(self):
        """It was killed like the holder, and so it is for the journal to tell."""
        return self.point.holder_killed and self.point.guard_killed

    def may_have_run(self):
        """
        A v1 level that was found frozen has to be thawed for its stops, and when the tracer dies the kernel lets its
        threads go, at once: they run until the guard has frozen them again.
        """
        return self.target.version == 1 and self.point.holder_killed

    def back_as_made(self):
        t, p = self.target, self.point
        if p.holder_killed and p.guard_hindered:
            # A guard that lives puts the cgroups back whatever fails once; its file may be left.
            problem = None if p.guard_killed else t.as_made(PATIENCE_S, self.may_have_run(), files=True)
            problem = problem or self.recover()
            if problem:
                return problem
        elif self.code == 4 and not t.as_made(0, self.may_have_run()):
            return "exit status 4, but nothing is left to be undone"
        return t.as_made(PATIENCE_S, self.may_have_run())

    def recover(self):
        done = subprocess.run([self.holdfast, "recover"], env=self.target.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=points.HUNG_S)
        self.recovered = "nothing was left behind" not in done.stdout
        return None if done.returncode == 0 else f"recover: exit status {done.returncode}: {done.stdout}"


class Hold(Job):
    args = ("hold", "--for", "5ms", "--timeout", TIMEOUT)
    versions = (1, 2, 0)
    says_held = True
    ends = ""               # of the last line

    def success(self):
        out, n = self.r.out, self.target.n_threads
        if self.point.lied is None:
            return "exit status 0, but it never said that it holds"
        m = re.search(r"^held [^:]*: [^,]*, (\d+) threads?", out)
        if not m or int(m[1]) != n or not re.search(rf"\nreleased .* s{self.ends}\n", out):
            return f"exit status 0, but said {out!r}"
        return None


class Tree(Job):
    args = ("tree", "--json", "--timeout", TIMEOUT)
    versions = (1, 2, 0)

    def success(self):
        try:
            counts = json.loads(self.r.out)["counts"]
        except (ValueError, KeyError):
            return f"exit status 0, but said {self.r.out[:80]!r}"
        if counts["held"] + counts["armed"] != self.target.n_threads:
            return f"exit status 0, but held {counts}"
        return None


# ---- Other ends of a hold ----------------------------------------------------------------------------

class ThenStop(Hold):
    """Who stops, stops as by kill -STOP.  Who does not, because it failed, runs on."""
    args = (*Hold.args, "--then", "stop")
    like_hold = True
    ends = ", left stopped"

    def may_have_run(self):
        """To take its SIGSTOP whoever was found frozen is thawed, on v2, too."""
        return self.point.holder_killed

    def left(self):
        if self.code == 0 and not self.point.holder_killed:
            problem = self.target.as_stopped(PATIENCE_S) or self.target.still(False)
            if problem:
                return problem
        elif self.guard_could_not():
            problem = self.recover()
            if problem:
                return problem
        self.target.continue_all()
        return self.back_as_made()


class ThenKill(Hold):
    args = (*Hold.args, "--then", "kill")
    like_hold = spends_target = True
    ends = ", killed"

    def left(self):
        if self.code == 0 and not self.point.holder_killed:
            return self.target.all_dead(PATIENCE_S)
        if self.guard_could_not():
            problem = self.recover()
            if problem:
                return problem
        return self.target.settings_as_made(PATIENCE_S)


class DeathStays(Hold):
    """Who is dead by then cannot say anything: only its guard."""
    args = (*Hold.args, "--on-death", "stay")
    versions = (1, 2)
    like_hold = True

    def left(self):
        t, p = self.target, self.point
        stays = t.own_setting(t.path)
        if stays and not p.holder_killed:
            return "the cgroup is frozen, and nobody had died"
        if p.holder_killed and not p.guard_hindered and stays != ("stays frozen, as asked" in self.r.err):
            return f"the cgroup is {'frozen' if stays else 'thawed'}, but its guard said {self.r.err!r}"
        if stays:
            problem = t.still(self.may_have_run())
            if problem:
                return problem
            t.freeze(t.path, False)
            problem = self.recover()
            if problem:
                return problem
        return self.back_as_made()


class DeathKills(Hold):
    args = (*Hold.args, "--on-death", "kill")
    versions = (1, 2)
    like_hold = spends_target = True

    def thaw_kept(self):
        """Who was to be killed, and has nobody left to do it, is kept frozen: recover tells, and the user decides."""
        if not self.target.own_setting(self.target.path):
            return None
        self.target.freeze(self.target.path, False)
        return self.recover()

    def left(self):
        if self.guard_could_not():
            problem = self.recover() or self.thaw_kept()
            if problem:
                return problem
        if self.point.holder_killed and "killed everybody" in self.r.err:
            return self.target.all_dead(PATIENCE_S) or self.target.settings_as_made(PATIENCE_S)
        if not self.point.holder_killed:
            return self.back_as_made()
        if self.point.guard_hindered:
            return self.target.settings_as_made(PATIENCE_S)
        return self.target.as_made(PATIENCE_S, self.may_have_run())


# ---- The plain freezer -------------------------------------------------------------------------------

class Plain(Job):
    """It leaves behind what it was asked for; who was killed in it, one or the other."""
    freezes = False

    def left(self):
        t, p, code = self.target, self.point, self.code
        is_set = t.own_setting(t.path)
        if self.guard_could_not() or p.guard_hindered and p.holder_killed:
            problem = self.recover()
            if problem:
                return problem
            is_set = t.own_setting(t.path)
        if code == 0 and is_set != self.freezes:
            return f"exit status 0, but the cgroup is {'frozen' if is_set else 'thawed'}"
        if self.freezes and code not in (0, -signal.SIGKILL) and is_set and "stays so" not in self.r.err:
            return f"exit status {code}, but the cgroup is frozen"
        t.frozen[t.path] = is_set
        problem = t.as_made(PATIENCE_S)
        t.freeze(t.path, False)
        return problem


class Freeze(Plain):
    args = ("freeze", "--timeout", TIMEOUT)
    freezes = True


class Thaw(Plain):
    args = ("thaw", "--timeout", TIMEOUT)

    def prepare(self):
        self.target.freeze(self.target.path, True)


# ---- After both are dead -----------------------------------------------------------------------------

class Recover(Job):
    """
    A holder and its guard are killed when they have changed what there is to change, and then recover is swept.  One that
    fails or is killed can be run again.
    """
    args = ("recover",)

    def operand(self):
        return []

    def prepare(self):
        t = self.target
        change = 2 if t.version == 1 else 1
        before = points.Point([points.Step(f"holder@pwrite64#{change}+1=kill-both")])
        before.run([self.holdfast, *Hold.args, *t.operand()], t)
        if not t.own_setting(t.path) or not os.listdir(t.rundir):
            raise RuntimeError(f"nothing was left behind: {before.result.out}{before.result.err}")

    def success(self):
        if "nothing was left behind" in self.r.out or self.target.path not in self.r.out:
            return f"exit status 0, but said {self.r.out!r}"
        return None

    def may_have_run(self):
        return self.target.version == 1

    def left(self):
        if self.code != 0 or self.point.holder_killed:
            problem = self.recover()
            if problem:
                return problem
        return self.target.as_made(PATIENCE_S, self.may_have_run())



JOBS = {
    "hold": Hold, "tree": Tree, "freeze": Freeze, "thaw": Thaw, "recover": Recover,
    "then-stop": ThenStop, "then-kill": ThenKill, "death-stays": DeathStays, "death-kills": DeathKills,
}
