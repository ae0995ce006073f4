"""Decisions about gates that are not open, by those who may not, on nothing; waivers and delegations likewise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.agents import OutputPlan
from engine.gates.plans import ApprovalPlan, GatePlan
from tests.engine.gated import CHECKED, LINT, approved, by_hand, gated
from tests.engine.refusals.asking import refuses
from tests.engine.world import World, phase, plan_of

Json = dict[str, Any]


def of(*people: str, **fields: Any) -> Callable[[], World]:
    """A gate that waits for these people."""
    return lambda: gated(approved(people=people, **fields))


def checking() -> World:
    return gated(CHECKED)


def not_passed() -> World:
    world = gated(CHECKED)
    world.fail(0)
    return world


def bound() -> World:
    """A gate whose decisions have to name their evidence."""
    world = gated(GatePlan(id="release", approval=ApprovalPlan()))
    world.finish(0)
    return world


def form() -> World:
    return gated(approved(form={"risk": OutputPlan(type="string"), "hosts": OutputPlan(type="integer")}))


def twice() -> World:
    world = World(plan_of(*(phase(index, gates=(approved(),)) for index in (0, 1))))
    world.finish(0)
    world.finish(1)
    return world


def strict() -> World:
    world = gated(GatePlan(id="strict", checks=(LINT,), skippable=False))
    world.fail(0)
    return world


def decision(word: str = "approve", **fields: Any) -> Json:
    return {"gate": "release", "decision": word, "actor": "ana", **fields}


DECIDING: dict[str, tuple[Callable[[], World], Json, str]] = {
    "by an agent": (of(), decision(actor="agent:x"), "agent:x: what an agent runs decides about no gate"),
    "of another word": (of(), decision("maybe"), "there is no decision 'maybe'"),
    "about a gate that there is not": (
        of(),
        decision(gate="relase"),
        "there is no gate 'relase' (did you mean 'release'?); gates: release",
    ),
    "where there are no gates": (
        lambda: World(plan_of(phase(0))),
        decision(),
        "there is no gate 'release'; there are no gates",
    ),
    "about a gate that is not open": (
        lambda: World(plan_of(phase(0, gates=(approved(),)))),
        decision(),
        "the gate 'release' is not open",
    ),
    "about one of several gates": (
        twice,
        decision(),
        "several phases stand at the gate 'release': p0/release, p1/release",
    ),
    "about a gate that is being checked": (
        checking,
        decision(gate="pre-push"),
        "the gate 'pre-push' does not wait for a decision: it is being checked",
    ),
    "about a gate that was not passed": (
        not_passed,
        decision(gate="pre-push"),
        "the gate 'pre-push' does not wait for a decision: it is not passed",
    ),
    "without evidence": (bound, decision(), "the decision about 'release' does not name the evidence it rests on"),
    "on stale evidence": (
        bound,
        decision(evidence="sha256:0"),
        "the evidence of 'release' has changed since: look at it again",
    ),
    "of nobody": (of(), decision(actor=None), "a decision needs somebody who decides"),
    "of somebody who is not asked": (of("bo"), decision(), "ana may not decide about 'release'"),
    "about one's own work": (
        lambda: by_hand(approved(), actor="ana"),
        decision(),
        "ana did the work of Phase 0, and may not decide about it",
    ),
    "reject without a reason": (of(), decision("reject"), "reject needs a reason"),
    "request_changes without a reason": (of(), decision("request_changes"), "request_changes needs a reason"),
    "with a field that the form has not": (form, decision(form={"zzz": 1}), "the form has no field 'zzz'"),
    "without a field of the form": (form, decision(form={"risk": "low"}), "the form needs 'hosts' (integer)"),
    "with a field of another type": (
        form,
        decision(form={"risk": "low", "hosts": "many"}),
        "'hosts' of the form must be integer",
    ),
}


@pytest.mark.parametrize("case", DECIDING)
def test_a_decision_is_refused(case: str) -> None:
    make, payload, words = DECIDING[case]
    refuses(make(), words, "decide_gate", payload)


def waiver(**fields: Any) -> Json:
    return {"gate": "pre-push", "reason": "x", "actor": "ana", **fields}


WAIVING: dict[str, tuple[Callable[[], World], Json, str]] = {
    "by an agent": (not_passed, waiver(actor="agent:x"), "agent:x: what an agent runs decides about no gate"),
    "of a gate that cannot be skipped": (strict, waiver(gate="strict"), "the gate 'strict' cannot be skipped"),
    "without a reason": (not_passed, waiver(reason=None), "a waiver needs a reason"),
    "of nobody": (not_passed, waiver(actor=None), "a waiver needs somebody who gives it"),
    "while it is being checked": (checking, waiver(), "the gate 'pre-push' is being checked"),
    "of a check that it has not": (not_passed, waiver(check="zzz"), "the gate 'pre-push' has no check 'zzz'"),
}


@pytest.mark.parametrize("case", WAIVING)
def test_a_waiver_is_refused(case: str) -> None:
    make, payload, words = WAIVING[case]
    refuses(make(), words, "waive_gate", payload)


def delegation(**fields: Any) -> Json:
    return {"gate": "release", "to": "dee", "actor": "ana", **fields}


DELEGATING: dict[str, tuple[Callable[[], World], Json, str]] = {
    "by an agent": (of("ana"), delegation(actor="agent:x"), "agent:x: what an agent runs decides about no gate"),
    "at a gate that does not wait": (
        not_passed,
        delegation(gate="pre-push"),
        "the gate 'pre-push' does not wait for a decision: it is not passed",
    ),
    "where the gate allows none": (
        of("ana", delegation=False),
        delegation(),
        "nobody may decide for others about 'release'",
    ),
    "where anyone decides": (of(), delegation(), "anyone may decide about 'release': there is nothing to delegate"),
    "of somebody who is not asked": (of("bo"), delegation(), "ana has no decision to give away"),
    "to somebody who is asked": (of("ana", "dee"), delegation(), "dee decides about 'release' already"),
}


@pytest.mark.parametrize("case", DELEGATING)
def test_a_delegation_is_refused(case: str) -> None:
    make, payload, words = DELEGATING[case]
    refuses(make(), words, "delegate_gate", payload)


def test_checking_again_is_refused_while_it_is_being_checked() -> None:
    refuses(checking(), "the gate 'pre-push' is being checked already", "retry_gate", gate="pre-push")


@pytest.mark.parametrize("message", ["decide_gate", "waive_gate", "retry_gate"])
def test_nothing_is_done_at_the_gate_of_a_phase_that_is_being_cancelled(message: str) -> None:
    world = of("ana")()
    world.engine.state.phases[0].cancelling = "operator"  # whatever still runs there
    needed = {"decide_gate": {"decision": "approve"}, "waive_gate": {"reason": "x"}}.get(message, {})
    refuses(world, "Phase 0 is being cancelled", message, {"gate": "release", "actor": "ana", **needed})


def test_who_is_no_user_of_the_project_has_no_part_in_a_gate() -> None:
    plan = plan_of(phase(0, gates=(approved(people=()),)), phase(1, 0), users=("ana", "bo"))
    world = World(plan)
    world.finish(0)
    words = "eve is no user of this project"
    refuses(world, words, "decide_gate", gate="release", decision="approve", actor="eve")
    refuses(world, words, "waive_gate", gate="release", reason="x", actor="eve")
    asked = World(plan_of(phase(0, gates=(approved(people=("ana",)),)), phase(1, 0), users=("ana", "bo")))
    asked.finish(0)
    refuses(asked, words, "delegate_gate", gate="release", to="eve", actor="ana")
    asked.operate("delegate_gate", gate="release", to="bo", actor="ana")
