"""`phaseloom run`: start a definition and stay in front of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.command import command
from cli.commands.starting import ResumeFrom, Starting, Yes, prepared, resumed
from cli.commands.workflow.acting import client_for
from cli.console import Console, has_person
from cli.exits import Exit

if TYPE_CHECKING:
    from engine.facts import Fact
    from engine.plan import Plan


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "run")(run)


Detach = Annotated[bool, typer.Option("--detach", "-d", help="Start it and return at once.")]
NonInteractive = Annotated[
    bool,
    typer.Option("--non-interactive", help="Refuse what needs people; a failure isolates its phase, it does not ask."),
]


async def run(
    definition: Annotated[str, typer.Argument(metavar="FILE|ID", help="A definition: a file, an id, or - for stdin.")],
    options: Starting,
    *,
    detach: Detach = False,
    non_interactive: NonInteractive = False,
    resume_from: ResumeFrom = None,
    yes: Yes = False,
) -> Exit:
    """Run a definition and show its progress. Ctrl-C cancels the run.

    Ends with 0 when the run completed, 1 when it failed or was cancelled, 75 when it goes on without this command.
    """
    from cli.attending import Attendance, begun  # noqa: PLC0415 - not needed for --help
    from cli.live import screen  # noqa: PLC0415
    from cli.reach.place import actor  # noqa: PLC0415
    from cli.words.narration import DONE, Narration, graph, loading  # noqa: PLC0415

    console = Console(json=options.json)
    known: list[Fact] = []
    interrupted = False
    if resume_from is not None:
        started, way = await resumed(definition, options, console, resume_from, yes=yes)
        plan, known = way.past.plan, way.past.facts[: None if way.in_place else way.number]
        people = True
    else:
        ready = prepared(definition, options, console, non_interactive=non_interactive)
        plan, people = ready.plan, ready.needs_people
        console.lines(
            [loading(plan), f"{DONE} Validating schema", f"{DONE} Checking file scope conflicts", graph(plan)]
        )
        client = await client_for(options, console, actor=options.actor)
        started, interrupted = await begun(client.begin(ready))
    if detach:
        return _left(started.id, plan, console)
    if not console.json:
        console.note(f"this run is {started.id}")
    narration = Narration(plan)
    for fact in known:
        narration.feed(fact)
    attendance = Attendance(
        follower=started.watch(tell=console.note, since=len(known)),
        narration=narration,
        screen=screen(quiet=options.json),
        console=console,
        owner=True,
        stays=has_person(),
        people=people,
        actor=actor(options.actor),
        interrupted=interrupted,
    )
    return await attendance.stay()


def _left(run: str, plan: Plan, console: Console) -> Exit:
    """Leave a run that has just begun to itself."""
    console.answer(
        {"run": run, "definition": plan.id, "status": "running", "detached": True},
        [f"Started {run}: {plan.name}", f"Follow it with: phaseloom workflow watch --run {run}"],
    )
    return Exit.OK
