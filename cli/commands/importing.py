"""`phaseloom import`: a definition in a format that people already have, written down as native YAML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import command
from cli.console import Console
from cli.exits import Exit, UsageError

if TYPE_CHECKING:
    from definitions.loading import Checked

Json = dict[str, Any]

NATIVE = frozenset({"native", "yaml"})


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
    import os  # noqa: PLC0415 - not needed for --help

    from cli.reach.launch import shortest, usable  # noqa: PLC0415
    from cli.reach.place import here  # noqa: PLC0415
    from cli.reach.writing import refuse_to_replace, write_whole  # noqa: PLC0415
    from definitions import compile_plan, env_names, load, not_in_effect  # noqa: PLC0415 - half a second

    root = here()
    checked = usable(load(file))
    if checked.format in NATIVE:
        hint = f"keep it under its id with: phaseloom workflow define {file}"
        raise UsageError(f"'{file}' is in the native format already", hint=hint)
    document, text = _written(checked, identifier)
    path = output if output is not None else root / "definitions" / f"{document['id']}.yaml"
    refuse_to_replace(path, text, force=force)
    write_whole(path, text)
    plan = compile_plan(checked, {name: os.environ.get(name, "") for name in env_names(checked)})
    deferred = not_in_effect(plan)
    shown, word = str(shortest(path)), _word(document["id"], path, root)
    told: Json = {
        "id": document["id"],
        "path": shown,
        "format": checked.format,
        "phases": len(plan.phases),
        "not_in_effect": deferred,
        "diagnostics": [finding.to_json() for finding in checked.diagnostics],
    }
    Console(json=json).answer(told, _lines(file, told, checked, word))
    return Exit.OK


def _written(checked: Checked, identifier: str | None) -> tuple[Json, str]:
    """The document with its id and name, and its text, which reads as the same document again."""
    from json import dumps  # noqa: PLC0415

    import yaml  # noqa: PLC0415 - not needed for --help

    from definitions import load_text  # noqa: PLC0415 - loaded by then

    document = {"id": checked.id, "name": checked.name, **checked.plain}
    if identifier is not None:
        document["id"] = identifier
    head = f"# Imported from {Path(checked.file).name} ({checked.format}).\n".replace("\r", " ")
    text = head + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    again = load_text(text, file="import.yaml")
    if again.plain != document:
        # YAML has more than one reading of plain words; JSON is YAML too, and has one.
        text = head + dumps(document, indent=2, ensure_ascii=False) + "\n"
        again = load_text(text, file="import.yaml")
    if not again.ok:
        _report(again, identifier)
    return document, text


def _report(again: Checked, identifier: str | None) -> None:
    """Raise what keeps the written document from being used: an id that is none, or else our own mistake."""
    from definitions import InvalidDefinitionError  # noqa: PLC0415 - loaded by then

    of_id = [finding for finding in again.errors if finding.path == "id"]
    if identifier is not None and of_id:
        raise UsageError(f"--id {identifier!r}: {of_id[0].message}", hint=of_id[0].hint)
    raise InvalidDefinitionError(again.diagnostics)


def _word(identifier: str, path: Path, root: Path) -> str:
    """How the definition is started: by its id where that means this file, else by its path."""
    from cli.reach.launch import shortest  # noqa: PLC0415 - loaded by then
    from definitions import find  # noqa: PLC0415
    from engine.errors import DefinitionError  # noqa: PLC0415

    try:
        means_this = find(identifier, root).resolve() == path.resolve()
    except DefinitionError:
        means_this = False
    return identifier if means_this else str(shortest(path))


def _lines(file: Path, told: Json, checked: Checked, word: str) -> list[str]:
    from cli.words.durations import counted  # noqa: PLC0415 - not needed for --help

    lines = [finding.text for finding in checked.diagnostics]
    lines.append(
        f"Imported {file} ({told['format']}) as {told['path']} ({told['id']}, {counted(told['phases'], 'phase')})"
    )
    if told["not_in_effect"]:
        lines.append(f"Not in effect yet: {', '.join(told['not_in_effect'])}")
    return [*lines, f"Start it with: phaseloom run {word}"]
