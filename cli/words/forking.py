"""Forks, and two runs side by side, in words."""

from __future__ import annotations

from typing import Any

from cli.words.checkpoints import brief
from cli.words.durations import duration
from cli.words.table import table

Json = dict[str, Any]

LISTED = 20


def forked(told: Json) -> list[str]:
    """After `fork`: what is reused and what is done anew."""
    return [
        f"{told['run']} is a fork of {told['forked_from']} at {told['checkpoint']}.",
        f"Reused: {_names(told['reused'])}",
        f"Done anew: {_names(told['anew'])}",
    ]


def _names(names: list[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"{', '.join(names[:LISTED])}{more}" if names else "nothing"


def compared(told: Json) -> list[str]:
    """Two runs: a line per phase, then what differs in inputs and outputs."""
    one, other = told["runs"]
    rows = [
        (row["id"], *(_side(row, side) for side in (0, 1)), "differ" if row["outputs"] else "same")
        for row in told["phases"]
    ]
    whole = ("(all)", *(f"{told['statuses'][side]} {_took(told['seconds'][side])}".strip() for side in (0, 1)), "")
    lines = table([("PHASE", one, other, "OUTPUTS"), *rows, whole])
    names = dict.fromkeys([*told["inputs"][0], *told["inputs"][1]])
    for name in names:
        then, now = (inputs.get(name) for inputs in told["inputs"])
        if then != now:
            lines.append(f"inputs.{name}: {brief(then)} -> {brief(now)}")
    for row in told["phases"]:
        for each in row["outputs"]:
            then, now = (brief(side["value"]) if "value" in side else "none" for side in each["sides"])
            lines.append(f"{row['id']}.{each['name']}: {then} -> {now}")
    return lines


def _side(row: Json, side: int) -> str:
    """How a phase went in one of the runs."""
    if row["status"][side] is None:
        return "-"
    if row["reused_from"][side] is not None:
        return f"{row['status'][side]} (reused)"
    tries = row["attempts"][side] or 0
    again = f", {tries} attempts" if tries > 1 else ""
    return f"{row['status'][side]} {_took(row['seconds'][side])}{again}".strip()


def _took(seconds: float | None) -> str:
    return "" if seconds is None else duration(seconds)
