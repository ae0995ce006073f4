"""What a plan says of agents: who does a part of a phase, and what it yields."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]

OutputType = Literal["any", "string", "integer", "number", "boolean", "list", "object"]

MANUAL = "manual"
"""The value of `AgentPlan.uses` for work that a person, or anything else that reports by message, does."""

TESTS = "acceptance-tests"
"""The role of the agent that compile appends, always last, where no single command could run the acceptance tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolBreaker:
    """When a tool is left alone in all runs: after `threshold` failures in a row, for `recovery` seconds."""

    tool: str
    threshold: int = 5
    recovery: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputPlan:
    """One declared output: its type, and for a command the expression (no `${}`) that yields it.

    `optional`: where nothing yields it, it is `default`.
    """

    type: OutputType = "any"
    value: str | None = None
    default: Any = None
    optional: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPlan:
    """Who does a part of a phase. `uses` names the executor; `config` is the executor's own, validated at compile."""

    role: str
    uses: str = MANUAL
    config: Json = field(default_factory=dict)
    outputs: dict[str, OutputPlan] = field(default_factory=dict)
    breaker: ToolBreaker | None = None
