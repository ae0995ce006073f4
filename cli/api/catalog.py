"""The definitions of a project: the list, one in detail, which fits a task, keeping one of the caller's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.api.results import PLAIN, Result, several

if TYPE_CHECKING:
    from definitions.loading import Checked

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class DefinitionEntry(Result):
    """A definition that can be started by its id; `ok` is false for one that has errors."""

    id: str
    name: str
    description: str
    phases: int
    origin: str
    path: str
    ok: bool


@dataclass(frozen=True, kw_only=True)
class DefinitionDetails(Result):
    """A definition as it would be started here: its phases with their indexes, its inputs, what is not in effect."""

    id: str
    name: str
    description: str
    version: str
    kind: str
    format: str
    file: str
    digest: str
    inputs: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    phases: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    max_workers: int | str
    on_failure: str
    completion_signals: tuple[str, ...] = field(default=(), metadata=PLAIN)
    not_in_effect: tuple[str, ...] = field(default=(), metadata=PLAIN)


@dataclass(frozen=True, kw_only=True)
class KeptDefinition(Result):
    """A definition that is kept in the project; any process can start it by its id."""

    id: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Suggestion(Result):
    """A definition that fits a task. `score` is the share of the task that it covers, 0 to 1.

    `reasons` are `{word, matches, in}`: a word of the task, the definition's own, and where that stands.
    """

    id: str
    name: str
    score: float
    reasons: tuple[Json, ...] = field(default=(), metadata=PLAIN)


@dataclass(frozen=True, kw_only=True)
class Suggestions(Result):
    """The definitions that fit a task, the best first; none when nothing fits."""

    task: str
    suggestions: tuple[Suggestion, ...] = field(default=(), metadata=several(Suggestion))


def listed(root: Path) -> tuple[DefinitionEntry, ...]:
    """All definitions that can be started by id, in the order in which they are looked for."""
    from cli.reach.reading import shortest  # noqa: PLC0415 - half a second
    from definitions import entries  # noqa: PLC0415

    return tuple(
        DefinitionEntry.of(
            {
                "id": entry.id,
                "name": entry.name,
                "description": entry.description,
                "phases": entry.phases,
                "origin": entry.origin,
                "path": str(shortest(entry.path)),
                "ok": entry.ok,
            }
        )
        for entry in entries(root)
    )


def detailed(name: str, root: Path) -> DefinitionDetails:
    """A definition, given by id or file.

    Raises DefinitionError when there is none, InvalidDefinitionError when it cannot be started here and now.
    """
    from cli.reach.reading import compiled, read_definition, usable  # noqa: PLC0415 - half a second
    from cli.words.definitions import described  # noqa: PLC0415
    from definitions import not_in_effect  # noqa: PLC0415

    checked = usable(read_definition(name, root))
    plan = compiled(checked)
    return DefinitionDetails.of(described(plan, checked.format, not_in_effect(plan)))


def suggested(task: str, root: Path) -> Suggestions:
    """The definitions whose names, descriptions and phases fit a task."""
    from definitions import entries, load  # noqa: PLC0415 - half a second
    from definitions.suggestions import Candidate, suggestions  # noqa: PLC0415

    known = {entry.id: entry for entry in entries(root) if entry.ok}
    candidates = []
    for entry in known.values():
        definition = load(entry.path).definition
        phases = tuple(p.name or p.id or "" for p in definition.ordered) if definition is not None else ()
        candidates.append(Candidate(id=entry.id, name=entry.name, description=entry.description, phases=phases))
    told = [
        {
            "id": each.id,
            "name": known[each.id].name,
            "score": each.score,
            "reasons": [{"word": word, "matches": theirs, "in": place} for word, theirs, place in each.reasons],
        }
        for each in suggestions(task, candidates)
    ]
    return Suggestions.of({"task": task, "suggestions": told})


def of_file(file: Path) -> Checked:
    """The definition in a file, without the project's bindings.

    Raises DefinitionError when there is no such file, InvalidDefinitionError when it has errors.
    """
    from cli.reach.reading import usable  # noqa: PLC0415 - half a second
    from definitions import load  # noqa: PLC0415
    from engine.errors import DefinitionError  # noqa: PLC0415

    if not file.exists():
        raise DefinitionError(f"there is no file '{file}'", code="not_found")
    return usable(load(file))


def kept(checked: Checked, root: Path, *, replace: bool) -> KeptDefinition:
    """A definition in any format, kept as native YAML under its id.

    Raises RefusedError when another one is kept under this id, unless it may `replace` that.
    """
    from cli.reach.reading import shortest  # noqa: PLC0415 - half a second
    from definitions import keep, load  # noqa: PLC0415
    from engine.errors import RefusedError  # noqa: PLC0415

    # With the id and the name that the file's name may have given it.
    document = {"id": checked.id, "name": checked.name, **checked.plain}
    path = root / ".phaseloom" / "definitions" / f"{checked.id}.yaml"
    if not replace and path.exists() and load(path).plain != document:
        raise RefusedError(
            f"another definition is kept as {checked.id!r} already",
            hint="replace it with --force, or give this one an id",
        )
    return KeptDefinition.of({"id": checked.id, "path": str(shortest(keep(document, root)))})


def of_text(text: str) -> Checked:
    """The definition that a text holds; raises InvalidDefinitionError, and UsageError where it says no id."""
    from cli.exits import UsageError  # noqa: PLC0415 - only here
    from cli.reach.reading import usable  # noqa: PLC0415 - half a second
    from definitions import load_text  # noqa: PLC0415

    checked = usable(load_text(text))
    if "id" not in checked.plain:
        raise UsageError("the text says no id to keep it under", hint="begin it with a line: id: my-definition")
    return checked


def defined(
    identifier: str,
    root: Path,
    *,
    phases: Sequence[Mapping[str, Any]],
    name: str | None,
    description: str,
    completion_signals: Sequence[str],
    more: Mapping[str, Any],
) -> KeptDefinition:
    """A definition written in Python, kept under its id; raises InvalidDefinitionError and keeps nothing otherwise."""
    from cli.reach.reading import shortest  # noqa: PLC0415 - half a second
    from definitions import define  # noqa: PLC0415

    path = define(
        identifier,
        phases=phases,
        root=root,
        name=name,
        description=description,
        completion_signals=completion_signals,
        **more,
    )
    return KeptDefinition.of({"id": path.stem, "path": str(shortest(path))})
