"""A run through time in letters: a lane per phase on one scale, work, waits for people and waits for a start apart."""

from __future__ import annotations

from typing import Any

from cli.words.bars import Canvas
from cli.words.durations import duration
from cli.words.symbols import PLAIN, SYMBOLS
from cli.words.table import padded, shortened
from engine.timeline import standing

Json = dict[str, Any]

ROWS = 60
"""Lanes that are drawn; from more on those with the most time."""

MARKS = {
    "queue": ("·", "."),
    "items": ("─", "-"),
    "person": ("▒", "~"),
    "gate": ("▒", "~"),
    "decision": ("▒", "~"),
    "review": ("▓", "%"),
    "checks": ("▓", "%"),
    "agent": ("█", "#"),
}
"""What stands for each kind of spell, in Unicode and in ASCII; the later ones are drawn over the earlier."""

SAID = {"agent": "at work", "checks": "checks", "person": "waits for people", "queue": "waits for its start"}


def timeline_lines(shown: Json, on: Canvas) -> list[str]:
    """The lanes, what their marks mean, and the page that shows more."""
    lanes = shown["lanes"]
    begun = [number for number, lane in enumerate(lanes) if lane["spells"]]
    drawn = begun
    if len(begun) > ROWS:
        drawn = sorted(sorted(begun, key=lambda number: -_length(lanes[number]))[:ROWS])
    statuses = standing(shown, shown["length"])["lanes"]
    symbols = SYMBOLS if on.unicode else PLAIN
    names = min(max((len(lanes[number]["id"]) for number in drawn), default=0), max(18, on.width // 4))
    room = max(8, on.width - names - 16)
    scale = room / max(shown["length"], 0.001)
    lines = [f"{shown['name']} ({shown['run']}): {shown['status']}, {duration(shown['length'])}"]
    for number in drawn:
        lane = lanes[number]
        name = padded(shortened(lane["id"], names, mark=on.more), names)
        cells = _cells(lane, scale, room, on)
        took = duration(sum(each["end"] - each["start"] for each in lane["spells"] if each["kind"] == "running"))
        lines.append(shortened(f"  {symbols[statuses[number][0]]} {name}  {cells}  {took}".rstrip(), on.width))
    if len(drawn) < len(begun):
        lines.append(f"  {on.more} and {len(begun) - len(drawn)} shorter ones")
    legend = ", ".join(f"{MARKS[kind][not on.unicode]} {words}" for kind, words in SAID.items())
    return [*lines, "", f"  {legend}"]


def _length(lane: Json) -> float:
    return sum(float(each["end"] - each["start"]) for each in lane["spells"])


def _cells(lane: Json, scale: float, room: int, on: Canvas) -> str:
    cells = [" "] * room
    for kind, marks in MARKS.items():
        for spell in lane["spells"]:
            if spell["kind"] == kind:
                first = min(int(spell["start"] * scale), room - 1)
                last = max(first + 1, min(int(spell["end"] * scale + 0.5), room))
                cells[first:last] = [marks[not on.unicode]] * (last - first)
    return "".join(cells)
