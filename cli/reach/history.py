"""How long phases have really taken: measured from the archived runs of this project."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from cli.reach.store import project_store
from engine.errors import PhaseloomError

Json = dict[str, Any]

MOST_LOOKED_AT = 200
"""Ended runs that are looked at, newest first; each costs the reading of its archive."""

MOST_USED = 5
"""Ended runs of the same definition that count: older ones say less about today."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The seconds of a phase over `runs` runs: the median, and what they lie between."""

    seconds: float
    low: float
    high: float
    runs: int


def measured(root: Path, definition: str) -> dict[str, Measured]:
    """What the phases of a definition have taken, by phase id; only attempts that completed count.

    Runs whose archive is not here or cannot be read are left out.
    """
    found: dict[str, list[float]] = {}
    used = 0
    for pointer in newest(root)[:MOST_LOOKED_AT]:
        ledger = ledger_of(root, pointer)
        if ledger is None or ledger["plan"].get("id") != definition:
            continue
        for phase, seconds in _completed(ledger).items():
            found.setdefault(phase, []).append(seconds)
        used += 1
        if used == MOST_USED:
            break
    return {
        phase: Measured(median(lengths), min(lengths), max(lengths), len(lengths)) for phase, lengths in found.items()
    }


def newest(root: Path, *, since: float = 0.0) -> list[Path]:
    """Where the archives of this project are told of, newest first, of runs that ended after `since`."""
    dated: list[tuple[float, Path]] = []
    for pointer in (root / ".phaseloom" / "workflows").glob("*/archive.json"):
        try:
            dated.append((pointer.stat().st_mtime, pointer))
        except OSError:  # cleaned up meanwhile
            continue
    return [pointer for at, pointer in sorted(dated, reverse=True) if at >= since]


def remembered(root: Path) -> list[str]:
    """The runs that this project has an archive or a journal of, the one that was written to last first."""
    dated: dict[str, float] = {}
    for name in ("archive.json", "journal.jsonl"):
        for path in (root / ".phaseloom" / "workflows").glob(f"*/{name}"):
            with suppress(OSError):  # cleaned up meanwhile
                dated.setdefault(path.parent.name, path.stat().st_mtime)
    return sorted(dated, key=lambda run: (dated[run], run), reverse=True)


def ledger_of(root: Path, pointer: Path) -> Json | None:
    """`{plan, facts}` of an archive; None where it is not here or cannot be read."""
    try:
        content = json.loads(project_store(root).get_bytes(json.loads(pointer.read_bytes())["sha256"]))
        ledger = content.get("ledger", content)
        usable = isinstance(ledger["facts"], list) and isinstance(ledger["plan"]["phases"], list)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, PhaseloomError):
        return None
    return ledger if usable else None


def _completed(ledger: Json) -> dict[str, float]:
    """From the last start to the completion of each phase."""
    ids = [phase["id"] for phase in ledger["plan"]["phases"]]
    began: dict[int, float] = {}
    lengths: dict[str, float] = {}
    for fact in ledger["facts"]:
        index = fact.get("phase")
        if fact["kind"] == "phase_started":
            began[index] = fact["at"]
        elif fact["kind"] == "phase_settled" and index in began and index < len(ids):
            start = began.pop(index)
            if fact.get("data", {}).get("status") == "completed":
                lengths[ids[index]] = max(0.0, fact["at"] - start)
    return lengths
