"""`workflow suggest`: which definition fits a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import command
from cli.console import Console
from cli.exits import Exit

if TYPE_CHECKING:
    from definitions.suggestions import Suggestion

Json = dict[str, Any]

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
    from cli.reach.place import here  # noqa: PLC0415 - not needed for --help
    from definitions import entries, load  # noqa: PLC0415 - half a second
    from definitions.suggestions import Candidate, suggestions  # noqa: PLC0415

    known = {entry.id: entry for entry in entries(here()) if entry.ok}
    candidates = []
    for entry in known.values():
        definition = load(entry.path).definition
        phases = tuple(p.name or p.id or "" for p in definition.ordered) if definition is not None else ()
        candidates.append(Candidate(id=entry.id, name=entry.name, description=entry.description, phases=phases))
    words = " ".join(task)
    found = suggestions(words, candidates)
    names = {identifier: entry.name for identifier, entry in known.items()}
    Console(json=json).answer(
        {"task": words, "suggestions": [_told(each, names[each.id]) for each in found]}, _lines(found, names)
    )
    return Exit.OK if found else Exit.REFUSED


def _told(suggestion: Suggestion, name: str) -> Json:
    return {
        "id": suggestion.id,
        "name": name,
        "score": suggestion.score,
        "reasons": [{"word": word, "matches": theirs, "in": place} for word, theirs, place in suggestion.reasons],
    }


def _lines(found: tuple[Suggestion, ...], names: dict[str, str]) -> list[str]:
    if not found:
        return ["No definition fits this task. See them all with: phaseloom workflow list"]
    lines: list[str] = []
    for number, each in enumerate(found[:FEW], 1):
        lines.append(f"{number}. {each.id}: {names[each.id]} ({each.score:.0%})")
        lines.append(f"   because of {'; '.join(_reason(*reason) for reason in each.reasons)}")
    if len(found) > FEW:
        lines.append(f"… and {len(found) - FEW} more (--json has them)")
    return [*lines, "", f"See its plan with: phaseloom plan {found[0].id}"]


def _reason(word: str, theirs: str, place: str) -> str:
    where = f"its {place}" if place in {"name", "description"} else f"the phase {place}"
    return f"'{word}' in {where}" if word == theirs else f"'{word}' ('{theirs}' in {where})"
