"""Stands between a worker and one command, and outlives neither: when the command ends, so does all that it started.

Run as a script, `python -I -S keeper.py CONTROL STATUS [HELD…]` (file descriptors), in a session of its own. It leads
the process group that the command works in, and on Linux adopts whatever the command orphans, so that nothing escapes
by calling `setsid` or forking twice. It needs the standard library only and starts in about 20 ms.

- CONTROL is read. First comes what to run: a line `<arguments> <bytes>`, then arguments and `NAME=value` pairs, NUL
  between them. Then at any time `stop <seconds>`: TERM to everything, after the grace KILL. Its end means that the
  worker died: the same with a grace of a quarter of a second.
- STATUS is written: `started <pid>`; or `failed <errno>`; at last `used <ms of cpu> <bytes of memory> <read> <written>`
  and `ended <exit code, or -signal> <left> <alive>`, with how many processes the command left behind, and how many even
  KILL did not end.
- HELD descriptors (the lock of the attempt) stay open until the keeper ends, and never reach the command.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time

ORPHANED_GRACE = 0.25
"""Seconds between TERM and KILL when the worker has died; a restarted worker wants the place soon."""

LEFT_GRACE = 1.0
"""Seconds between TERM and KILL for what a command that has ended left behind."""

GIVE_UP = 5.0
"""Seconds after which processes that KILL does not end (asleep in a dead disk, say) are reported and left."""

BLOCK = 512
"""Bytes in which Linux counts what went through its block layer."""

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

SHIELDED = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGALRM,
    signal.SIGPIPE,
    signal.SIGTSTP,
    signal.SIGTTIN,
    signal.SIGTTOU,
)
"""What the keeper does not listen to: a script's own `kill 0` reaches its whole group, and is not meant for us."""


def prctl(option: int, value: int) -> None:
    """Set a property of this process; nothing happens where the system has no `prctl`."""
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415 - a third of the start-up time, and of no use elsewhere

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def processes() -> dict[int, tuple[int, int]]:
    """Parent and process group of every living process, by id; from `/proc`, or `ps` where there is none."""
    return _from_proc() if os.path.isdir("/proc/self") else from_ps()  # noqa: PTH112 - pathlib costs 5 ms here


def _from_proc() -> dict[int, tuple[int, int]]:
    table = {}
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                state, parent, group = file.read().rpartition(b")")[2].split()[:3]
                if state not in b"ZX":
                    table[int(name)] = (int(parent), int(group))
    return table


def from_ps() -> dict[int, tuple[int, int]]:
    """The same table as `ps` tells it."""
    import subprocess  # noqa: PLC0415 - 8 ms that Linux need not pay

    command = ["ps", "-A", "-o", "pid=,ppid=,pgid=,state="]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as ps:
        text = ps.communicate()[0]
    rows = (line.split() for line in text.splitlines())
    table = {int(row[0]): (int(row[1]), int(row[2])) for row in rows if not row[3].startswith(b"Z")}
    table.pop(ps.pid, None)
    return table


def below(table: dict[int, tuple[int, int]], top: int) -> set[int]:
    """The processes under `top`, and those of its group, without itself."""
    children: dict[int, list[int]] = {}
    for pid, (parent, _) in table.items():
        children.setdefault(parent, []).append(pid)
    found = {pid for pid, (_, group) in table.items() if group == top}
    queue = [top, *found]
    while queue:
        for pid in children.get(queue.pop(), ()):
            if pid not in found:
                found.add(pid)
                queue.append(pid)
    return found - {top}


def parents_first(table: dict[int, tuple[int, int]], pids: set[int]) -> list[int]:
    """These processes in the order in which they are to be ended: each after those that it runs for.

    A shell whose command is ended before itself goes on with the next one.
    """

    def depth(pid: int) -> int:
        above = 0
        while pid in table and above < len(table):  # a table is no picture of one moment: it may hold a circle
            pid = table[pid][0]
            above += 1
        return above

    return sorted(pids, key=depth)


def used() -> tuple[int, int, int, int]:
    """Milliseconds of processor, the largest process in bytes, bytes from and to disks, of all children buried so far.

    -1 where the system does not tell. A child counts its own children, so that adopted orphans complete the sum.
    """
    import resource  # noqa: PLC0415 - 1 ms that the command need not wait for

    total = resource.getrusage(resource.RUSAGE_CHILDREN)
    milliseconds = round((total.ru_utime + total.ru_stime) * 1000)
    if sys.platform != "linux":
        return milliseconds, total.ru_maxrss * (1 if sys.platform == "darwin" else 1024), -1, -1
    return milliseconds, total.ru_maxrss * 1024, total.ru_inblock * BLOCK, total.ru_oublock * BLOCK


class Keeper:
    """The life of one command, from its start to the end of everything it started."""

    def __init__(self, control: int, status: int) -> None:
        self.control: int | None = control
        self.status = status
        self.command = 0
        self.exit_code: int | None = None
        self.childless = False
        self.poller = select.poll()
        self.poller.register(control, select.POLLIN)
        self.unread = b""
        self.stop_at: float | None = None
        self.wakeup, writer = os.pipe()
        for fd in (self.wakeup, writer):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.poller.register(self.wakeup, select.POLLIN)

    def run(self) -> None:
        """Read what to run, run it, and report how it ended; without anything to run (the worker died), do nothing."""
        wanted = self.read_wanted()
        if wanted is None:
            return
        failed = self.start(*wanted)
        if failed:
            self.report(f"failed {failed}")
            return
        self.report(f"started {self.command}")
        while self.exit_code is None and self.stop_at is None:
            self.wait(None)
        left = 0
        if self.stop_at is None:
            left = len(self.living())
            self.stop_at = time.monotonic() + LEFT_GRACE
        alive = self.end_all()
        self.report("used {} {} {} {}".format(*used()))
        self.report(f"ended {self.exit_code if self.exit_code is not None else -signal.SIGKILL} {left} {alive}")

    def read_wanted(self) -> tuple[list[str], dict[str, str]] | None:
        """What to run, or None when the worker ended before it had said so."""
        assert self.control is not None
        with os.fdopen(os.dup(self.control), "rb", buffering=0) as file:
            words = file.readline().split()
            if not words:
                return None
            count, size = int(words[0]), int(words[1])
            body = bytearray()
            while len(body) < size:
                data = file.read(size - len(body))
                if not data:
                    return None
                body += data
        texts = [os.fsdecode(item) for item in bytes(body).split(b"\0")]
        pairs = (text.partition("=") for text in texts[count:])
        return texts[:count], {name: value for name, _, value in pairs}

    def start(self, argv: list[str], env: dict[str, str]) -> int:
        """Start the command; the number of the system's error, or 0."""
        reader, writer = os.pipe()
        self.command = os.fork()
        if self.command == 0:
            try:
                # Should the keeper itself be killed, at least the command goes with it.
                prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
                for number in (*SHIELDED, signal.SIGCHLD, signal.SIGXFSZ):
                    signal.signal(number, signal.SIG_DFL)
                os.execvpe(argv[0], argv, env)  # noqa: S606 - no shell is the point
            except OSError as error:
                os.write(writer, str(error.errno).encode())
            finally:
                os._exit(127)
        os.close(writer)
        with os.fdopen(reader, "rb") as file:
            return int(file.read() or 0)

    def wait(self, seconds: float | None) -> None:
        """Wait for a child to end, for a message, or for the time to pass, and take notice of what happened."""
        for fd, _ in self.poller.poll(None if seconds is None else max(seconds, 0) * 1000):
            if fd == self.wakeup:
                with contextlib.suppress(BlockingIOError):
                    os.read(self.wakeup, 4096)
            else:
                self.listen(fd)
        self.reap()

    def listen(self, control: int) -> None:
        """Take an order of the worker, or notice its end; the sooner of two deadlines holds."""
        data = os.read(control, 4096)
        grace = ORPHANED_GRACE
        if data:
            *lines, self.unread = (self.unread + data).split(b"\n")
            graces = [float(line.split()[1]) for line in lines if line.startswith(b"stop ")]
            if not graces:
                return
            grace = min(graces)
        else:
            self.poller.unregister(control)
        at = time.monotonic() + grace
        self.stop_at = at if self.stop_at is None else min(self.stop_at, at)

    def reap(self) -> None:
        """Bury the children that ended, adopted ones too."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                if pid == self.command:
                    self.exit_code = os.waitstatus_to_exitcode(status)
        except ChildProcessError:
            self.childless = True

    def living(self) -> list[int]:
        """The processes that still have to end, parents first."""
        # Whoever adopts orphans and has no child has no descendant either: no need to look.
        if self.childless and sys.platform == "linux":
            return []
        table = processes()
        return parents_first(table, below(table, os.getpid()))

    def end_all(self) -> int:
        """TERM, wait until `stop_at`, KILL until nobody is left; how many could not be ended."""
        pause = 0.005
        living = self.living()
        send(living, signal.SIGTERM, signal.SIGCONT)
        while living:
            assert self.stop_at is not None
            left = self.stop_at - time.monotonic()
            if left <= -GIVE_UP:
                break
            if left <= 0:
                send(living, signal.SIGKILL)
            self.wait(min(pause, left) if left > 0 else pause)
            pause = min(pause * 2, 0.1)
            living = self.living()
        self.reap()
        return len(living)

    def report(self, line: str) -> None:
        """Tell the worker, if it lives."""
        with contextlib.suppress(OSError):
            os.write(self.status, line.encode() + b"\n")


def send(pids: list[int], *numbers: int) -> None:
    """Send signals to processes, in this order; they may have gone meanwhile."""
    for pid in pids:
        for number in numbers:
            with contextlib.suppress(OSError):
                os.kill(pid, number)


def main() -> None:
    """Keep the command that the control pipe names."""
    for number in SHIELDED:
        signal.signal(number, lambda *_: None)
    control, status, *held = (int(text) for text in sys.argv[1:])
    for fd in (control, status, *held):
        os.set_inheritable(fd, False)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    Keeper(control, status).run()


if __name__ == "__main__":
    main()
