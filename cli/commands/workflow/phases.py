"""`workflow next`, `workflow complete-phase`, `workflow signal`: what people report to a run."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.command import Act, command
from cli.commands.workflow.acting import about, act_on
from cli.exits import Exit
from cli.reach.inputs import values

Json = dict[str, Any]

Outputs = Annotated[
    list[str] | None, typer.Option("--output", "-o", metavar="NAME=VALUE", help="An output; may be repeated.")
]
Phase = Annotated[str, typer.Argument(metavar="PHASE", help="Index, id or name of the phase.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "next")(next_phase)
    command(app, "complete-phase")(complete_phase)
    command(app, "signal")(signal)


async def next_phase(act: Act, output: Outputs = None) -> Exit:
    """Complete the current phase and start what follows."""
    from cli.words.parallel import completed  # noqa: PLC0415 - not needed for --help

    return await act_on(act, lambda run: run.next(outputs=_outputs(output), **about(act)), completed)


async def complete_phase(phase: Phase, act: Act, output: Outputs = None) -> Exit:
    """Complete one phase."""
    from cli.words.parallel import completed  # noqa: PLC0415 - not needed for --help

    return await act_on(act, lambda run: run.complete_phase(phase, outputs=_outputs(output), **about(act)), completed)


async def signal(
    text: Annotated[str, typer.Argument(metavar="SIGNAL", help="The completion signal, as the definition names it.")],
    act: Act,
) -> Exit:
    """Report a completion signal.

    It is a condition of the definition that must be reported before the run may complete.
    """
    from cli.words.steering import reported  # noqa: PLC0415 - not needed for --help

    return await act_on(act, lambda run: run.report_signal(text, **about(act)), reported)


def _outputs(written: list[str] | None) -> Json | None:
    return values(written, "--output") if written else None
