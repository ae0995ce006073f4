"""What agents and people want to write to the shared context: whether they may, and whether the types are right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from engine import expressions
from engine.context.records import digest
from engine.errors import PhaseError
from engine.plan import ContextKeyPlan, PhasePlan, Plan

Json = dict[str, Any]

OUTPUT = "context"
"""The name among an agent's outputs under which its writes stand, in a run whose definition has context keys."""

REFUSED = "context_refused"


def split(plan: Plan, result: Json) -> tuple[Json, object]:
    """The outputs of an agent's result, and what it writes.

    A worker of ours hands writes over apart, as `{key: {value, hash?, type?}}` (with the last two where the value is a
    reference); any other answer has them among its outputs.
    """
    outputs = result.get("outputs", {})
    if not plan.context:
        return outputs, {}
    if OUTPUT in result:
        return outputs, result[OUTPUT]
    if OUTPUT not in outputs:
        return outputs, {}
    given = outputs[OUTPUT]
    rest = {name: value for name, value in outputs.items() if name != OUTPUT}
    return rest, plain(given) if isinstance(given, dict) else given


def plain(values: Mapping[str, Any]) -> Json:
    """Values as writes."""
    return {key: {"value": value} for key, value in values.items()}


def checked(plan: Plan, phase: PhasePlan, roles: Sequence[str], given: object) -> Json:
    """The writes, `{key: {hash, value}}`, in the declared types.

    Raises:
        PhaseError: a key is not declared, belongs to somebody else, or its value has another type.
    """
    if not isinstance(given, dict):
        raise PhaseError("what it writes to the context is no object of keys and values", code=REFUSED)
    writes: Json = {}
    for key, write in given.items():
        check_key(plan, phase, roles, key)
        writes[key] = typed(plan.context[key], key, write)
    return writes


def check_key(plan: Plan, phase: PhasePlan, roles: Sequence[str], key: str) -> None:
    """Refuse a key that is not declared, that belongs to somebody else, or that the phase does not say it writes."""
    declared = plan.context.get(key)
    if declared is None:
        close = get_close_matches(key, plan.context, n=1)
        meant = f"did you mean {close[0]!r}?" if close else f"declared are: {', '.join(list(plan.context)[:20])}"
        raise PhaseError(f"it writes the context key {key[:80]!r}, which nothing declares", code=REFUSED, hint=meant)
    if not owns(declared, phase, roles):
        raise PhaseError(
            f"it writes the context key {key!r}, which belongs to {declared.owner}",
            code=REFUSED,
            hint=f"let {declared.owner} write it, or make it nobody's in the definition",
        )
    if key not in phase.context_writes:
        raise PhaseError(
            f"it writes the context key {key!r}, and its phase does not declare to write it",
            code=REFUSED,
            hint=f"add {key} to context.write of {phase.id}",
        )


def owns(declared: ContextKeyPlan, phase: PhasePlan, roles: Sequence[str]) -> bool:
    """Whether agents with these roles in this phase may write a key, as far as it is somebody's."""
    if declared.owner is None or declared.owner in roles:
        return True
    return declared.phase is not None and declared.phase == (phase.item.parent if phase.item else phase.index)


def typed(declared: ContextKeyPlan, key: str, write: Json) -> Json:
    """A write with its value in the declared type and its hash; of a reference the worker says type and hash.

    Raises:
        PhaseError: it has another type.
    """
    value = write["value"]
    if "hash" in write:
        kind = str(write.get("type", "any"))
        if declared.type not in ("any", kind):
            raise PhaseError(f"the context key {key!r} is {declared.type}, and this is {kind}", code=REFUSED)
        return {"hash": write["hash"], "value": value}
    try:
        value = expressions.coerce(value, declared.type)
    except expressions.ExpressionError as error:
        raise PhaseError(f"the context key {key!r}: {error.message}", code=REFUSED) from None
    return {"hash": digest(value), "value": value}


def base_of(offer: Json, key: str) -> int:
    """The version that a write of a key was made from: the agent's, or that of the last merge."""
    base: int = offer["writes"][key].get("base", offer["base"])
    return base
