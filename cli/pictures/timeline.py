"""A run as one HTML page that needs nothing else: a lane per phase, and a slider that shows any moment of it."""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

from cli.pictures.page import part_of
from cli.words.durations import counted, duration
from cli.words.symbols import SYMBOLS
from definitions.graphs.texts import seen

Json = dict[str, Any]

TICKS = 8
"""At most so many marks on the scale of time."""

NICE = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800)
"""Seconds between two marks."""

BARS = {
    "agent completed": "an agent at work, completed",
    "agent": "still at work",
    "agent retried": "earlier attempts",
    "agent failed": "failed",
    "agent cancelled": "cancelled",
    "checks passed": "checks of a gate",
    "person": "waits for a person, or a decision",
    "queue": "waits for its start",
}
"""What the legend explains."""

WORDS = {
    "person": "waits for {who}",
    "gate": "waits at the gate {who}",
    "decision": "waits for a decision",
    "checks": "checks of {who}",
    "review": "reviewers of {who}",
    "queue": "waits for its start",
    "items": "items",
}

GOOD, BAD = frozenset({"completed", "passed", "waived"}), frozenset({"failed"})


def timeline_page(shown: Json) -> str:
    """The page of an `engine.timeline.timeline`."""
    length = shown["length"]
    ended = f", ended {shown['ended']}" if shown["ended"] else ", still open"
    took = f"{duration(length)}, {len(shown['lanes'])} phases, {len(shown['moments'])} events"
    data = {
        "began": shown["began"],
        "length": length,
        "marks": SYMBOLS,
        "names": [seen(lane["id"]) for lane in shown["lanes"]],
        "moments": [{**moment, "lines": len(moment["lines"])} for moment in shown["moments"]],
    }
    parts = {
        "title": escape(seen(f"{shown['name']} ({shown['run']})")),
        "told": escape(seen(f"{shown['status']}; began {shown['began']}{ended}; {took}")),
        "legend": "".join(f'<li><span class="bar {look}"></span>{escape(words)}</li>' for look, words in BARS.items()),
        "length": repr(length),
        "ticks": _ticks(length),
        "lanes": "\n".join(_lane(lane, length) for lane in shown["lanes"]),
        "lines": "".join(f"<li>{escape(seen(line))}</li>" for moment in shown["moments"] for line in moment["lines"]),
        "data": _json(data),
        "style": part_of("timeline.css"),
        "script": part_of("timeline.js"),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], part_of("timeline.html"))


def _json(value: Any) -> str:
    """JSON that can stand within an element of the page: nothing in it ends that, or begins a comment."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _ticks(length: float) -> str:
    if length <= 0:
        return ""
    step = next((step for step in NICE if length / step <= TICKS), length / TICKS)
    marks = [number * step for number in range(int(length / step) + 1) if number * step < length * 0.97]
    return "".join(f'<span class="tick" style="left:{_share(mark, length)}">{duration(mark)}</span>' for mark in marks)


def _lane(lane: Json, length: float) -> str:
    bars = "".join(_bar(spell, length) for spell in lane["spells"] if spell["kind"] != "running")
    kind = "lane item" if lane["item"] else "lane"
    name = escape(seen(lane["id"]))
    title = escape(seen(lane["name"]))
    mark = f'<span class="mark" aria-hidden="true">{SYMBOLS["pending"]}</span>'
    label = f'<span class="name" title="{title}">{mark}{name}</span>'
    return f'<div class="{kind}">{label}<div class="track">{bars}</div></div>'


def _bar(spell: Json, length: float) -> str:
    kind, outcome = spell["kind"], spell["outcome"]
    look = outcome if outcome in GOOD | BAD | {"cancelled"} else ""
    took = duration(spell["end"] - spell["start"])
    told = [WORDS.get(kind, "{who}").format(who=spell["who"]), took]
    told += [f"epoch {spell['epoch']}"] if spell["epoch"] else []
    told += [f"{spell['attempts']} attempts"] if spell.get("attempts", 1) > 1 else []
    told += ["goes on"] if spell.get("open") else [outcome] if outcome else []
    place = f"left:{_share(spell['start'], length)};width:{_share(spell['end'] - spell['start'], length)}"
    classes = f"bar {kind} {'completed' if look in GOOD else look}".strip()
    bar = f'<span class="{classes}" style="{place}" title="{escape(seen(", ".join(told)))}"></span>'
    return bar + (_earlier(spell, length) if "last" in spell else "")


def _earlier(spell: Json, length: float) -> str:
    """The part of an agent's bar that went into attempts before the one that completed, and pauses between them."""
    place = f"left:{_share(spell['start'], length)};width:{_share(spell['last'] - spell['start'], length)}"
    title = f"{counted(spell['attempts'] - 1, 'earlier attempt')}, {duration(spell['last'] - spell['start'])}"
    return f'<span class="bar agent retried" style="{place}" title="{title}"></span>'


def _share(part: float, whole: float) -> str:
    return f"{part * 100 / whole:.4f}%" if whole > 0 else "0%"
