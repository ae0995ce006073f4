"""What runs have taken: one run, open or ended, and many ended ones together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.api.results import PLAIN, Result

Json = dict[str, Any]

MOST = 200
"""Ended runs that are read unless another number is asked for; each costs some milliseconds."""


@dataclass(frozen=True, kw_only=True)
class Metrics(Result):
    """What one run has taken; the words are those of `engine.metrics`. Lengths of time are seconds."""

    run: str
    definition: str
    status: str
    seconds: dict[str, float] = field(default_factory=dict)
    queue: Json = field(default_factory=dict)
    utilisation: float | None = None
    efficiency: float | None = None
    attempts: int = 0
    retries: int = 0
    agents: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    gates: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    usage: Json | None = None
    phases: tuple[Json, ...] = field(default=(), metadata=PLAIN)


@dataclass(frozen=True, kw_only=True)
class MetricsAcross(Result):
    """What many ended runs have in common, together and by definition. Lengths of time are seconds.

    `unread` are archives that were come upon and could not be read; their runs do not count.
    """

    runs: int
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    unread: int = 0
    success_rate: float | None = None
    seconds: Json = field(default_factory=dict)
    gates: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    definitions: tuple[Json, ...] = field(default=(), metadata=PLAIN)


def measured_across(
    root: Path,
    *,
    definition: str | None = None,
    since: float = 0.0,
    limit: int = MOST,
    tell: Callable[[int], None] = lambda _: None,
) -> MetricsAcross:
    """The ended runs of the project at `root` whose archive is here, at most `limit`, the newest first.

    `definition` names the only one that counts, `since` is the moment (seconds since 1970) after which they ended.
    `tell` is called with how many have been read so far.
    """
    from engine.across import across  # noqa: PLC0415 - only here

    unread: list[Path] = []
    found = across(_each(root, definition, since, limit, tell, unread.append))
    return MetricsAcross.of({**found, "unread": len(unread)})


def _each(  # noqa: PLR0917 - what is chosen, and who is told
    root: Path,
    definition: str | None,
    since: float,
    limit: int,
    tell: Callable[[int], None],
    unread: Callable[[Path], None],
) -> Iterator[Json]:
    from cli.reach.history import ledger_of, newest  # noqa: PLC0415 - only here
    from engine.facts import Fact  # noqa: PLC0415
    from engine.metrics import metrics  # noqa: PLC0415
    from engine.plan import Plan  # noqa: PLC0415
    from engine.spells import Spells  # noqa: PLC0415

    taken = 0
    for pointer in newest(root, since=since):
        if taken == limit:
            return
        ledger = ledger_of(root, pointer)
        if ledger is None:
            unread(pointer)
            continue
        if definition is not None and ledger["plan"].get("id") != definition:
            continue
        try:
            facts = [Fact.from_json(fact) for fact in ledger["facts"]]
            found = metrics(Spells.of(Plan.from_json(ledger["plan"]), facts), facts, facts[-1].at)
        except (LookupError, TypeError, ValueError):  # of a newer Phaseloom, say
            unread(pointer)
            continue
        yield found
        taken += 1
        tell(taken)
