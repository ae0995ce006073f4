"""The circuit breakers of tools, for an operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cli.api.results import Result

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ToolCircuit(Result):
    """The breaker of one tool. `state` is `closed`, `open` or `half_open`; `failures` are those in a row.

    `since`: when it opened; `recovers_at`: from when on one attempt, the probe, may show whether the tool works again.
    `probe` is `{by, until}` while one is under way: `by` names its run and phase.
    """

    tool: str
    state: str
    failures: int = 0
    since: str | None = None
    recovers_at: str | None = None
    probe: Json | None = None
    last_error: str = ""
