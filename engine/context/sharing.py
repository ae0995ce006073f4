"""Writes on their way into the shared context: taken at once, merged, or decided about by a person.

An agent's writes are taken together or not at all, when it is done. A key that somebody else has changed since the
agent began is a conflict (write-write); so is an invariant that would not hold any more (consistency). Then nothing is
written and the rest of the phase goes on; when its work is done, writes are merged, and where that is not possible the
phase has failed with `context_conflict`: its `on_failure` decides, which by default lets a person do it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.context import writes as writing
from engine.context.writes import base_of
from engine.effects import AgentCancelled, AgentFailed, AgentFinished
from engine.errors import PhaseError, RefusedError
from engine.phase_state import CONFLICT
from engine.values import gathered, kept

if TYPE_CHECKING:
    from engine.context.records import Entry, SharedContext
    from engine.engine import Engine
    from engine.phase_state import PhaseState
    from engine.requests import Request
    from engine.state import State

Json = dict[str, Any]

CHOICES = ("keep_theirs", "take_mine", "replace_context")
"""What a person can decide about writes that could not be merged."""


def finished(engine: Engine, phase: PhaseState, position: int, result: Json, at: float) -> None:
    """An agent has finished; one that has written what it may not write has failed."""
    outputs, given = writing.split(engine.plan, result)
    data: Json = {"result": kept(result)}
    if engine.plan.context and phase.cancelling is None:
        try:
            writes = checked(engine, phase, [position], given)
        except PhaseError as error:
            lost = {"code": error.code, "message": error.message, "hint": error.hint}
            engine.agent_lost(phase, position, at, lost)
            return
        data |= take(engine, phase, [position], writes, at)
    engine.agents_settled(phase, [position], at, outputs=outputs, data=data)


def checked(engine: Engine, phase: PhaseState, positions: Sequence[int], given: object) -> Json:
    """The writes of agents in their declared types.

    Raises:
        PhaseError: they may not write that.
    """
    roles = [phase.plan.agents[position].role for position in positions]
    return writing.checked(engine.plan, phase.plan, roles, given)


def take(
    engine: Engine, phase: PhaseState, positions: Sequence[int], given: Json, at: float, *, actor: str | None = None
) -> Json:
    """Take in what agents have written, as far as it can be now; what the settlement's fact says of what they read."""
    stale = _stale(engine.state, phase)
    if given:
        agent = ", ".join(phase.plan.agents[position].role for position in positions)
        offer: Json = {"position": positions[0], "agent": agent, "base": phase.base, "writes": given}
        _offer(engine, phase, offer, at, actor=actor)
    return {"stale": stale} if stale else {}


def _stale(state: State, phase: PhaseState) -> Json:
    """What the phase has read and others have changed since."""
    found: Json = {}
    for key in phase.plan.context_reads:
        entry = state.context.moved(key, phase.base)
        if entry is None or (entry.phase, entry.epoch) == (phase.plan.index, phase.epoch):
            continue
        if entry.hash != state.context.hash_of(key, phase.base):
            before = state.context.newest(key, phase.base)
            found[key] = {"read": before.version if before is not None else 0, "now": entry.version}
    return found


def _offer(engine: Engine, phase: PhaseState, offer: Json, at: float, *, tried: bool = False, **more: Any) -> None:
    """Write, or say why not. What is as it was before, or as it is now, is no change."""
    context = engine.state.context
    actor = more.pop("actor", None)
    writes = {key: write for key, write in offer["writes"].items() if _changes(context, offer, key)}
    keys = {key: entry.version for key in writes if (entry := context.moved(key, base_of(offer, key))) is not None}
    broken = [] if keys else context.broken(_values(writes))
    if keys or broken:
        data = {**offer, "writes": writes, "kind": "write_write" if keys else "consistency", "keys": keys, **more}
        data |= {"tried": True} if tried else {}
        data |= {"invariants": broken} if broken else {}
        engine.record("context_conflicted", at, phase=phase, actor=actor, data=data)
    else:
        _write(engine, phase, {**offer, "writes": writes, **more}, at, actor=actor)


def _changes(context: SharedContext, offer: Json, key: str) -> bool:
    given = offer["writes"][key]["hash"]
    return given not in (context.hash_of(key), context.hash_of(key, base_of(offer, key)))


def _write(engine: Engine, phase: PhaseState, offer: Json, at: float, *, actor: str | None) -> None:
    """The next version; nothing where nothing is left to write, but for what is being merged to no effect."""
    writes = {key: {"hash": write["hash"], "value": write["value"]} for key, write in offer["writes"].items()}
    if writes:
        version = engine.state.context.version + 1
        data = {**offer, "version": version, "writes": writes}
        engine.record("context_written", at, phase=phase, actor=actor, data=data)
    elif offer["position"] in phase.conflicts:
        engine.record("context_dropped", at, phase=phase, actor=actor, data={"position": offer["position"]})


# Merging


def reconcile(engine: Engine, phase: PhaseState, at: float) -> None:
    """The phase's work is done, and not all that it wrote is in the context: merge it, or ask a person."""
    context = engine.state.context
    for offer in list(phase.conflicts.values()):
        if offer["kind"] == "consistency" and not context.broken(_values(offer["writes"])):
            kept = {name: offer[name] for name in ("position", "agent", "base", "writes")}
            _offer(engine, phase, kept, at, actor=_person(offer))
    if not phase.conflicts:
        engine.done(phase, at, gathered(phase, {}))
        return
    for position, offer in phase.conflicts.items():
        if _mergeable(context, offer):
            engine.record("context_merging", at, phase=phase, data={"position": position})
            engine.ready.add(phase.plan.index, worker=True)
            return
    _unresolved(engine, phase, at)


def _mergeable(context: SharedContext, offer: Json) -> bool:
    """Whether nobody has tried it with what the others have written by now."""
    if offer["kind"] != "write_write":
        return False
    return not offer.get("tried") or any(context.moved(key, version) for key, version in offer["keys"].items())


def merged(engine: Engine, phase: PhaseState, outcome: Json, at: float) -> None:
    """The merge has ended: `{merged: {key: write}, conflicts: {key: why}, theirs: {key: version}}`."""
    assert phase.merging is not None
    engine.ready.release_slot(phase.plan.index)
    offer = phase.conflicts[phase.merging]
    left: Json = dict(outcome.get("conflicts", {}))
    writes = dict(offer["writes"])
    for key, write in outcome.get("merged", {}).items():
        try:
            writes[key] = {**writing.typed(engine.plan.context[key], key, write), "base": outcome["theirs"][key]}
        except PhaseError as error:
            left[key] = error.message
    kept = {name: offer[name] for name in ("position", "agent", "base")}
    more: Json = {"merged": sorted(writes.keys() - left.keys() & outcome.get("merged", {}).keys())}
    more |= {"unmerged": left} if left else {}
    _offer(engine, phase, {**kept, "writes": writes}, at, tried=bool(left), actor=_person(offer), **more)
    reconcile(engine, phase, at)


def merge_ended(
    engine: Engine, phase: PhaseState, event: AgentFinished | AgentFailed | AgentCancelled, at: float
) -> None:
    """The activity that merges has ended, however."""
    assert phase.merging is not None
    match event:
        case AgentFinished(result=result):
            outcome = result["context"]
        case AgentFailed(error=error):
            why = str(error.get("message") or error.get("code"))
            outcome = {"conflicts": dict.fromkeys(phase.conflicts[phase.merging]["keys"], why)}
        case AgentCancelled():
            outcome = {"conflicts": dict.fromkeys(phase.conflicts[phase.merging]["keys"], "it was cancelled")}
    merged(engine, phase, outcome, at)


def _values(writes: Json) -> Json:
    return {key: write["value"] for key, write in writes.items()}


def _person(offer: Json) -> str | None:
    """The person whose writes these are; None where an agent wrote."""
    return None if offer["by"] == offer["agent"] else str(offer["by"])


def _unresolved(engine: Engine, phase: PhaseState, at: float) -> None:
    rules = engine.plan.context_rules
    error = in_words(engine.state, phase)
    inconsistent = all(offer["kind"] == "consistency" for offer in phase.conflicts.values())
    if inconsistent and rules.consistency == "rerun" and phase.reruns < rules.max_reruns:
        feedback = {"by": "context", "comment": error["message"], "epoch": phase.epoch}
        data = {"action": "retry", "rerun": True, "feedback": feedback}
        engine.record("intervened", at, phase=phase, note=error["message"], data=data)
        engine.ready.leave(phase.plan.index)
        return
    engine.failed(phase, error, at)


def in_words(state: State, phase: PhaseState) -> Json:
    """The conflicts of a phase as its error: what a person has to know to decide."""
    found: list[Json] = []
    said: list[str] = []
    for offer in phase.conflicts.values():
        said += [
            f"what {offer['by']} wrote breaks the invariant of {broken['key']}: {broken['message']}"
            for broken in offer.get("invariants", ())
        ]
        keys = offer["keys"] or offer["writes"]
        for key in keys:
            write, theirs = offer["writes"][key], state.context.newest(key)
            entry = {"key": key, "kind": offer["kind"], "mine": {"by": offer["by"], "hash": write["hash"]}}
            entry["mine"]["base"] = base_of(offer, key)
            if theirs is not None:
                where = state.plans[theirs.phase].id
                entry["theirs"] = {"by": theirs.by, "phase": where, "version": theirs.version, "hash": theirs.hash}
            if offer["keys"] and theirs is not None:
                why = (offer.get("unmerged") or {}).get(key)
                at = f" (not merged: {why})" if why else ""
                said.append(f"{offer['by']} and {theirs.by} (in {where}) both changed the context key {key}{at}")
            found.append(entry)
    return {"code": CONFLICT, "message": "; ".join(said), "context": found}


# A person's decision


def resolved(engine: Engine, phase: PhaseState, request: Request) -> list[Json]:
    """What is written by a person's decision, an offer for each agent whose writes wait.

    Raises:
        RefusedError: a key is not one to decide about, a type is wrong, or an invariant would not hold.
    """
    action = request.fields["action"]
    given = _given(engine, phase, request) if action == "replace_context" else {}
    context = engine.state.context
    offers: list[Json] = []
    together: Json = {}
    for offer in phase.conflicts.values():
        writes = _chosen(context, offer, action, given)
        together |= _values(writes)
        over = {key: entry.version for key in writes if (entry := _moved(context, offer, key)) is not None}
        names = ("position", "agent", "base", *(("by",) if action != "replace_context" else ()))
        kept = {name: offer[name] for name in names}
        offers.append({**kept, "writes": writes, "decision": action} | ({"over": over} if over else {}))
    if broken := context.broken(together):
        reason = request.fields.get("reason") or request.note
        if action != "take_mine" or not reason:
            said = "; ".join(f"{entry['key']}: {entry['message']}" for entry in broken)
            hint = "write it in spite of that with: --reason '…'" if action == "take_mine" else ""
            raise RefusedError(f"{action} breaks an invariant of the context ({said})", hint=hint)
        offers[-1]["in_spite_of"] = broken
    return offers


def _moved(context: SharedContext, offer: Json, key: str) -> Entry | None:
    """What others have written to a key since an agent's write of it was made; None for keys it did not write."""
    return context.moved(key, base_of(offer, key)) if key in offer["writes"] else None


def _chosen(context: SharedContext, offer: Json, action: str, given: Json) -> Json:
    """The writes that a decision leaves. What it is not about is written too, unless others have changed it since."""
    if action == "take_mine":
        return dict(offer["writes"])
    rest = {
        key: write
        for key, write in offer["writes"].items()
        if key not in offer["keys"] and _moved(context, offer, key) is None
    }
    return rest | given if action == "replace_context" else rest if offer["keys"] else {}


def _given(engine: Engine, phase: PhaseState, request: Request) -> Json:
    """The values that a person gives, for keys that the phase may write; of a write-write conflict all of them."""
    values = request.fields.get("context") or {}
    wanted = {key for offer in phase.conflicts.values() for key in offer["keys"]}
    able = {*wanted, *phase.plan.context_writes}
    if unknown := sorted(values.keys() - able):
        raise RefusedError(
            f"{unknown[0]!r} is no key to decide about", hint=f"keys: {', '.join(sorted(wanted or able))}"
        )
    if missing := sorted(wanted - values.keys()):
        raise RefusedError(f"replace_context needs a value for {missing[0]!r}", hint=f"--context {missing[0]}=…")
    if not values:
        raise RefusedError("replace_context needs the values", hint="give them with: --context key=value")
    try:
        return {key: writing.typed(engine.plan.context[key], key, {"value": value}) for key, value in values.items()}
    except PhaseError as error:
        raise RefusedError(error.message) from error


def carry_out(engine: Engine, phase: PhaseState, offers: list[Json], at: float, actor: str | None) -> None:
    """Write what was decided, and let the phase go on where its work had ended."""
    for offer in offers:
        context = engine.state.context
        changed = {key: write for key, write in offer["writes"].items() if write["hash"] != context.hash_of(key)}
        _write(engine, phase, {**offer, "writes": changed}, at, actor=actor)
    engine.done(phase, at, gathered(phase, {}), actor=actor)
