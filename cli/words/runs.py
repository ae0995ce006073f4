"""Runs in a list, for reading."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cli.words.durations import since
from cli.words.table import table

Json = dict[str, Any]

WAITERS = 3


def listing(found: list[Json], *, every: bool, fits: int | None = None) -> list[str]:
    """A line per run, cut to `fits` cells; `*` marks the current one."""
    if not found:
        return ["There are no runs." if every else "No run is open. Ended ones: phaseloom runs --all"]
    now = datetime.now(UTC).isoformat()
    rows = [
        (
            f"{'*' if run['current'] else ' '} {run['run']}",
            run["definition"],
            run["status"],
            since(run["started_at"], now),
            waits(run["waiting_for"]),
        )
        for run in found
    ]
    return table([("  RUN", "WORKFLOW", "STATUS", "STARTED", "WAITING FOR"), *rows], fits=fits)


def waits(words: list[str]) -> str:
    """Whom a run waits for: `person:api-expert` becomes `api-expert`, a decision names its phase."""
    said = [word.removeprefix("person:").replace("decision:", "decision:on ").replace(":", " ", 1) for word in words]
    more = f" and {len(said) - WAITERS} more" if len(said) > WAITERS else ""
    return ", ".join(said[:WAITERS]) + more
