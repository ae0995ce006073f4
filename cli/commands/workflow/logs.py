"""`workflow logs`: what a run and its phases have written."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.command import Look, command
from cli.console import Console, write
from cli.exits import Exit, NotFoundError

if TYPE_CHECKING:
    from cli.reach.runs import Run

POLL = 0.2
ORCHESTRATOR = "orchestrator"


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "logs")(logs)


async def logs(
    look: Look,
    phase: Annotated[
        str | None, typer.Argument(metavar="PHASE", help="Index, id or name; default: the run's log.")
    ] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until the run ends.")] = False,
    count: Annotated[int | None, typer.Option("--lines", "-n", min=0, help="Only the last lines.")] = None,
) -> Exit:
    """Print the log of a run, or of one of its phases."""
    from activities.places import run_directory  # noqa: PLC0415 - not needed for --help
    from cli.reach.place import here  # noqa: PLC0415
    from cli.reach.selection import run_to_look_at  # noqa: PLC0415

    console = Console(json=look.json)
    run = await run_to_look_at(look, console)
    folder = run_directory(here(), run.id) / "logs"
    path = folder / (f"phase-{await _slug(run, folder, phase)}.log" if phase is not None else f"{ORCHESTRATOR}.log")
    if not path.exists() and not follow:
        lines = await _elsewhere(run, phase, path)
        _print(console, path, lines[-count:] if count else lines)
        return Exit.OK
    position = 0
    if path.exists():
        lines, position = _read(path, count)
        _print(console, path, lines, one_by_one=follow)
    if follow:
        await _follow(run, path, position, console)
    return Exit.OK


def _print(console: Console, path: Path, lines: list[str], *, one_by_one: bool = False) -> None:
    """Print lines; as JSON in one object, or in an object each where more will follow."""
    if console.json and one_by_one:
        write(sys.stdout, "".join(json.dumps({"line": line}, ensure_ascii=False) + "\n" for line in lines))
    else:
        console.answer({"log": str(path), "lines": lines}, lines)


async def _slug(run: Run, folder: Path, word: str) -> str:
    """The part of the log's name that says which phase; a log that is there by that name needs no asking."""
    if "/" not in word and (folder / f"phase-{word}.log").exists():
        return word
    return str((await run.phase(word))["id"])


async def _elsewhere(run: Run, phase: str | None, path: Path) -> list[str]:
    """The run's log where its file is not here: from its journal. A phase's log is only with its worker."""
    if phase is not None:
        details = await run.phase(phase)
        state = "has not started" if details["started_at"] is None else "has no log here"
        raise NotFoundError(
            f"{details['name']} {state}", hint=f"people leave none; an agent's is on its worker's host: {path.name}"
        )
    lines: list[str] = []
    since = 0
    while True:
        answer = await run.journal(since)
        lines += answer["lines"]
        if answer["next"] == since:
            return lines
        since = answer["next"]


def _read(path: Path, count: int | None) -> tuple[list[str], int]:
    """The last `count` lines (None: all) and where the file ended then."""
    with path.open("rb") as file:
        kept = deque(file, maxlen=count)
        position = file.tell()
    return [line.decode(errors="replace").rstrip("\n") for line in kept], position


async def _follow(run: Run, path: Path, position: int, console: Console) -> None:
    """Print what is added until the run has ended and nothing more comes."""
    from cli.reach.ended import archived  # noqa: PLC0415 - loaded by then
    from cli.reach.place import here  # noqa: PLC0415

    while True:
        ended = run.ended is not None or archived(here(), run.id) is not None
        added = _added(path, position)
        position += len(added)
        _print(console, path, added.decode(errors="replace").splitlines(), one_by_one=True)
        if ended and not added:
            return
        await asyncio.sleep(POLL)


def _added(path: Path, position: int) -> bytes:
    """What the file holds from `position` on; nothing while there is none."""
    try:
        with path.open("rb") as file:
            file.seek(position)
            return file.read()
    except FileNotFoundError:
        return b""
