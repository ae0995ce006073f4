"""Artifacts for reading: tables, what is wrong with them, what was removed."""

from __future__ import annotations

from typing import Any

from cli.words.bars import Canvas
from cli.words.durations import counted
from cli.words.measures import size
from cli.words.table import table

Json = dict[str, Any]

LEFT = 10
"""Artifacts of a phase that are told one by one."""

_FILE = ("sha256", "size")

DIGITS = 16
"""Digits of a digest that a table shows: enough to name it."""


def left(phase: Json) -> list[str]:
    """What the agents of a phase left in the store, from its details: a line each, and how to get the first."""
    found = [(f"outputs.{name}", ref["$artifact"].removeprefix("sha256:"), ref["size"]) for name, ref in _large(phase)]
    for result in phase.get("results", []):
        files = result.get("artifacts") or []
        found += [(file["name"], file["sha256"], file["size"]) for file in files if {"name", *_FILE} <= file.keys()]
    if not found:
        return []
    lines = [f"  {name}  {size(length, Canvas())}  sha256:{digest[:DIGITS]}" for name, digest, length in found[:LEFT]]
    more = [f"  … and {len(found) - LEFT} more: phaseloom artifacts list {phase['id']}"] if len(found) > LEFT else []
    return ["Left:", *lines, *more, f"Get one with: phaseloom artifacts get {phase['id']}/{found[0][0]}"]


def _large(phase: Json) -> list[tuple[str, Json]]:
    """The outputs that are kept in the store."""
    outputs = phase.get("outputs") or {}
    return [(name, value) for name, value in outputs.items() if isinstance(value, dict) and "$artifact" in value]


def of_run(run: str, found: list[Json], *, fits: int | None = None) -> list[str]:
    """A line per artifact of a run."""
    if not found:
        return [f"The run {run} has no artifacts yet."]
    rows = [
        (f"{each['phase']}/{each['name']}", size(each["size"], Canvas()), each["media_type"], each["sha256"][:DIGITS])
        for each in found
    ]
    return table([("PHASE/NAME", "SIZE", "TYPE", "SHA256"), *rows], numbers={1}, fits=fits)


def stored(found: list[Json], where: str, *, fits: int | None = None) -> list[str]:
    """A line per content, the newest first, and all of them together."""
    if not found:
        return [f"Nothing is stored in {where}."]
    rows = [(each["sha256"][:DIGITS], size(each["size"], Canvas()), each["stored_at"]) for each in found]
    return [
        *table([("SHA256", "SIZE", "STORED"), *rows], numbers={1}, fits=fits),
        f"{counted(len(found), 'artifact')}, {size(sum(each['size'] for each in found), Canvas())}, in {where}",
    ]


def verified(told: Json) -> list[str]:
    """What is wrong, a line each with who needs it; then how much was looked at."""
    lines = []
    for problem in told["problems"]:
        used = f", which {', '.join(problem['needed_by'][:3])} needs" if problem["needed_by"] else ""
        lines.append(f"✗ {problem['what']}: sha256:{problem['sha256']} in {problem['where']}{used}")
    checked = f"{counted(told['checked'], 'artifact')}, {size(told['bytes'], Canvas())} read"
    if not lines:
        return [f"✓ {checked}: all are what was stored"]
    return [*lines, f"{checked}: {counted(len(lines), 'problem')}"]


def removed(told: Json) -> list[str]:
    """What is gone."""
    return [f"✓ Removed {counted(len(told['removed']), 'artifact')}, {size(told['bytes'], Canvas())}"]


def to_remove(told: Json) -> list[str]:
    """What goes and what stays, before or instead of removing it."""
    found = told["removed"]
    kept = f"{counted(told['runs_kept'], 'run')} with all they need"
    if not found:
        return [f"Nothing to remove. Kept: {kept}."]
    lines = [f"  {each['sha256'][:DIGITS]}  {size(each['size'], Canvas())}" for each in found[:10]]
    more = [f"  … and {len(found) - 10} more"] if len(found) > 10 else []
    let_go = f" Of {counted(told['runs_let_go'], 'older run')} only the ledger stays." if told["runs_let_go"] else ""
    return [
        f"{counted(len(found), 'artifact')}, {size(told['bytes'], Canvas())}, that no kept run needs:",
        *lines,
        *more,
        f"Kept: {kept}.{let_go}",
    ]
