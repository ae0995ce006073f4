"""`phaseloom artifacts …`: what agents have made, where it is, and whether it still is what it was."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import Look, Where, command
from cli.console import Console, is_terminal
from cli.exits import Exit, UsageError

if TYPE_CHECKING:
    from datetime import timedelta

    from activities.artifacts import ArtifactStore
    from cli.reach.artifacts import Made

Json = dict[str, Any]

artifacts = typer.Typer(
    name="artifacts",
    help="What agents have made: list it, get it, check it, remove what nobody needs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Add the group."""
    command(artifacts, "list")(list_artifacts)
    command(artifacts, "get")(get)
    command(artifacts, "verify")(verify)
    command(artifacts, "prune")(prune)
    app.add_typer(artifacts)


@artifacts.callback()
def _group() -> None:
    """What agents have made: list it, get it, check it, remove what nobody needs."""


async def list_artifacts(
    look: Look,
    *,
    phase: Annotated[str | None, typer.Argument(metavar="PHASE", help="Only those of this phase.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Everything that is stored, of whatever run.")] = False,
) -> Exit:
    """List the artifacts of a run: files that agents left, and outputs above 4 KiB."""
    from cli.reach.place import here  # noqa: PLC0415 - not needed for --help
    from cli.reach.store import project_store  # noqa: PLC0415
    from cli.words.artifacts import of_run, stored  # noqa: PLC0415
    from cli.words.bars import canvas  # noqa: PLC0415

    console = Console(json=look.json)
    fits = canvas(sys.stdout).width if is_terminal(sys.stdout) else None
    if every:
        if phase is not None or look.run is not None:
            raise UsageError("--all lists what is stored, of no run and no phase", hint="leave one of them out")
        store = project_store(here())
        found = _stored(store)
        where = store.remote.shown if store.remote is not None else str(store.directory)
        console.answer({"store": where, "artifacts": found}, stored(found, where, fits=fits))
        return Exit.OK
    run, listed = await _made(look, console)
    if phase is not None:
        listed = _of_phase(listed, phase, run)
    told = [each.to_json() for each in listed]
    console.answer({"run": run, "artifacts": told}, of_run(run, told, fits=fits))
    return Exit.OK


def _stored(store: ArtifactStore) -> list[Json]:
    from activities.upkeep import contents  # noqa: PLC0415 - not needed for --help

    found = sorted(contents(store).values(), key=lambda each: each.stored_at, reverse=True)
    return [
        {"sha256": each.sha256, "size": each.size, "stored_at": each.stored_at.isoformat(timespec="seconds")}
        for each in found
    ]


async def _made(look: Look, console: Console) -> tuple[str, list[Made]]:
    """A run and its artifacts."""
    from cli.reach.artifacts import made  # noqa: PLC0415 - not needed for --help
    from cli.reach.place import here  # noqa: PLC0415
    from cli.reach.selection import run_to_look_at  # noqa: PLC0415
    from cli.reach.store import project_store  # noqa: PLC0415

    run = await run_to_look_at(look, console)
    return run.id, await made(run, project_store(here()))


def _of_phase(listed: list[Made], phase: str, run: str) -> list[Made]:
    from cli.exits import NotFoundError  # noqa: PLC0415 - only for a phase

    found = [each for each in listed if each.phase == phase]
    if not found:
        have = ", ".join(dict.fromkeys(each.phase for each in listed)) or "none"
        raise NotFoundError(f"the run {run} has no artifacts of a phase '{phase}'", hint=f"phases that have: {have}")
    return found


async def get(
    artifact: Annotated[
        str, typer.Argument(metavar="PHASE/NAME|RUN/PHASE/NAME|DIGEST", help="As `artifacts list` prints it.")
    ],
    look: Look,
    *,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: stdout.")] = None,
) -> Exit:
    """Get an artifact, checked, into a file or to stdout."""
    from cli.reach.artifacts import content_named, digest_in, one_named  # noqa: PLC0415 - not needed for --help
    from cli.reach.place import here  # noqa: PLC0415
    from cli.reach.store import project_store  # noqa: PLC0415
    from cli.transfer import transfer  # noqa: PLC0415

    console = Console(json=look.json)
    if look.json and output is None:
        raise UsageError("with --json the content goes to a file", hint="name it with -o FILE")
    store = project_store(here())
    size: int | None = None
    digest = digest_in(artifact)
    if digest is not None:
        sha256 = content_named(store, digest)
    else:
        look, word = _run_in(artifact, look)
        run, listed = await _made(look, console)
        named = one_named(listed, run, word)
        sha256, size = named.sha256, named.size
    with transfer(artifact, total=size, quiet=look.json) as told:
        if output is None:
            _print(store.checked(sha256, told.more))
        else:
            _write(store, sha256, output, told.more)
    if output is not None:
        shown = {"sha256": sha256, "size": output.stat().st_size, "path": str(output)}
        console.answer(shown, [f"✓ {output} ({shown['size']} bytes, sha256:{sha256})"])
    return Exit.OK


def _run_in(artifact: str, look: Look) -> tuple[Look, str]:
    """The options with the run that begins a path, and the rest of it."""
    import dataclasses  # noqa: PLC0415 - only for a path

    head, _, rest = artifact.partition("/")
    if look.run is None and head.startswith("wf_") and "/" in rest:
        return dataclasses.replace(look, run=head), rest
    if not rest:
        raise UsageError(
            f"'{artifact}' names no artifact", hint="write PHASE/NAME as `phaseloom artifacts list` prints it"
        )
    return look, artifact


def _write(store: ArtifactStore, sha256: str, output: Path, progress: Any) -> None:
    from engine.errors import WorkspaceError  # noqa: PLC0415 - not needed for --help

    try:
        store.copy(sha256, output, progress)
    except OSError as error:
        raise WorkspaceError(f"{output} cannot be written: {error.strerror or error}") from error


def _print(path: Path) -> None:
    """A content to stdout; one that is no text is no help on a terminal."""
    with path.open("rb") as reader:
        piece = reader.read(1024 * 1024)
        if is_terminal(sys.stdout) and b"\0" in piece:
            raise UsageError("the artifact is no text", hint="write it to a file with -o FILE")
        while piece:
            sys.stdout.buffer.write(piece)
            piece = reader.read(1024 * 1024)
    sys.stdout.buffer.flush()


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
    from cli.reach.archives import archive_of  # noqa: PLC0415 - not needed for --help
    from cli.reach.contact import connected  # noqa: PLC0415
    from cli.reach.keeping import needed_by_open_runs  # noqa: PLC0415
    from cli.reach.place import here  # noqa: PLC0415
    from cli.reach.store import project_store  # noqa: PLC0415

    run, listed = await _made(look, console)
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
