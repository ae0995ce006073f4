"""Runs one command under a keeper, to its end, its deadline or its cancellation; then none of its processes lives.

The event loop never waits for it: everything comes through pipes. Whatever happens, `run` returns or raises only when
the keeper has gone, and the descriptors it opened are closed.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from activities import keeper
from activities.finishing import to_the_end
from activities.leftovers import MARKER, Trace, identity, sweep, this_host
from activities.output import Output, Stream
from activities.usage import CommandUsage

GRACE = 10.0
"""Seconds between TERM and KILL when a command is stopped."""

BURIAL = 3.0
"""Seconds that a keeper which has said its last word gets to end."""

PATIENCE = 20
"""As often as that, what a command printed gets so long again to be written, as long as it is being written."""

CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One program to run. `env` is its whole environment and must hold the attempt's marker."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    grace: float = GRACE
    held: Sequence[int] = ()
    """Descriptors that stay open as long as any process of the command may live."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended. One of the first three is set, unless it was stopped at its deadline.

    `exit_code` is its own; `signal` killed it; `errno` says why it could not be started. One that was stopped at its
    deadline (`timed_out`) has no exit code: how it answered the signal is chance. `left` processes outlived it and
    were ended; `alive` are those that even KILL did not end. `usage` is unknown where the keeper itself was lost.
    """

    exit_code: int | None = None
    signal: int | None = None
    errno: int | None = None
    timed_out: bool = False
    left: int = 0
    alive: int = 0
    usage: CommandUsage | None = field(default=None, compare=False)


async def run(
    command: Command, output: Output, *, started: Callable[[int], Awaitable[None]], deadline: float | None = None
) -> Ended:
    """Run a command to its end; `deadline` is a time of the loop's clock.

    `started` learns the process group before the command itself runs. When the task is cancelled, the command is
    stopped with its grace and awaited before the cancellation goes on.
    """
    child = _Child(command)
    try:
        await child.connect(output)
        await started(child.pid)
        child.ask()
        try:
            async with asyncio.timeout_at(deadline):
                return await child.ended()
        except TimeoutError:
            return await to_the_end(child.stop(timed_out=True))
    except BaseException:
        await to_the_end(child.stop())
        raise
    finally:
        await to_the_end(child.close())
        await output.finish()


class _Child:
    """The keeper's process, and the pipes to it."""

    def __init__(self, command: Command) -> None:
        self.command = command
        control, status, stdout, stderr = _pipes(4)
        ours = (control[1], status[0], stdout[0], stderr[0])
        theirs = (control[0], status[1], stdout[1], stderr[1])
        try:
            self.process = _spawn(command, *theirs)
        except BaseException:
            for fd in ours:
                os.close(fd)
            raise
        finally:
            for fd in theirs:
                os.close(fd)
        self.pid = self.process.pid
        self.trace = Trace(attempt_id=command.env[MARKER], host=this_host(), pgid=self.pid, started=identity(self.pid))
        self.files = [os.fdopen(fd, mode, buffering=0) for fd, mode in zip(ours, ("wb", "rb", "rb", "rb"), strict=True)]
        self.readers: list[asyncio.ReadTransport] = []
        self.control: asyncio.WriteTransport | None = None
        self.status: asyncio.StreamReader | None = None
        self.pumps: list[asyncio.Task[None]] = []
        self.writing = 0
        self.asked = False
        self.result: Ended | None = None
        self.usage: CommandUsage | None = None

    async def connect(self, output: Output) -> None:
        """Attach the pipes to the loop; from here on what the command prints flows into `output`."""
        control, status, stdout, stderr = self.files
        self.control, _ = await asyncio.get_running_loop().connect_write_pipe(asyncio.BaseProtocol, control)
        self.status = await self._reader(status)
        self.pumps.append(asyncio.create_task(self._pump(await self._reader(stdout), output, "stdout")))
        self.pumps.append(asyncio.create_task(self._pump(await self._reader(stderr), output, "stderr")))

    async def _reader(self, file: Any) -> asyncio.StreamReader:
        reader = asyncio.StreamReader(limit=CHUNK)
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, file)
        self.readers.append(transport)
        return reader

    def ask(self) -> None:
        """Tell the keeper what to run."""
        assert self.control is not None
        self.asked = True
        self.control.write(_wanted(self.command))

    async def _pump(self, reader: asyncio.StreamReader, output: Output, stream: Stream) -> None:
        while data := await reader.read(CHUNK):
            self.writing += 1
            try:
                await output.write(stream, data)
            finally:
                self.writing -= 1

    async def _drain(self) -> None:
        """Wait for what is still in the pipes; a slow disk may take its time with it."""
        left = set(self.pumps)
        for _ in range(PATIENCE):
            if left:
                _, left = await asyncio.wait(left, timeout=BURIAL)
            if not self.writing:
                break
        for pump in left:  # only a process that cannot be killed still holds the other ends
            pump.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def ended(self) -> Ended:
        """How the command ended; returns when the keeper has nothing more to say."""
        assert self.status is not None
        async for line in self.status:
            word, *numbers = line.split()
            if word == b"failed":
                self.result = Ended(errno=int(numbers[0]))
            elif word == b"used":
                self.usage = CommandUsage.told([int(number) for number in numbers])
            elif word == b"ended":
                code, left, alive = map(int, numbers)
                exit_code, signal = (code, None) if code >= 0 else (None, -code)
                self.result = Ended(exit_code=exit_code, signal=signal, left=left, alive=alive, usage=self.usage)
        if self.result is None:
            self.result = await self._lost()
        return self.result

    async def stop(self, *, timed_out: bool = False) -> Ended:
        """End the command: TERM, grace, KILL."""
        if self.control is None or not self.asked or self.result is not None:
            return self.result or Ended(timed_out=timed_out)
        self.control.write(f"stop {self.command.grace}\n".encode())
        try:
            async with asyncio.timeout(self.command.grace + keeper.GIVE_UP + 2):
                await self.ended()
        except TimeoutError:
            self.result = await self._lost()
        ended = self.result or Ended()
        self.result = replace(ended, timed_out=timed_out, exit_code=None if timed_out else ended.exit_code)
        return self.result

    async def _lost(self) -> Ended:
        """End a keeper that does not answer, and what it kept."""
        code = await self._kill()
        if code >= 0 and self.asked:
            raise RuntimeError(f"the keeper of {self.command.argv[0]} ended with {code} and without a word")
        return Ended(signal=-code)

    async def _kill(self) -> int:
        self.process.kill()
        await sweep([self.trace])
        return await asyncio.to_thread(self.process.wait)

    async def close(self) -> None:
        """Bury the keeper, drain its pipes, and close them."""
        if self.control is None:
            self.files[0].close()
        elif not self.control.is_closing():
            self.control.abort()
        try:
            await asyncio.to_thread(self.process.wait, BURIAL)
        except subprocess.TimeoutExpired:
            await self._kill()  # it has said all it had to say, so whatever it ends with is no news
        await self._drain()
        for transport in self.readers:
            transport.close()
        for file in self.files:
            file.close()


def _pipes(count: int) -> list[tuple[int, int]]:
    """Pipes, all of them or (where descriptors are short) none."""
    pipes: list[tuple[int, int]] = []
    try:
        pipes.extend(os.pipe() for _ in range(count))
    except OSError:
        for fd in (fd for pipe in pipes for fd in pipe):
            os.close(fd)
        raise
    return pipes


def _spawn(command: Command, control: int, status: int, stdout: int, stderr: int) -> subprocess.Popen[bytes]:
    # Not in a thread: a spawn takes a millisecond, and one whose task is cancelled half-way would be lost.
    return subprocess.Popen(
        [sys.executable, "-I", "-S", keeper.__file__, *map(str, (control, status, *command.held))],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        env=_keeper_environment(command.env),
        cwd=command.cwd,
        pass_fds=(control, status, *command.held),
        start_new_session=True,
    )


def _keeper_environment(env: Mapping[str, str]) -> dict[str, str]:
    """What finds the keeper again, and what its interpreter may need to find its libraries."""
    libraries = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ}
    return libraries | {name: env[name] for name in (MARKER, "PHASELOOM_WORKSPACE") if name in env}


def _wanted(command: Command) -> bytes:
    items = [*command.argv, *(f"{name}={value}" for name, value in command.env.items())]
    body = b"\0".join(map(os.fsencode, items))
    return b"%d %d\n%s" % (len(command.argv), len(body), body)
