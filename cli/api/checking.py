"""What is wrong with a definition, and what could be better: the check behind `validate` and `Client.validate`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.api.results import PLAIN, Result

if TYPE_CHECKING:
    from definitions.diagnostics import Diagnostic
    from definitions.loading import Checked
    from definitions.project import ProjectConfig

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Validation(Result):
    """What a check has found, advice included.

    `not_startable`: what keeps a valid definition from being started here and now.
    """

    ok: bool
    file: str
    id: str
    name: str
    format: str
    phases: int
    diagnostics: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    not_in_effect: tuple[str, ...] = field(default=(), metadata=PLAIN)
    not_startable: tuple[Json, ...] = field(default=(), metadata=PLAIN)

    @property
    def findings(self) -> tuple[Diagnostic, ...]:
        """The diagnostics, and then what keeps the definition from being started, as objects."""
        return findings_of((*self.diagnostics, *self.not_startable))


def read(name: str, root: Path, *, typed: bool = False) -> Checked:
    """The definition that a path or an id names, with the project's configuration; `typed` as for `read_definition`.

    Raises DefinitionError when there is none, or when the project's configuration has errors.
    """
    from cli.reach.reading import read_definition  # noqa: PLC0415 - half a second

    return read_definition(name, root, typed=typed)


def usable(checked: Checked) -> Checked:
    """The definition, if it has no errors; raises InvalidDefinitionError with all of them otherwise."""
    from cli.reach import reading  # noqa: PLC0415 - loaded by then

    return reading.usable(checked)


def findings_of(told: Iterable[Json]) -> tuple[Diagnostic, ...]:
    """Diagnostics that were told as JSON, as objects again."""
    from definitions import Diagnostic  # noqa: PLC0415 - loaded by then

    return tuple(Diagnostic(**{key: value for key, value in each.items() if key != "meaning"}) for each in told)


def validated(name: str, root: Path, *, project: ProjectConfig | None = None, typed: bool = False) -> Validation:
    """The check of a definition, given by id or file, under the project's configuration (default: read it).

    `typed`: by what a person has typed, which may also be a pipe, or `-` for the standard input.

    Raises DefinitionError when there is none, InvalidDefinitionError when the configuration that is read has errors.
    """
    from cli.reach.children import child_findings  # noqa: PLC0415 - half a second
    from cli.reach.reading import read_definition  # noqa: PLC0415
    from definitions import advise  # noqa: PLC0415

    checked = read_definition(name, root, project=project, typed=typed)
    of_children = child_findings(checked, root)
    deferred, starts = _compiled(checked, root) if not of_children else ([], ())
    findings = sorted(
        (*checked.diagnostics, *of_children, *advise(checked)),
        key=lambda each: (each.file != checked.file, each.line, each.column),
    )
    return Validation.of(
        {
            "file": checked.file,
            "ok": checked.ok and not of_children,
            "id": checked.id,
            "name": checked.name,
            "format": checked.format,
            "phases": len(checked.definition.ordered) if checked.definition is not None else 0,
            "diagnostics": [finding.to_json() for finding in findings],
            "not_in_effect": deferred,
            "not_startable": [finding.to_json() for finding in starts],
        }
    )


def _compiled(checked: Checked, root: Path) -> tuple[list[str], tuple[Diagnostic, ...]]:
    """What is not in effect yet, and what would keep a valid definition from being started here and now."""
    from cli.reach.children import with_children  # noqa: PLC0415 - loaded by then
    from cli.reach.reading import compiled  # noqa: PLC0415
    from definitions import InvalidDefinitionError, not_in_effect  # noqa: PLC0415

    if not checked.ok:
        return [], ()
    try:
        plan = compiled(checked)
        with_children(plan, root, lambda child: child)
        return not_in_effect(plan), ()
    except InvalidDefinitionError as error:
        return [], error.diagnostics
