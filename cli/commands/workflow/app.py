"""The group `phaseloom workflow`."""

from __future__ import annotations

import typer

workflow = typer.Typer(
    name="workflow",
    help="Definitions that can be started, and everything that can be done to a run.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
