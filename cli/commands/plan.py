"""`phaseloom plan`: what a run of a definition would be like, without running it."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.command import command
from cli.console import Console
from cli.exits import Exit, UsageError


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "plan")(plan)


def plan(
    definition: Annotated[str, typer.Argument(metavar="ID|FILE", help="A definition: an id, or a file.")],
    *,
    workers: Annotated[
        str | None, typer.Option("--workers", metavar="N|auto", help="How many agents may work at once.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Show every phase of a long plan.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
) -> Exit:
    """Show how a definition would run: groups, times, the critical path.

    Times come from the definition's estimates, else from earlier runs in this project. Nothing is started.
    """
    import os  # noqa: PLC0415

    from cli.reach.history import measured  # noqa: PLC0415 - not needed for --help
    from cli.reach.launch import read_definition, usable  # noqa: PLC0415
    from cli.reach.place import here  # noqa: PLC0415
    from cli.reach.planned import planned  # noqa: PLC0415
    from cli.words.plan import described, shown  # noqa: PLC0415
    from definitions import compile_plan, env_names  # noqa: PLC0415

    asked = _workers(workers)
    root = here()
    checked = usable(read_definition(definition, root))
    compiled = compile_plan(checked, {name: os.environ.get(name, "") for name in env_names(checked)})
    slots = (compiled.execution.max_workers if asked is None else asked) or os.cpu_count() or 1
    told = planned(compiled, measured(root, compiled.id), slots)
    if json:
        Console(json=True).data(described(told))
    else:
        Console().lines(shown(told, everything=all_))
    return Exit.OK


def _workers(text: str | None) -> int | None:
    """The number that `--workers` asks for; 0 for `auto`."""
    if text is None:
        return None
    if text == "auto":
        return 0
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 1000):
        raise UsageError(f"--workers {text!r} is neither a number from 1 to 1000 nor 'auto'")
    return int(text)
