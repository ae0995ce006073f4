"""The circuit breaker of one phase: over all its epochs in a run, it keeps from starting what fails again and again.

*Closed*: the phase starts as ever, and failed attempts are counted. *Open*: it fails with `circuit_open` instead of
starting. *Half-open*: one attempt, once its cooldown has passed or a person has asked for it; a success closes the
circuit, a failure opens it anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from engine.failing import CIRCUIT_OPEN, classified, counted
from engine.moments import iso
from engine.plan import StepBreaker
from engine.requests import AGENT

if TYPE_CHECKING:
    from engine.facts import Fact
    from engine.phase_state import PhaseState

Json = dict[str, Any]

BY_A_PERSON = frozenset({"retry", "retry_with", "go_to"})
"""Interventions after which the phase may be tried once, although its circuit is open."""


@dataclass(slots=True)
class Circuit:
    """What has been counted: failed attempts, and how often the last error came in a row."""

    failed: int = 0
    last: str = ""
    same: int = 0
    opened_at: float | None = None
    probing: bool = False
    asked: bool = False
    """A person wants the phase to be tried, whatever was counted."""

    @property
    def state(self) -> str:
        """`closed`, `open` or `half_open`."""
        return "closed" if self.opened_at is None else "half_open" if self.probing else "open"

    def count(self, plan: StepBreaker, error: Json, at: float) -> None:
        """The phase has failed; open where that was too much. What was never started is no attempt."""
        if error.get("code") == CIRCUIT_OPEN:
            return
        most = 0
        for failure in error.get("failures") or [error]:
            self.last, self.same = counted(failure, self.last, self.same)
            self.failed += 1
            most = max(most, self.same)
        if self.probing or self.failed >= plan.max_attempts or most >= plan.max_error_repeats:
            self.opened_at = at
        self.probing = self.asked = False


def refusal(phase: PhaseState, at: float) -> Json | None:
    """Why the phase may not start now, as its error; None where it may."""
    plan, circuit = phase.plan.breaker, phase.circuit
    if plan is None or circuit is None or circuit.opened_at is None or circuit.asked:
        return None
    left = circuit.opened_at + plan.cooldown - at
    if left <= 0:
        return None
    message = f"not started: its circuit breaker is open for another {max(left, 1):.0f}s, after {_counted(circuit)}"
    return classified({"code": CIRCUIT_OPEN, "message": message, "stopped_early": CIRCUIT_OPEN})


def told(phase: PhaseState, error: Json, at: float) -> Json:
    """A failure of the phase with its class, and with `circuit: open` where the circuit opens by it."""
    error = classified(error)
    plan, circuit = _of(phase)
    if plan is None or "circuit" in error or error.get("code") == CIRCUIT_OPEN:
        return error
    after = replace(circuit) if circuit is not None else Circuit()
    after.opened_at = None
    after.count(plan, error, at)
    return error if after.opened_at is None else {**error, "circuit": "open"}


def start(phase: PhaseState) -> Json:
    """What the fact of the phase's start says of its circuit."""
    return {"probe": True} if phase.circuit is not None and phase.circuit.opened_at is not None else {}


def ended(phase: PhaseState, data: Json, at: float) -> Json:
    """What the fact of the phase's end says, with what becomes of its circuit: by a success it closes again."""
    if "error" in data:
        return {**data, "error": told(phase, data["error"], at)}
    reopened = phase.circuit is not None and phase.circuit.opened_at is not None
    return {**data, "circuit": "closed"} if data["status"] == "completed" and reopened else data


def follow(phase: PhaseState, fact: Fact) -> None:
    """Change the circuit of a phase by a fact about it."""
    plan = phase.plan.breaker
    if plan is None or phase.plan.for_each is not None:
        return
    circuit = phase.circuit = phase.circuit or Circuit()
    match fact.kind:
        case "phase_started":
            circuit.probing = bool(fact.data.get("probe"))
        case "intervened":
            circuit.asked = fact.data["action"] in BY_A_PERSON and not (fact.actor or "").startswith(AGENT)
        case "phase_paused" | "phase_settled":
            if (error := fact.data.get("error")) is not None:
                circuit.count(plan, error, fact.at)
            elif fact.data.get("status") == "completed":
                phase.circuit = None
            else:
                circuit.probing = False
        case _:
            pass


def limits(phase: PhaseState) -> Json | None:
    """What the circuit leaves to the attempts of an agent: `engine.failing.Limits` in its wire form."""
    plan, circuit = _of(phase)
    if plan is None:
        return None
    circuit = circuit or Circuit()
    return {
        "max_attempts": plan.max_attempts,
        "max_error_repeats": plan.max_error_repeats,
        "failed": circuit.failed,
        "last": circuit.last,
        "same": circuit.same,
        "probe": circuit.probing,
    }


def shown(phase: PhaseState) -> Json | None:
    """The circuit for a reader: `{state, failed, same, max_attempts, max_error_repeats, opened_at, until}`."""
    plan, circuit = _of(phase)
    if plan is None:
        return None
    circuit = circuit or Circuit()
    opened = circuit.opened_at
    return {
        "state": circuit.state,
        "failed": circuit.failed,
        "same": circuit.same,
        "max_attempts": plan.max_attempts,
        "max_error_repeats": plan.max_error_repeats,
        "opened_at": iso(opened),
        "until": iso(None if opened is None else opened + plan.cooldown),
    }


def _of(phase: PhaseState) -> tuple[StepBreaker | None, Circuit | None]:
    """The breaker of a phase with what was counted; items have their own, the phase that they are of has none."""
    return (None, None) if phase.plan.for_each is not None else (phase.plan.breaker, phase.circuit)


def _counted(circuit: Circuit) -> str:
    attempts = f"{circuit.failed} failed attempt{'s' if circuit.failed != 1 else ''}"
    return f"{attempts}, the last {circuit.same} with the same error" if circuit.same > 1 else attempts
