"""A phase on its way through its gates: opened, checked, decided about, passed or not, and what is due when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from engine.effects import AgentCancelled, AgentFailed, AgentFinished
from engine.facts import of_files
from engine.gates.checking import in_words, lapsed, results, standing, summary
from engine.gates.evidence import evidence
from engine.gates.records import Gate
from engine.phase_state import PhaseState
from engine.timers import Due

if TYPE_CHECKING:
    from engine.engine import Engine

Json = dict[str, Any]


def reach(
    engine: Engine, phase: PhaseState, at: float, outputs: Json | None = None, *, actor: str | None = None
) -> None:
    """The phase's work is done, with these outputs (default: its items'): its first gate opens."""
    _open(engine, phase, 0, at, outputs=outputs, actor=actor)


def again(engine: Engine, phase: PhaseState, at: float, *, actor: str | None, note: str | None) -> None:
    """Check the gate that the phase stands at once more."""
    assert phase.at_gate is not None
    _open(engine, phase, phase.at_gate, at, actor=actor, note=note)


def _open(
    engine: Engine,
    phase: PhaseState,
    number: int,
    at: float,
    *,
    outputs: Json | None = None,
    actor: str | None = None,
    note: str | None = None,
) -> None:
    data: Json = {"gate": number, "name": phase.plan.gates[number].id}
    if outputs is not None:
        data["outputs"] = outputs
    if engine.state.waivers and (waived := standing(engine.state, phase.plan.gates[number], at)):
        data["waived"] = waived
    engine.record("gate_opened", at, phase=phase, actor=actor, note=note, data=data)
    if phase.active:
        engine.ready.stand_in(phase.plan.index)
        engine.ready.add(phase.plan.index, worker=True)
    else:
        checked(engine, phase, {}, at)


def checked(engine: Engine, phase: PhaseState, reported: Json, at: float) -> None:
    """The commands of the gate's checks have ended: `reported` is what the worker said of them."""
    gate = phase.gate
    assert gate is not None
    found = results(engine.state, phase, gate.plan, reported.get("results", []), at)
    tree = reported.get("tree")
    data: Json = {"gate": phase.at_gate, "name": gate.plan.id, **summary(found), **of_files(reported)}
    if gate.plan.approval is not None or gate.plan.review is not None:
        data["evidence"] = evidence(engine.state, phase, gate, found, tree)
    if tree is not None:
        data["tree"] = tree
    engine.record("gate_checked", at, phase=phase, data=data)
    engine.ready.release_slot(phase.plan.index)
    if data["status"] != "passed":
        refused(engine, phase, "gate_failed", in_words(gate.plan.id, data), at)
    elif gate.status == "waiting":
        watch(engine, phase, gate)
    elif gate.status != "reviewing":
        passed(engine, phase, at)


def ended(engine: Engine, phase: PhaseState, event: AgentFinished | AgentFailed | AgentCancelled, at: float) -> None:
    """The activity of the gate's checks has ended, however."""
    match event:
        case AgentFinished(result=result):
            checked(engine, phase, result.get("gate", {}) | of_files(result), at)
        case AgentFailed(error=error):
            broken(engine, phase, error, at)
        case AgentCancelled():
            broken(engine, phase, {"message": "the checks were cancelled"}, at)


def broken(engine: Engine, phase: PhaseState, error: Json, at: float) -> None:
    """The checks could not be run at all: none of the commands has a result."""
    assert phase.gate is not None
    message = str(error.get("message") or error.get("code") or "they could not be run")
    reported = [
        {"name": check.name, "gate": check.gate, "status": "error", "message": message}
        for check in phase.gate.plan.checks
        if check.expr is None
    ]
    if reported:
        checked(engine, phase, {"results": reported}, at)
    else:
        refused(engine, phase, "gate_failed", f"{phase.gate.plan.id}: {message}", at)


def passed(
    engine: Engine, phase: PhaseState, at: float, *, status: str = "passed", actor: str | None = None, note: str = ""
) -> None:
    """The gate is behind the phase: the next one opens, or the phase completes."""
    gate = phase.gate
    assert gate is not None
    assert phase.at_gate is not None
    if status == "passed" and gate.checks and (names := lapsed(engine.state, gate.plan, gate.checks, at)):
        refused(engine, phase, "gate_failed", f"{gate.plan.id}: the waiver of {', '.join(names)} has expired", at)
        return
    data: Json = {"gate": phase.at_gate, "name": gate.plan.id, "status": status}
    engine.record("gate_settled", at, phase=phase, actor=actor, note=note or None, data=data)
    following = phase.at_gate + 1
    if following < len(phase.plan.gates):
        _open(engine, phase, following, at)
    else:
        of_items = phase.plan.index in engine.state.expansions and "items" in phase.outputs
        engine.complete(phase, phase.outputs, at, data=None if of_items else {"outputs": phase.outputs})


def refused(engine: Engine, phase: PhaseState, code: str, message: str, at: float, *, actor: str | None = None) -> None:
    """The gate does not let the phase pass; its `on_failure` decides what follows."""
    gate = phase.gate
    assert gate is not None
    data: Json = {"gate": phase.at_gate, "name": gate.plan.id, "status": "failed", "reason": message}
    engine.record("gate_settled", at, phase=phase, actor=actor, data=data)
    engine.fail(phase, {"code": code, "message": message, "gate": gate.plan.id}, at, actor)


def changes(engine: Engine, phase: PhaseState, feedback: Json, at: float) -> None:
    """Somebody asks for changes: the phase starts again, and its agents are told which."""
    data: Json = {"action": "retry", "feedback": {**feedback, "epoch": phase.epoch}}
    engine.record("intervened", at, phase=phase, actor=feedback["by"], note=feedback["comment"], data=data)
    engine.ready.leave(phase.plan.index)


def changes_by_reviewers(engine: Engine, phase: PhaseState, feedback: list[Json], at: float) -> None:
    """Reviewers ask for changes: as if a person did, with what each of them said."""
    first = feedback[0]
    data: Json = {"action": "retry", "feedback": [{**told, "epoch": phase.epoch} for told in feedback]}
    engine.record("intervened", at, phase=phase, actor=first["by"], note=first["comment"], data=data)
    engine.ready.leave(phase.plan.index)


def watch(engine: Engine, phase: PhaseState, gate: Gate) -> None:
    """Have the engine woken when the people of the gate are to be reminded, and when their time is over."""
    _wake(engine, phase, gate, "remind", gate.remind_at)
    _wake(engine, phase, gate, "deadline", gate.deadline_at)


def _wake(engine: Engine, phase: PhaseState, gate: Gate, what: Literal["remind", "deadline"], at: float | None) -> None:
    assert phase.at_gate is not None
    if at is not None:
        index = phase.plan.index
        engine.timers.add(Due(at=at, phase=index, gate=phase.at_gate, epoch=phase.epoch, round=gate.round, what=what))


def due(engine: Engine, moment: Due, at: float) -> None:
    """A moment has come; it counts if the gate still waits as it did when the moment was set."""
    phase = engine.state.phases[moment.phase]
    gate = phase.gate
    if gate is None or phase.status != "running" or phase.epoch != moment.epoch or phase.at_gate != moment.gate:
        return
    if gate.status != "waiting" or gate.round != moment.round:
        return
    data: Json = {"gate": moment.gate, "name": gate.plan.id}
    if moment.what == "remind" and gate.remind_at == moment.at:
        engine.record("gate_reminded", at, phase=phase, data={**data, "people": list(gate.people)})
        _wake(engine, phase, gate, "remind", gate.remind_at)
    elif moment.what == "deadline" and gate.deadline_at == moment.at:
        _deadline(engine, phase, gate, data, at)


def _deadline(engine: Engine, phase: PhaseState, gate: Gate, data: Json, at: float) -> None:
    approval = gate.approval
    assert approval is not None
    then = approval.after_escalation if gate.escalated else approval.on_deadline
    if then == "escalate":
        engine.record("gate_escalated", at, phase=phase, data={**data, "people": list(approval.escalate_to)})
        watch(engine, phase, gate)
    elif then == "approve":
        passed(engine, phase, at, note="nobody objected before the deadline")
    else:
        message = f"{gate.plan.id}: nobody decided before the deadline"
        code = "gate_rejected" if then == "reject" else "gate_expired"
        if then == "fail":
            engine.settle(phase, "failed", at, data={"error": {"code": code, "message": message, "gate": gate.plan.id}})
        else:
            refused(engine, phase, code, message, at)
