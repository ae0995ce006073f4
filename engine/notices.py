"""Who is told of what, and which hooks run: decided fact by fact, so that nothing is told twice or forgotten.

A notice or a hook is a message `{kind, key, body, …}`; the workflow hands messages to a child that delivers them, which
outlives the run. `key` is the same for every attempt at one delivery. Without hooks and targets no fact is looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine import expressions
from engine.coding import encode
from engine.effects import Deliver
from engine.facts import Fact
from engine.moments import cut, iso
from engine.phase_state import PhaseState
from engine.plan import HookPlan, PhasePlan, Plan, TargetPlan
from engine.values import scope
from engine.words import failure_in_words

if TYPE_CHECKING:
    from engine.engine import Engine

Json = dict[str, Any]

KINDS = ("paused", "gate", "failed", "completed", "cancelled", "reminder", "deadline", "escalated")
"""What a target can be told of."""

HOOKS = ("failure", "retry", "recovery", "circuit_open")
"""What a hook can run on."""

LATE = frozenset({"deadline", "gate_expired"})
"""Codes of failures that a deadline is the reason of."""

OPENED = "circuit_open"
"""What a failure says, as its code or under `stopped_early`, when a breaker has ended further attempts."""

TEXT = 1000
"""Characters of a message's text."""


class Outbox:
    """What of a run's facts is still to be delivered."""

    def __init__(self, plan: Plan) -> None:
        self.messages: list[Json] = []
        self.wanted = bool(plan.targets or plan.hooks or any(phase.hooks for phase in plan.phases))

    def take(self, engine: Engine, fact: Fact) -> None:
        """Add the messages that a fact makes; it has just been applied."""
        phase = engine.state.phases[fact.phase] if fact.phase is not None else None
        if fact.kind in _NOTICES and (kinds := _NOTICES[fact.kind](phase, fact)):
            for target in engine.plan.targets:
                if (kind := _chosen(target, kinds, phase)) is not None:
                    self.messages.append(_notice(engine, target, kind, phase, fact))
        if phase is not None:
            for what in _happened(phase, fact):
                if (hook := hook_of(engine.plan, phase.plan, what)) is not None:
                    self.messages.append(_hook(engine, hook, what, phase, fact))

    def flush(self) -> list[Deliver]:
        """The effect that delivers what has come together since the last call."""
        messages, self.messages = self.messages, []
        return [Deliver(messages=messages)] if messages else []


def again(engine: Engine, phase: PhaseState, position: int, at: float) -> Json:
    """What an agent's task says of the hook that runs when its attempt is repeated; nothing where there is none.

    Only the worker knows when that happens: it adds the attempt to the message, and to its key.
    """
    hook = hook_of(engine.plan, phase.plan, "retry")
    if hook is None:
        return {}
    fact = Fact(n=0, at=at, kind="phase_started", phase=phase.plan.index, epoch=phase.epoch)
    message = _hook(engine, hook, "retry", phase, fact)
    key = f"{message['body']['run']}/{phase.plan.id}/{phase.epoch}/{position}/on_retry"
    return {"on_retry": {**message, "key": key}}


def hook_of(plan: Plan, phase: PhasePlan, what: str) -> HookPlan | None:
    """The hook that runs when this happens to the phase: its own, or the run's."""
    return phase.hooks.get(what) or plan.hooks.get(what)


def _chosen(target: TargetPlan, kinds: tuple[str, ...], phase: PhaseState | None) -> str | None:
    """As what a target is told of something; None: not at all."""
    if target.phases:
        index = None if phase is None else phase.plan.index if phase.plan.item is None else phase.plan.item.parent
        if index not in target.phases:
            return None
    return next((kind for kind in kinds if not target.on or kind in target.on), None)


def _paused(_phase: PhaseState | None, fact: Fact) -> tuple[str, ...]:
    """A run that has come to stand because of a phase says nothing that the phase has not said."""
    return () if fact.data.get("code") == "needs_intervention" else ("paused",)


def _failed(_phase: PhaseState | None, fact: Fact) -> tuple[str, ...]:
    late = ("deadline",) if (fact.data.get("error") or {}).get("code") in LATE else ()
    if fact.kind == "phase_paused":
        return (*late, "paused", "failed")
    return (*late, "failed") if fact.data["status"] == "failed" else ()


def _waits(phase: PhaseState | None, _fact: Fact) -> tuple[str, ...]:
    return ("gate",) if phase is not None and phase.gate is not None and phase.gate.status == "waiting" else ()


_NOTICES: dict[str, Callable[[PhaseState | None, Fact], tuple[str, ...]]] = {
    "run_paused": _paused,
    "phase_paused": _failed,
    "phase_settled": _failed,
    "gate_checked": _waits,
    "gate_reviewed": _waits,
    "gate_reminded": lambda _phase, _fact: ("reminder",),
    "phase_reminded": lambda _phase, _fact: ("reminder",),
    "gate_escalated": lambda _phase, _fact: ("escalated",),
    "run_settled": lambda _phase, fact: (fact.data["status"],),
}
"""The kinds that a fact can be told as, the most exact first."""

_ASKED = {
    "gate_checked": "waits for",
    "gate_reviewed": "waits for",
    "gate_reminded": "still waits for",
    "gate_escalated": "now waits for",
}


def _happened(phase: PhaseState, fact: Fact) -> tuple[str, ...]:
    """What a fact means to hooks."""
    if fact.kind == "phase_started":
        return ("retry",) if phase.epoch else ()
    if fact.kind == "phase_settled" and phase.status == "completed":
        # What another run has done, that run has told.
        return ("recovery",) if phase.recovered and "reused_from" not in fact.data else ()
    if fact.kind == "phase_paused" or (fact.kind == "phase_settled" and phase.status == "failed"):
        error = fact.data.get("error") or {}
        opened = error.get("code") == OPENED or bool(error.get("stopped_early"))
        return ("failure", "circuit_open") if opened else ("failure",)
    return ()


def _body(engine: Engine, kind: str, phase: PhaseState | None, fact: Fact) -> Json:
    """What is told, whoever it is told to."""
    state = engine.state
    run = str(state.run.get("id", ""))
    body: Json = {
        "kind": kind,
        "run": run,
        "definition": state.plan.id,
        "name": state.plan.name,
        "at": iso(fact.at),
        "text": cut(_text(engine, kind, phase, fact), TEXT),
        "commands": _commands(run, phase),
    }
    if phase is not None:
        body["phase"] = {"index": phase.plan.index, "id": phase.plan.id, "name": phase.plan.name}
        body["epoch"] = phase.epoch
        body["status"] = phase.status
        if phase.deadline_at is not None:
            body["deadline"] = iso(phase.deadline_at)
        if (error := fact.data.get("error")) is not None:
            body["error"] = {name: cut(str(error[name]), TEXT) for name in ("code", "message") if name in error}
        if phase.gate is not None and phase.status in {"running", "paused"}:
            gate = phase.gate
            body["gate"] = {"id": gate.plan.id, "people": list(gate.people), "deadline": iso(gate.deadline_at)}
    else:
        body["status"] = state.status
    return body


def _text(engine: Engine, kind: str, phase: PhaseState | None, fact: Fact) -> str:
    """The message in a sentence."""
    run = f"{engine.plan.name} ({engine.state.run.get('id', '')})"
    if phase is None:
        by = f" by {fact.actor}" if fact.actor else ""
        return f"{run} has been {kind}{by}." if kind in {"paused", "cancelled"} else f"{run} has {kind}."
    name = phase.plan.name
    gate = phase.gate
    if gate is not None and fact.kind in _ASKED:
        who = ", ".join(gate.people) or "anyone"
        return f"{run}: the gate {gate.plan.id} of {name} {_ASKED[fact.kind]} a decision of {who}."
    if fact.kind == "phase_reminded":
        stands = "waits for a decision" if phase.status == "paused" else "is not done yet"
        due = f"; it is due at {iso(phase.deadline_at)}" if phase.deadline_at is not None else ""
        return f"{run}: {name} {stands}{due}."
    if fact.kind == "phase_started":
        return f"{run}: {name} starts again."
    if phase.status == "completed":
        return f"{run}: {name} has completed after a failure."
    asked_for = " and waits for a decision" if phase.status == "paused" else ""
    return f"{run}: {failure_in_words(phase)}{asked_for}."


def _commands(run: str, phase: PhaseState | None) -> list[str]:
    """What can be typed to look into it, or to answer."""
    if phase is None:
        return [f"phaseloom workflow status --run {run}"]
    name = phase.plan.id
    commands = [f"phaseloom workflow why {name} --run {run}"]
    if phase.gate is not None and phase.status in {"running", "paused"}:
        commands.append(f"phaseloom workflow gate show {name}/{phase.gate.plan.id} --run {run}")
    if phase.status == "paused":
        commands.append(f"phaseloom workflow intervene --phase {name} --run {run}")
    return commands


def _notice(engine: Engine, target: TargetPlan, kind: str, phase: PhaseState | None, fact: Fact) -> Json:
    body = _body(engine, kind, phase, fact)
    return {"kind": "notice", "key": f"{body['run']}/{fact.n}/{target.name}", "to": encode(target), "body": body}


def _hook(engine: Engine, hook: HookPlan, what: str, phase: PhaseState, fact: Fact) -> Json:
    body = _body(engine, what, phase, fact)
    return {"kind": "hook", "key": f"{body['run']}/{fact.n}/on_{what}", **_command(engine, hook, phase), "body": body}


def _command(engine: Engine, hook: HookPlan, phase: PhaseState) -> Json:
    """The hook with its templates filled in, or with what is wrong with them."""
    try:
        run = [_rendered(engine, word, phase) for word in hook.run]
    except expressions.ExpressionError as error:
        return {"problem": error.message}
    return {"hook": {"run": run, "shell": hook.shell, "timeout": hook.timeout}}


def _rendered(engine: Engine, text: str, phase: PhaseState) -> str:
    paths = tuple(
        path
        for part in expressions.parts(text)
        if isinstance(part, expressions.Expr)
        for path in expressions.references(part.source)
    )
    if not paths:
        return text
    own: Json = {"outputs": phase.outputs, "status": phase.status}
    values = scope(engine.state, paths) | own
    values["phases"][phase.plan.id] = own
    if phase.plan.item is not None:
        values |= {"item": phase.plan.item.value, "item_index": phase.plan.item.number}
    return expressions.text_of(expressions.render(text, values))
