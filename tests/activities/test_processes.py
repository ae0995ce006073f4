"""Running one command: its streams, its end, its deadline, and that nothing of it stays."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from activities import processes
from activities.leftovers import MARKER, identity
from activities.logs import LogFile
from activities.output import AttemptLog, Output
from activities.processes import Command, Ended, run
from tests.activities.conftest import LONGER

Eventually = Callable[..., Any]
ProcessesOf = Callable[[str], list[int]]

ESCAPE = """
import os, time
if os.fork() == 0:
    os.setsid()
    between = os.getpid()
    if os.fork() == 0:
        while os.getppid() == between:
            time.sleep(0.01)
        open({file!r}, "w").write(str(os.getpid()))
        time.sleep(97531)
    os._exit(0)
"""


class Shell:
    def __init__(self, root: Path, log: LogFile) -> None:
        self.root = root
        self.log = log
        self.output = Output(AttemptLog(log, limit=1 << 20, label="Agent: a"), ())
        self.keeper = 0

    async def __call__(
        self,
        script: str,
        *,
        limit: int = 1 << 20,
        capture: int = 1 << 20,
        grace: float = 0.3,
        seconds: float | None = None,
        secrets: Sequence[bytes] = (),
    ) -> Ended:
        async def started(pgid: int) -> None:
            self.keeper = pgid

        env = {"PATH": os.environ["PATH"], MARKER: f"test-{self.root.name}", "PHASELOOM_WORKSPACE": str(self.root)}
        command = Command(argv=["/bin/sh", "-c", script], env=env, cwd=self.root, grace=grace)
        log = AttemptLog(self.log, limit=limit, label="Agent: a")
        self.output = Output(log, tuple(secrets), capture=capture)
        deadline = None if seconds is None else asyncio.get_running_loop().time() + seconds
        return await run(command, self.output, started=started, deadline=deadline)

    @property
    def logged(self) -> bytes:
        return self.log.path.read_bytes()


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Shell]:
    async with LogFile(tmp_path / "a.log") as log:
        yield Shell(tmp_path, log)


def alive(pid: int) -> bool:
    return identity(pid) is not None


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


LOGGED = "logged() { until grep -qs $1 a.log; do sleep 0.01; done; }; "
"""A shell function that returns once a word is in the log: two streams have no order but that of their reader."""


async def test_both_streams_reach_the_log_by_line(shell: Shell) -> None:
    ended = await shell(f"{LOGGED} echo one; logged one; echo two >&2; logged two; printf three; exit 3")
    assert ended == Ended(exit_code=3)
    assert shell.logged == b"one\ntwo\nthree\n"
    assert bytes(shell.output.stdout) == b"one\nthree"
    assert shell.output.tail() == "one\ntwo\nthree"


async def test_a_command_that_dies_of_a_signal_says_so(shell: Shell) -> None:
    assert await shell("kill -SEGV $$") == Ended(signal=signal.SIGSEGV)


async def test_a_missing_program_is_told_apart_from_a_failing_one(tmp_path: Path, shell: Shell) -> None:
    async def started(_: int) -> None:
        pass

    command = Command(argv=["no-such-program"], env={"PATH": "/usr/bin", MARKER: "x"}, cwd=tmp_path)
    assert await run(command, shell.output, started=started) == Ended(errno=2)


async def test_a_log_that_is_cut_keeps_its_beginning_and_its_end_and_says_what_is_missing(shell: Shell) -> None:
    ended = await shell("seq 100000", limit=10_000, capture=5_000)
    assert ended.exit_code == 0
    *head, note = shell.logged.decode().splitlines()
    assert head == [str(n) for n in range(1, len(head) + 1)], "cut between lines"
    assert note.endswith("Agent: a - Output cut here, after 7.3 KiB; its last 2.4 KiB follow when it has ended")
    await shell.output.log.finish()
    told = shell.logged.decode().splitlines()[len(head) + 1 :]
    assert told[0].endswith("left out; the end of the output:")
    assert told[1:] == [str(n) for n in range(100_001 - len(told[1:]), 100_001)]
    assert 9_000 < len(shell.logged) < 10_300
    assert len(shell.output.stdout) == 5_000
    assert shell.output.truncated
    assert shell.output.tail().endswith("99999\n100000"), "the end is known although the log is full"


class SlowLog(LogFile):
    """A log on a disk that needs longer for a few lines than a keeper gets to end."""

    async def write(self, lines: bytes) -> None:
        await asyncio.sleep(processes.BURIAL / 2)
        await super().write(lines)


async def test_nothing_is_lost_to_a_slow_disk(tmp_path: Path) -> None:
    async with SlowLog(tmp_path / "a.log") as log:
        shell = Shell(tmp_path, log)
        await shell(f"{LOGGED} echo one; logged one; echo two >&2; logged two; head -c 100000 /dev/zero; echo three")
    assert shell.logged.startswith(b"one\ntwo\n")
    assert shell.logged.endswith(b"three\n")


async def test_what_just_fits_is_whole(shell: Shell) -> None:
    await shell("seq 1900", limit=10_000)
    assert len(shell.logged) < 7_500, "what is beyond the first part is held back"
    await shell.output.log.finish()
    assert shell.logged.decode().splitlines() == [str(n) for n in range(1, 1901)]


async def test_a_line_without_an_end_does_not_pile_up(shell: Shell) -> None:
    await shell("head -c 1000000 /dev/zero | tr '\\0' x", limit=1 << 22)
    assert max(map(len, shell.logged.splitlines())) <= 64 * 1024 * 2
    assert shell.logged.count(b"x") == 1_000_000


async def test_a_secret_is_masked_across_chunks_and_in_the_tail(shell: Shell) -> None:
    await shell("printf 'a hun'; sleep 0.1; printf 'ter2hunter2 b\\n'; sleep 0.1; printf hunt", secrets=[b"hunter2"])
    assert shell.logged == b"a *** b\nhunt\n"
    assert shell.output.tail() == "a *** b\nhunt"


async def test_a_tail_never_starts_inside_a_secret(shell: Shell) -> None:
    await shell("for i in $(seq 3000); do printf 'topsecretvalue '; done", secrets=[b"topsecretvalue"], limit=0)
    assert "secret" not in shell.output.tail()
    assert "value" not in shell.output.tail()


async def test_what_a_command_leaves_behind_is_ended(tmp_path: Path, shell: Shell, processes_of: ProcessesOf) -> None:
    escape = ESCAPE.format(file=str(tmp_path / "pid"))
    (tmp_path / "escape.py").write_text(escape)
    ended = await shell(f"sleep 97532 & {sys.executable} escape.py; while ! [ -s pid ]; do sleep 0.01; done; echo done")
    assert (ended.exit_code, ended.left) == (0, 2)
    assert not processes_of("97532")
    assert not alive(int((tmp_path / "pid").read_text()))


async def test_a_hung_command_is_killed_with_all_its_kin_at_its_deadline(
    tmp_path: Path, shell: Shell, processes_of: ProcessesOf
) -> None:
    (tmp_path / "escape.py").write_text(ESCAPE.format(file=str(tmp_path / "pid")))
    deaf = "trap '' TERM; sleep 97533 & sh -c 'sleep 97533; :' & "
    for seconds in LONGER:
        began = time.monotonic()
        ended = await shell(
            f"{deaf} {sys.executable} escape.py; while :; do sleep 0.1; done", seconds=seconds, grace=0.3
        )
        took = time.monotonic() - began
        assert ended.timed_out
        assert not processes_of("97533")
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
            break
    assert ended.signal == signal.SIGKILL
    assert took > seconds + 0.2
    assert not alive(int((tmp_path / "pid").read_text()))


async def test_a_command_that_obeys_ends_within_its_grace(shell: Shell) -> None:
    for seconds in LONGER:
        began = time.monotonic()
        script = "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.02; done"
        ended = await shell(script, seconds=seconds, grace=60)
        assert time.monotonic() - began < seconds + 30
        if b"up\n" in shell.logged:
            break
    assert ended == Ended(timed_out=True)  # how it answers the signal is no exit code of its own
    assert shell.logged.endswith(b"bye\n")


async def test_a_stopped_command_is_ended_too(shell: Shell) -> None:
    ended = await shell("kill -STOP $$", seconds=0.3, grace=60)
    assert ended == Ended(signal=signal.SIGTERM, timed_out=True)


async def test_cancelling_ends_the_command_before_it_is_passed_on(
    shell: Shell, eventually: Eventually, processes_of: ProcessesOf
) -> None:
    task = asyncio.create_task(shell("trap '' TERM; echo up; sleep 97534 & wait; sleep 97534", grace=0.3))
    await eventually(lambda: b"up" in shell.logged)
    task.cancel()
    await asyncio.sleep(0.05)
    task.cancel()  # the second must not interrupt the cleaning up
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not processes_of("97534")
    assert not alive(shell.keeper)


async def test_killing_the_group_from_inside_is_seen_as_a_signal(shell: Shell, processes_of: ProcessesOf) -> None:
    ended = await shell("setsid sleep 97535 & sleep 0.1; kill -9 0")
    assert ended.signal == signal.SIGKILL
    assert not processes_of("97535")


async def test_a_scripts_own_kill_0_is_not_an_order_to_the_keeper(shell: Shell) -> None:
    ended = await shell("trap 'exit 5' TERM; sleep 60 & kill 0; wait")
    assert ended.exit_code == 5


async def test_no_descriptor_is_leaked(shell: Shell, eventually: Eventually) -> None:
    await shell("true")
    before = descriptors()
    for script in ("true", "exit 1", "kill -9 $$", "kill -9 0"):
        await shell(script)
    await shell("sleep 60", seconds=0.1)
    for moment in (0.0, 0.001, 0.005, 0.02, 0.05):
        task = asyncio.create_task(shell("sleep 60"))
        await asyncio.sleep(moment)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await eventually(lambda: descriptors() <= before)


async def test_commands_run_side_by_side(shell: Shell) -> None:
    """Each of them ends only when the others are there, which they never would be if one held up the loop."""
    meeting = "touch here-{0}; until test -e here-a -a -e here-b -a -e here-c; do sleep 0.02; done"
    together = await asyncio.gather(*(shell(meeting.format(name)) for name in "abc"))
    assert [ended.exit_code for ended in together] == [0, 0, 0]
