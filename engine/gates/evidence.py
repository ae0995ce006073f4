"""What a decision rests on, as one digest: checks, the outputs of all that came before, the files of the workspace."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from engine.gates.records import Gate
from engine.phase_state import PhaseState
from engine.state import State

Json = dict[str, Any]


def evidence(state: State, phase: PhaseState, gate: Gate, checks: list[Json], tree: str | None) -> str:
    """The digest that a decision about the gate has to name, as `sha256:<hex>`.

    Of a check its name, status and value count, not how long it took; of the outputs those of the phase and of all
    phases before it.
    """
    seen = {
        "gate": gate.plan.id,
        "round": gate.round,
        # The rounds of a phase that starts again are counted anew, and its files and outputs may be what they were.
        **({"epoch": phase.epoch} if phase.epoch else {}),
        "checks": [[check["gate"], check["name"], check["status"], check.get("value")] for check in checks],
        "outputs": phase.outputs,
        "before": [_digest(state, index) for index in _needed(state, phase)],
        "tree": tree,
    }
    return f"sha256:{_sha256(seen)}"


def _needed(state: State, phase: PhaseState) -> list[int]:
    needs = {need.phase for need in phase.plan.needs if need.kind == "data"}
    if phase.plan.after_group is not None:
        needs.update(state.group_of.get(phase.plan.after_group, ()))
    return sorted(needs)


def _digest(state: State, index: int) -> str:
    """The digest of a phase's outputs and of those before it; kept, because a settled phase keeps its outputs."""
    known = state.digests
    todo = [index]
    while todo:
        top = todo[-1]
        if top in known:
            todo.pop()
            continue
        phase = state.phases[top]
        needed = _needed(state, phase)
        if unknown := [need for need in needed if need not in known]:
            todo += unknown
            continue
        known[top] = _sha256([phase.plan.id, phase.outputs, [known[need] for need in needed]])
        todo.pop()
    return known[index]


def _sha256(value: object) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
