"""`phaseloom config show`: the settings that hold, and where each of them comes from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import command
from cli.console import Console
from cli.exits import Exit

if TYPE_CHECKING:
    from pathlib import Path

    from definitions import Setting

Json = dict[str, Any]

config = typer.Typer(name="config", help="The settings of this project.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(config, "show")(show)
    app.add_typer(config)


@config.callback()
def _group() -> None:
    """The settings of this project."""


def show(
    definition: Annotated[
        str | None, typer.Argument(metavar="ID|FILE", help="With the settings of a definition and its phases.")
    ] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
) -> Exit:
    """Show each setting's value and where it comes from.

    A phase, the definition, phaseloom.yaml, or the default.
    """
    from cli.api.checking import read, usable  # noqa: PLC0415 - not needed for --help
    from cli.reach.place import here  # noqa: PLC0415
    from cli.words.settings import listing  # noqa: PLC0415
    from definitions import InvalidDefinitionError, effective_settings, env_names, load_config, load_text  # noqa: PLC0415

    root = here()
    if definition is None:
        project, found = load_config(root)
        if any(finding.severity == "error" for finding in found):
            raise InvalidDefinitionError(found)
        checked = load_text("phases: [{name: any}]", file="any.yaml", project=project)
    else:
        checked = usable(read(definition, root))
    env = {name: os.environ.get(name, "") for name in env_names(checked)}
    settings, unresolved = effective_settings(checked, env)
    settings += _store(root)
    shown = [setting.to_json() for setting in settings if definition is not None or not _of_phase(setting.name)]
    told = {"root": str(root), "settings": shown, "unresolved": [finding.to_json() for finding in unresolved]}
    Console(json=json).answer(told, [*listing(str(root), shown), *(finding.text for finding in unresolved)])
    return Exit.OK


def _store(root: Path) -> list[Setting]:
    """Where artifacts are kept, if not in the project's own directory."""
    from definitions import Setting, load_config  # noqa: PLC0415 - not needed for --help
    from definitions.storage import VARIABLE, store_url  # noqa: PLC0415

    url = store_url(root, os.environ)
    if not url:
        return []
    if os.environ.get(VARIABLE):
        return [Setting("artifacts.store", url, "environment", f"${VARIABLE}")]
    project, _ = load_config(root)
    return [Setting("artifacts.store", url, "project", project.file, project.line_of("artifacts", "store"))]


def _of_phase(name: str) -> bool:
    return name.startswith("phases.")
