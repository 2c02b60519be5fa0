# SPDX-License-Identifier: MIT
"""
calls - run a command so that each system call that it makes, and that its children make, is first shown to a
function, which may let it pass, have it fail, or kill somebody meanwhile.

The kernel does the stopping: a seccomp filter with user notification (seccomp_unotify(2), Linux 5.19) holds the
caller at the entry of every call until we answer.  Unlike a ptrace tracer that leaves ptrace to the command,
whose own subject it is; it is inherited by whatever the command forks; and the descriptor tells when the last
process with that filter has ended, so that a stray one cannot be overlooked.
"""
import ctypes
import errno
import fcntl
import glob
import os
import select
import signal
import struct
import subprocess
import time

_libc = ctypes.CDLL(None, use_errno=True)

# <linux/seccomp.h>, <linux/filter.h>, <linux/prctl.h>
_SET_MODE_FILTER = 1
_NEW_LISTENER, _WAIT_KILLABLE_RECV = 1 << 3, 1 << 5
_RET_USER_NOTIF = 0x7fc00000
_BPF_RET = 0x06
_NOTIF = struct.Struct("=QIIiIQ6Q")        # id, tid, flags; nr, arch, instruction pointer, args
_ANSWER = struct.Struct("=QqiI")           # id, value, -errno, flags
_CONTINUE = 1
_NOTIF_RECV, _NOTIF_SEND, _NOTIF_SET_FLAGS = 0xc0502100, 0xc0182101, 0x40082104
_SYNC_WAKE_UP = 1                          # Linux 6.6: the caller runs on our processor, at once
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_WALL = 0x40000000


def _syscall_names():
    """Numbers differ from architecture to architecture; the compiler knows them."""
    text = subprocess.run(["cc", "-E", "-dM", "-"], input="#include <sys/syscall.h>\n", text=True,
                          stdout=subprocess.PIPE, check=True).stdout
    names = {}
    for line in text.splitlines():
        word = line.split()
        if len(word) == 3 and word[1].startswith("__NR_") and word[2].isdigit():
            names[int(word[2])] = word[1][len("__NR_"):]
    return names


NAMES = _syscall_names()
_NUMBERS = {name: number for number, name in NAMES.items()}


def adopt_orphans():
    """Guards outlive their holders: they shall become our children, to be reaped."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent():
    """For the child of a fork."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class _Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint)]


class _Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction))]


# Made before any fork: between the filter and the exec the child shall make few calls of its own.
_NOTIFY_ALL = _Program(1, ctypes.pointer(_Instruction(_BPF_RET, 0, 0, _RET_USER_NOTIF)))


def _become(argv, env, out, err, fd_pipe):
    """In the child: say which descriptor the listener will be, install the filter, execute."""
    try:
        die_with_parent()
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)       # Python ignores it, and that would be inherited
        null = os.open("/dev/null", os.O_RDONLY)
        for fd, to in ((null, 0), (out, 1), (err, 2)):
            os.dup2(fd, to)
        listener = os.dup(0)
        os.close(listener)
        os.write(fd_pipe, struct.pack("i", listener))
        if _libc.syscall(_NUMBERS["seccomp"], _SET_MODE_FILTER, _NEW_LISTENER | _WAIT_KILLABLE_RECV,
                         ctypes.byref(_NOTIFY_ALL)) >= 0:
            os.execve(argv[0], argv, env)
    finally:
        os._exit(127)


def why_not():
    """None, or why commands cannot be run so here."""
    try:
        run = Run(["/bin/true"], {}, lambda run, call: 0, 5)
    except OSError as e:
        return f"{e.strerror}: it takes seccomp user notification, Linux 5.19"
    return None if run.status == 0 else "a command that shows its calls does not end as it should"


class Call:
    """One system call at its entry."""
    __slots__ = ("pid", "tid", "name", "args", "role", "n")

    def path(self):
        """Of the file that its first argument stands for."""
        try:
            return os.readlink(f"/proc/{self.tid}/fd/{self.args[0]}")
        except OSError:
            return ""


class Run:
    """
    One run of a command.  on_call(run, call) returns an errno, or 0 to let it pass.  call.role is "holder" for the
    command's own process and "guard" for every other one; call.n counts the calls of that role from 1.

    Afterwards: status (of waitpid), out, err; counts by role; hung when it had to be killed at its time;
    started_pids.
    """

    def __init__(self, argv, env, on_call, seconds):
        self.on_call = on_call
        self.counts = {"holder": 0, "guard": 0}
        self.process_of = {}            # tid to pid
        self.alive = set()              # pids
        self.status = None
        self.hung = False
        self._program = os.path.realpath(argv[0])
        self._executed = False
        self._over = False              # nobody with that filter is left
        self._out, self._err = os.memfd_create("out"), os.memfd_create("err")
        self._until = time.monotonic() + seconds
        self._listener = -1
        try:
            self._start(argv, env)
            self._serve()
        finally:
            if not self._over:
                self._kill_all()
            if self._listener >= 0:
                os.close(self._listener)
            self._reap(block=True)
            self.out, self.err = self._text(self._out), self._text(self._err)

    def _start(self, argv, env):
        ours, theirs = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(ours)
            _become(argv, env, self._out, self._err, theirs)
        self.alive.add(self.pid)
        os.close(theirs)
        number = struct.unpack("i", os.read(ours, 4))[0]
        os.close(ours)
        pidfd = os.pidfd_open(self.pid)
        try:
            while self._listener < 0:
                self._listener = _libc.syscall(_NUMBERS["pidfd_getfd"], pidfd, number, 0)
                if self._listener < 0 and (ctypes.get_errno() != errno.EBADF or time.monotonic() > self._until):
                    raise OSError(ctypes.get_errno(), "seccomp user notification does not work here")
        finally:
            os.close(pidfd)
        try:
            fcntl.ioctl(self._listener, _NOTIF_SET_FLAGS, _SYNC_WAKE_UP)
        except OSError:
            pass

    def _serve(self):
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        while True:
            happened = poll.poll(20)
            if not happened:
                # Before Linux 6.11 a filter is let go when its process is reaped, not when it ends.
                self._reap()
            elif happened[0][1] & select.POLLIN:
                self._serve_one()
            else:
                self._over = True
                return
            if time.monotonic() > self._until:
                if self.hung:
                    return
                self.hung = True
                self._until += 1
                self._kill_all()

    def _serve_one(self):
        buffer = bytearray(_NOTIF.size)
        try:
            fcntl.ioctl(self._listener, _NOTIF_RECV, buffer)
        except OSError as e:
            if e.errno in (errno.ENOENT, errno.EINTR):      # killed meanwhile
                return
            raise
        ident, tid, _, nr, _, _, *args = _NOTIF.unpack(buffer)
        number = self._decide(tid, NAMES.get(nr, str(nr)), args)
        answer = _ANSWER.pack(ident, 0, -number, 0 if number else _CONTINUE)
        try:
            fcntl.ioctl(self._listener, _NOTIF_SEND, bytearray(answer))
        except OSError as e:
            if e.errno != errno.ENOENT:
                raise

    def _decide(self, tid, name, args):
        if not self._executed:
            self._executed = name == "execve"
            return 0
        call = Call()
        call.tid, call.name, call.args = tid, name, args
        call.pid = self._process(tid)
        call.role = "holder" if call.pid == self.pid else "guard"
        self.counts[call.role] += 1
        call.n = self.counts[call.role]
        return self.on_call(self, call)

    def _process(self, tid):
        if tid not in self.process_of:
            try:
                with open(f"/proc/{tid}/status", encoding="ascii", errors="replace") as f:
                    pid = next(int(line.split()[1]) for line in f if line.startswith("Tgid:"))
            except (OSError, StopIteration):
                return self.pid         # killed meanwhile
            self.process_of[tid] = pid
            self.alive.add(pid)
        return self.process_of[tid]

    def _meet_children(self):
        """Also those that have not made a call yet."""
        for path in glob.glob(f"/proc/{self.pid}/task/*/children"):
            try:
                with open(path, encoding="ascii") as f:
                    self.alive.update(map(int, f.read().split()))
            except OSError:
                pass

    def kill(self, role):
        """SIGKILL, which spares nobody at the entry of a call, and waits until it is dead."""
        self._meet_children()
        for pid in [p for p in self.alive if (p == self.pid) == (role == "holder")]:
            try:
                pidfd = os.pidfd_open(pid)
            except OSError:
                continue
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            select.select([pidfd], [], [], 10)
            os.close(pidfd)

    def _kill_all(self):
        for pid in self.alive:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def _reap(self, block=False):
        until = time.monotonic() + 60
        while True:
            for pid in list(self.alive):
                try:
                    done, status = os.waitpid(pid, os.WNOHANG | _WALL)
                except ChildProcessError:
                    done, status = (0, 0) if self._is_one(pid) else (pid, None)
                if not done:
                    continue
                self.alive.discard(pid)
                if pid == self.pid:
                    self.status = status
            if not block or not self.alive or time.monotonic() > until:
                return
            time.sleep(0.0002)

    def _is_one(self, pid):
        """A number may have a new owner."""
        try:
            return os.readlink(f"/proc/{pid}/exe") == self._program
        except OSError:
            return False

    @staticmethod
    def _text(fd):
        with open(fd, "rb") as f:
            f.seek(0)
            return f.read().decode(errors="replace")
