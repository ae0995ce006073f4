"""`workflow checkpoints …`: the places in a run to which it can go back."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.command import Act, Look, command
from cli.commands.workflow.acting import about, act_on, looked_at
from cli.console import Console
from cli.exits import Exit

Json = dict[str, Any]

checkpoints_app = typer.Typer(
    name="checkpoints",
    help="List, make, compare and export the checkpoints of a run.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[
    str | None, typer.Argument(metavar="CHECKPOINT", help="A name, NAME@2, or a number; default: the newest.")
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    command(checkpoints_app, "list")(list_checkpoints)
    command(checkpoints_app, "show")(show)
    command(checkpoints_app, "diff")(diff)
    command(checkpoints_app, "create")(create)
    command(checkpoints_app, "export")(export)
    app.add_typer(checkpoints_app)


async def list_checkpoints(
    look: Look,
    *,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="Only the newest ones.")] = 100,
) -> Exit:
    """List the checkpoints of a run."""
    from datetime import UTC, datetime  # noqa: PLC0415 - not needed for --help

    from cli.words.checkpoints import listing  # noqa: PLC0415

    console = Console(json=look.json)
    run = await looked_at(look, console)
    found = [each.to_json() for each in await run.checkpoints(newest=limit)]
    console.answer({"run": run.id, "checkpoints": found}, listing(found, datetime.now(UTC).isoformat()))
    return Exit.OK


async def show(look: Look, checkpoint: Name = None) -> Exit:
    """Show what a run was at a checkpoint: phases, outputs, artifacts, gates, attempts, git commit."""
    from cli.words.checkpoints import content  # noqa: PLC0415 - not needed for --help

    console = Console(json=look.json)
    told = (await (await looked_at(look, console)).checkpoint(checkpoint)).to_json()
    console.answer(told, content(told))
    return Exit.OK


async def diff(
    look: Look,
    checkpoint: Annotated[str, typer.Argument(metavar="CHECKPOINT", help="From this one …")],
    other: Annotated[
        str | None, typer.Argument(metavar="[CHECKPOINT]", help="… to this one; default: to the run as it is.")
    ] = None,
) -> Exit:
    """Show what differs between two checkpoints of a run, or between one and the run as it is."""
    from cli.words.checkpoints import diff as words  # noqa: PLC0415 - not needed for --help

    console = Console(json=look.json)
    told = (await (await looked_at(look, console)).checkpoint_diff(checkpoint, other)).to_json()
    console.answer(told, words(told))
    return Exit.OK


async def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits, '.', '_' and '-'.")], act: Act
) -> Exit:
    """Remember this moment of a run under a name."""
    from cli.words.checkpoints import created  # noqa: PLC0415 - not needed for --help

    return await act_on(act, lambda run: run.create_checkpoint(name, **about(act)), lambda told, _: created(told))


async def export(look: Look, checkpoint: Name = None) -> Exit:
    """Write a checkpoint, and the run as it is, as JSON to the run's folder."""
    console = Console(json=look.json)
    written = await (await looked_at(look, console)).export_checkpoint(checkpoint)
    console.answer(written.to_json(), [f"Wrote {file}" for file in written.files])
    return Exit.OK
