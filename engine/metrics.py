"""The metrics of a run: a projection of its ledger. Every number is measured; what nothing measures is not there.

Seconds are rounded to milliseconds, rates are between 0 and 1. Where a phase ran several times (decisions, jumps) all
of its epochs count. The words:

- `seconds`: the run's time, which is the sum of `working` (an agent or a check was at work), `people` (nothing was, and
  somebody was waited for), `paused` (neither, and the run was paused) and `idle` (none of these).
- `queue`: from the moment everything that a phase needs had settled until it started, pauses of the run left out.
- `utilisation`: the time that worker slots were taken, as a share of `max_workers` slots over the whole run.
- `efficiency`: the phases' time at work, as a share of what it had been with as many at work all of the working time as
  ever were at once. `speed_up`: the phases' time at work by the run's working time.
- percentiles are the nearest rank: the smallest value that so many per cent of all values do not exceed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from engine.facts import Fact
from engine.gate_metrics import GateTally
from engine.measures import together
from engine.moments import cut, iso
from engine.spells import PEOPLE, WORK, Spell, Spells
from engine.statuses import SHOWN

Json = dict[str, Any]

PAGE = 200
"""Phases in one answer to the query: with some epochs each it stays far below what the server lets through."""

NAME_SHOWN = 200
MONEY = ("tokens", "input_tokens", "output_tokens", "cost")
"""What an agent's usage may tell besides what the system measures; only sums of what was told."""


def metrics(spells: Spells, facts: Iterable[Fact], at: float, *, offset: int = 0, limit: int | None = None) -> Json:
    """The metrics of the run with these facts, which `spells` has taken in, at the moment `at`.

    `phases` is the page from `offset` on, of at most `limit` phases; everything else is about all of them.
    """
    state = spells.state
    at = state.ended_at if state.ended_at is not None else round(at, 3)
    began = state.started_at if state.started_at is not None else at
    every = spells.all()
    agents = [spell for spell in every if spell.kind == "agent"]
    queued = [spell for spell in every if _counts_as_queued(spell)]
    tally = GateTally()
    runs: Counter[int] = Counter()
    for fact in facts:
        if fact.kind == "run_seeded":  # what was before is of another run
            tally, runs = GateTally(), Counter()
        tally.take(fact)
        if fact.kind == "phase_started" and fact.phase is not None:
            runs[fact.phase] += 1
    total = len(state.plan.phases)
    offset, limit = max(0, offset), total if limit is None else max(0, limit)
    return {
        "run": state.run.get("id", ""),
        "definition": state.plan.id,
        "name": state.plan.name,
        "version": state.plan.version,
        "status": state.status,
        "started_at": iso(began),
        "ended_at": iso(state.ended_at),
        **_times(spells, every, began, at),
        "queue": spread(
            [_unpaused(each, spells.paused, at) for each in queued],
            sum(runs.values()) + sum(each.end is None for each in queued),
        ),
        **_attempts(agents),
        "runs": sum(runs[index] for index in range(total)),
        "people": {kind: _seconds(every, kind, at) for kind in PEOPLE if any(each.kind == kind for each in every)},
        "agents": _by_role(every, at),
        "gates": tally.to_json(every, at),
        "usage": _usage(agents),
        "phases": _phases(spells, every, runs, at, range(min(offset, total), min(offset + limit, total))),
        "page": {"offset": offset, "limit": limit, "total": total},
    }


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The nearest rank; None of nothing."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def spread(values: Sequence[float], count: int | None = None) -> Json:
    """`{count, seconds, p50, p95, most}` of lengths of time; those of `count` that are not listed took none."""
    count = len(values) if count is None else max(count, len(values))
    lengths = [0.0] * (count - len(values)) + sorted(values)
    return {
        "count": count,
        "seconds": round(math.fsum(lengths), 3),
        **{
            name: None if (value := percentile(lengths, percent)) is None else round(value, 3)
            for name, percent in (("p50", 50), ("p95", 95), ("most", 100))
        },
    }


def _seconds(spells: Iterable[Spell], kind: str, at: float) -> float:
    return round(math.fsum(each.seconds(at) for each in spells if each.kind == kind), 3)


def _at_work(spells: Iterable[Spell], at: float) -> float:
    """The time that phases were at work; agents that work on one phase at once count once."""
    until: dict[int, float] = {}
    lengths: list[float] = []
    for spell in spells:  # in the order of their beginnings
        if spell.kind in WORK:
            end = at if spell.end is None else spell.end
            lengths.append(max(0.0, end - max(spell.start, until.get(spell.phase, spell.start))))
            until[spell.phase] = max(end, until.get(spell.phase, end))
    return round(math.fsum(lengths), 3)


def _counts_as_queued(spell: Spell) -> bool:
    """What was skipped or cancelled while it waited was never wanted to start."""
    return spell.kind == "queue" and (spell.end is None or spell.outcome == "started")


def _unpaused(spell: Spell, pauses: Sequence[tuple[float, float | None]], at: float) -> float:
    """The length of a spell without what it has in common with pauses."""
    end = at if spell.end is None else spell.end
    shared = math.fsum(
        max(0.0, min(end, at if ended is None else ended) - max(spell.start, began)) for began, ended in pauses
    )
    return max(0.0, end - spell.start - shared)


def _times(spells: Spells, every: Sequence[Spell], began: float, at: float) -> Json:
    """One pass over all beginnings and ends, in order."""
    edges: list[tuple[float, int, str, int]] = []
    for spell in every:
        kind = "work" if spell.kind in WORK else "people" if spell.kind in PEOPLE else ""
        if kind:
            edges += [
                (spell.start, 1, kind, spell.phase),
                (at if spell.end is None else spell.end, -1, kind, spell.phase),
            ]
    for start, end in spells.paused:
        edges += [(start, 1, "paused", -1), (at if end is None else end, -1, "paused", -1)]
    slots = spells.state.max_workers
    sums: dict[str, list[float]] = {"working": [], "people": [], "paused": [], "idle": []}
    work: list[float] = []
    taken: list[float] = []
    counts: dict[str, Counter[int]] = {"work": Counter(), "people": Counter(), "paused": Counter()}
    now, most = began, 0
    for moment, change, kind, phase in [*sorted(edges), (max(at, began), 0, "work", -1)]:
        length, busy = max(0.0, moment - now), len(counts["work"])
        if length:
            what = "working" if busy else next((name for name in ("people", "paused") if counts[name]), "idle")
            sums[what].append(length)
            work.append(length * busy)
            taken.append(length * min(busy, slots))
            most, now = max(most, busy), moment
        counts[kind][phase] += change
        if not counts[kind][phase]:
            del counts[kind][phase]
    total, working = max(0.0, at - began), math.fsum(sums["working"])
    return {
        "seconds": {"total": round(total, 3), **{name: round(math.fsum(lengths), 3) for name, lengths in sums.items()}},
        "work_seconds": round(math.fsum(work), 3),
        "max_workers": slots,
        "slot_seconds": round(math.fsum(taken), 3),
        "utilisation": _ratio(math.fsum(taken), slots * total),
        "most_at_once": most,
        "speed_up": _ratio(math.fsum(work), working),
        "efficiency": _ratio(math.fsum(work), working * most),
    }


def _ratio(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole > 0 else None


def _attempts(agents: Sequence[Spell]) -> Json:
    """Attempts of agents that have ended; each but the first of one is a retry. Failures by code, and by class."""
    count = sum(map(tries, agents))
    failed = [failure for spell in agents for failure in _failures(spell)]
    codes = Counter(str(failure.get("code") or "error") for failure in failed)
    classes = Counter(str(failure["class"]) for failure in failed if failure.get("class"))
    return {
        "attempts": count,
        "retries": count - sum(spell.end is not None for spell in agents),
        "failures": dict(sorted(codes.items())),
        **({"failure_classes": dict(sorted(classes.items()))} if classes else {}),
    }


def tries(spell: Spell) -> int:
    """How many attempts an agent's spell has taken; 0 while it goes on."""
    if spell.end is None:
        return 0
    count = (spell.told or {}).get("attempts", 1)
    return count if isinstance(count, int) and count > 0 else 1


def _failures(spell: Spell) -> list[Json]:
    told = spell.told or {}
    listed = [each for each in told.get("failures") or () if isinstance(each, dict)]
    return listed or ([told] if spell.outcome == "failed" else [])


def _by_role(every: Sequence[Spell], at: float) -> list[Json]:
    """What each role has done, those with the most time first; `person` says that people did it."""
    rows: dict[tuple[str, str], Json] = {}
    for spell in every:
        if spell.kind not in {"agent", "person"}:
            continue
        new = {"role": cut(spell.who, NAME_SHOWN), "person": spell.kind == "person", "times": 0, "seconds": 0.0}
        row = rows.setdefault((spell.kind, spell.who), new)
        row["times"] += 1
        row["seconds"] += spell.seconds(at)
        if spell.kind == "agent":
            row["attempts"] = row.get("attempts", 0) + tries(spell)
            row["failed"] = row.get("failed", 0) + (spell.outcome == "failed")
    ordered = sorted(rows.values(), key=lambda row: (-row["seconds"], row["role"]))
    return [{**row, "seconds": round(row["seconds"], 3)} for row in ordered]


def _usage(agents: Sequence[Spell]) -> Json | None:
    """What the agents' commands have used, as far as all of them tell it; tokens and cost as far as any do."""
    told = [usage for each in agents if isinstance(usage := (each.told or {}).get("usage"), dict)]
    sums = {
        name: round(math.fsum(usage[name] for usage in told if isinstance(usage.get(name), int | float)), 6)
        for name in MONEY
        if any(isinstance(usage.get(name), int | float) for usage in told)
    }
    return {**(together(told) or {}), **sums} if told else None


def _phases(spells: Spells, every: Sequence[Spell], runs: Counter[int], at: float, page: range) -> list[Json]:
    state = spells.state
    own: dict[int, list[Spell]] = {index: [] for index in page}
    items: dict[int, list[Spell]] = {}
    for spell in every:
        item = state.plans[spell.phase].item
        if item is None and spell.phase in own:
            own[spell.phase].append(spell)
        elif item is not None and item.parent in own:
            items.setdefault(item.parent, []).append(spell)
    return [_phase(spells, index, own[index], items.get(index, []), at) | {"runs": runs[index]} for index in page]


def _phase(spells: Spells, index: int, own: list[Spell], items: list[Spell], at: float) -> Json:
    state = spells.state
    phase = state.phases[index]
    agents = [spell for spell in (*own, *items) if spell.kind == "agent"]
    epochs: dict[int, float] = {}
    for spell in own:
        if spell.kind == "running":
            epochs[spell.epoch] = epochs.get(spell.epoch, 0.0) + spell.seconds(at)
    row: Json = {
        "index": index,
        "id": phase.plan.id,
        "name": cut(phase.plan.name, NAME_SHOWN),
        "status": SHOWN[phase.status],
        "seconds": _seconds(own, "running", at),
        "work_seconds": _at_work((*own, *items), at),
        "people_seconds": round(math.fsum(each.seconds(at) for each in (*own, *items) if each.kind in PEOPLE), 3),
        "queue_seconds": round(
            math.fsum(_unpaused(each, spells.paused, at) for each in (*own, *items) if _counts_as_queued(each)), 3
        ),
        "epochs": [{"epoch": epoch, "seconds": round(length, 3)} for epoch, length in sorted(epochs.items())],
        **_attempts(agents),
    }
    if (expansion := state.expansions.get(index)) is not None:
        by_item: dict[int, float] = {}
        for spell in items:
            if spell.kind == "running":
                by_item[spell.phase] = by_item.get(spell.phase, 0.0) + spell.seconds(at)
        row["items"] = {"total": len(expansion.phases), **spread(list(by_item.values()))}
    return row
