"""What the agents at work have last reported of their progress: live state, not facts.

Reports come often and only the last of each agent counts, so none is in the ledger. They go when the agent's work ends,
and the oldest go when all together take more room than a run should carry along.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Self

Json = dict[str, Any]

KEPT = 1024 * 1024
"""Bytes of JSON of all reports together; they travel with each fresh history."""

ANYBODY = -1
"""The position of a report that names no agent."""


class Reports:
    """The last report of each agent, by phase. A report is `{at, progress, by}`; `count` grows with each."""

    def __init__(self) -> None:
        self.count = 0
        self.size = 0
        self._of: dict[int, dict[int, Json]] = {}
        """By phase and position; phases, and positions within each, in the order of their last report."""

    def put(self, phase: int, position: int, report: Json) -> None:
        """Take in a report in place of the agent's last; what is oldest goes where there is no room."""
        self.count += 1
        self.drop(phase, (position,))
        reports = self._of.pop(phase, {})
        self._of[phase] = {**reports, position: report}
        self.size += _size(report)
        while self.size > KEPT and len(self._of) > 1:
            self.drop(next(iter(self._of)))

    def drop(self, phase: int, positions: Iterable[int] | None = None) -> None:
        """Forget the reports of a phase, or of some of its agents."""
        reports = self._of.get(phase)
        if reports is None:
            return
        for position in tuple(reports) if positions is None else positions:
            if (report := reports.pop(position, None)) is not None:
                self.size -= _size(report)
        if not reports:
            del self._of[phase]

    def clear(self) -> None:
        """Forget all of them."""
        self._of = {}
        self.size = 0

    def latest(self, phase: int) -> Json | None:
        """The last report about a phase."""
        return next(reversed(self._of[phase].values()), None) if phase in self._of else None

    def of_agent(self, phase: int, position: int) -> Json | None:
        """The last report of one agent of a phase."""
        return self._of.get(phase, {}).get(position)

    def to_json(self) -> Json:
        """All of them, for a snapshot."""
        return {
            str(phase): [{**report, "position": position} for position, report in reports.items()]
            for phase, reports in self._of.items()
        }

    @classmethod
    def from_json(cls, taken: Json, count: int) -> Self:
        """The reports of a snapshot; an older one has a single report without a position for a phase."""
        reports = cls()
        for phase, kept in taken.items():
            for report in kept if isinstance(kept, list) else [kept]:
                position = report.get("position", ANYBODY)
                reports.put(int(phase), position, {key: report[key] for key in ("at", "progress", "by")})
        reports.count = max(count, reports.count)
        return reports


def _size(report: Json) -> int:
    return len(json.dumps(report["progress"]))
