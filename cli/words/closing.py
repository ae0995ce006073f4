"""The end of a run told in full: what became of the steps, their acceptance tests, how long it took, what was saved."""

from __future__ import annotations

from typing import Any

from cli.words.durations import counted, duration, saving
from engine.expansion import PhasePlans
from engine.facts import Fact
from engine.plan import Plan

Json = dict[str, Any]

LONGEST = 300
"""Characters of an output that is shown at the end of a run."""


def closing(plan: Plan, facts: list[Fact]) -> list[str]:
    """The last lines of a run whose facts, to the end, are given."""
    end = facts[-1]
    status = str(end.data["status"])
    plans = PhasePlans(plan)
    for fact in facts:
        plans.follow(fact)
    ended = {fact.phase: fact for fact in facts if fact.kind == "phase_settled" and fact.phase is not None}
    settled = {index: fact for index, fact in ended.items() if plans[index].item is None}
    took = end.at - facts[0].at
    kind = plan.kind.capitalize()
    lines = [*_steps(plan, settled), *_tests(plans, facts)]
    if status == "completed":
        lines.append(f"✓ {kind} complete in {duration(took)}")
        worked = [fact for index, fact in ended.items() if plans[index].for_each is None]
        sequential = sum(float(fact.data.get("seconds") or 0.0) for fact in worked)
        if (saved := saving(sequential, took)) is not None:
            lines.append(f"  ({saved})")
        lines += _results(plan, settled)
    elif status == "failed":
        lines.append(f"✗ {kind} failed after {duration(took)}")
    else:
        lines.append(f"⊘ {kind} cancelled after {duration(took)}; no agent is left running")
    return lines


def _steps(plan: Plan, settled: dict[int, Fact]) -> list[str]:
    became: dict[str, int] = {}
    for fact in settled.values():
        status = str(fact.data["status"])
        if status == "skipped" and fact.data.get("reason") != "needs":
            status = "completed"  # left out on purpose
        became[status] = became.get(status, 0) + 1
    bad = [f"{became[status]} {status}" for status in ("failed", "cancelled", "skipped") if became.get(status)]
    if not bad:
        return ["✓ All steps complete"]
    done = became.get("completed", 0)
    return [f"✗ {done} of {counted(len(plan.phases), 'step')} complete, {', '.join(bad)}"]


def _tests(plans: PhasePlans, facts: list[Fact]) -> list[str]:
    """The acceptance tests that ran, by step, as they came out in the end."""
    results: dict[int, Json] = {}
    for fact in facts:
        tests = tests_in(fact)
        if tests is not None and fact.phase is not None:
            results[fact.phase] = tests
    if not results:
        return []
    passed = sum(1 for tests in results.values() if tests["passed"] == tests["total"])
    mark = "✓" if passed == len(results) else "✗"
    lines = [f"{mark} Running acceptance tests ({passed}/{len(results)})"]
    for index, tests in sorted(results.items()):
        good = tests["passed"] == tests["total"]
        verdict = "PASS" if good else f"FAIL ({tests['passed']}/{tests['total']})"
        lines.append(f"  → {plans[index].id}: {verdict}")
    return lines


def _results(plan: Plan, settled: dict[int, Fact]) -> list[str]:
    """What the phases that nothing follows say they yield, as far as it fits on a line each."""
    needed = {need.phase for phase in plan.phases for need in phase.needs}
    groups = {phase.after_group for phase in plan.phases if phase.after_group is not None}
    lines: list[str] = []
    for phase in plan.phases:
        if phase.index in needed or phase.group in groups or not phase.outputs or phase.index not in settled:
            continue
        outputs = settled[phase.index].data.get("outputs") or {}
        shown = [(name, _short(outputs[name])) for name in phase.outputs if name in outputs]
        lines += [f"  {name}: {text}" for name, text in shown if text]
    return lines


def _short(value: object) -> str:
    """A value on one line of the screen; empty where it is none or too large."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = ", ".join(value)
    if not isinstance(value, str | int | float):
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= LONGEST and "\n" not in text else ""


def tests_in(fact: Fact) -> Json | None:
    """The outcome of acceptance tests that a fact tells of: `{passed, failed, total, …}`."""
    for holder in ("result", "error"):
        tests = (fact.data.get(holder) or {}).get("tests")
        if isinstance(tests, dict) and tests.get("total"):
            return tests
    return None


def skipped_because(fact: Fact) -> str:
    """Why a phase was skipped."""
    match fact.data.get("reason"):
        case "if":
            return "its condition is false"
        case "needs":
            return "a step it needs did not complete"
        case "on_jump":
            return "it runs only when control is sent to it"
        case "jump":
            return "control went past it"
        case _:
            by = f" by {fact.actor}" if fact.actor else ""
            return f"{fact.note or 'decided'}{by}"
