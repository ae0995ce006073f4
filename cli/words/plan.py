"""A plan before its run, in words: groups, times, the critical path, workers compared."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from cli.reach.planned import Planned, notices
from cli.words.durations import counted, duration
from cli.words.table import table
from engine.forecast import Span

Json = dict[str, Any]

FEW = 20
"""How much of each list is shown without `--all`."""


def described(told: Planned) -> Json:
    """All of it as `plan --json` prints it; times are seconds, or null where nothing is known of any length."""
    found, phases = told.forecast, told.plan.phases
    seconds = told.lengths.in_seconds

    def time(span: Span) -> Json | None:
        return {"low": round(span[0], 3), "high": round(span[1], 3)} if seconds else None

    return {
        "id": told.plan.id,
        "name": told.plan.name,
        "workers": found.workers,
        "serial": time(found.serial),
        "parallel": time(found.wall),
        "speed_up": _speed_up(told),
        "critical_path": [phases[i].id for i in found.critical_path],
        "groups": [[phases[i].id for i in group] for group in found.groups],
        "phases": [
            {
                "index": each.index,
                "id": phases[each.index].id,
                "agents": [agent.role for agent in phases[each.index].agents],
                "length": time(told.lengths.spans[each.index]),
                "length_from": told.lengths.sources[each.index],
                "start": time(each.start),
                "end": time(each.end),
                "slack": round(each.slack, 3) if seconds else None,
                "critical": each.critical,
            }
            for each in found.phases
        ],
        "wall_by_workers": [{"workers": count, "wall": time(span)} for count, span in told.walls.items()],
        "opportunities": [
            {"phase": phases[o.phase].id, "after": [phases[i].id for i in o.after]} for o in told.opportunities
        ],
        "wall_with_opportunities": time(told.without_order),
        "notices": [{"text": text, "hint": hint} for text, hint in notices(told)],
    }


def shown(told: Planned, *, everything: bool) -> list[str]:
    """All of it for reading; lists are cut at `FEW` unless `everything` is wanted."""
    plan, most = told.plan, None if everything else FEW
    workers = counted(told.forecast.workers, "worker")
    groups = counted(len(told.forecast.groups), "group")
    return [
        f"{plan.name} ({plan.id}): {counted(len(plan.phases), 'phase')} in {groups}, {workers}",
        "",
        *_groups(told, most),
        "",
        *_times(told),
        *_path(told, most),
        *_comparison(told),
        *_opportunities(told, most),
        *_cut([f"! {text}\n  fix: {hint}" for text, hint in notices(told)], most, "notices", before=[""]),
        *_lengths(told),
    ]


def in_words(told: Planned, span: Span) -> str:
    """A time: `5m 00s`, `5m 00s-10m 00s`, or `4 phases` where nothing is known of any length."""
    low, high = span
    if not told.lengths.in_seconds:
        return counted(round(high), "phase")
    return duration(high) if duration(low) == duration(high) else f"{duration(low)}-{duration(high)}"


def _groups(told: Planned, most: int | None) -> list[str]:
    lines: list[str] = []
    marked = {o.phase for o in told.opportunities}
    by_index = {each.index: each for each in told.forecast.phases}
    rows: list[tuple[str, ...]] = [("GROUP", "PHASE", "AGENTS", "TIME", "SLACK", "")]
    total = sum(len(group) for group in told.forecast.groups)
    members = ((number, i) for number, group in enumerate(told.forecast.groups, 1) for i in group)
    last = 0
    for number, index in islice(members, most):
        phase, each = told.plan.phases[index], by_index[index]
        marks = [word for word, on in (("critical", each.critical), ("could be parallel", index in marked)) if on]
        rows.append(
            (
                str(number) if number != last else "",
                phase.name,
                ", ".join(agent.role for agent in phase.agents),
                _length(told, index),
                in_words(told, (each.slack, each.slack)) if each.slack else "-",
                ", ".join(marks),
            )
        )
        last = number
    lines += table(rows)
    if most is not None and total > most:
        lines.append(f"… and {total - most} more phases (--all shows them)")
    return lines


def _length(told: Planned, index: int) -> str:
    for_each = told.plan.phases[index].for_each
    each = f" each, {len(for_each)} items" if isinstance(for_each, list) else " each" if for_each is not None else ""
    if told.lengths.sources[index] == "assumed":
        return f"unknown{each}"
    return f"{in_words(told, told.lengths.spans[index])}{each}"


def _speed_up(told: Planned) -> float:
    serial, wall = told.forecast.serial[1], told.forecast.wall[1]
    return round(serial / wall, 2) if wall else 1.0


def _times(told: Planned) -> list[str]:
    found = told.forecast
    return table(
        [
            ("One after another:", in_words(told, found.serial)),
            ("In parallel:", f"{in_words(told, found.wall)} ({_speed_up(told):.1f} times as fast)"),
        ]
    )


def _path(told: Planned, most: int | None) -> list[str]:
    names = [told.plan.phases[i].name for i in told.forecast.critical_path]
    more = f" → … and {len(names) - most} more" if most is not None and len(names) > most else ""
    return [f"Critical path:      {' → '.join(names[:most])}{more}"]


def _comparison(told: Planned) -> list[str]:
    if len(told.walls) < 2:
        return []
    if len(set(told.walls.values())) == 1:
        return ["", "More workers, or fewer, would change nothing."]
    rows: list[tuple[str, ...]] = [("WORKERS", "TIME", "")]
    for count, span in told.walls.items():
        rows.append((str(count), in_words(told, span), "this plan" if count == told.forecast.workers else ""))
    return ["", *table(rows)]


def _opportunities(told: Planned, most: int | None) -> list[str]:
    if not told.opportunities or not told.plan.execution.parallel:
        return []
    phases = told.plan.phases
    lines = [
        f"{phases[o.phase].name} comes after {phases[o.after[0]].name}"
        f"{f' and {len(o.after) - 1} more' if len(o.after) > 1 else ''}, and reads nothing of it"
        for o in told.opportunities
    ]
    best = f" ({in_words(told, told.without_order)} then)" if told.without_order[1] < told.forecast.wall[1] else ""
    before = ["", f"Ordered by their place only; if that is not meant, depends_on: [] or parallel: true{best}:"]
    return _cut([f"  {line}" for line in lines], most, "phases", before=before)


def _lengths(told: Planned) -> list[str]:
    """Where the times are from, and what was assumed."""
    sources = list(told.lengths.sources.values())
    measured, assumed = sources.count("measured"), sources.count("assumed")
    if not sources:
        return []
    if not told.lengths.in_seconds:
        return ["", "No phase has an estimate, and none has run here yet: every phase counts the same."]
    lines = []
    if children := sources.count("child"):
        lines.append(f"{counted(children, 'phase')} as long as the child's own plan says.")
    if measured:
        lines.append(f"{counted(measured, 'phase')} without an estimate: the median of earlier runs here.")
    if assumed and told.lengths.assumed is not None:
        counts = in_words(told, told.lengths.assumed)
        lines.append(
            f"{counted(assumed, 'phase')} of unknown length: each counts as {counts}, the median of the others."
        )
    return ["", *lines] if lines else []


def _cut(lines: list[str], most: int | None, what: str, *, before: Iterable[str]) -> list[str]:
    if not lines:
        return []
    kept = [part for line in lines[:most] for part in line.split("\n")]
    if most is not None and len(lines) > most:
        kept.append(f"… and {len(lines) - most} more {what} (--all shows them)")
    return [*before, *kept]
