"""`workflow pause`, `resume`, `cancel`, `intervene`: deciding how a run goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import Act, Sign, command
from cli.commands.workflow.acting import about, act_on, answered, meant
from cli.commands.workflow.restore import Yes, go_back
from cli.console import Console
from cli.exits import Exit, UsageError
from cli.reach.inputs import outputs, values

if TYPE_CHECKING:
    from cli.api.handle import RunHandle
    from cli.api.views import View
    from engine.facts import Fact

Json = dict[str, Any]

RECENT_FACTS = 400
PLACES = ("last-checkpoint", "phase-start", "beginning")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "intervene")(intervene)
    command(app, "pause")(pause)
    command(app, "resume")(resume)
    command(app, "cancel")(cancel)


async def pause(act: Act) -> Exit:
    """Start nothing new; what runs may end."""
    from cli.words.steering import paused  # noqa: PLC0415 - not needed for --help

    return await act_on(act, lambda run: run.pause(**about(act)), paused)


async def resume(
    act: Sign,
    phase: Annotated[
        str | None, typer.Argument(metavar="[PHASE]", help="The phase of --from phase-start.", show_default=False)
    ] = None,
    *,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="PLACE", help="last-checkpoint, phase-start PHASE, or beginning."),
    ] = None,
    resume_from: Annotated[
        str | None,
        typer.Option("--resume-from", metavar="PLACE", help="last-checkpoint, beginning, a phase, or a checkpoint."),
    ] = None,
    yes: Yes = False,
) -> Exit:
    """Go on after a pause; the last checkpoint is shown first.

    With --from or --resume-from the run goes back first, an ended one as a new run.
    """
    from cli.api import NoWorkerError  # noqa: PLC0415 - not needed for --help

    if from_ is not None or resume_from is not None:
        return await _from(act, phase, from_, resume_from, yes=yes)
    if phase is not None:
        raise UsageError("a phase is named together with: --from phase-start")
    from cli.words.steering import checkpoint, resumed  # noqa: PLC0415

    console = Console(json=act.json)
    run = await meant(act, console)
    try:
        view = await run.view(limit=0)
        fact = await _last_settlement(run, view)
        name = {fact.phase: (await run.phase(fact.phase)).name} if fact is not None and fact.phase is not None else {}
        console.line(checkpoint(fact.to_json() if fact is not None else None, view.to_json(), name))
    except NoWorkerError:
        pass  # the message itself says so
    return await act_on(act, lambda run: run.resume(**about(act)), resumed, run=run)


async def _from(act: Sign, phase: str | None, place: str | None, resume_from: str | None, *, yes: bool) -> Exit:
    """Go back to where the options say, and on from there."""
    if place is None and resume_from is not None and phase is None:
        return await go_back(act, act.run, None, phase=None, anywhere=resume_from, yes=yes)
    if resume_from is not None or place not in PLACES:
        raise UsageError("--from takes last-checkpoint, phase-start PHASE, or beginning")
    if (place == "phase-start") != (phase is not None):
        raise UsageError("phase-start, and nothing else, takes a phase", hint="type: --from phase-start PHASE")
    return await go_back(act, act.run, None if phase is not None else place, phase=phase, yes=yes)


async def _last_settlement(run: RunHandle, view: View) -> Fact | None:
    """The fact of the phase that was settled last, if that is not long past."""
    recent = (await run.journal(max(0, view.facts - RECENT_FACTS))).facts
    settled = [fact for fact in recent if fact.kind == "phase_settled" and not fact.data.get("held")]
    return settled[-1] if settled else None


async def cancel(
    act: Act,
    *,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not wait until its agents are gone.")] = False,
) -> Exit:
    """Cancel the run and stop its agents.

    Returns when they are gone.
    """
    console = Console(json=act.json)
    run = await meant(act, console)
    answer = await answered(run.cancel(wait=False, **about(act)), console)
    if answer is None:
        return Exit.OK
    if answer.stopping and not no_wait:
        console.line(f"Cancelling {run.id}: stopping what runs…")
    if not no_wait:
        await run.until_closed()
    done = f"Cancelling {run.id}." if no_wait else f"Cancelled {run.id}. No agent is left running."
    console.answer(answer.to_json(), [done])
    return Exit.OK


async def intervene(
    act: Sign,
    choice: Annotated[
        str | None,
        typer.Argument(metavar="NUMBER|ACTION", help="A number of `workflow status`, or retry, skip, cancel, …"),
    ] = None,
    *,
    phase: Annotated[
        str | None,
        typer.Option("--phase", "-p", metavar="PHASE", help="Which phase; default: the one that status shows."),
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; needed for skip.")] = None,
    prompt: Annotated[
        str | None, typer.Option("--prompt", metavar="TEXT", help="The edited input for retry_with.")
    ] = None,
    prompt_file: Annotated[
        Path | None, typer.Option("--prompt-file", metavar="FILE", help="The same, from a file.")
    ] = None,
    output: Annotated[
        list[str] | None,
        typer.Option("--output", "-o", metavar="NAME=VALUE", help="An output for replace_output, or NAME=@FILE."),
    ] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="PHASE", help="Where go_to goes back to.")] = None,
    context: Annotated[
        list[str] | None,
        typer.Option("--context", "-c", metavar="KEY=VALUE", help="A value for replace_context."),
    ] = None,
) -> Exit:
    """Decide how a phase goes on, or ends.

    By a number that `workflow status` shows, or by the name of the action; without either the options are shown and
    asked for.
    """
    from cli.words.steering import decided, resumed  # noqa: PLC0415

    console = Console(json=act.json)
    run = await meant(act, console)
    given = _details(reason, prompt, prompt_file, output) | ({"to": to} if to is not None else {})
    given |= {"context": values(context, "--context")} if context else {}
    if choice is None:
        option, asked = await _asked(run, console, phase)
        given = asked | given
    else:
        option = await _chosen(run, choice, phase)
    if option["action"] == "resume":
        return await act_on(act, lambda run: run.resume(**about(act)), resumed, run=run)
    return await act_on(
        act,
        lambda run: run.intervene(option["phase"], option["action"], **given, **about(act)),
        decided,
        run=run,
    )


def _details(reason: str | None, prompt: str | None, prompt_file: Path | None, output: list[str] | None) -> Json:
    details: Json = {}
    if prompt_file is not None:
        try:
            prompt = prompt_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{prompt_file} cannot be read: {error}") from error
    if reason is not None:
        details["reason"] = reason
    if prompt is not None:
        details["prompt"] = prompt
    if output:
        details["outputs"] = outputs(output)
    return details


async def _asked(run: RunHandle, console: Console, phase: str | None) -> tuple[Json, Json]:
    """The option that the person at the terminal chooses, and what it needs.

    Raises UsageError where nobody can be asked, nothing is to be decided, or no answer makes sense.
    """
    import sys  # noqa: PLC0415 - only where a person is asked

    from cli.words.options import options, prompted  # noqa: PLC0415
    from cli.words.status import trouble  # noqa: PLC0415

    view = (await run.view(limit=0)).to_json()
    open_options = options(view)
    if console.json or not sys.stdin.isatty():
        raise UsageError("say what is decided", hint="phaseloom workflow status shows the numbers")
    if not open_options or phase is not None:
        raise _no_such("", [])
    console.lines([line for line in trouble(view) if not line.startswith("Choose with")])
    answer = prompted(open_options, lambda question: str(typer.prompt(question, default="", show_default=False)))
    if answer is None:
        raise UsageError("nothing was decided", hint="phaseloom workflow intervene asks again")
    option, details = answer
    for name in ("outputs", "context"):
        if name in details:
            details[name] = values(details[name], f"--{name.removesuffix('s')}")
    return {"action": option.action, "phase": option.phase}, details


async def _chosen(run: RunHandle, choice: str, phase: str | None) -> Json:
    """`{action, phase}` that is meant. A number counts the options that `status` shows, or those of `phase`."""
    action = choice.strip().lower().replace("-", "_")
    if phase is not None and not choice.isdigit():
        return {"action": action, "phase": phase}
    if phase is not None:
        options = [{"action": each, "phase": phase} for each in (await run.phase(phase)).options]
    else:
        pause = (await run.view(limit=0)).pause
        options = [option.to_json() for option in pause.options] if pause is not None else []
    if choice.isdigit():
        if not 1 <= int(choice) <= len(options):
            raise _no_such(choice, options)
        return dict(options[int(choice) - 1])
    for option in options:
        if option["action"] == action:
            return dict(option)
    raise _no_such(choice, options)


def _no_such(choice: str, options: list[Json]) -> UsageError:
    if not options:
        return UsageError(
            "nothing waits for a decision; name the phase with --phase",
            hint="phaseloom workflow status shows the phases",
        )
    possible = ", ".join(f"{number} ({option['action']})" for number, option in enumerate(options, start=1))
    return UsageError(f"there is no option {choice!r}", hint=f"possible now: {possible}")
