"""The input of the activities that do an agent's work, as the workflow sends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from activities.places import file_name
from engine.agents import TESTS, AgentPlan
from engine.coding import decode
from engine.failing import Limits
from engine.plan import Json, Retry

TOLD = frozenset({"command", "aider", "python"})
"""The executors whose attempts are given the failures before them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTask:
    """One agent's part of one phase. `prompt` is a template; `values` is the scope of every expression."""

    run: str
    definition: str
    phase_id: str
    phase_name: str
    phase_index: int
    epoch: int
    position: int
    key: str
    agent: AgentPlan
    prompt: str | None
    acceptance_tests: tuple[str, ...]
    files_scope: tuple[str, ...]
    timeout: float | None
    retry: Retry
    values: Json
    earlier: tuple[Json, ...]
    failures: tuple[Json, ...]
    inline: tuple[str, ...] = ()
    limits: Limits | None = None
    on_retry: Json | None = None
    """The message of the hook that runs when this attempt is a repeated one (`engine.notices.again`)."""
    feedback: tuple[Json, ...] = ()
    review: bool = False
    """Whether it reviews at gates: then its result has the beginning of what was printed."""
    context: Json = field(default_factory=dict)
    """`{version, writes}` of a run with a shared context: the version that the agent reads, and what it may write."""
    files: Json = field(default_factory=dict)
    """By phase, the paths below its `artifacts` that the definition names."""

    @classmethod
    def from_json(cls, data: Json) -> AgentTask:
        """The task in its wire form; a prompt that an operator edited takes the place of the definition's."""
        phase = data["phase"]
        edited = (data.get("edits") or {}).get("prompt")
        return cls(
            run=file_name(data["run"]),
            definition=data["definition"],
            phase_id=file_name(phase["id"]),
            phase_name=phase["name"],
            phase_index=phase["index"],
            epoch=data["epoch"],
            position=data["position"],
            key=data["key"],
            agent=decode(AgentPlan, data["agent"]),
            prompt=data.get("prompt") if edited is None else edited,
            acceptance_tests=tuple(data.get("acceptance_tests") or ()),
            files_scope=tuple(data.get("files_scope") or ()),
            timeout=data.get("timeout"),
            retry=decode(Retry, data.get("retry") or {}),
            values=data.get("values") or {},
            earlier=tuple(data.get("earlier") or ()),
            failures=tuple(data.get("failures") or ()),
            inline=tuple(data.get("inline") or ()),
            limits=decode(Limits, data["limits"]) if data.get("limits") else None,
            on_retry=data.get("on_retry"),
            feedback=tuple(data.get("feedback") or ()),
            review=bool(data.get("review")),
            context=data.get("context") or {},
            files=data.get("files") or {},
        )

    @property
    def mends(self) -> bool:
        """Whether another attempt does the work again, and is told what was wrong with it."""
        return self.agent.uses in TOLD and self.agent.role != TESTS

    @property
    def config(self) -> dict[str, Any]:
        """What the definition says to the executor."""
        return self.agent.config

    @property
    def shared(self) -> Json:
        """What the agent is told of the shared context beside its values."""
        return {f"context_{name}": value for name, value in self.context.items()}
