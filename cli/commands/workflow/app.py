"""The group `phaseloom workflow`."""

from __future__ import annotations

import typer

workflow = typer.Typer(
    name="workflow",
    help="Start definitions, and do everything to their runs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
