"""The log files of a run in this project: which one is meant, its last lines, what is added to it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path

from activities.places import run_directory
from cli.exits import NotFoundError
from cli.reach.ended import archived
from cli.reach.runs import Run

POLL = 0.2
ORCHESTRATOR = "orchestrator.log"


async def log_of(run: Run, root: Path, phase: int | str | None) -> Path:
    """Where the log of the run, or of one of its phases, is or would be."""
    folder = run_directory(root, run.id) / "logs"
    if phase is None:
        return folder / ORCHESTRATOR
    if isinstance(phase, int):
        return folder / f"phase-{(await run.phase(phase))['id']}.log"
    direct = folder / f"phase-{phase}.log"
    if "/" not in phase and direct.exists():  # it is there by that name: nobody needs to be asked
        return direct
    return folder / f"phase-{(await run.phase(phase))['id']}.log"


def last_lines(path: Path, count: int | None) -> tuple[list[str], int]:
    """The last `count` lines (None: all) and where the file ended then; nothing where there is none."""
    try:
        with path.open("rb") as file:
            kept = deque(file, maxlen=count)
            return [line.decode(errors="replace").rstrip("\n") for line in kept], file.tell()
    except FileNotFoundError:
        return [], 0


async def added_lines(run: Run, root: Path, path: Path, position: int) -> AsyncIterator[list[str]]:
    """What is written to the file from `position` on, until the run has ended and nothing more comes."""
    while True:
        ended = run.ended is not None or archived(root, run.id) is not None
        added = _from(path, position)
        position += len(added)
        yield added.decode(errors="replace").splitlines()
        if ended and not added:
            return
        await asyncio.sleep(POLL)


def _from(path: Path, position: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(position)
            return file.read()
    except FileNotFoundError:
        return b""


async def from_journal(run: Run) -> list[str]:
    """The lines of the run's own log, where its file is on another host."""
    lines: list[str] = []
    since = 0
    while True:
        answer = await run.journal(since)
        lines += answer["lines"]
        if answer["next"] == since:
            return lines
        since = answer["next"]


async def no_log(run: Run, phase: int | str, path: Path) -> NotFoundError:
    """Why a phase has no log here."""
    details = await run.phase(phase)
    if "items" in details:
        return NotFoundError(
            f"{details['name']} runs once per item, and each has a log of its own",
            hint=f"phaseloom workflow logs {details['id']}.0",
        )
    state = "has not started" if details["started_at"] is None else "has no log here"
    return NotFoundError(
        f"{details['name']} {state}", hint=f"people leave none; an agent's is on its worker's host: {path.name}"
    )
