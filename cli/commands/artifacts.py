"""`phaseloom artifacts …`: what agents have made, and getting it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import Look, command
from cli.commands import artifact_upkeep
from cli.commands.workflow.acting import looked_at
from cli.console import Console, is_terminal
from cli.exits import Exit, UsageError

if TYPE_CHECKING:
    from activities.remote import Stored
    from cli.api import Artifact, Artifacts

Json = dict[str, Any]

DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{8,64})")
"""A digest, or enough of its beginning."""

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
    command(artifacts, "verify")(artifact_upkeep.verify)
    command(artifacts, "prune")(artifact_upkeep.prune)
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
    from cli.api import Artifacts  # noqa: PLC0415 - not needed for --help
    from cli.reach.place import here  # noqa: PLC0415
    from cli.words.artifacts import of_run, stored  # noqa: PLC0415
    from cli.words.bars import canvas  # noqa: PLC0415

    console = Console(json=look.json)
    fits = canvas(sys.stdout).width if is_terminal(sys.stdout) else None
    if every:
        if phase is not None or look.run is not None:
            raise UsageError("--all lists what is stored, of no run and no phase", hint="leave one of them out")
        store = Artifacts(here())
        found = [_shown(each) for each in store.stored()]
        console.answer({"store": store.place, "artifacts": found}, stored(found, store.place, fits=fits))
        return Exit.OK
    run = await looked_at(look, console)
    listed = await run.artifacts()
    if phase is not None:
        listed = _of_phase(listed, phase, run.id)
    told = [each.to_json() for each in listed]
    console.answer({"run": run.id, "artifacts": told}, of_run(run.id, told, fits=fits))
    return Exit.OK


def _shown(content: Stored) -> Json:
    at = content.stored_at.isoformat(timespec="seconds")
    return {"sha256": content.sha256, "size": content.size, "stored_at": at}


def _of_phase(listed: tuple[Artifact, ...], phase: str, run: str) -> tuple[Artifact, ...]:
    from cli.exits import NotFoundError  # noqa: PLC0415 - only for a phase

    found = tuple(each for each in listed if each.phase == phase)
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
    from cli.api import Artifacts  # noqa: PLC0415 - not needed for --help
    from cli.reach.place import here  # noqa: PLC0415
    from cli.transfer import transfer  # noqa: PLC0415

    console = Console(json=look.json)
    if look.json and output is None:
        raise UsageError("with --json the content goes to a file", hint="name it with -o FILE")
    store = Artifacts(here())
    size: int | None = None
    if (digest := DIGEST.fullmatch(artifact)) is not None:
        sha256 = store.find(digest[1])
    else:
        look, name = _run_in(artifact, look)
        named = await (await looked_at(look, console)).artifact(name)
        sha256, size = named.sha256, named.size
    with transfer(artifact, total=size, quiet=look.json) as told:
        if output is None:
            _print(store.read(sha256, progress=told.more))
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


def _write(store: Artifacts, sha256: str, output: Path, progress: Any) -> None:
    from engine.errors import WorkspaceError  # noqa: PLC0415 - not needed for --help

    try:
        store.get(sha256, output, progress=progress)
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
