"""`phaseloom artifacts verify` and `prune`: whether what is stored still is what it was, and what nobody needs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import Look, Where
from cli.commands.workflow.acting import client_for, looked_at
from cli.console import Console
from cli.exits import Exit, UsageError

if TYPE_CHECKING:
    from datetime import timedelta

    from activities.remote import Stored

Json = dict[str, Any]


async def verify(look: Look) -> Exit:
    """Read artifacts and compare them with their digests.

    With --run those of one run; else everything that is stored, and whatever open runs need. Ends with 6 when one is
    missing or altered.
    """
    from cli.transfer import transfer  # noqa: PLC0415 - not needed for --help
    from cli.words.artifacts import verified  # noqa: PLC0415

    console = Console(json=look.json)
    client = await client_for(look, console)
    run = await looked_at(look, console) if look.run is not None else None
    with transfer("looking", quiet=look.json) as told:
        found = await client.artifacts.verify(run, tell=told.tell, progress=told.more)
    answer = {
        "checked": found.checked,
        "bytes": found.bytes,
        "problems": [
            {"sha256": problem.sha256, "what": problem.what, "where": problem.where, "needed_by": list(by)}
            for problem, by in found.problems
        ],
    }
    console.answer(answer, verified(answer))
    return Exit.WORKSPACE if found.problems else Exit.OK


async def prune(
    where: Where,
    *,
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="TIME", help="How long after its end a run keeps its artifacts.")
    ] = "30d",
    keep_runs: Annotated[
        int, typer.Option("--keep-runs", metavar="N", min=0, help="So many ended runs keep theirs, however old.")
    ] = 0,
    shared: Annotated[
        bool, typer.Option("--shared", help="Also in a store that other projects use: what only they need goes too.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> Exit:
    """Remove artifacts that no run needs any more.

    Open runs keep all they need, ended ones their ledger. What was stored within a day stays.
    """
    from cli.transfer import transfer  # noqa: PLC0415 - not needed for --help
    from cli.words.artifacts import removed, to_remove  # noqa: PLC0415

    console = Console(json=where.json)
    age = _age(older_than)
    artifacts = (await client_for(where, console)).artifacts
    with transfer("looking", quiet=where.json) as told:
        waste = await artifacts.waste(older_than=age, keep_runs=keep_runs, shared=shared, tell=told.tell)
    answer: Json = {
        "dry_run": dry_run,
        **_counted(waste.contents),
        "runs_kept": waste.runs_kept,
        "runs_let_go": waste.runs_let_go,
    }
    console.lines(to_remove(answer))
    if dry_run or not waste.contents:
        console.data(answer)
        return Exit.OK
    _sure(yes=yes, asks=not where.json)
    with transfer("removing", total=waste.bytes, quiet=where.json) as told:
        answer |= _counted(artifacts.remove(waste, progress=told.more))
    console.answer(answer, removed(answer))
    return Exit.OK


def _counted(contents: tuple[Stored, ...]) -> Json:
    return {
        "removed": [{"sha256": each.sha256, "size": each.size} for each in contents],
        "bytes": sum(each.size for each in contents),
    }


def _age(text: str) -> timedelta:
    from datetime import timedelta  # noqa: PLC0415 - not needed for --help

    from definitions.durations import DurationError, seconds  # noqa: PLC0415

    try:
        return timedelta(seconds=seconds(text))
    except (DurationError, OverflowError) as error:
        raise UsageError(f"--older-than: {error}", hint="write it like 12h or 30d") from error


def _sure(*, yes: bool, asks: bool) -> None:
    """Ask whether to remove, unless that is said already."""
    from engine.errors import RefusedError  # noqa: PLC0415 - not needed for --help

    if yes:
        return
    if not asks or not sys.stdin.isatty():
        raise UsageError("nobody can be asked whether to remove them", hint="--yes does not ask, --dry-run only looks")
    if not typer.confirm("Remove them?", default=False):
        raise RefusedError("nothing was removed")
