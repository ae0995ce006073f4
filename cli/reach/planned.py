"""What a plan promises before it runs: its lengths, its forecast, what stands in the way, and what could be at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import median
from types import MappingProxyType

from cli.reach.history import Measured
from engine.forecast import Forecast, Span, forecast, needs_worker, rounds, walls
from engine.plan import Need, PhasePlan, Plan

MOST_COMPARED = 8
"""The most numbers of workers that are compared."""

LARGE = 2000
"""From this many phases on only half as many are compared: each takes a simulation or two."""

BY_FAR = 2.0
"""A phase this many times as long as the next longest of its group unbalances it."""

MUCH = 0.2
"""The share of the whole time from which on one phase that all others wait for is worth a word."""


@dataclass(frozen=True, kw_only=True)
class ChildLength:
    """How long a child run takes by its own forecast; `estimated`: an author's estimate is in it."""

    span: Span
    estimated: bool


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """(low, high) seconds by phase, where each is from, and what a phase counts of which nothing is known.

    `sources` is `estimate`, `child` (the forecast of a child run), `measured` or `assumed` by phase. Without a single
    length every phase counts 1 and `assumed` is None: then all times are in phases, not seconds.
    """

    spans: dict[int, Span]
    sources: dict[int, str]
    assumed: Span | None

    @property
    def in_seconds(self) -> bool:
        """Whether times are seconds."""
        return any(source != "assumed" for source in self.sources.values())

    @property
    def is_estimated(self) -> bool:
        """Whether an author has estimated any phase."""
        return any(source in {"estimate", "child"} for source in self.sources.values())


@dataclass(frozen=True, kw_only=True)
class Opportunity:
    """A phase that waits for `after` only because of its place in the file: it reads nothing of it."""

    phase: int
    after: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A plan and all that can be said of it. `without_order` is the wall time with every opportunity taken."""

    plan: Plan
    lengths: Lengths
    forecast: Forecast
    walls: dict[int, Span]
    opportunities: tuple[Opportunity, ...]
    without_order: Span


def planned(
    plan: Plan, history: Mapping[str, Measured], workers: int, children: Mapping[int, ChildLength] | None = None
) -> Planned:
    """Everything about a run of the plan with so many workers; `children` are the phases that are runs, by index."""
    lengths = lengths_of(plan, history, workers, children or {})
    found = forecast(plan, lengths.spans, workers=workers)
    freed, opportunities = _freed(plan)
    return Planned(
        plan=plan,
        lengths=lengths,
        forecast=found,
        walls=walls(plan, lengths.spans, _counts(found, workers)),
        opportunities=opportunities,
        without_order=forecast(freed, lengths.spans, workers=workers).wall if opportunities else found.wall,
    )


def lengths_of(
    plan: Plan,
    history: Mapping[str, Measured],
    workers: int,
    children: Mapping[int, ChildLength] = MappingProxyType({}),
) -> Lengths:
    """The estimate of the definition or of a child's, else what earlier runs took, else the median of other phases.

    Of a phase with items that is the length of one; what was measured is that of all.
    """
    spans: dict[int, Span] = {}
    sources: dict[int, str] = {}
    for phase in plan.phases:
        if phase.estimate is not None:
            spans[phase.index], sources[phase.index] = phase.estimate, "estimate"
        elif (child := children.get(phase.index)) is not None and (child.estimated or phase.id not in history):
            spans[phase.index], sources[phase.index] = child.span, "child"
        elif (seen := history.get(phase.id)) is not None:
            seconds = seen.seconds / max(1, rounds(phase, workers))
            spans[phase.index], sources[phase.index] = (seconds, seconds), "measured"
    assumed = None
    if spans:
        assumed = (median(low for low, _ in spans.values()), median(high for _, high in spans.values()))
    for phase in plan.phases:
        if phase.index not in spans:
            spans[phase.index], sources[phase.index] = assumed or (1.0, 1.0), "assumed"
    return Lengths(spans=spans, sources=sources, assumed=assumed)


def _counts(found: Forecast, workers: int) -> list[int]:
    """1, 2, 3 … up to what the widest group can use; with gaps where that is much; always the number asked for."""
    widest = max((len(group) for group in found.groups), default=1)
    most = MOST_COMPARED if len(found.phases) <= LARGE else MOST_COMPARED // 2
    counts = list(range(1, min(widest, most - 2) + 1))
    while len(counts) < most - 1 and counts[-1] < widest:
        counts.append(min(widest, counts[-1] * 2))
    return sorted({*counts, workers})


def _freed(plan: Plan) -> tuple[Plan, tuple[Opportunity, ...]]:
    """The plan without needs that come from the order in the file alone, and the phases that lost one.

    Such a phase takes over the needs of what it stood behind, so nothing else about the order changes.
    """
    members: dict[int, list[int]] = {}
    for phase in plan.phases:
        if phase.group is not None:
            members.setdefault(phase.group, []).append(phase.index)
    by_word = {word: phase.index for phase in plan.phases for word in (phase.name, str(phase.index), phase.id)}
    phases = list(plan.phases)
    found: list[Opportunity] = []
    for phase in plan.phases:
        after = [need.phase for need in phase.needs if need.implicit]
        after += members[phase.after_group] if phase.after_group is not None else []
        read = {by_word[part] for path in (*phase.reads, *phase.list_reads) if (part := _phase_read(path)) in by_word}
        files = {*phase.files_scope, *phase.files_create}
        if not needs_worker(phase):  # what a person takes from the work before is not written anywhere
            continue
        if not after or read & set(after) or _shares(files, [plan.phases[i].files_scope for i in after]):
            continue
        found.append(Opportunity(phase=phase.index, after=tuple(after)))
        model = phases[after[0]]
        kept = [need for need in phase.needs if not need.implicit]
        kept += [Need(phase=index) for index in sorted(read) if index < phase.index]
        phases[phase.index] = replace(phase, needs=(*model.needs, *kept), after_group=model.after_group, group=None)
    if not found:
        return plan, ()
    return replace(plan, phases=_regrouped(plan, phases)), tuple(found)


def _regrouped(plan: Plan, phases: list[PhasePlan]) -> tuple[PhasePlan, ...]:
    """Members stay in their group, whatever they wait for, so that who waits for the group waits for all of it."""
    return tuple(replace(phase, group=plan.phases[phase.index].group) for phase in phases)


def _phase_read(path: str) -> str:
    parts = path.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == "phases" else ""


def _shares(files: set[str], others: list[tuple[str, ...]]) -> bool:
    return any(files & set(scope) for scope in others)


def notices(told: Planned) -> list[tuple[str, str]]:
    """What stands in the way of a faster run, each with what can be done about it."""
    return [*_pool(told), *_unbalanced(told), *_blocking(told), *_pace(told)]


def _pool(told: Planned) -> list[tuple[str, str]]:
    workers = told.forecast.workers
    crowds = [sum(needs_worker(told.plan.phases[i]) for i in group) for group in told.forecast.groups]
    most = max(crowds, default=0)
    if most <= workers or not told.plan.execution.parallel:
        return []
    text = f"Worker pool exhausted: group {crowds.index(most) + 1} has {most} phases for "
    text += f"{workers} worker{'s' if workers > 1 else ''}; the others wait in a queue"
    return [(text, f"compare: --workers {most}")]


def _unbalanced(told: Planned) -> list[tuple[str, str]]:
    found = []
    for number, group in enumerate(told.forecast.groups, 1):
        known = [i for i in group if told.lengths.sources[i] != "assumed"]
        if len(known) < 2 or len(known) < len(group):
            continue
        longest, second = sorted(known, key=lambda i: told.lengths.spans[i][1], reverse=True)[:2]
        if told.lengths.spans[longest][1] >= BY_FAR * max(told.lengths.spans[second][1], 1.0):
            name, other = told.plan.phases[longest].name, told.plan.phases[second].name
            found.append(
                (f"Unbalanced load: in group {number} {name} takes by far longer than {other}", f"split {name}")
            )
    return found


def _blocking(told: Planned) -> list[tuple[str, str]]:
    found = []
    wall = told.forecast.wall[1]
    for before, after in zip(told.forecast.groups, told.forecast.groups[1:], strict=False):
        if len(before) == 1 and len(after) > 1 and told.lengths.spans[before[0]][1] >= MUCH * wall > 0:
            name = told.plan.phases[before[0]].name
            text = f"One step blocks others: {len(after)} phases wait for {name} alone"
            found.append((text, f"shorten {name}, or let what needs nothing of it start earlier: depends_on: []"))
    return found


def _pace(told: Planned) -> list[tuple[str, str]]:
    delay = told.plan.execution.rate_limit_delay
    if not delay or not told.lengths.in_seconds:
        return []
    free = replace(told.plan, execution=replace(told.plan.execution, rate_limit_delay=0.0))
    without = forecast(free, told.lengths.spans, workers=told.forecast.workers).wall[1]
    lost = told.forecast.wall[1] - without
    text = f"Rate limit: starts are {delay:g}s apart, which makes the run {lost:.0f}s longer"
    return [(text, "lower execution.rate_limit_delay")] if lost >= 1 else []
