"""`phaseloom import`: a definition in a format that people already have, written down as native YAML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.command import command
from cli.console import Console
from cli.exits import Exit

if TYPE_CHECKING:
    from cli.api.importing import ImportedDefinition


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "import")(import_definition)


def import_definition(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A definition in any of the known formats.")],
    *,
    identifier: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="The id it gets; default: its own, or the file's name.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where it is written; default: definitions/ID.yaml."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
) -> Exit:
    """Write a definition of another format as native YAML: the same phases, in words that can be edited.

    Read are markdown plans, execution groups, parallel groups, workstreams in JSON, and object literals. The file
    itself stays as it is.
    """
    from cli.api.importing import imported  # noqa: PLC0415 - not needed for --help
    from cli.reach.place import here  # noqa: PLC0415

    root = here()
    done = imported(file, root, identifier=identifier, output=output, replace=force)
    Console(json=json).answer(done.to_json(), _lines(file, done, _word(done, root)))
    return Exit.OK


def _word(done: ImportedDefinition, root: Path) -> str:
    """How the definition is started: by its id where that means this file, else by its path."""
    from definitions import find  # noqa: PLC0415 - loaded by then
    from engine.errors import DefinitionError  # noqa: PLC0415

    try:
        means_this = find(done.id, root).resolve() == Path(done.path).resolve()
    except DefinitionError:
        means_this = False
    return done.id if means_this else done.path


def _lines(file: Path, done: ImportedDefinition, word: str) -> list[str]:
    from cli.words.durations import counted  # noqa: PLC0415 - not needed for --help

    lines = [finding.text for finding in done.findings]
    lines.append(f"Imported {file} ({done.format}) as {done.path} ({done.id}, {counted(done.phases, 'phase')})")
    if done.not_in_effect:
        lines.append(f"Not in effect yet: {', '.join(done.not_in_effect)}")
    return [*lines, f"Start it with: phaseloom run {word}"]
