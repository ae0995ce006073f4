"""What a run has taken, as a table: each step and the total, and what their commands used where it was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cli.words.bars import Canvas, Spell, bars, shares, spells
from cli.words.durations import duration, improvement
from cli.words.table import shortened, table, width

Json = dict[str, Any]

TIMES = ("Sequential", "Parallel", "Improvement")
USED = ("CPU avg", "Memory peak", "Calls", "Disk read", "Disk written")
USED_BRIEFLY = ("CPU avg", "Mem peak", "Calls", "Read", "Written")
ROWS = 40
"""From more steps on the table shows the longest only."""

UNITS = ("B", "kB", "MB", "GB", "TB")
THOUSAND = 1000

NAME_LEAST = 12


def summary(view: Json, on: Canvas) -> list[str]:
    """The table and the bars of an ended run; nothing for one that is open, or whose phases took no time."""
    totals = view.get("totals")
    phases = spells(view)
    if not totals or not phases:
        return []
    drawn = bars(phases, sequential=totals["sequential"], parallel=totals["parallel"], on=on)
    return [*measures(view, phases, on), "", *drawn]


def measures(view: Json, phases: Sequence[Spell], on: Canvas) -> list[str]:
    """The table. Where it would be too wide, times and usage are two."""
    rows = _rows(view, phases, on)
    if len(rows) > ROWS + 1:
        *steps, total = rows
        longest = sorted(range(len(steps)), key=lambda number: -phases[number].seconds)[: ROWS // 2]
        rest = ["", *[""] * (len(total) - 1)]
        rest[0] = f"{on.more} and {len(steps) - len(longest)} shorter ones"
        rows = [*(steps[number] for number in sorted(longest)), rest, total]
    whole = _table(("Step", *TIMES, *USED), rows, on)
    if max(map(width, whole)) <= on.width:
        return whole
    times = _table(("Step", *TIMES), [row[:4] for row in rows], on)
    return [*times, "", *_table(("Step", *USED_BRIEFLY), [[row[0], *row[4:]] for row in rows], on)]


def _table(head: Sequence[str], rows: list[list[str]], on: Canvas) -> list[str]:
    """A table whose names are cut to leave room for the numbers, down to a few cells."""
    numbers = table([row[1:] for row in (head, *rows)], indent="  ", numbers=range(len(head) - 1))
    room = max(NAME_LEAST, on.width - max(map(width, numbers)) - 2)
    cut = [[shortened(row[0], room, mark=on.more), *row[1:]] for row in rows]
    return table([head, *cut], indent="  ", numbers=range(1, len(head)))


def _rows(view: Json, phases: Sequence[Spell], on: Canvas) -> list[list[str]]:
    """A row per step that was at work, and the total's. The parallel time of a step is its share of the run's."""
    totals = view["totals"]
    usages = {row["id"]: row.get("usage") or {} for row in view["phases"]}
    complete = len(view["phases"]) == view["page"]["total"]
    rows = []
    for phase, share in zip(phases, shares(phases), strict=True):
        shared = [duration(share), _percent(phase.seconds, share)] if complete else [on.nothing, on.nothing]
        rows.append([phase.name, duration(phase.seconds), *shared, *_used(usages[phase.name], phase.seconds, on)])
    times = totals["sequential"], totals["parallel"]
    rows.append(["Total", *map(duration, times), _percent(*times), *_used(totals, totals["parallel"], on)])
    return rows


def _percent(sequential: float, parallel: float) -> str:
    return f"{improvement(sequential, parallel)}%"


def _used(usage: Json, seconds: float, on: Canvas) -> list[str]:
    """The cells of what was used: processor time as a share of one core, sizes, and a count."""
    cpu = usage.get("cpu_seconds")
    return [
        on.nothing if cpu is None or seconds <= 0 else f"{round(cpu * 100 / seconds)}%",
        size(usage.get("memory_peak"), on),
        on.nothing if usage.get("calls") is None else str(usage["calls"]),
        size(usage.get("read_bytes"), on),
        size(usage.get("write_bytes"), on),
    ]


def size(number: float | None, on: Canvas) -> str:
    """Bytes as people read them: `512 B`, `9.4 MB`."""
    if number is None:
        return on.nothing
    unit = 0
    while number >= THOUSAND and unit < len(UNITS) - 1:
        number /= THOUSAND
        unit += 1
    return f"{number:.0f} {UNITS[unit]}" if unit == 0 or number >= THOUSAND / 10 else f"{number:.1f} {UNITS[unit]}"
