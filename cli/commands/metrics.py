"""`phaseloom metrics`: what a run has taken, or many ended ones."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import Annotated

import typer

from cli.command import Look, command
from cli.commands.workflow.acting import looked_at
from cli.console import Console, is_terminal, write
from cli.exits import Exit, UsageError

TOLD_EVERY = 10
"""Runs after which a terminal is told how many have been read."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "metrics")(metrics)


async def metrics(
    look: Look,
    which: Annotated[str | None, typer.Argument(metavar="RUN", help="The run; by default the current one.")] = None,
    *,
    across: Annotated[bool, typer.Option("--across", help="Over many ended runs of this project instead.")] = False,
    definition: Annotated[
        str | None, typer.Option("--definition", metavar="ID", help="With --across: only runs of this definition.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DURATION", help="With --across: only what ended since, like 30d.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="With --across: at most so many.")] = None,
) -> Exit:
    """Say what a run has taken: times, waits, retries, gates, worker slots; or many runs, with percentiles."""
    from cli.words.bars import canvas  # noqa: PLC0415 - not needed for --help
    from cli.words.metrics import of_many, of_run  # noqa: PLC0415

    console = Console(json=look.json)
    on = canvas(sys.stdout)
    fits = on.width if is_terminal(sys.stdout) else None
    if across:
        if which is not None or look.run is not None:
            raise UsageError("--across is about many runs", hint="leave the run out, or --across")
        found = _across(definition, since, limit)
        console.answer(found, of_many(found, on, fits=fits))
        return Exit.OK
    if (definition, since, limit) != (None, None, None):
        raise UsageError("--definition, --since and --limit choose among many runs", hint="add --across")
    meant = await looked_at(replace(look, run=which or look.run), console)
    found = (await meant.metrics()).to_json()
    console.answer(found, of_run(found, on, fits=fits))
    return Exit.OK


def _across(definition: str | None, since: str | None, limit: int | None) -> dict[str, object]:
    from cli.api.measuring import MOST, measured_across  # noqa: PLC0415 - not needed for --help
    from cli.reach.place import here  # noqa: PLC0415

    shows = is_terminal(sys.stderr)

    def tell(count: int) -> None:
        if shows and count % TOLD_EVERY == 0:
            write(sys.stderr, f"\rreading runs: {count}")

    try:
        found = measured_across(
            here(), definition=definition, since=_after(since), limit=MOST if limit is None else limit, tell=tell
        )
    finally:
        if shows:
            write(sys.stderr, "\r\x1b[K")
    return found.to_json()


def _after(since: str | None) -> float:
    """The moment that lies so far back."""
    if since is None:
        return 0.0
    from definitions.durations import DurationError, seconds  # noqa: PLC0415 - half a second

    try:
        return time.time() - seconds(since)
    except DurationError as error:
        raise UsageError(f"--since {since}: {error}", hint="write 30d, 12h or 90m") from None
