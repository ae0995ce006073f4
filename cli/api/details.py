"""What is told of one thing of a run: a phase, a gate, the parallel group, the journal, a line of the list of runs.

Times are ISO 8601 in UTC. A view needs none of these, and making such classes takes a command milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cli.api.results import PLAIN, Result
from cli.api.views import GateRow, PhaseRow
from engine.facts import Fact

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class PhaseDetails(PhaseRow):
    """All that is known of one phase. `items_page` has the first rows of its items, where it runs once per item."""

    description: str = ""
    report: Json | None = None
    outputs: Json = field(default_factory=dict)
    failure: Any = None
    failures: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    circuit: Json | None = None
    """What its circuit breaker has counted; None where it has none."""
    needs: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    waits_for_phases: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    options: tuple[str, ...] = field(default=(), metadata=PLAIN)
    actor: str | None = None
    items_page: Json | None = None
    context: Json | None = None


@dataclass(frozen=True, kw_only=True)
class GateDetails(GateRow):
    """All that is known of a gate in its present round."""

    description: str = ""
    skippable: bool = True
    results: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    votes: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    delegates: dict[str, str] = field(default_factory=dict)
    people: tuple[str, ...] = field(default=(), metadata=PLAIN)
    self_approval: bool = False
    form: dict[str, str] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Journal(Result):
    """Some of a run's facts, with their lines in the log. `next` is where to go on reading."""

    facts: tuple[Fact, ...] = field(metadata={"of": lambda facts: tuple(Fact.from_json(fact) for fact in facts)})
    lines: tuple[str, ...] = field(default=(), metadata=PLAIN)
    next: int
    total: int


@dataclass(frozen=True, kw_only=True)
class Log(Result):
    """Lines that a phase or a run has logged, and the file that holds them, or would on the worker's host."""

    log: str
    lines: tuple[str, ...] = field(default=(), metadata=PLAIN)


@dataclass(frozen=True, kw_only=True)
class Diagnosis(Result):
    """A zip file about one failure. `files` are `{name, bytes, about}`."""

    path: str
    run: str
    phase: str
    size: int
    files: tuple[Json, ...] = field(default=(), metadata=PLAIN)


@dataclass(frozen=True, kw_only=True)
class RunSummary(Result):
    """What the server keeps beside a run; no worker was asked.

    `restarted_from` is the run that this one repeats, `restarted_as` a run of the same list that repeats this one; so
    with runs that were restored, or forked, from a checkpoint of another one.
    """

    run: str
    definition: str
    name: str
    status: str
    waiting_for: tuple[str, ...] = field(default=(), metadata=PLAIN)
    started_at: str | None = None
    ended_at: str | None = None
    current: bool = False
    restarted_from: str | None = None
    restarted_as: str | None = None
    restored_from: str | None = None
    restored_as: str | None = None
    forked_from: str | None = None
    forked_as: str | None = None
