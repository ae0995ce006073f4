"""What a person can decide about one phase: run it again, replace its output, skip it, give it up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine import expressions, handed, jumps
from engine.answers import started_since
from engine.context import sharing
from engine.engine import Engine
from engine.errors import RefusedError
from engine.gates import flow
from engine.lookup import find_phase, listed
from engine.manual import identity
from engine.phase_state import PhaseState
from engine.requests import Request

Json = dict[str, Any]

ACTIONS = ("retry", "retry_with", "replace_output", "skip", "go_to", "cancel")
AT_A_GATE = ("retry_gate", "retry", "retry_with", "skip_gate", "go_to", "cancel")
AT_A_CONFLICT = (*sharing.CHOICES, "retry", "retry_with", "skip", "go_to", "cancel")
KNOWN = tuple(dict.fromkeys((*ACTIONS, *AT_A_GATE, *AT_A_CONFLICT)))


def check_intervene(engine: Engine, request: Request) -> None:
    """Refuse an unknown action, one that the phase's status does not allow, and a skip without a reason."""
    phase = find_phase(engine.state, request.fields["phase"])
    action = request.fields["action"]
    if action not in KNOWN:
        raise RefusedError(f"there is no action {action[:80]!r}", hint=f"actions: {', '.join(KNOWN)}")
    if engine.state.stopping is not None:
        raise RefusedError("the run is being stopped")
    named = f"{phase.plan.name} (index: {phase.plan.index})"
    if phase.cancelling is not None:
        raise RefusedError(f"{named} is being cancelled")
    allowed = available(phase)
    if action not in allowed:
        able = f"possible now: {', '.join(allowed)}" if allowed else "nothing can be decided about it any more"
        raise RefusedError(f"{named} is {phase.status}; {action} is not possible", hint=able)
    if phase.gate is not None and action != "cancel" and request.by_agent:
        raise RefusedError(f"{request.actor}: what an agent runs decides about no gate")
    _check_fields(engine, phase, action, request)


def _check_fields(engine: Engine, phase: PhaseState, action: str, request: Request) -> None:
    """Refuse an action without what it needs."""
    if action in sharing.CHOICES:
        if request.by_agent:
            raise RefusedError(f"{request.actor}: what an agent runs decides about no conflict")
        sharing.resolved(engine, phase, request)
    if action in {"skip", "skip_gate"} and not _reason(request):
        raise RefusedError("skipping needs a reason", hint="say why with: --reason '…'")
    if action == "retry_with" and "prompt" not in request.fields:
        raise RefusedError("retry_with needs the edited input", hint="give it with: --prompt '…'")
    if action == "go_to":
        _check_target(engine, phase, request)
    if action == "replace_output" and "outputs" not in request.fields:
        raise RefusedError("replace_output needs the outputs", hint="give them with: --output name=value")
    _replacement(phase, request)


def _replacement(phase: PhaseState, request: Request) -> Json:
    """The outputs that are given instead, in their declared types; refuses wrong ones.

    What is not given is left out: nobody may know it. A phase of many items declares the outputs of each item.
    """
    given = dict(request.fields.get("outputs", {}))
    if phase.plan.for_each is not None:
        return given
    declared = {name: out for agent in phase.plan.agents for name, out in agent.outputs.items()} | phase.plan.outputs
    for name in given.keys() & declared.keys():
        try:
            given[name] = handed.typed(given[name], declared[name].type)
        except expressions.ExpressionError as error:
            message = f"output {name!r} of {phase.plan.name} must be {declared[name].type}"
            raise RefusedError(message, hint="what was declared holds for what replaces it") from error
    return given


def _check_target(engine: Engine, phase: PhaseState, request: Request) -> None:
    """Refuse to go anywhere but to a phase before this one, or to one that only runs when jumped to."""
    if "to" not in request.fields:
        raise RefusedError("go_to needs the phase to go back to", hint="name it with: --to PHASE")
    target = find_phase(engine.state, request.fields["to"])
    before = jumps.upstream(engine.state, phase.plan.index)
    if target.plan.index in before or target.plan.on_jump:
        return
    earlier = listed(engine.state.phases[index] for index in sorted(before)[:20])
    raise RefusedError(f"{target.plan.name} does not come before {phase.plan.name}", hint=f"before it come: {earlier}")


def available(phase: PhaseState) -> tuple[str, ...]:
    """The actions that are possible for the phase now."""
    if phase.status == "paused":
        possible = AT_A_GATE if phase.gate is not None else AT_A_CONFLICT if phase.undecided else ACTIONS
        never = set() if phase.gate is None or phase.gate.plan.skippable else {"skip_gate"}
        if phase.plan.item is not None or not (phase.plan.needs or phase.plan.after_group is not None):
            never.add("go_to")  # there is nothing before it
        return tuple(action for action in possible if action not in never)
    if phase.held:
        return ("retry", "skip", "cancel")
    if phase.status == "running":
        return ("skip", "cancel") if phase.persons and not phase.active else ("cancel",)
    return ("skip", "cancel") if phase.status == "pending" else ()


def _reason(request: Request) -> str:
    return str(request.fields.get("reason") or request.note or "").strip()


def act_intervene(engine: Engine, request: Request, at: float) -> Json:
    """Carry out the decision about the phase; its siblings go on."""
    phase = find_phase(engine.state, request.fields["phase"])
    action = request.fields["action"]
    before = len(engine.ledger)
    was_held = phase.held
    data: Json = {"action": action}
    if action == "retry_with":
        data["edits"] = {"prompt": request.fields["prompt"]}
    if action == "go_to":
        data["to"] = find_phase(engine.state, request.fields["to"]).plan.index
    offers = sharing.resolved(engine, phase, request) if action in sharing.CHOICES else []
    if offers:
        data["context"] = [offer["position"] for offer in offers]
    engine.record("intervened", at, phase=phase, actor=request.actor, note=_reason(request) or None, data=data)
    if offers:
        sharing.carry_out(engine, phase, offers, at, request.actor)
    else:
        _CARRY_OUT[action](engine, phase, request, at)
    pause = engine.state.pause
    if was_held and pause is not None and pause.get("group") == phase.plan.group:
        engine.record("run_resumed", at, actor=request.actor)
    engine.advance(at)
    return {"success": True, "phase": identity(phase), "action": action, "started": started_since(engine, before)}


def _again(engine: Engine, phase: PhaseState, request: Request, at: float) -> None:
    """Nothing more to do: the fact itself made the phase pending again."""


def _skip(engine: Engine, phase: PhaseState, request: Request, at: float) -> None:
    engine.settle(phase, "skipped", at, actor=request.actor, note=_reason(request), data={"reason": "operator"})


def _replace(engine: Engine, phase: PhaseState, request: Request, at: float) -> None:
    outputs = _replacement(phase, request)
    if phase.plan.gates:
        engine.done(phase, at, outputs, actor=request.actor)
    else:
        engine.complete(phase, outputs, at, actor=request.actor, data={"outputs": outputs, "replaced": True})


def _go_to(engine: Engine, phase: PhaseState, request: Request, at: float) -> None:
    target = find_phase(engine.state, request.fields["to"])
    jumps.begin(engine, phase, target.plan.index, at, actor=request.actor)


def _gate_again(engine: Engine, phase: PhaseState, request: Request, at: float) -> None:
    flow.again(engine, phase, at, actor=request.actor, note=None)


def _skip_gate(engine: Engine, phase: PhaseState, request: Request, at: float) -> None:
    flow.passed(engine, phase, at, status="waived", actor=request.actor, note=_reason(request))


def _cancel(engine: Engine, phase: PhaseState, request: Request, at: float) -> None:
    if phase.status == "running":
        engine.cancel_agents(phase, "operator", at)
    else:
        engine.settle(phase, "cancelled", at, actor=request.actor, data={"reason": "operator"})


_CARRY_OUT: dict[str, Callable[[Engine, PhaseState, Request, float], None]] = {
    "retry": _again,
    "retry_with": _again,
    "replace_output": _replace,
    "go_to": _go_to,
    "retry_gate": _gate_again,
    "skip_gate": _skip_gate,
    "skip": _skip,
    "cancel": _cancel,
}
