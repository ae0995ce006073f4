"""Swimlanes: a lane per phase of an open run, on one scale of time, with what is still to come and when it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

from cli.words.bars import Canvas
from cli.words.durations import duration
from cli.words.narration import Stand
from cli.words.symbols import PLAIN, SYMBOLS
from cli.words.table import padded, shortened
from engine.agents import MANUAL
from engine.forecast import Forecast, PhaseForecast, Span, remaining
from engine.plan import PhasePlan, Plan

URGENCY = ("in_progress", "paused", "failed", "pending", "completed", "cancelled", "skipped")
"""Whose lanes come first where not all fit."""

FEW = 3
"""So many lanes are shown however low the terminal is."""

FORESEEN = 2000
"""Phases from which on the rest of a run is not foreseen any more: it would take too long to do it all the time."""

CLOCK = 14
"""Cells of the last column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A run at one moment. `rest` was foreseen at `at`; times are seconds since 1970. `foreseen` is it by index."""

    plan: Plan
    stand: Mapping[int, Stand]
    began: float
    at: float
    rest: Forecast | None = None
    guessed: bool = False
    names: int = 0
    foreseen: Mapping[int, PhaseForecast] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        if self.rest is not None:
            object.__setattr__(self, "foreseen", {each.index: each for each in self.rest.phases})


def scene(
    plan: Plan,
    stand: Mapping[int, Stand],
    *,
    began: float,
    now: float,
    lengths: Mapping[int, Span],
    workers: int | None,
) -> Scene:
    """The run as it is, and its rest: from `lengths` (of earlier runs), the plan's estimates, else from this run."""
    names = max((len(phase.id) for phase in plan.phases), default=0)
    if len(plan.phases) > FORESEEN:
        return Scene(plan=plan, stand=dict(stand), began=began, at=now, names=names)
    known = {phase.index: phase.estimate for phase in plan.phases if phase.estimate is not None} | dict(lengths)
    guess = _typical(plan, stand)
    unknown = [phase.index for phase in plan.phases if phase.index not in known and not _of_people(phase)]
    if guess is not None:
        known |= dict.fromkeys(unknown, (guess, guess))
    settled = {index for index, each in stand.items() if each.ended is not None and each.status != "paused"}
    running = {i: now - each.began for i, each in stand.items() if each.ended is None and each.began is not None}
    try:
        rest = remaining(plan, known, done=settled, running=running, workers=workers)
    except ValueError:  # phases that wait for each other: a definition that nobody could have started
        rest = None
    return Scene(
        plan=plan,
        stand=dict(stand),
        began=began,
        at=now,
        rest=rest,
        guessed=guess is not None and any(index not in settled for index in unknown),
        names=names,
    )


def _of_people(phase: PhasePlan) -> bool:
    return any(agent.uses == MANUAL for agent in phase.agents)


def _typical(plan: Plan, stand: Mapping[int, Stand]) -> float | None:
    """What a phase of this run takes as a rule, people's phases aside."""
    taken = [
        each.ended - each.began
        for index, each in stand.items()
        if each.status == "completed"
        and each.began is not None
        and each.ended is not None
        and not _of_people(plan.phases[index])
    ]
    return median(taken) if taken else None


def swimlanes(shown: Scene, now: float, on: Canvas, *, rows: int) -> list[str]:
    """The lanes, at most `rows` lines of them, and below them where the run stands and when it ends."""
    chosen = _chosen(shown, max(FEW, rows))
    left = len(shown.plan.phases) - len(chosen)
    ahead = max(0.0, shown.rest.wall[1] - (now - shown.at)) if shown.rest is not None else 0.0
    names = min(shown.names, max(18, on.width // 4))
    room = max(8, on.width - names - CLOCK - 8)
    scale = room / max(now - shown.began + ahead, 1.0)
    lines = [_lane(shown, index, now, on, (names, room, scale), ahead=ahead > 0) for index in chosen]
    if left:
        lines.append(f"  {on.more} and {left} more")
    return [*lines, *foot(shown, now, on)]


def _chosen(shown: Scene, rows: int) -> list[int]:
    phases = shown.plan.phases
    if len(phases) <= rows:
        return [phase.index for phase in phases]
    nothing = Stand()
    starts = {index: each.start[1] for index, each in shown.foreseen.items()}

    def order(index: int) -> tuple[int, float, int]:
        each = shown.stand.get(index, nothing)
        # What ended last comes first; what starts next comes first.
        at = -each.ended if each.ended is not None else starts.get(index, 0.0)
        return URGENCY.index(each.status), at, index

    return sorted((phase.index for phase in phases), key=order)[: rows - 1]


def _lane(shown: Scene, index: int, now: float, on: Canvas, sizes: tuple[int, int, float], *, ahead: bool) -> str:
    names, room, scale = sizes
    phase, each = shown.plan.phases[index], shown.stand.get(index, Stand())
    symbol = (SYMBOLS if on.unicode else PLAIN)[each.status]
    name = padded(shortened(phase.id, names, mark=on.more), names)
    coming = shown.foreseen.get(index)
    cells = [" "] * room
    if coming is not None and each.status in {"pending", "in_progress"}:
        foreseen = "░" if on.unicode else "."
        _fill(cells, shown.at + coming.start[1] - shown.began, shown.at + coming.end[1] - shown.began, scale, foreseen)
    if each.began is not None:
        _fill(cells, each.began - shown.began, (each.ended or now) - shown.began, scale, on.full)
    clock = _clock(phase, each, now)
    if not clock and coming is not None and coming.start[1] > 0:
        clock = f"in ~{duration(max(0.0, coming.start[1] - (now - shown.at)))}"
    mark = "*" if coming is not None and coming.critical and ahead else " "
    return shortened(f"  {symbol} {name}{mark} {''.join(cells)}  {clock}".rstrip(), on.width, mark=on.more)


def _fill(cells: list[str], start: float, end: float, scale: float, char: str) -> None:
    first = max(0, min(int(start * scale), len(cells) - 1))
    last = max(first + 1, min(int(end * scale + 0.5), len(cells)))
    cells[first:last] = [char] * (last - first)


def _clock(phase: PhasePlan, each: Stand, now: float) -> str:
    if each.status == "paused" or each.asked:
        return "needs you"
    if each.gate is not None:
        return f"at {each.gate}"
    if each.items is not None and each.ended is None:
        return f"{each.items[0]}/{each.items[1]} items"
    if each.began is None:
        return each.status if each.status != "pending" else ""
    took = duration((each.ended or now) - each.began)
    return f"{took} {phase.agents[0].role}" if each.ended is None and _of_people(phase) and phase.agents else took


def foot(shown: Scene, now: float, on: Canvas) -> list[str]:
    """Elapsed, done, the time that is left, and the chain of phases that decides about it (`*` in their lanes)."""
    done = sum(each.done for each in shown.stand.values())
    total = len(shown.plan.phases)
    dot = " · " if on.unicode else " | "
    parts = [f"elapsed {duration(now - shown.began)}", f"{done}/{total} done"]
    lines = []
    if shown.rest is not None:
        parts.append(eta(shown.rest, guessed=shown.guessed, passed=now - shown.at))
        path = [shown.plan.phases[index].id for index in shown.rest.critical_path]
        if len(path) > 1 and shown.rest.wall[1] > 0:
            arrow = " → " if on.unicode else " -> "
            lines.append(shortened(f"  * critical path: {arrow.join(path)}", on.width, mark=on.more))
    return ["", shortened(f"  {dot.join(parts)}", on.width, mark=on.more), *lines]


def eta(rest: Forecast, *, guessed: bool = False, passed: float = 0.0) -> str:
    """When a run will end, in words: `ETA ~4m 10s`, `ETA 4m 10s to 6m 00s`, with what it does not know."""
    low, high = (duration(max(0.0, seconds - passed)) for seconds in rest.wall)
    span = f"~{high}" if low == high else f"{low} to {high}"
    if rest.unknown:
        return f"ETA at least {low}" if rest.wall[1] > 0 else "ETA unknown"
    return f"ETA {span}, a guess" if guessed else f"ETA {span}"
