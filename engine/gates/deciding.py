"""What people do at a gate: decide, ask somebody else to, have it checked again, waive what need not hold."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from engine import expressions
from engine.answers import started_since
from engine.engine import Engine
from engine.errors import RefusedError
from engine.gates import flow
from engine.gates.plans import ApprovalPlan
from engine.gates.records import Gate
from engine.lookup import find_phase, listed
from engine.manual import identity
from engine.phase_state import PhaseState
from engine.requests import Request

Json = dict[str, Any]

DECISIONS = ("approve", "reject", "request_changes")


def standing(engine: Engine) -> Iterator[tuple[PhaseState, Gate]]:
    """The gates that phases stand at now: being checked, waiting for people, or not passed."""
    state = engine.state
    for index in sorted(state.running | state.paused_phases):
        phase = state.phases[index]
        if phase.gate is not None:
            yield phase, phase.gate


def find_gate(engine: Engine, request: Request) -> tuple[PhaseState, Gate]:
    """The gate that the request names, by its id, or by `phase/id`, among those that phases stand at now."""
    word = str(request.fields["gate"])
    phase_word, _, name = word.rpartition("/")
    if "phase" in request.fields:
        phase_word = request.fields["phase"]
    wanted = find_phase(engine.state, phase_word) if phase_word != "" else None
    found = [(p, g) for p, g in standing(engine) if g.plan.id == name and wanted in (None, p)]
    if len(found) == 1:
        return found[0]
    if found:
        named = ", ".join(f"{p.plan.id}/{name}" for p, _ in found)
        raise RefusedError(f"several phases stand at the gate {name!r}: {named}", hint="name the phase too")
    raise _no_gate(engine, name, wanted)


def _no_gate(engine: Engine, name: str, phase: PhaseState | None) -> RefusedError:
    plans = engine.plan.phases if phase is None else (phase.plan,)
    known = {gate.id for plan in plans for gate in plan.gates}
    if name not in known:
        close = get_close_matches(name, known, n=1)
        meant = f" (did you mean {close[0]!r}?)" if close else ""
        named = f"; gates: {', '.join(sorted(known)[:20])}" if known else "; there are no gates"
        return RefusedError(f"there is no gate {name[:80]!r}{meant}{named}")
    at = ", ".join(f"{p.plan.id}/{g.plan.id}" for p, g in standing(engine))
    after = listed(engine.state.phases[p.index] for p in plans if name in {gate.id for gate in p.gates})
    hint = f"it stands after {after}; {f'open now: {at}' if at else 'no gate is open now'}"
    return RefusedError(f"the gate {name!r} is not open", hint=hint)


def check_decide(engine: Engine, request: Request) -> None:
    """Refuse what is not open, who may not decide, a digest that is missing or stale, and a form that does not fit."""
    _check_human(request)
    phase, gate = find_gate(engine, request)
    decision = request.fields["decision"]
    if decision not in DECISIONS:
        raise RefusedError(f"there is no decision {decision[:80]!r}", hint=f"decisions: {', '.join(DECISIONS)}")
    approval = _awaited(gate)
    _check_stays(phase)
    _check_evidence(gate, approval, request)
    _check_user(engine, request.actor)
    _check_person(phase, gate, approval, request)
    if decision != "approve" and not _comment(request):
        raise RefusedError(f"{decision} needs a reason", hint="say why with: --comment '…'")
    if decision == "approve":
        _form(approval, request)


def _check_human(request: Request) -> None:
    if request.by_agent:
        raise RefusedError(f"{request.actor}: what an agent runs decides about no gate")


def _check_stays(phase: PhaseState) -> None:
    if phase.cancelling is not None:
        raise RefusedError(f"{phase.plan.name} is being cancelled")


def _awaited(gate: Gate) -> ApprovalPlan:
    """The approval that people are asked for now; refuses where nobody is."""
    if gate.status != "waiting" or gate.approval is None:
        raise RefusedError(
            f"the gate {gate.plan.id!r} does not wait for a decision: it is {_standing(gate)}",
            hint=f"see what is possible with: phaseloom workflow gate show {gate.plan.id}",
        )
    return gate.approval


def _standing(gate: Gate) -> str:
    return {"failed": "not passed", "checking": "being checked", "reviewing": "being reviewed"}.get(
        gate.status, gate.status
    )


def _check_evidence(gate: Gate, approval: ApprovalPlan, request: Request) -> None:
    given = request.fields.get("evidence")
    if given is None:
        if approval.evidence == "required":
            raise RefusedError(
                f"the decision about {gate.plan.id!r} does not name the evidence it rests on",
                hint=f"look at the gate, then send evidence: {gate.evidence}",
            )
    elif given != gate.evidence:
        raise RefusedError(
            f"the evidence of {gate.plan.id!r} has changed since: look at it again", hint=f"it is now {gate.evidence}"
        )


def _check_user(engine: Engine, name: str | None) -> None:
    """Refuse somebody whom the project does not know, where it says who its people are."""
    users = engine.plan.users
    if name and users and name not in users:
        raise RefusedError(f"{name[:80]} is no user of this project", hint=f"users: {', '.join(users)}")


def _check_person(phase: PhaseState, gate: Gate, approval: ApprovalPlan, request: Request) -> None:
    actor = request.actor
    if not actor:
        raise RefusedError("a decision needs somebody who decides", hint="say who you are with: --actor NAME")
    voter = voter_of(gate, actor)
    if voter is None:
        raise RefusedError(
            f"{actor} may not decide about {gate.plan.id!r}", hint=f"asked are: {', '.join(gate.people)}"
        )
    if not approval.self_approval and phase.actor is not None and phase.actor in (actor, voter):
        raise RefusedError(
            f"{phase.actor} did the work of {phase.plan.name}, and may not decide about it",
            hint="somebody else has to; or the gate says self_approval: true",
        )


def voter_of(gate: Gate, actor: str) -> str | None:
    """In whose name `actor` decides: their own, or that of the one who asked them to; None: they may not."""
    if not gate.people or actor in gate.people:
        return actor
    return gate.delegates.get(actor)


def _comment(request: Request) -> str:
    return str(request.fields.get("comment") or request.note or "").strip()


def _form(approval: ApprovalPlan, request: Request) -> Json:
    given = dict(request.fields.get("form") or {})
    if unknown := sorted(given.keys() - approval.form.keys()):
        raise RefusedError(
            f"the form has no field {unknown[0]!r}", hint=f"fields: {', '.join(approval.form) or 'none'}"
        )
    for name, field in approval.form.items():
        if name not in given:
            raise RefusedError(f"the form needs {name!r} ({field.type})", hint=f"give it with: --form {name}=…")
        try:
            given[name] = expressions.coerce(given[name], field.type)
        except expressions.ExpressionError as error:
            raise RefusedError(f"{name!r} of the form must be {field.type}") from error
    return given


def act_decide(engine: Engine, request: Request, at: float) -> Json:
    """Count the decision; with enough approvals the phase goes on."""
    phase, gate = find_gate(engine, request)
    approval = gate.approval
    actor = request.actor
    assert approval is not None
    assert actor is not None
    decision, comment = request.fields["decision"], _comment(request)
    before = len(engine.ledger)
    voter = voter_of(gate, actor)
    data: Json = {"gate": phase.at_gate, "name": gate.plan.id, "decision": decision, "evidence": gate.evidence}
    data |= {"for": voter} if voter != actor else {}
    data |= {"comment": comment} if comment else {}
    data |= {"form": form} if decision == "approve" and (form := _form(approval, request)) else {}
    engine.record("gate_decided", at, phase=phase, actor=actor, note=request.note, data=data)
    if decision == "reject":
        flow.refused(engine, phase, "gate_rejected", f"{gate.plan.id}: {actor} rejected it: {comment}", at, actor=actor)
    elif decision == "request_changes":
        flow.changes(engine, phase, {"by": actor, "comment": comment, "gate": gate.plan.id}, at)
    elif gate.approvals >= approval.need:
        flow.passed(engine, phase, at, actor=actor)
    engine.advance(at)
    return _answer(engine, phase, gate, before)


def _answer(engine: Engine, phase: PhaseState, gate: Gate, before: int) -> Json:
    gate = next((each for each in phase.gates if each.plan is gate.plan), gate)  # the phase may have begun again
    need = gate.approval.need if gate.approval is not None else 0
    return {
        "success": True,
        "gate": {"id": gate.plan.id, "status": gate.status, "approvals": gate.approvals, "need": need},
        "phase": identity(phase),
        "started": started_since(engine, before),
    }


def check_retry(engine: Engine, request: Request) -> None:
    """Refuse unless the gate was not passed, or waits for people (whose decisions then no longer count)."""
    phase, gate = find_gate(engine, request)
    if gate.status == "checking":
        raise RefusedError(f"the gate {gate.plan.id!r} is being checked already")
    _check_stays(phase)


def act_retry(engine: Engine, request: Request, at: float) -> Json:
    """Check the gate again; what was decided about it is void."""
    phase, gate = find_gate(engine, request)
    before = len(engine.ledger)
    flow.again(engine, phase, at, actor=request.actor, note=request.note)
    engine.advance(at)
    return _answer(engine, phase, gate, before)


def check_waive(engine: Engine, request: Request) -> None:
    """Refuse where the gate does not allow it, without a reason, and for a check that the gate does not have."""
    _check_human(request)
    phase, gate = find_gate(engine, request)
    if not gate.plan.skippable:
        raise RefusedError(f"the gate {gate.plan.id!r} cannot be skipped", hint="its definition says skippable: false")
    if not _reason(request):
        raise RefusedError("a waiver needs a reason", hint="say why with: --reason '…'")
    _check_user(engine, request.actor)
    if not request.actor:
        raise RefusedError("a waiver needs somebody who gives it", hint="say who you are with: --actor NAME")
    if gate.status == "checking":
        raise RefusedError(f"the gate {gate.plan.id!r} is being checked", hint="wait for the result")
    _check_stays(phase)
    check = request.fields.get("check")
    names = [check.name for check in gate.plan.checks]
    if check is not None and check not in names:
        raise RefusedError(f"the gate {gate.plan.id!r} has no check {check[:80]!r}", hint=f"checks: {', '.join(names)}")


def _reason(request: Request) -> str:
    return str(request.fields.get("reason") or request.note or "").strip()


def act_waive(engine: Engine, request: Request, at: float) -> Json:
    """Let one check, or the whole gate, be: a waived check counts as skipped from now until the waiver expires."""
    phase, gate = find_gate(engine, request)
    before = len(engine.ledger)
    check, expires = request.fields.get("check"), request.fields.get("expires")
    data: Json = {"gate": phase.at_gate, "name": gate.plan.id}
    data |= {"check": check} if check is not None else {}
    data |= {"expires": expires} if expires is not None else {}
    engine.record("gate_waived", at, phase=phase, actor=request.actor, note=_reason(request), data=data)
    if check is None:
        flow.passed(engine, phase, at, status="waived", actor=request.actor, note=_reason(request))
    elif gate.status == "failed":
        flow.again(engine, phase, at, actor=request.actor, note=None)
    engine.advance(at)
    return _answer(engine, phase, gate, before)


def check_delegate(engine: Engine, request: Request) -> None:
    """Refuse unless the gate allows it and the one who asks may decide."""
    _check_human(request)
    _, gate = find_gate(engine, request)
    approval = _awaited(gate)
    if not approval.delegation:
        raise RefusedError(f"nobody may decide for others about {gate.plan.id!r}")
    if not gate.people:
        raise RefusedError(f"anyone may decide about {gate.plan.id!r}: there is nothing to delegate")
    if request.actor not in gate.people:
        raise RefusedError(
            f"{request.actor or 'nobody'} has no decision to give away", hint=f"asked are: {', '.join(gate.people)}"
        )
    _check_user(engine, request.fields["to"])
    if request.fields["to"] in gate.people:
        raise RefusedError(f"{request.fields['to']} decides about {gate.plan.id!r} already")


def act_delegate(engine: Engine, request: Request, at: float) -> Json:
    """Let somebody else decide in one's name."""
    phase, gate = find_gate(engine, request)
    before = len(engine.ledger)
    data = {"gate": phase.at_gate, "name": gate.plan.id, "to": request.fields["to"], "for": request.actor}
    engine.record("gate_delegated", at, phase=phase, actor=request.actor, note=request.note, data=data)
    engine.advance(at)
    return _answer(engine, phase, gate, before)
