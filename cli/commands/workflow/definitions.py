"""`workflow list`, `workflow show`, `workflow define`: the definitions that can be started here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.command import command
from cli.console import Console
from cli.exits import Exit

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "list")(list_definitions)
    command(app, "show")(show)
    command(app, "define")(define)


def list_definitions(*, json: AsJson = False) -> Exit:
    """List the definitions that can be started by id."""
    from cli.api.catalog import listed  # noqa: PLC0415 - not needed for --help
    from cli.reach.place import here  # noqa: PLC0415
    from cli.words.definitions import listing  # noqa: PLC0415

    found = [entry.to_json() for entry in listed(here())]
    Console(json=json).answer({"definitions": found}, listing(found))
    return Exit.OK


def show(
    definition: Annotated[str, typer.Argument(metavar="ID|FILE", help="A definition: an id, or a file.")],
    *,
    json: AsJson = False,
) -> Exit:
    """Show a definition's phases and their indexes."""
    from cli.api.catalog import detailed  # noqa: PLC0415 - not needed for --help
    from cli.reach.place import here  # noqa: PLC0415
    from cli.words.definitions import shown  # noqa: PLC0415

    description = detailed(definition, here()).to_json()
    Console(json=json).answer(description, shown(description))
    return Exit.OK


def define(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A definition in any format.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace another definition that has this id.")] = False,
    json: AsJson = False,
) -> Exit:
    """Keep a definition in this project, to be started by its id."""
    from cli.api.catalog import kept, of_file  # noqa: PLC0415 - not needed for --help
    from cli.reach.place import here  # noqa: PLC0415

    done = kept(of_file(file), here(), replace=force)
    Console(json=json).answer(
        done.to_json(),
        [f"Kept {done.id} as {done.path}", f"Start it with: phaseloom workflow start {done.id}"],
    )
    return Exit.OK
