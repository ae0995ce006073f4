"""Phases that people, or anything else that reports by message, complete or fail: `next` and its siblings."""

from __future__ import annotations

from typing import Any

from engine import expressions
from engine.engine import Engine
from engine.errors import RefusedError
from engine.lookup import find_phase, listed
from engine.plan import MANUAL
from engine.requests import Request
from engine.state import PhaseState

Json = dict[str, Any]


def check_next(engine: Engine, request: Request) -> None:
    """Refuse unless exactly one manual phase runs and no parallel group is open."""
    _check_completion(engine, _current(engine), request)


def act_next(engine: Engine, request: Request, at: float) -> Json:
    """Complete the one running manual phase and start what follows."""
    return _complete(engine, _current(engine), request, at)


def check_complete(engine: Engine, request: Request) -> None:
    """Refuse unless a person works on the phase now."""
    _check_completion(engine, find_phase(engine.state, request.fields["phase"]), request)


def act_complete(engine: Engine, request: Request, at: float) -> Json:
    """Complete one phase; what waits for it starts."""
    return _complete(engine, find_phase(engine.state, request.fields["phase"]), request, at)


def check_fail(engine: Engine, request: Request) -> None:
    """Refuse unless a person works on the phase now."""
    _check_open(engine, find_phase(engine.state, request.fields["phase"]))


def act_fail(engine: Engine, request: Request, at: float) -> Json:
    """Report that the phase's work has failed; its `on_failure` decides what follows."""
    phase = find_phase(engine.state, request.fields["phase"])
    reported = request.fields.get("error") or request.note or "it was reported as failed"
    message = str(reported.get("message", reported)) if isinstance(reported, dict) else str(reported)
    before = len(engine.ledger)
    engine.fail(phase, {"code": "reported", "message": message[:2000]}, at, actor=request.actor)
    engine.advance(at)
    return {"success": True, "phase": identity(phase), "started": engine.started_since(before)}


def identity(phase: PhaseState) -> Json:
    """How answers name a phase."""
    plan = phase.plan
    return {"id": plan.id, "name": plan.name, "index": plan.index, "epoch": phase.epoch, "status": phase.status}


def _current(engine: Engine) -> PhaseState:
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
    if running:
        raise RefusedError(f"no phase waits for a person; running by themselves: {listed(running)}")
    if missing := state.missing_signals:
        raise RefusedError(
            f"all phases are done; the run waits for: {', '.join(missing)}",
            hint=f'report it with: phaseloom workflow signal "{missing[0]}"',
        )
    raise RefusedError("no phase is running")


_NOT_OPEN = {
    "pending": "has not started",
    "completed": "is already completed",
    "cancelled": "is cancelled",
    "skipped": "was skipped",
    "failed": "has failed",
    "paused": "has failed and waits for a decision",
}


def _check_open(engine: Engine, phase: PhaseState) -> None:
    named = f"{phase.plan.name} (index: {phase.plan.index})"
    if phase.status != "running":
        hint = "phaseloom workflow status shows what is open"
        if phase.status == "pending":
            needs = [engine.state.phases[i] for i in engine.state.unsettled_needs(phase)]
            hint = f"it waits for {listed(needs[:5])}" if needs else hint
        raise RefusedError(f"{named} {_NOT_OPEN[phase.status]}", hint=hint)
    if phase.cancelling is not None:
        raise RefusedError(f"{named} is being cancelled")
    if phase.plan.index in engine.state.expanding:
        first = f"{phase.plan.id}.0"
        raise RefusedError(f"{named} completes with its items", hint=f"an item is named by its number: {first}")
    if not phase.persons:
        agents = ", ".join(sorted({phase.plan.agents[p].role for p in phase.active}))
        raise RefusedError(f"{named} is done by {agents} and completes by itself")


def _check_completion(engine: Engine, phase: PhaseState, request: Request) -> None:
    _check_open(engine, phase)
    _outputs(phase, request)
    for item in request.fields.get("artifacts", []):
        if not isinstance(item, str | dict):
            raise RefusedError("'artifacts' must be a list of references")


def _outputs(phase: PhaseState, request: Request) -> Json:
    """The given outputs in their declared types; refuses wrong types and missing typed ones of the phase's end."""
    given = dict(request.fields.get("outputs", {}))
    own = {name: out for position in phase.persons for name, out in phase.plan.agents[position].outputs.items()}
    declared = phase.plan.outputs | own
    for name, output in declared.items():
        if name in given:
            try:
                given[name] = expressions.coerce(given[name], output.type)
            except expressions.ExpressionError as error:
                raise RefusedError(f"output {name!r} of {phase.plan.name} must be {output.type}") from error
    last = phase.turn + 1 == len(phase.plan.turns) and not phase.active
    earlier = {name for outputs in phase.agent_outputs.values() for name in outputs}
    due = declared if last else own
    missing = [n for n, o in due.items() if o.type != "any" and n not in given and n not in earlier]
    if missing:
        name = missing[0]
        raise RefusedError(
            f"{phase.plan.name} declares outputs that are missing: {', '.join(missing)}",
            hint=f"give them with: --output {name}=… ({declared[name].type})",
        )
    return given


def _complete(engine: Engine, phase: PhaseState, request: Request, at: float) -> Json:
    before = len(engine.ledger)
    group = engine.state.group_of.get(phase.plan.group, []) if phase.plan.group is not None else []
    data: Json = {"note": request.note} if request.note else {}
    if artifacts := request.fields.get("artifacts"):
        data["artifacts"] = artifacts
    positions = [p for p in phase.persons if phase.plan.agents[p].uses == MANUAL]
    engine.agents_settled(phase, positions, at, outputs=_outputs(phase, request), data=data, actor=request.actor)
    engine.advance(at)
    remaining = [i for i in group if not engine.state.phases[i].settled]
    return {
        "success": True,
        "phase": identity(phase),
        "in_group": len(group) > 1,
        "all_parallel_complete": not remaining,
        "remaining": len(remaining),
        "started": engine.started_since(before),
        "queued": engine.queued(),
        "missing_signals": engine.state.missing_signals,
    }
