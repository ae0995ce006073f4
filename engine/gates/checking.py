"""What the checks of a gate came to: commands from the worker's report, conditions here, waivers over both."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from engine import expressions
from engine.gates.plans import CheckPlan, GatePlan
from engine.phase_state import PhaseState
from engine.state import State
from engine.values import scope

Json = dict[str, Any]

VALUE_SHOWN = 200
SHORT = 40
"""Characters of a check's message up to which a sentence about its gate has it too."""


def results(state: State, phase: PhaseState, gate: GatePlan, reported: list[Json], at: float) -> list[Json]:
    """One result per check, in the gate's order: `{name, gate, status, …}`.

    `status` is passed, failed, error (nobody knows whether it holds: that never passes) or skipped (waived). `reported`
    are the results of the commands, as the worker gave them.
    """
    told = {(result["gate"], result["name"]): result for result in reported}
    found = []
    for check in gate.checks:
        if check.expr is not None:
            result = _condition(state, phase, check, check.expr)
        else:
            result = told.get((check.gate, check.name)) or _result(check, "error", message="it did not run")
        found.append(_waived(state, gate, result, at))
    return found


def summary(found: list[Json]) -> Json:
    """`{status, passed, failed, skipped, total, results}`; errors count as failed, and the results tell them apart."""
    passed = sum(1 for result in found if result["status"] == "passed")
    skipped = sum(1 for result in found if result["status"] == "skipped")
    failed = len(found) - passed - skipped
    status = "failed" if failed else "passed"
    return {
        "status": status,
        "passed": passed,
        "failed": failed,
        "skipped": skipped,
        "total": len(found),
        "results": found,
    }


def in_words(gate: str, checked: Json) -> str:
    """Why a gate is not passed: `pre-push: 2 of 5 checks failed: tests (exit code 1), coverage`."""
    bad = [result for result in checked["results"] if result["status"] in {"failed", "error"}]
    named = [_with_reason(result, alone=len(bad) == 1) for result in bad]
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    verb = "cannot be run" if all(result["status"] == "error" for result in bad) else "failed"
    total = checked["total"]
    return f"{gate}: {len(bad)} of {total} check{'s' if total != 1 else ''} {verb}: {', '.join(named[:3])}{more}"


def _with_reason(result: Json, *, alone: bool) -> str:
    """A check, and why it is not passed: where that is short, or it is the only one. The gate's details have it all."""
    message = str(result.get("message") or "")
    return f"{result['name']} ({message})" if message and (alone or len(message) <= SHORT) else str(result["name"])


def lapsed(state: State, gate: GatePlan, checked: Json, at: float) -> list[str]:
    """The checks that were skipped for a waiver that has expired since."""
    return [
        result["name"]
        for result in checked["results"]
        if result["status"] == "skipped" and _waiver(state, gate, result, at) is None
    ]


def _condition(state: State, phase: PhaseState, check: CheckPlan, source: str) -> Json:
    names = expressions.references(source)
    values = scope(state, names) | {"outputs": phase.outputs, "status": "completed"}
    try:
        holds = expressions.condition(source, values)
    except expressions.ExpressionError as error:
        return _result(check, "error", message=str(error))
    seen = {}
    for name in names:
        try:
            seen[name] = _short(expressions.evaluate(name, values))
        except expressions.ExpressionError:
            continue  # it may stand where it need not exist: `x is defined`
    shown = ", ".join(f"{name} is {value!r}" for name, value in seen.items())
    return _result(check, "passed" if holds else "failed", value=seen, message="" if holds else shown)


def _short(value: object) -> object:
    if isinstance(value, bool | int | float) or value is None:
        return value
    text = str(value)
    return text if len(text) <= VALUE_SHOWN else f"{text[: VALUE_SHOWN - 1]}…"


def _result(check: CheckPlan, status: str, **more: object) -> Json:
    return {"name": check.name, "gate": check.gate, "status": status, **{k: v for k, v in more.items() if v}}


def _waived(state: State, gate: GatePlan, result: Json, at: float) -> Json:
    if result["status"] == "passed":
        return result
    if (waiver := _waiver(state, gate, result, at)) is not None:
        until = f", until {_day(waiver['expires'])}" if waiver["expires"] is not None else ""
        message = f"waived by {waiver['by']}: {waiver['reason']}{until}"
        return {**result, "status": "skipped", "message": message}
    if expired := [w for w in _waivers(state, gate, result) if w["expires"] is not None and w["expires"] <= at]:
        told = f"{result['message']}; " if result.get("message") else ""
        return {**result, "message": f"{told}its waiver expired on {_day(expired[0]['expires'])}"}
    return result


def _waivers(state: State, gate: GatePlan, result: Json) -> list[Json]:
    keys = dict.fromkeys([(result["gate"], result["name"]), (gate.id, result["name"])])
    return [state.waivers[key] for key in keys if key in state.waivers]


def _waiver(state: State, gate: GatePlan, result: Json, at: float) -> Json | None:
    for waiver in _waivers(state, gate, result):
        if waiver["expires"] is None or waiver["expires"] > at:
            return waiver
    return None


def standing(state: State, gate: GatePlan, at: float) -> list[Json]:
    """The waivers that hold for checks of a gate now, `{check, by, reason, expires?}`: they outlive its rounds."""
    found = []
    for check in gate.checks:
        if (waiver := _waiver(state, gate, {"gate": check.gate, "name": check.name}, at)) is not None:
            told = {"check": check.name, "by": waiver["by"], "reason": waiver["reason"], "expires": waiver["expires"]}
            found.append({name: value for name, value in told.items() if value is not None})
    return found


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
