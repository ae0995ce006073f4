"""Deciding about several gates of one batch at once: the same decision, each gate on its own evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.answers import started_since
from engine.engine import Engine
from engine.errors import RefusedError
from engine.gates import deciding
from engine.gates.consultations import name_of
from engine.gates.records import Gate
from engine.phase_state import PhaseState
from engine.requests import Request

Json = dict[str, Any]


def check_decide(engine: Engine, request: Request) -> None:
    """Refuse what cannot be decided about the gate, or about one of the gates of the batch; then nothing is decided."""
    if "batch" not in request.fields:
        if "gate" not in request.fields:
            raise RefusedError("the message has no 'gate'", hint="name a gate, or a batch of gates with 'batch'")
        if isinstance(request.fields.get("evidence"), dict):
            raise RefusedError("'evidence' must be text", hint="an object of digests by gate goes with 'batch'")
        deciding.check_decide(engine, request)
        return
    if "gate" in request.fields or "phase" in request.fields:
        raise RefusedError("a decision is about one gate, or about a batch", hint="leave out 'gate' and 'phase'")
    for each in _each(engine, request):
        deciding.check_decide(engine, each)


def act_decide(engine: Engine, request: Request, at: float) -> Json:
    """Count the decision at the gate, or at each gate of the batch in plan order."""
    if "batch" not in request.fields:
        return deciding.act_decide(engine, request, at)
    before = len(engine.ledger)
    decided = []
    for each in _each(engine, request):
        try:
            deciding.check_decide(engine, each)
        except RefusedError as why:  # what the decision about an earlier one has begun has taken this gate away
            decided.append({"gate": each.fields["gate"], "phase": each.fields["phase"], "refused": why.message})
            continue
        answer = deciding.act_decide(engine, each, at)
        decided.append({"gate": answer["gate"], "phase": answer["phase"]})
    return {
        "success": True,
        "batch": request.fields["batch"],
        "gates": decided,
        "started": started_since(engine, before),
    }


def _each(engine: Engine, request: Request) -> list[Request]:
    """The decision as one about each gate that it names evidence for; without any, about all of the batch."""
    fields = {name: value for name, value in request.fields.items() if name not in {"batch", "evidence"}}
    evidence = request.fields.get("evidence", {})
    if not isinstance(evidence, dict):
        raise RefusedError("'evidence' must be an object of digests by gate where a batch is decided about")
    gates = {f"{phase.plan.id}/{gate.plan.id}": (phase, gate) for phase, gate in waiting(engine, request)}
    if unknown := sorted(evidence.keys() - gates.keys()):
        raise RefusedError(
            f"{unknown[0][:80]!r} does not wait in the batch {request.fields['batch'][:20]!r}",
            hint=f"there wait: {', '.join(gates)}",
        )
    named = {name: found for name, found in gates.items() if not evidence or name in evidence}
    found = []
    for name, (phase, gate) in named.items():
        about: Json = {**fields, "gate": gate.plan.id, "phase": phase.plan.index}
        found.append(replace(request, fields=about | ({"evidence": evidence[name]} if name in evidence else {})))
    return found


def waiting(engine: Engine, request: Request) -> list[tuple[PhaseState, Gate]]:
    """The gates of the batch that wait for people, in plan order."""
    word = request.fields["batch"]
    state = engine.state
    standing = [(p, g) for i in state.in_order(state.at_gates) if (g := (p := state.phases[i]).gate) is not None]
    found = [(phase, gate) for phase, gate in standing if gate.batch is not None and name_of(gate.batch) == word]
    if not found:
        batches = dict.fromkeys(name_of(gate.batch) for _, gate in standing if gate.batch is not None)
        waiting = f"batches that wait: {', '.join(batches)}" if batches else "no gate waits for a decision now"
        raise RefusedError(f"no gate of a batch {word[:20]!r} waits for a decision", hint=waiting)
    return found
