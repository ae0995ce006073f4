"""`workflow next`, `workflow complete-phase`, `workflow signal`: what people report to a run."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.command import Act, command
from cli.commands.workflow.acting import act_on
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

    return await act_on(act, "next", _outputs(output), completed)


async def complete_phase(phase: Phase, act: Act, output: Outputs = None) -> Exit:
    """Complete one phase."""
    from cli.words.parallel import completed  # noqa: PLC0415 - not needed for --help

    return await act_on(act, "complete_phase", {"phase": phase, **_outputs(output)}, completed)


async def signal(
    text: Annotated[str, typer.Argument(metavar="SIGNAL", help="The completion signal, as the definition names it.")],
    act: Act,
) -> Exit:
    """Report a completion signal.

    It is a condition of the definition that must be reported before the run may complete.
    """
    from cli.words.steering import reported  # noqa: PLC0415 - not needed for --help

    return await act_on(act, "report_signal", {"signal": text}, reported)


def _outputs(written: list[str] | None) -> Json:
    return {"outputs": values(written, "--output")} if written else {}
