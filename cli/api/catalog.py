"""The definitions of a project: the list, what a check finds, keeping one of the caller's own."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.api.results import PLAIN, Result

if TYPE_CHECKING:
    from definitions.diagnostics import Diagnostic
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
class KeptDefinition(Result):
    """A definition that is kept in the project; any process can start it by its id."""

    id: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Validation(Result):
    """What a check has found. `not_startable`: what keeps a valid definition from being started here and now."""

    ok: bool
    file: str
    id: str
    name: str
    format: str
    phases: int
    diagnostics: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    not_in_effect: tuple[str, ...] = field(default=(), metadata=PLAIN)
    not_startable: tuple[Json, ...] = field(default=(), metadata=PLAIN)


def listed(root: Path) -> tuple[DefinitionEntry, ...]:
    """All definitions that can be started by id, in the order in which they are looked for."""
    from cli.reach.launch import shortest  # noqa: PLC0415 - half a second
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


def validated(name: str, root: Path) -> Validation:
    """The check of a definition, given by id or file.

    Raises DefinitionError when there is none, InvalidDefinitionError when the project's configuration has errors.
    """
    from cli.reach.launch import read_definition  # noqa: PLC0415 - half a second

    checked = read_definition(name, root)
    deferred, starts = _compiled(checked)
    told = {
        "file": checked.file,
        "ok": checked.ok,
        "id": checked.id,
        "name": checked.name,
        "format": checked.format,
        "phases": len(checked.definition.ordered) if checked.definition is not None else 0,
        "diagnostics": [finding.to_json() for finding in checked.diagnostics],
        "not_in_effect": deferred,
        "not_startable": [finding.to_json() for finding in starts],
    }
    return Validation.of(told)


def _compiled(checked: Checked) -> tuple[list[str], tuple[Diagnostic, ...]]:
    from definitions import InvalidDefinitionError, compile_plan, env_names, not_in_effect  # noqa: PLC0415 - loaded

    if not checked.ok:
        return [], ()
    try:
        plan = compile_plan(checked, {name: os.environ.get(name, "") for name in env_names(checked)})
    except InvalidDefinitionError as error:
        return [], error.diagnostics
    return not_in_effect(plan), ()


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
    from cli.reach.launch import shortest  # noqa: PLC0415 - half a second
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
