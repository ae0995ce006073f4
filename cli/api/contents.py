"""What checkpoints look like: a line of the list, all that one holds, what differs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cli.api.results import PLAIN, Result, several

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Checkpoint(Result):
    """A position in a run's ledger with a name: `phase` is the one that completed there, None where somebody made it.

    `undone`: the run has gone back behind it since. It can be restored all the same, by its `number`.
    """

    name: str
    number: int
    at: str
    phase: str | None = None
    index: int | None = None
    by: str | None = None
    note: str | None = None
    undone: bool = False


@dataclass(frozen=True, kw_only=True)
class CheckpointContent(Result):
    """What a run was at a checkpoint. `git_commit` is `unknown` where no result told it.

    `files` says what is known of the project's files then: `clean`, whether all was committed, or `unknown`, why it is
    not known; else `changed`, `new` and `gone`, at most 100 paths each, and their `count`.
    """

    run: str
    definition: str
    checkpoint: str
    number: int
    at: str
    status: str
    completed: tuple[str, ...] = field(default=(), metadata=PLAIN)
    outputs: Json = field(default_factory=dict)
    phases: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    attempts: dict[str, int] = field(default_factory=dict)
    artifacts: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    gates: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    context_version: int = 0
    context: Json = field(default_factory=dict)
    git_commit: str = "unknown"
    files: Json = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CheckpointDiff(Result):
    """What differs between two checkpoints. Values come in pairs: then, now.

    `files` has paths that differ: `changed`, `new` and `gone`, at most 100 each, and their `count`, also `unread` where
    some could not be read; or `unknown`, why it is not known which differ.
    """

    run: str
    phases: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    outputs: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    artifacts: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    context_version: tuple[int, ...] = field(default=(), metadata=PLAIN)
    context: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    git_commit: tuple[str, ...] = field(default=(), metadata=PLAIN)
    files: Json = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Difference(Result):
    """Something is no longer as it was at a checkpoint. `kind` is `definition`, `artifact` or `files`.

    `files` has paths that differ, as far as they are known: `changed`, `new` and `gone`, at most 100 each, and their
    `count`.
    """

    kind: str
    what: str
    text: str
    then: str | None = None
    now: str | None = None
    files: Json | None = None


@dataclass(frozen=True, kw_only=True)
class NotCompared(Result):
    """What nobody knows whether it is as it was at a checkpoint, with the reason as `text`."""

    kind: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Comparison(Result):
    """What is no longer as it was at a checkpoint, and what could not be compared."""

    differences: tuple[Difference, ...] = field(default=(), metadata=several(Difference))
    not_compared: tuple[NotCompared, ...] = field(default=(), metadata=several(NotCompared))


@dataclass(frozen=True, kw_only=True)
class Exported(Result):
    """The files that an export has written."""

    files: tuple[str, ...] = field(default=(), metadata=PLAIN)
