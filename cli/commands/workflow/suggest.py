"""`workflow suggest`: which definition fits a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.command import command
from cli.console import Console
from cli.exits import Exit

if TYPE_CHECKING:
    from cli.api.catalog import Suggestion

FEW = 5


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "suggest")(suggest)


def suggest(
    task: Annotated[list[str], typer.Argument(metavar="TASK...", help="What is to be done, in your own words.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
) -> Exit:
    """Rank the definitions that fit a task, with reasons.

    Names, descriptions and phases are compared. Ends with 4 when nothing fits.
    """
    from cli.api.catalog import suggested  # noqa: PLC0415 - not needed for --help
    from cli.reach.place import here  # noqa: PLC0415

    found = suggested(" ".join(task), here())
    Console(json=json).answer(found.to_json(), _lines(found.suggestions))
    return Exit.OK if found.suggestions else Exit.REFUSED


def _lines(found: tuple[Suggestion, ...]) -> list[str]:
    if not found:
        return ["No definition fits this task. See them all with: phaseloom workflow list"]
    lines: list[str] = []
    for number, each in enumerate(found[:FEW], 1):
        lines.append(f"{number}. {each.id}: {each.name} ({each.score:.0%})")
        lines.append(f"   because of {'; '.join(_reason(reason) for reason in each.reasons)}")
    if len(found) > FEW:
        lines.append(f"… and {len(found) - FEW} more (--json has them)")
    return [*lines, "", f"See its plan with: phaseloom plan {found[0].id}"]


def _reason(reason: dict[str, str]) -> str:
    word, theirs, place = reason["word"], reason["matches"], reason["in"]
    where = f"its {place}" if place in {"name", "description"} else f"the phase {place}"
    return f"'{word}' in {where}" if word == theirs else f"'{word}' ('{theirs}' in {where})"
