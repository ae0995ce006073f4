"""What is written about failures, as the plan has it: retry rules, and the circuit breakers of phases and of tools."""

from __future__ import annotations

from urllib.parse import urlsplit

from definitions.schema import phases
from definitions.schema.agents import Agent, Aider, Command, Http, Python
from engine.agents import ToolBreaker
from engine.plan import Retry, StepBreaker


def retry_of(rule: phases.Retry | None) -> Retry:
    """An explicit rule repeats every failure that is not final by nature; without one its class decides."""
    if rule is None:
        return Retry()
    return Retry(
        max_attempts=rule.max_attempts,
        initial=rule.initial,
        factor=rule.factor,
        maximum=rule.maximum,
        jitter=rule.jitter,
        every_failure=True,
        on=tuple(rule.on or ()),
    )


def step_breaker(written: phases.CircuitBreaker | None) -> StepBreaker | None:
    """The breaker that a phase declares."""
    return None if written is None else StepBreaker(**written.model_dump())


def tool_breaker(role: str, agent: Agent) -> ToolBreaker | None:
    """The breaker that a role declares; its tool is by default the program, function or host that does the work."""
    if not isinstance(agent, Command | Aider | Python | Http) or agent.circuit_breaker is None:
        return None
    written = agent.circuit_breaker
    tool = written.tool.strip() if written.tool is not None else _tool_of(agent) or role
    return ToolBreaker(tool=tool, threshold=written.threshold, recovery=written.recovery)


def _tool_of(agent: Command | Aider | Python | Http) -> str:
    """The name of what does the work, as far as it stands there as a plain word."""
    match agent:
        case Aider():
            name = "aider"
        case Python():
            name = agent.function
        case Http():
            name = urlsplit(agent.url).netloc.rpartition("@")[2] if "${" not in agent.url.partition("?")[0] else ""
        case Command():
            name = agent.run[0].rpartition("/")[2] if agent.run else ""
    return "" if "${" in name or len(name) > 200 else name
