"""`workflow next`, `complete-phase`, `fail-phase`, `report-progress`, `signal`: what somebody reports to a run."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.command import Act, command
from cli.commands.workflow.acting import about, act_on
from cli.exits import Exit, UsageError
from cli.reach.inputs import files, outputs, values

Json = dict[str, Any]

Outputs = Annotated[
    list[str] | None,
    typer.Option("--output", "-o", metavar="NAME=VALUE", help="An output, or NAME=@FILE; may be repeated."),
]
Artifacts = Annotated[
    list[str] | None,
    typer.Option("--artifact", metavar="NAME=FILE", help="A file to hand on to later phases; may be repeated."),
]
Context = Annotated[
    list[str] | None,
    typer.Option("--context", "-c", metavar="KEY=VALUE", help="A key of the shared context; may be repeated."),
]
Phase = Annotated[str, typer.Argument(metavar="PHASE", help="Index, id or name of the phase.")]
Epoch = Annotated[
    int | None,
    typer.Option("--epoch", min=0, metavar="N", help="Refuse if the phase has been started again since this epoch."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "next")(next_phase)
    command(app, "complete-phase")(complete_phase)
    command(app, "fail-phase")(fail_phase)
    command(app, "report-progress")(report_progress)
    command(app, "signal")(signal)


async def next_phase(act: Act, *, output: Outputs = None, artifact: Artifacts = None, context: Context = None) -> Exit:
    """Complete the current phase and start what follows."""
    from cli.words.parallel import completed  # noqa: PLC0415 - not needed for --help

    given = _given(output, artifact, context)
    return await act_on(act, lambda run: run.next(**given, **about(act)), completed)


async def complete_phase(
    phase: Phase,
    act: Act,
    *,
    output: Outputs = None,
    artifact: Artifacts = None,
    context: Context = None,
    epoch: Epoch = None,
) -> Exit:
    """Complete one phase."""
    from cli.words.parallel import completed  # noqa: PLC0415 - not needed for --help

    given = _given(output, artifact, context)
    return await act_on(act, lambda run: run.complete_phase(phase, epoch=epoch, **given, **about(act)), completed)


async def fail_phase(
    phase: Phase,
    act: Act,
    *,
    error: Annotated[str | None, typer.Option("--error", metavar="TEXT", help="What went wrong.")] = None,
    epoch: Epoch = None,
) -> Exit:
    """Report that the work of a phase failed; its `on_failure` decides."""
    from cli.words.steering import failed  # noqa: PLC0415 - not needed for --help

    return await act_on(act, lambda run: run.fail_phase(phase, error, epoch=epoch, **about(act)), failed)


async def report_progress(
    phase: Phase,
    act: Act,
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="How far the work is.")] = None,
    *,
    value: Annotated[
        str | None, typer.Option("--json-value", metavar="JSON", help="The same as a JSON value, instead of TEXT.")
    ] = None,
    epoch: Epoch = None,
) -> Exit:
    """Note how far the work of a running phase is.

    It shows in `workflow status`, and agents at work can read it.
    """
    from cli.words.steering import noted  # noqa: PLC0415 - not needed for --help

    progress = _progress(text, value)
    return await act_on(act, lambda run: run.report_progress(phase, progress, epoch=epoch, **about(act)), noted)


async def signal(
    text: Annotated[str, typer.Argument(metavar="SIGNAL", help="The completion signal, as the definition names it.")],
    act: Act,
) -> Exit:
    """Report a completion signal.

    It is a condition of the definition that must be reported before the run may complete.
    """
    from cli.words.steering import reported  # noqa: PLC0415 - not needed for --help

    return await act_on(act, lambda run: run.report_signal(text, **about(act)), reported)


def _given(output: list[str] | None, artifact: list[str] | None, context: list[str] | None) -> Json:
    """What a person hands over with a phase; what is not given is None."""
    return {
        "outputs": outputs(output) if output else None,
        "artifacts": files(artifact) if artifact else None,
        "context": values(context, "--context") if context else None,
    }


def _progress(text: str | None, value: str | None) -> Any:
    import json  # noqa: PLC0415 - only here

    if (text is None) == (value is None):
        raise UsageError("say the progress either as TEXT or with --json-value")
    if value is None:
        return text
    try:
        return json.loads(value)
    except ValueError as error:
        raise UsageError(f"--json-value is not JSON: {error}", hint="a text needs no --json-value") from error
