"""Bars to scale: what a run has taken, phase by phase, one after another beside what ran at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TextIO

from cli.words.durations import duration, improvement, moment, rounded
from cli.words.table import padded, shortened

Json = dict[str, Any]

NARROWEST, WIDEST = 40, 160
ROWS = 40
"""From more phases on only the longest are drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """What there is to draw on. Without `unicode` everything is drawn in ASCII."""

    width: int = 80
    unicode: bool = True

    @property
    def full(self) -> str:
        """A cell of a bar."""
        return "█" if self.unicode else "#"

    @property
    def more(self) -> str:
        """What stands for more than is shown."""
        return "…" if self.unicode else "..."

    @property
    def nothing(self) -> str:
        """What stands for a number that is not known."""
        return "—" if self.unicode else "-"


def canvas(stream: TextIO) -> Canvas:
    """The canvas that a stream is: as wide as its terminal, 80 cells elsewhere."""
    import os  # noqa: PLC0415 - only for a terminal
    import shutil  # noqa: PLC0415

    try:
        cells = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        cells = shutil.get_terminal_size().columns
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "")
    # The last cell stays free: terminals differ in what they do once it is filled.
    return Canvas(width=max(NARROWEST, min(cells or 80, WIDEST) - 1), unicode=encoding.startswith("utf"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """The time that one phase was at work, in seconds from the start of its run.

    `items` are the seconds of its items together, where it ran once per item.
    """

    name: str
    began: float
    ended: float
    items: float | None = None

    @property
    def length(self) -> float:
        """From its beginning to its end."""
        return max(0.0, self.ended - self.began)

    @property
    def seconds(self) -> float:
        """How long it takes with one item after another."""
        return self.length if self.items is None else self.items


def spells(view: Json) -> list[Spell]:
    """When the phases of an ended run were at work, as far as the view lists them."""
    begin = moment(view["started_at"])
    found: list[Spell] = []
    for row in view["phases"]:
        began, ended = moment(row["started_at"]), moment(row["finished_at"])
        if begin is not None and began is not None and ended is not None:
            at = ((each - begin).total_seconds() for each in (began, ended))
            items = row.get("items", {}).get("seconds")
            found.append(Spell(name=row["id"], began=next(at), ended=next(at), items=items))
    return found


def bars(phases: Sequence[Spell], *, sequential: float, parallel: float, on: Canvas) -> list[str]:
    """A line per phase with two bars on one scale, and what was saved; nothing where nothing took any time.

    `sequential` and `parallel` are the run's seconds, one phase after another and as it was.
    """
    longest = max(sequential, parallel)
    if longest <= 0 or not phases:
        return []
    names = min(max(len(phase.name) for phase in phases), max(14, on.width // 4))
    room = (on.width - names - 6) // 2
    scale = room / longest
    drawn = _drawn(phases)
    head = (f"Sequential {duration(sequential)}", f"Parallel {duration(parallel)}")
    lines = [f"  {'':{names}}  {shortened(head[0], room, mark=on.more):{room}}  {head[1]}"]
    for phase, before in _one_by_one(phases):
        if phase not in drawn:
            continue
        name = padded(shortened(phase.name, names, mark=on.more), names)
        left = bar(before * scale, phase.seconds * scale, room, on)
        right = bar(phase.began * scale, phase.length * scale, room, on)
        lines.append(f"  {name}  {left:{room}}  {right}".rstrip())
    if len(drawn) < len(phases):
        lines.append(f"  {on.more} and {len(phases) - len(drawn)} shorter ones")
    saved = rounded(sequential) - rounded(parallel)  # as the head line shows them
    if saved > 0 and (percent := improvement(sequential, parallel)) > 0:
        lines.append(f"  Saved {duration(saved)} of {duration(sequential)} ({percent}%)")
    return lines


def bar(start: float, length: float, room: int, on: Canvas) -> str:
    """A bar of so many cells after so many empty ones; it always shows, and never leaves its room."""
    first = min(int(start + 0.5), room - 1)
    cells = max(1, min(int(start + length + 0.5), room) - first)
    return " " * first + on.full * cells


def _drawn(phases: Sequence[Spell]) -> list[Spell]:
    if len(phases) <= ROWS:
        return list(phases)
    return sorted(phases, key=lambda phase: -phase.seconds)[: ROWS // 2]


def _one_by_one(phases: Sequence[Spell]) -> list[tuple[Spell, float]]:
    """Each phase, in the order of their beginnings, with the seconds that those before it took."""
    placed: list[tuple[Spell, float]] = []
    before = 0.0
    for phase in sorted(phases, key=lambda phase: phase.began):
        placed.append((phase, before))
        before += phase.seconds
    return placed


def shares(phases: Sequence[Spell]) -> list[float]:
    """The seconds of the run that fall to each phase: phases at work at once share them equally."""
    edges = sorted({edge for phase in phases for edge in (phase.began, phase.ended)})
    starting: dict[float, list[int]] = {}
    ending: dict[float, list[int]] = {}
    for number, phase in enumerate(phases):
        starting.setdefault(phase.began, []).append(number)
        ending.setdefault(phase.ended, []).append(number)
    share = [0.0] * len(phases)
    working: set[int] = set()
    for now, following in pairwise(edges):
        working.update(starting.get(now, ()))
        working.difference_update(ending.get(now, ()))
        for number in working:
            share[number] += (following - now) / len(working)
    return share
