"""`phaseloom artifacts verify` and `prune`: whether what is stored still is what it was, and what nobody needs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import Look, Where
from cli.console import Console
from cli.exits import Exit, UsageError

if TYPE_CHECKING:
    from datetime import timedelta

Json = dict[str, Any]


async def verify(look: Look) -> Exit:
    """Read artifacts and compare them with their digests.

    With --run those of one run; else everything that is stored, and whatever open runs need. Ends with 6 when one is
    missing or altered.
    """
    from activities.upkeep import check  # noqa: PLC0415 - not needed for --help
    from cli.reach.place import here  # noqa: PLC0415
    from cli.reach.store import project_store  # noqa: PLC0415
    from cli.transfer import transfer  # noqa: PLC0415
    from cli.words.artifacts import verified  # noqa: PLC0415

    console = Console(json=look.json)
    store = project_store(here())
    read = 0
    problems: list[Json] = []
    with transfer("looking", quiet=look.json) as told:
        needed = await (_needed_by_one(look, console) if look.run is not None else _needed(look, console, told.tell))

        def more(size: int) -> None:
            nonlocal read
            read += size
            told.more(size)

        for digest in sorted(needed):
            told.tell(digest[:16])
            problems += [
                {"sha256": digest, "what": each.what, "where": each.where, "needed_by": needed[digest]}
                for each in check(store, digest, more)
                if each.what == "altered" or needed[digest]  # what only this host has, and nobody needs, is no loss
            ]
    answer = {"checked": len(needed), "bytes": read, "problems": problems}
    console.answer(answer, verified(answer))
    return Exit.WORKSPACE if problems else Exit.OK


async def _needed_by_one(look: Look, console: Console) -> dict[str, list[str]]:
    """The digests that a run needs, with what needs them: its artifacts by name, its archive, its payloads."""
    from cli.commands.workflow.acting import looked_at  # noqa: PLC0415 - not needed for --help
    from cli.reach.archives import archive_of  # noqa: PLC0415
    from cli.reach.contact import connected  # noqa: PLC0415
    from cli.reach.keeping import needed_by_open_runs  # noqa: PLC0415
    from cli.reach.place import here  # noqa: PLC0415
    from cli.reach.store import project_store  # noqa: PLC0415

    handle = await looked_at(look, console)
    run, listed = handle.id, await handle.artifacts()
    found: dict[str, list[str]] = {}
    for each in listed:
        found.setdefault(each.sha256, []).append(each.word)
    if (archive := archive_of(here(), run)) is not None:
        found.setdefault(archive, []).append(f"the ledger of {run}")
        return found
    connection = await connected(look, console)
    payloads = await needed_by_open_runs(connection, project_store(here()), only=run, tell=lambda _: None)
    return {digest: [f"the history of {run}"] for digest in payloads} | found


async def _needed(where: Where, console: Console, tell: Any) -> dict[str, list[str]]:
    """Everything that is stored, archives that should be, and what open runs need, with these runs."""
    from activities.upkeep import contents  # noqa: PLC0415 - not needed for --help
    from cli.reach.archives import archives  # noqa: PLC0415
    from cli.reach.contact import connected  # noqa: PLC0415
    from cli.reach.keeping import needed_by_open_runs  # noqa: PLC0415
    from cli.reach.place import here  # noqa: PLC0415
    from cli.reach.store import project_store  # noqa: PLC0415

    store = project_store(here())
    connection = await connected(where, console)
    found: dict[str, list[str]] = {digest: [] for digest in contents(store)}
    for run, archive in archives(here()).items():
        found.setdefault(archive.sha256, []).append(f"the ledger of {run}")
    for digest, runs in (await needed_by_open_runs(connection, store, only=None, tell=tell)).items():
        found.setdefault(digest, []).extend(runs)
    return found


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
    from datetime import UTC, datetime  # noqa: PLC0415 - not needed for --help

    from activities.upkeep import remove, remove_drafts, waste  # noqa: PLC0415
    from cli.reach.contact import connected  # noqa: PLC0415
    from cli.reach.keeping import alone, kept  # noqa: PLC0415
    from cli.reach.place import here  # noqa: PLC0415
    from cli.reach.store import project_store  # noqa: PLC0415
    from cli.transfer import transfer  # noqa: PLC0415
    from cli.words.artifacts import to_remove  # noqa: PLC0415
    from cli.words.measures import size  # noqa: PLC0415

    console = Console(json=where.json)
    store = project_store(here())
    age = _age(older_than)
    if not shared:
        alone(store)
    connection = await connected(where, console)
    now = datetime.now(UTC)
    with transfer("looking", quiet=where.json) as told:
        needed = await kept(connection, store, older_than=age, newest=keep_runs, now=now, tell=told.tell)
        found = waste(store, needed.digests, now)
    answer: Json = {
        "dry_run": dry_run,
        "removed": [{"sha256": each.sha256, "size": each.size} for each in found],
        "bytes": sum(each.size for each in found),
        "runs_kept": len(needed.runs),
        "runs_let_go": len(needed.let_go),
    }
    console.lines(to_remove(answer))
    if dry_run or not found:
        console.data(answer)
        return Exit.OK
    _sure(yes=yes, asks=not where.json)
    with transfer("removing", total=answer["bytes"], quiet=where.json) as told:
        gone = []
        for each in found:
            if remove(store, each, datetime.now(UTC)):
                gone.append(each)
            told.more(each.size)
        remove_drafts(store, now)
    answer["removed"] = [{"sha256": each.sha256, "size": each.size} for each in gone]
    answer["bytes"] = sum(each.size for each in gone)
    from cli.words.bars import Canvas  # noqa: PLC0415 - loaded by then

    console.answer(answer, [f"✓ Removed {len(gone)}, {size(answer['bytes'], Canvas())}"])
    return Exit.OK


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
