"""`phaseloom init`: a starter project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.command import command
from cli.console import Console
from cli.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Mapping


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "init")(init)


def init(
    directory: Annotated[
        Path,
        typer.Argument(metavar="[DIRECTORY]", help="Where; it is made if need be. Default: here.", show_default=False),
    ] = Path(),
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
) -> Exit:
    """Begin a project: settings, a definition that runs as it stands, and schemas for the editor.

    Files that are there are kept and named. Editors with the YAML language server find the schemas by the first line
    of each file; VS Code also by "yaml.schemas" in .vscode/settings.json, which may say:

    ".phaseloom/schema/definition.json": "definitions/*.yaml"
    """
    from cli.words.starter import SCHEMAS, STARTER, told  # noqa: PLC0415 - not needed for --help

    changes = {name: _placed(directory / name, text, force=force) for name, text in STARTER.items()}
    state = directory / ".phaseloom" / ".gitignore"
    _placed(state, "*\n", force=False)
    for name, text in _schemas(SCHEMAS).items():
        changes[name] = _placed(directory / name, text, force=True)
    result = {"directory": str(directory), "files": [{"path": name, "done": word} for name, word in changes.items()]}
    Console(json=json).answer(result, told(str(directory), changes))
    return Exit.OK


def _schemas(kinds: Mapping[str, str]) -> dict[str, str]:
    from json import dumps  # noqa: PLC0415 - not needed for --help

    from definitions import json_schema  # noqa: PLC0415 - half a second

    schemas = {"definition": json_schema("definition"), "project": json_schema("project")}
    return {name: dumps(schemas[kind], indent=2, ensure_ascii=False) + "\n" for name, kind in kinds.items()}


def _placed(path: Path, text: str, *, force: bool) -> str:
    """What was done with a file: `created`, `replaced`, `kept` (another text stands there) or `unchanged`."""
    from os.path import lexists  # noqa: PLC0415

    from cli.reach.writing import reads_as, write_whole  # noqa: PLC0415 - not needed for --help

    there = lexists(path)
    if there and reads_as(path, text):
        return "unchanged"
    if there and not force:
        return "kept"
    write_whole(path, text)
    return "replaced" if there else "created"
