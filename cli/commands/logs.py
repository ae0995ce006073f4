"""`phaseloom logs prune`: removing the logs of runs that ended long ago."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.command import command
from cli.console import Console
from cli.exits import Exit, UsageError

logs = typer.Typer(name="logs", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the command group."""
    command(logs, "prune")(prune)
    app.add_typer(logs)


@logs.callback()
def _group() -> None:
    """The logs of this project's runs."""


def prune(
    *,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="DURATION", help="Like 30d; default: logs.keep of phaseloom.yaml."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
) -> Exit:
    """Remove the logs of runs that ended long ago; of open runs never. Run `workflow logs` for reading them."""
    from cli.api.retaining import prune_logs  # noqa: PLC0415 - not needed for --help
    from cli.reach.place import here  # noqa: PLC0415
    from cli.words.logs import pruned  # noqa: PLC0415

    told = prune_logs(here(), _seconds(older_than), dry_run=dry_run).to_json()
    Console(json=json).answer(told, pruned(told))
    return Exit.OK


def _seconds(older_than: str | None) -> float | None:
    if older_than is None:
        return None
    from definitions.durations import DurationError, seconds  # noqa: PLC0415 - only with the option

    try:
        return seconds(older_than)
    except DurationError as error:
        raise UsageError(f"--older-than {older_than}: {error}", hint="write 30d, 12h or 90m") from None
