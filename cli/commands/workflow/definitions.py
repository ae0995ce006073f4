"""`workflow list`, `workflow show`, `workflow define`: the definitions that can be started here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import command
from cli.console import Console
from cli.exits import Exit

if TYPE_CHECKING:
    from definitions.loading import Checked

Json = dict[str, Any]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "list")(list_definitions)
    command(app, "show")(show)
    command(app, "define")(define)


def list_definitions(*, json: AsJson = False) -> Exit:
    """List the definitions that can be started by id."""
    from cli.reach.launch import shortest  # noqa: PLC0415 - not needed for --help
    from cli.reach.place import here  # noqa: PLC0415
    from cli.words.definitions import listing  # noqa: PLC0415
    from definitions import entries  # noqa: PLC0415 - half a second

    found = [
        {
            "id": entry.id,
            "name": entry.name,
            "description": entry.description,
            "phases": entry.phases,
            "origin": entry.origin,
            "path": str(shortest(entry.path)),
            "ok": entry.ok,
        }
        for entry in entries(here())
    ]
    Console(json=json).answer({"definitions": found}, listing(found))
    return Exit.OK


def show(
    definition: Annotated[str, typer.Argument(metavar="ID|FILE", help="A definition: an id, or a file.")],
    *,
    json: AsJson = False,
) -> Exit:
    """Show a definition's phases and their indexes."""
    import os  # noqa: PLC0415

    from cli.reach.launch import read_definition, usable  # noqa: PLC0415 - not needed for --help
    from cli.reach.place import here  # noqa: PLC0415
    from cli.words.definitions import described, shown  # noqa: PLC0415
    from definitions import compile_plan, env_names, not_in_effect  # noqa: PLC0415

    checked = usable(read_definition(definition, here()))
    plan = compile_plan(checked, {name: os.environ.get(name, "") for name in env_names(checked)})
    description = described(plan, checked.format, not_in_effect(plan))
    Console(json=json).answer(description, shown(description))
    return Exit.OK


def define(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A definition in any format.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace another definition that has this id.")] = False,
    json: AsJson = False,
) -> Exit:
    """Keep a definition in this project, to be started by its id."""
    from cli.reach.launch import shortest, usable  # noqa: PLC0415 - not needed for --help
    from cli.reach.place import here  # noqa: PLC0415
    from definitions import keep, load  # noqa: PLC0415

    root = here()
    checked = usable(load(file))
    _refuse_another(checked, root, force=force)
    path = shortest(keep(_kept(checked), root))
    Console(json=json).answer(
        {"id": checked.id, "path": str(path)},
        [f"Kept {checked.id} as {path}", f"Start it with: phaseloom workflow start {checked.id}"],
    )
    return Exit.OK


def _kept(checked: Checked) -> Json:
    """The document that is kept: native, with the id and the name that the file's name may have given it."""
    return {"id": checked.id, "name": checked.name, **checked.plain}


def _refuse_another(checked: Checked, root: Path, *, force: bool) -> None:
    from definitions import load  # noqa: PLC0415 - loaded by then
    from engine.errors import RefusedError  # noqa: PLC0415

    path = root / ".phaseloom" / "definitions" / f"{checked.id}.yaml"
    if force or not path.exists():
        return
    kept = load(path)
    if kept.plain != _kept(checked):
        raise RefusedError(
            f"another definition is kept as {checked.id!r} already",
            hint="replace it with --force, or give this one an id",
        )
