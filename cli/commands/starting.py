"""What `run` and `workflow start` have in common: their options and how a definition becomes a started run."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.command import Where
from cli.console import Console, write

if TYPE_CHECKING:
    from cli.reach.launch import Prepared
    from definitions.loading import Checked


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
    definition: str, options: Starting, console: Console, *, non_interactive: bool = False
) -> tuple[Checked, Prepared]:
    """The definition, checked and compiled; warnings and what is not in effect yet are told.

    Raises before anything is started: NotFoundError, InvalidDefinitionError, UsageError, RefusedError.
    """
    from cli.reach.launch import beside_errors, prepare, read_definition, usable, workers_wanted  # noqa: PLC0415
    from cli.reach.place import here  # noqa: PLC0415 - --help needs neither

    workers = workers_wanted(options.max_workers)
    checked = usable(read_definition(definition, here()))
    ready = prepare(
        checked,
        written=options.input or (),
        inputs_file=options.inputs_file,
        max_workers=workers,
        non_interactive=non_interactive,
    )
    if not console.json:
        write(sys.stderr, "".join(f"{finding.text}\n" for finding in beside_errors(checked)))
        if ready.deferred:
            console.note(f"not in effect yet: {', '.join(ready.deferred)}")
    return checked, ready
