"""From a definition's name to its plan: found, read, checked, compiled with this environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from definitions.diagnostics import Diagnostic
    from definitions.loading import Checked
    from definitions.project import ProjectConfig
    from engine.plan import Plan


def read_definition(name: str, root: Path, *, project: ProjectConfig | None = None, typed: bool = False) -> Checked:
    """The definition that a path or an id names, under the project's configuration (default: read it).

    A name that was `typed` may also mean the standard input, by `-`, or a pipe: these are read once, up to their end.

    Raises DefinitionError when there is none, or when the project's configuration has errors.
    """
    from definitions import find, load, load_stream  # noqa: PLC0415 - half a second
    from definitions.registry import STDIN  # noqa: PLC0415 - loaded by then

    project = project or sound_project(root)
    if typed and name == STDIN:
        return load_stream(sys.stdin.buffer, file="<stdin>", project=project)
    return load(shortest(find(name, root)), project=project, pipes=typed)


def sound_project(root: Path) -> ProjectConfig:
    """The project's configuration; raises InvalidDefinitionError when it has errors."""
    from definitions import InvalidDefinitionError, load_config  # noqa: PLC0415 - half a second

    project, found = load_config(root)
    if any(finding.severity == "error" for finding in found):
        raise InvalidDefinitionError(found)
    return project


def shortest(path: Path) -> Path:
    """A path as people would write it here."""
    if not path.is_absolute():
        return path
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def usable(checked: Checked) -> Checked:
    """The definition, if it has no errors; raises InvalidDefinitionError with all of them otherwise."""
    from definitions import InvalidDefinitionError  # noqa: PLC0415 - loaded by then

    if not checked.ok:
        raise InvalidDefinitionError(checked.diagnostics)
    return checked


def environment(checked: Checked) -> dict[str, str]:
    """The environment variables that a definition and the project's file name, with the values that hold here."""
    from definitions import env_names  # noqa: PLC0415 - loaded by then

    return {name: os.environ.get(name, "") for name in env_names(checked)}


def compiled(checked: Checked) -> Plan:
    """The plan of a definition as it would be started here and now; raises InvalidDefinitionError when it cannot be."""
    from definitions import compile_plan  # noqa: PLC0415 - loaded by then

    return compile_plan(checked, environment(checked))


def beside_errors(checked: Checked) -> list[Diagnostic]:
    """Warnings and notes."""
    return [finding for finding in checked.diagnostics if finding.severity != "error"]
