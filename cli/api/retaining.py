"""Removing the logs of runs that ended long ago."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.api.results import PLAIN, Result

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class PrunedLogs(Result):
    """The runs whose logs were removed, or would be: `{run, ended_at, bytes}` each, the oldest first."""

    removed: bool
    runs: tuple[Json, ...] = field(default=(), metadata=PLAIN)


def prune_logs(root: Path, older_than: float | None = None, *, dry_run: bool = False) -> PrunedLogs:
    """Remove the logs of runs that ended more than `older_than` seconds ago (default: the project's `logs.keep`).

    Raises UsageError when neither says how old logs may become.
    """
    from activities import retention  # noqa: PLC0415 - only here
    from engine.moments import iso  # noqa: PLC0415

    before = time.time() - (_kept(root) if older_than is None else older_than)
    found = retention.prunable(root, before) if dry_run else retention.prune(root, before)
    runs = [{"run": each.run, "ended_at": iso(each.ended), "bytes": each.size} for each in found]
    return PrunedLogs.of({"removed": not dry_run, "runs": runs})


def _kept(root: Path) -> float:
    from cli.exits import UsageError  # noqa: PLC0415 - loaded by then
    from cli.reach.reading import sound_project  # noqa: PLC0415

    keep = sound_project(root).settings.logs.keep
    if keep is None:
        raise UsageError(
            "nothing says how old logs may become", hint="--older-than 30d, or logs: {keep: 30d} in phaseloom.yaml"
        )
    return keep
