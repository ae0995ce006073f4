"""The program `phaseloom`, started from a process that has imported it: a command costs a tenth of what it costs cold.

`Warm.program` is a file to call instead of the console script. What it starts is a process of its own as well, forked
from the warm one, with the caller's arguments, directory, environment, input and output; it goes through
`phaseloom.main` and ends with that one's exit code. Whatever such a command starts finds the real program.
"""

from __future__ import annotations

import gc
import importlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve()
BIN = Path(sys.executable).parent
LOADED = (
    *("cli.main", "cli.live", "cli.api.client", "cli.reach.launch", "cli.reach.prospect"),
    *("cli.words.closing", "cli.words.status", "definitions.advice", "temporalio.client"),
)
"""With what these import it is most of what commands import."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warm:
    """A warm process that waits for commands."""

    folder: Path

    @property
    def program(self) -> Path:
        """What to call instead of the console script."""
        return self.folder / "phaseloom"


@contextmanager
def warm() -> Iterator[Warm]:
    """A process that has everything imported, as long as this lasts."""
    with tempfile.TemporaryDirectory(prefix="warm") as name:
        folder = Path(name)
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(str(folder / "door"))
            door.listen(64)
            serving = subprocess.Popen(
                [sys.executable, "-P", str(HERE), str(door.fileno()), str(folder)],
                cwd=folder,
                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "dumb"},
                stdin=subprocess.DEVNULL,
                pass_fds=[door.fileno()],
            )
        asking = [sys.executable, "-I", "-S", str(HERE.with_name("asking.py")), str(folder / "door")]
        script = folder / "phaseloom"
        script.write_text(f'#!/bin/sh\nexec {shlex.join(asking)} "$@"\n', encoding="utf-8")
        script.chmod(0o755)
        try:
            yield Warm(folder=folder)
        finally:
            serving.kill()
            serving.wait()


def _serve(door: socket.socket, folder: str) -> None:
    """Fork for every command that is asked for; never returns."""
    import phaseloom  # noqa: PLC0415 - not in the tests' own process

    phaseloom._pin()
    for name in LOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how one ended who waits for a command
    while True:
        caller, _ = door.accept()
        if not os.fork():
            door.close()
            _answer(caller, folder)
        caller.close()


def _answer(caller: socket.socket, folder: str) -> None:
    """Carry out one command and tell how it ended; never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, streams, _, _ = socket.recv_fds(caller, 1, 3)
    asked = b"".join(iter(lambda: caller.recv(65536), b"")).decode(errors="surrogateescape")
    pid = os.fork()
    if not pid:
        caller.close()
        _become(asked.split("\0"), streams, folder)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    caller.sendall(str(code if code >= 0 else 128 - code).encode())
    os._exit(0)


def _become(asked: list[str], streams: list[int], folder: str) -> None:
    """Be the program, for a caller; never returns."""
    import phaseloom  # noqa: PLC0415 - as above

    place, count, *rest = asked
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as the interpreter does
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as above
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115 - as above
    os.chdir(place)
    os.environ.clear()
    for name, _, value in (variable.partition("=") for variable in rest[int(count) :]):
        os.environ[name] = value
    os.environ["PATH"] = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if part != folder)
    sys.argv = [str(BIN / "phaseloom"), *rest[: int(count)]]
    phaseloom.main()


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2])
