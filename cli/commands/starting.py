"""What `run` and `workflow start` have in common: their options and how a definition becomes a started run."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.command import Where
from cli.console import Console, write
from cli.exits import UsageError

if TYPE_CHECKING:
    from cli.api.handle import RunHandle
    from cli.api.returning import Return
    from cli.api.starting import Prepared

UNBOUND = "PL402"
"""A role that is bound to nothing: at the start of a run all of them are told in one line."""

CONFIG_NAME = "phaseloom.yaml"


@dataclass(frozen=True, kw_only=True)
class Starting(Where):
    """Options of commands that start a run."""

    input: Annotated[
        list[str] | None, typer.Option("--input", "-i", metavar="NAME=VALUE", help="An input; may be repeated.")
    ] = None
    inputs_file: Annotated[
        Path | None, typer.Option("--inputs-file", metavar="FILE", help="Inputs from a JSON or YAML file.")
    ] = None
    max_workers: Annotated[
        str | None, typer.Option("--max-workers", metavar="N|auto", help="How many agents may work at once.")
    ] = None
    actor: Annotated[
        str | None,
        typer.Option("--actor", metavar="NAME", help="Who does this; default: $PHASELOOM_ACTOR or the login name."),
    ] = None


def prepared(
    definition: str, options: Starting, console: Console, *, non_interactive: bool = False, verb: str = "run"
) -> Prepared:
    """The definition, checked and compiled; warnings and what is not in effect yet are told. `verb`: what was typed.

    Raises before anything is started: NotFoundError, InvalidDefinitionError, UsageError, RefusedError.
    """
    from cli.api import starting  # noqa: PLC0415 - --help needs neither
    from cli.reach.place import here  # noqa: PLC0415

    ready = starting.prepared(
        definition,
        here(),
        written=options.input or (),
        inputs_file=options.inputs_file,
        max_workers=options.max_workers,
        non_interactive=non_interactive,
        typed=True,
        command=f"phaseloom {verb} {shlex.quote(definition)}",
    )
    tell(ready, console)
    return ready


ResumeFrom = Annotated[
    str | None,
    typer.Option(
        "--resume-from",
        metavar="PLACE",
        help="Go on with its last run instead: last-checkpoint, beginning, a phase, or a checkpoint.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="With --resume-from: whatever differs, and without asking.")]


async def resumed(
    definition: str, options: Starting, console: Console, place: str, *, yes: bool, verb: str = "run"
) -> tuple[RunHandle, Return]:
    """The last run of a definition, back at a place; of an ended one a new run.

    Raises UsageError for options of a fresh start, NotFoundError when the definition has no run yet.
    """
    from cli.api import NotFoundError  # noqa: PLC0415 - --help needs none of these
    from cli.api.returning import last_run_of, resumption_of  # noqa: PLC0415
    from cli.commands.workflow.acting import client_for  # noqa: PLC0415
    from cli.commands.workflow.restore import confirmed, watching  # noqa: PLC0415

    if options.input or options.inputs_file is not None or options.max_workers is not None:
        hint = "phaseloom workflow fork --set inputs.NAME=VALUE goes on with other inputs"
        raise UsageError("a run that goes on keeps its inputs and workers", hint=hint)
    client = await client_for(options, console, actor=options.actor)
    run = await last_run_of(client, definition)
    if run is None:
        hint = f"start one with: phaseloom {verb} {shlex.quote(definition)}"
        raise NotFoundError(f"there is no run of {definition!r} to go on with", hint=hint)
    way = await resumption_of(run, client.root, place, watch=watching(console))
    await confirmed(way, console, yes=yes)
    return await client.go_back(way), way


def tell(ready: Prepared, console: Console) -> None:
    """Tell people what should be known of a definition before it is started."""
    if not console.json:
        write(sys.stderr, "".join(f"{finding.text}\n" for finding in ready.warnings if finding.code != UNBOUND))
        if ready.unbound:
            people = ", ".join(ready.unbound)
            console.note(f"bound to nothing, so people do it: {people} (bind roles under agents: in {CONFIG_NAME})")
        if ready.deferred:
            console.note(f"not in effect yet: {', '.join(ready.deferred)}")
