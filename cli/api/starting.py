"""A definition made ready to be started, with what its author should be told first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cli.reach.inputs import workers_wanted
from cli.reach.launch import Prepared, prepare
from cli.reach.reading import read_definition, usable

__all__ = ["Prepared", "prepared"]


def prepared(
    definition: str, root: Path, *, max_workers: int | str | None = None, typed: bool = False, **options: Any
) -> Prepared:
    """A run of a definition, given by id or file, that can be started: `options` as in `cli.reach.launch.prepare`.

    `typed`: by what a person has typed, which may also be a pipe, or `-` for the standard input.

    Raises DefinitionError, InvalidDefinitionError, UsageError (inputs, workers) and RefusedError (people are needed).
    """
    workers = workers_wanted(max_workers) if isinstance(max_workers, str) else max_workers
    return prepare(usable(read_definition(definition, root, typed=typed)), max_workers=workers, root=root, **options)
