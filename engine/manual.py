"""Phases that people, or anything else that reports by message, complete or fail: `next` and its siblings."""

from __future__ import annotations

from typing import Any

from engine import expressions, handed
from engine.agents import MANUAL, OutputPlan
from engine.answers import queued, started_since
from engine.context import sharing, writes
from engine.engine import Engine
from engine.errors import PhaseError, RefusedError
from engine.facts import of_files
from engine.lookup import find_phase, listed
from engine.parts import at_work, parts
from engine.phase_state import PhaseState
from engine.requests import Request

Json = dict[str, Any]

NEXT = "phaseloom workflow next"
COMPLETE = "phaseloom workflow complete-phase"
TOLD = 3
"""The most phases at work that a refusal tells of."""


def check_next(engine: Engine, request: Request) -> None:
    """Refuse unless exactly one manual phase runs and no parallel group is open."""
    _check_completion(engine, _current(engine, request.at), request, NEXT)


def act_next(engine: Engine, request: Request, at: float) -> Json:
    """Complete the one running manual phase and start what follows."""
    return _complete(engine, _current(engine), request, at)


def check_complete(engine: Engine, request: Request) -> None:
    """Refuse unless a person works on the phase now."""
    phase = find_phase(engine.state, request.fields["phase"])
    _check_completion(engine, phase, request, f"{COMPLETE} {phase.plan.index}")


def act_complete(engine: Engine, request: Request, at: float) -> Json:
    """Complete one phase; what waits for it starts."""
    return _complete(engine, find_phase(engine.state, request.fields["phase"]), request, at)


def check_fail(engine: Engine, request: Request) -> None:
    """Refuse unless a person works on the phase now."""
    _check_open(engine, find_phase(engine.state, request.fields["phase"]), request.at)


def act_fail(engine: Engine, request: Request, at: float) -> Json:
    """Report that the phase's work has failed; its `on_failure` decides what follows."""
    phase = find_phase(engine.state, request.fields["phase"])
    reported = request.fields.get("error") or request.note or "it was reported as failed"
    message = str(reported.get("message", reported)) if isinstance(reported, dict) else str(reported)
    before = len(engine.ledger)
    engine.fail(phase, {"code": "reported", "message": message[:2000]}, at, actor=request.actor)
    engine.advance(at)
    return {"success": True, "phase": identity(phase), "started": started_since(engine, before)}


def identity(phase: PhaseState) -> Json:
    """How answers name a phase."""
    plan = phase.plan
    return {"id": plan.id, "name": plan.name, "index": plan.index, "epoch": phase.epoch, "status": phase.status}


def _current(engine: Engine, at: float | None = None) -> PhaseState:
    state = engine.state
    if groups := state.open_groups:
        members = [state.phases[i] for g in groups for i in state.group_of[g] if state.phases[i].status == "running"]
        raise RefusedError(
            f"a parallel group is open: {listed(members)}",
            hint="complete each with: phaseloom workflow complete-phase <index>",
        )
    if waiting := sorted(state.paused_phases | state.held):
        raise RefusedError(
            f"a decision is needed first on {listed(state.phases[i] for i in waiting)}",
            hint="see the options with: phaseloom workflow status",
        )
    if state.pause is not None:
        raise RefusedError("the run is paused", hint="go on with: phaseloom workflow resume")
    manual = [state.phases[i] for i in state.in_order(state.running) if state.phases[i].persons]
    if len(manual) == 1:
        return manual[0]
    if manual:
        raise RefusedError(
            f"several phases are open: {listed(manual)}",
            hint="complete each with: phaseloom workflow complete-phase <index>",
        )
    running = [state.phases[i] for i in state.in_order(state.running)]
    if state.at_gates:
        raise at_gate(state.phases[min(state.at_gates)])
    if running:
        raise RefusedError(f"no phase waits for a person: {_by_themselves(running, at)}", hint=_look_on(running))
    if missing := state.missing_signals:
        raise RefusedError(
            f"all phases are done; the run waits for: {', '.join(missing)}",
            hint=f'report it with: phaseloom workflow signal "{missing[0]}"',
        )
    raise RefusedError("no phase is running")


def at_gate(phase: PhaseState) -> RefusedError:
    """Why nobody can complete a phase whose work is done: its gate comes next."""
    gate = phase.gate
    assert gate is not None
    named = f"{phase.plan.name} (index: {phase.plan.index})"
    if gate.status == "waiting":
        who = ", ".join(gate.people) or "somebody"
        return RefusedError(
            f"{named} waits at the gate {gate.plan.id!r} for {who} to decide",
            hint=f"phaseloom workflow gate show {gate.plan.id}",
        )
    return RefusedError(
        f"{named} stands at the gate {gate.plan.id!r}, which is being checked", hint="phaseloom workflow watch"
    )


_NOT_OPEN = {
    "pending": "has not started",
    "completed": "is already completed",
    "cancelled": "is cancelled",
    "skipped": "was skipped",
    "failed": "has failed",
    "paused": "has failed and waits for a decision",
}


def _check_open(engine: Engine, phase: PhaseState, at: float | None = None) -> None:
    named = f"{phase.plan.name} (index: {phase.plan.index})"
    if phase.status != "running":
        hint = "phaseloom workflow status shows what is open"
        if phase.status == "pending":
            needs = [engine.state.phases[i] for i in engine.state.unsettled_needs(phase)]
            hint = f"it waits for {listed(needs[:5])}" if needs else hint
        raise RefusedError(f"{named} {_NOT_OPEN[phase.status]}", hint=hint)
    if phase.cancelling is not None:
        raise RefusedError(f"{named} is being cancelled")
    if phase.gate is not None:
        raise at_gate(phase)
    if phase.plan.index in engine.state.expanding:
        first = f"{phase.plan.id}.0"
        raise RefusedError(f"{named} completes with its items", hint=f"an item is named by its number: {first}")
    if not phase.persons:
        raise RefusedError(f"{named} completes by itself: {at_work(phase, at)}", hint=_look_on([phase]))


def _by_themselves(running: list[PhaseState], at: float | None) -> str:
    """Who works on these phases; of many, the first ones."""
    told = "; ".join(f"{listed([phase])}: {at_work(phase, at)}" for phase in running[:TOLD])
    more = len(running) - TOLD
    return f"{told}; and {more} more phase{'s' if more > 1 else ''} at work" if more > 0 else told


def _look_on(running: list[PhaseState]) -> str:
    return f"look on with: phaseloom workflow watch; its output: phaseloom workflow logs {running[0].plan.id}"


def _check_completion(engine: Engine, phase: PhaseState, request: Request, way: str) -> None:
    _check_open(engine, phase, request.at)
    _outputs(phase, request, way)
    _writes(engine, phase, request)
    handed.files(request.fields.get("artifacts", []))


def asked_for(phase: PhaseState) -> dict[str, OutputPlan]:
    """The outputs that the phase, or a person's part of it that is open, declares."""
    own = {name: out for position in phase.persons for name, out in phase.plan.agents[position].outputs.items()}
    return phase.plan.outputs | own


def _outputs(phase: PhaseState, request: Request, way: str = COMPLETE) -> Json:
    """The given outputs in their declared types, and defaults; refuses wrong types and missing typed ones.

    `way` is the command that the person typed, for the one to type instead.
    """
    given = dict(request.fields.get("outputs", {}))
    own = {name: out for position in phase.persons for name, out in phase.plan.agents[position].outputs.items()}
    declared = asked_for(phase)
    for name, output in declared.items():
        if name in given:
            try:
                given[name] = handed.typed(given[name], output.type)
            except expressions.ExpressionError as error:
                raise RefusedError(f"output {name!r} of {phase.plan.name} must be {output.type}") from error
    last = phase.turn + 1 == len(phase.plan.turns) and not phase.active
    earlier = {name for outputs in phase.agent_outputs.values() for name in outputs}
    due = declared if last else own
    absent = {name: out for name, out in due.items() if name not in given and name not in earlier}
    missing = {name: out for name, out in absent.items() if out.type != "any" and not out.optional}
    if missing:
        kinds = ", ".join(f"{name} ({out.type})" for name, out in missing.items())
        options = "".join(f" -o {name}=…" for name in missing)
        message = f"{phase.plan.name} declares outputs that are missing: {kinds}"
        raise RefusedError(message, hint=f"type: {way}{options}")
    return given | {name: out.default for name, out in absent.items() if out.optional}


def _writes(engine: Engine, phase: PhaseState, request: Request) -> Json:
    """What the person writes to the shared context; refuses what their part of the phase may not write."""
    given = request.fields.get("context", {})
    if given and not engine.plan.context:
        raise RefusedError("the definition declares no context keys", hint="give outputs instead")
    try:
        return sharing.checked(engine, phase, phase.persons, writes.plain(given)) if given else {}
    except PhaseError as error:
        raise RefusedError(error.message, hint=error.hint) from error


def _complete(engine: Engine, phase: PhaseState, request: Request, at: float) -> Json:
    before = len(engine.ledger)
    group = engine.state.group_of.get(phase.plan.group, []) if phase.plan.group is not None else []
    data: Json = {"note": request.note} if request.note else {}
    unknown = sorted(request.fields.get("outputs", {}).keys() - asked_for(phase).keys()) if asked_for(phase) else []
    declared = list(asked_for(phase))
    if artifacts := request.fields.get("artifacts"):
        data["artifacts"] = artifacts
        if files := handed.files(artifacts):
            data["result"] = {"artifacts": files}
    data |= of_files(request.fields)
    positions = [p for p in phase.persons if phase.plan.agents[p].uses == MANUAL]
    outputs = _outputs(phase, request)
    if engine.plan.context:
        data |= sharing.take(engine, phase, positions, _writes(engine, phase, request), at, actor=request.actor)
    engine.agents_settled(phase, positions, at, outputs=outputs, data=data, actor=request.actor)
    engine.advance(at)
    remaining = [i for i in group if not engine.state.phases[i].settled]
    return {
        "success": True,
        "phase": identity(phase),
        "in_group": len(group) > 1,
        "all_parallel_complete": not remaining,
        "remaining": len(remaining),
        "started": started_since(engine, before),
        "queued": queued(engine),
        "missing_signals": engine.state.missing_signals,
        "parts": parts(phase),
        "work": at_work(phase, at) if phase.status == "running" else "",
        "undeclared": unknown,
        "declared": declared,
        "gate": None if phase.gate is None else {"id": phase.gate.plan.id, "status": phase.gate.status},
    }
