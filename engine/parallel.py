"""Starting and cancelling the members of a parallel group by message."""

from __future__ import annotations

from typing import Any

from engine.answers import queued, started_since
from engine.engine import Engine
from engine.errors import RefusedError
from engine.lookup import find_phase, listed
from engine.manual import identity
from engine.phase_state import PhaseState
from engine.requests import Request

Json = dict[str, Any]


def _members(engine: Engine, phase: PhaseState) -> list[PhaseState]:
    group = phase.plan.group
    if group is None:
        raise RefusedError(f"{phase.plan.name} (index: {phase.plan.index}) is not a parallel phase")
    return [engine.state.phases[i] for i in engine.state.group_of[group]]


def check_start_parallel(engine: Engine, request: Request) -> None:
    """Refuse unless the group runs, may run now, or was cancelled and may run again."""
    members = _members(engine, find_phase(engine.state, request.fields["phase"]))
    state = engine.state
    if dying := [m for m in members if m.cancelling is not None]:
        raise RefusedError(f"still being cancelled: {listed(dying)}", hint="try again in a moment")
    if state.stopping is not None:
        raise RefusedError("the run is being stopped")
    if any(m.held or m.status == "running" for m in members):
        return
    pending = [m for m in members if m.status == "pending"]
    if not pending:
        raise RefusedError(f"the parallel phases are over: {listed(members)}")
    if state.pause is not None:
        raise RefusedError("the run is paused", hint="go on with: phaseloom workflow resume")
    needs = {i for m in pending for i in state.unsettled_needs(m)}
    if needs:
        raise RefusedError(
            f"the parallel phases cannot start yet: {listed(state.phases[i] for i in sorted(needs)[:5])} comes first"
        )


def act_start_parallel(engine: Engine, request: Request, at: float) -> Json:
    """Start the group again after `cancel_parallel`; of a group that runs already only the list is answered."""
    members = _members(engine, find_phase(engine.state, request.fields["phase"]))
    held = [m for m in members if m.held]
    before = len(engine.ledger)
    for phase in held:
        engine.record("intervened", at, phase=phase, actor=request.actor, note=request.note, data={"action": "retry"})
    if held and engine.state.pause is not None:
        engine.record("run_resumed", at, actor=request.actor)
    engine.advance(at)
    return {
        "success": True,
        "parallel_phases": [identity(m) for m in members if m.status in {"running", "pending"}],
        "started": started_since(engine, before),
        "queued": queued(engine),
    }


def _group_to_cancel(engine: Engine, request: Request) -> list[PhaseState]:
    if "phase" in request.fields:
        return _members(engine, find_phase(engine.state, request.fields["phase"]))
    groups = engine.state.open_groups
    if len(groups) == 1:
        return [engine.state.phases[i] for i in engine.state.group_of[groups[0]]]
    if groups:
        firsts = [engine.state.phases[engine.state.group_of[g][0]] for g in groups]
        raise RefusedError(f"several parallel groups are open; name one of {listed(firsts)}")
    raise RefusedError("no parallel group is open")


def check_cancel_parallel(engine: Engine, request: Request) -> None:
    """Refuse unless a member of the group runs or waits for a worker slot."""
    members = _group_to_cancel(engine, request)
    if engine.state.stopping is not None:
        raise RefusedError("the run is being stopped")
    if not any(_open(engine, m) for m in members):
        raise RefusedError(f"none of the parallel phases is running: {listed(members)}")


def _open(engine: Engine, phase: PhaseState) -> bool:
    return phase.status == "running" or engine.ready.waits_for_slot(phase.plan.index)


def act_cancel_parallel(engine: Engine, request: Request, at: float) -> Json:
    """Cancel the open members and pause the run; each then waits for retry, skip or cancel."""
    members = [m for m in _group_to_cancel(engine, request) if _open(engine, m)]
    data = {"group": members[0].plan.group}
    engine.record("group_cancelled", at, actor=request.actor, note=request.note, data=data)
    for phase in members:
        if phase.status == "running":
            engine.cancel_agents(phase, "hold", at)
        else:
            held = {"held": True, "reason": "parallel execution cancelled"}
            engine.settle(phase, "cancelled", at, data=held)
    engine.advance(at)
    return {"success": True, "cancelled": [identity(m) for m in members], "options": ["retry", "skip", "cancel"]}
