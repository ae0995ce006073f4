"""`workflow restore`: go back to a checkpoint, in place or, of an ended run, as a new one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import Sign, command
from cli.commands.workflow.acting import client_for, looked_at
from cli.console import Console
from cli.exits import DiffersError, Exit, UsageError
from engine.errors import RefusedError

if TYPE_CHECKING:
    from cli.api.client import Client
    from cli.api.handle import RunHandle
    from cli.api.returning import Return

Progress = Callable[[int], None]
Watch = Callable[[int], AbstractContextManager[Progress]]
Json = dict[str, Any]

MUCH = 64 * 1024 * 1024
"""Bytes of artifacts from which on it is told how far their comparison is."""

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Go back whatever differs, and do not ask.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "restore")(restore)


async def restore(
    act: Sign,
    place: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN] CHECKPOINT", help="A run, by default the current one, and its checkpoint."),
    ] = None,
    *,
    start_of: Annotated[
        str | None, typer.Option("--start-of", metavar="PHASE", help="Not to a checkpoint: to before a phase's start.")
    ] = None,
    yes: Yes = False,
) -> Exit:
    """Go back to a checkpoint and go on from there.

    Agents at work are stopped and awaited first. An ended run goes on as a new one. CHECKPOINT may also be a file that
    `checkpoints export` has written. What is no longer as it was then is told before anything starts.
    """
    words = list(place or ())
    if len(words) > 2 - (start_of is not None) or (not words and start_of is None):
        raise UsageError(
            "say where to go back to: [RUN] CHECKPOINT, or [RUN] --start-of PHASE",
            hint="phaseloom workflow checkpoints list",
        )
    checkpoint = words.pop() if start_of is None else None
    return await go_back(act, words[0] if words else act.run, checkpoint, phase=start_of, yes=yes)


async def go_back(
    act: Sign, run: str | None, checkpoint: str | None, *, phase: str | None, anywhere: str | None = None, yes: bool
) -> Exit:
    """Take a run back and say where it is.

    `checkpoint` None: the newest, unless a `phase` is to start anew. `anywhere` is the one or the other.
    """
    from cli.words.checkpoints import gone_back  # noqa: PLC0415 - not needed for --help
    from cli.words.starting import started_run  # noqa: PLC0415

    console = Console(json=act.json)
    client, way = await _the_way(act, console, run, checkpoint, phase=phase, anywhere=anywhere)
    told = await confirmed(way, console, yes=yes)
    new = await client.go_back(way, note=act.note)
    found = await new.first_view()
    view, plan = found.to_json() if found is not None else None, way.past.plan
    told |= {"run": new.id, "definition": plan.id, "name": plan.name, "status": "running", "view": view}
    # After the first line, the words that follow a start.
    console.answer(told, [*gone_back(told), *started_run(new.id, plan.name, view)[1:]])
    return Exit.OK


async def _the_way(
    act: Sign, console: Console, run: str | None, checkpoint: str | None, *, phase: str | None, anywhere: str | None
) -> tuple[Client, Return]:
    """A client, and the way back that is meant."""
    from dataclasses import replace  # noqa: PLC0415 - not needed for --help

    from cli.api.returning import resumption_of, return_of, return_to_export  # noqa: PLC0415

    if checkpoint is not None and checkpoint.endswith(".json"):
        client = await client_for(act, console, actor=act.actor)
        return client, await return_to_export(Path(checkpoint), client.root, watch=watching(console))
    found: RunHandle = await looked_at(replace(act, run=run), console)
    client = await client_for(act, console, actor=act.actor)
    if anywhere is not None:
        return client, await resumption_of(found, client.root, anywhere, watch=watching(console))
    return client, await return_of(found, client.root, checkpoint, phase=phase, watch=watching(console))


def watching(console: Console) -> Watch:
    """Tells on a terminal how far the reading of artifacts is, where there is much to read."""
    from cli.transfer import transfer  # noqa: PLC0415 - not needed for --help

    @contextmanager
    def watch(total: int) -> Iterator[Progress]:
        with transfer("comparing artifacts", total=total, quiet=console.json or total < MUCH) as told:
            yield told.more

    return watch


async def confirmed(way: Return, console: Console, *, yes: bool) -> Json:
    """What is known before going back, once nobody objects to it.

    Raises RefusedError when a person says no, or something differs and nobody can be asked.
    """
    from cli.words.checkpoints import differences, question  # noqa: PLC0415 - not needed for --help

    found = [each.to_json() for each in way.differences]
    at_work = (await way.run.view(limit=0)).slots_used if way.in_place else 0
    told: Json = {
        "in_place": way.in_place,
        "restored_from": way.run.id,
        "checkpoint": way.checkpoint,
        "number": way.number,
        "differences": found,
        "not_compared": [each.to_json() for each in way.not_compared],
        "at_work": at_work,
    }
    for line in differences(found, way.checkpoint, told["not_compared"]) if not console.json else ():
        console.note(line)
    if yes or not (found or at_work):
        return told
    if not console.json and sys.stdin.isatty():
        if typer.confirm(question(told)):
            return told
        raise RefusedError("nothing was restored", hint="--yes does not ask")
    if found:
        what = "; ".join(each["text"] for each in found)
        raise DiffersError(f"not all is as it was at {way.checkpoint}: {what}", told)
    return told
