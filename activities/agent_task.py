"""The input of the activities that do an agent's work, as the workflow sends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from activities.places import file_name
from engine.plan import AgentPlan, Json, Retry, decode


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
            files=data.get("files") or {},
        )

    @property
    def config(self) -> dict[str, Any]:
        """What the definition says to the executor."""
        return self.agent.config
