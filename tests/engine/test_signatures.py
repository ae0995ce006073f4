"""Where a run has keys, only what its people have signed decides; everything else is refused and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from engine import operations, snapshots
from engine.agents import AgentPlan, OutputPlan
from engine.context import sharing
from engine.errors import RefusedError
from engine.gates.plans import ApprovalPlan, GatePlan, ReviewPlan
from engine.gates.signatures import DOMAIN, canonical, decoded, signed_text
from engine.plan import ContextKeyPlan, Execution, Plan
from engine.state import State
from tests.engine.gated import LINT, approved, entries
from tests.engine.signing import KEYS, PUBLIC, SIGNERS, keyed, signed, signed_by, target
from tests.engine.world import World, phase, plan_of
from workflows.verifying import verifier

Json = dict[str, Any]
NOT_ANAS = "the signature is not one of ana for this message, here and now"
APPROVE: Json = {"gate": "release", "decision": "approve"}


def plan_with(*gates: GatePlan, signers: dict[str, tuple[str, ...]] = SIGNERS, **fields: Any) -> Plan:
    return plan_of(phase(0, gates=gates, **fields), phase(1, 0), signers=signers)


def at_gate(*gates: GatePlan, run: str = "wf_test00", **fields: Any) -> World:
    world = keyed(plan_with(*(gates or (approved(),)), **fields), run)
    world.finish(0, coverage=0.9)
    return world


def refused(world: World, name: str, payload: Json) -> str:
    """Why a message is refused; that nothing has changed is seen to by the world."""
    with pytest.raises(RefusedError) as why:
        world.operate(name, **payload)
    return why.value.message


# What counts


def test_a_signed_decision_counts_and_the_ledger_keeps_what_was_signed() -> None:
    world = at_gate()
    world.operate("decide_gate", **signed(world, "decide_gate", "ana", **APPROVE, comment="ship it"))
    assert world.statuses() == ["completed", "running"]
    (fact,) = entries(world, "message_signed")
    assert fact["actor"] == "ana"
    stated, key, signature = (fact["data"][name] for name in ("statement", "key", "signature"))
    assert stated["payload"]["comment"] == "ship it"
    assert (stated["run"]["id"], stated["phase"], stated["gate"]["id"]) == (
        "wf_test00",
        {"id": "p0", "epoch": 0},
        "release",
    )
    assert key == PUBLIC["ana"]
    verify = verifier(world.plan)
    assert verify is not None
    assert verify(decoded(key, 32), decoded(signature, 64), signed_text(json.loads(json.dumps(stated))))


def test_a_person_may_have_several_keys() -> None:
    world = keyed(plan_with(approved(), signers={"ana": (PUBLIC["bo"], PUBLIC["ana"])}))
    world.finish(0)
    world.operate("decide_gate", **signed(world, "decide_gate", "ana", **APPROVE))
    assert world.statuses() == ["completed", "running"]


def test_what_is_signed_has_one_form_and_its_own_domain() -> None:
    assert canonical({"b": 1, "a": ["é", None, 1.5]}) == b'{"a":["\\u00e9",null,1.5],"b":1}'
    assert signed_text({}).startswith(DOMAIN)
    with pytest.raises(ValueError, match="JSON"):
        canonical(float("nan"))


def test_the_same_signed_message_may_come_twice_and_counts_once() -> None:
    world = at_gate(approved(need=2))
    message = signed(world, "decide_gate", "ana", **APPROVE)
    first = world.operate("decide_gate", **message)
    assert world.operate("decide_gate", **message) == first
    assert len(entries(world, "gate_decided")) == 1


def test_keys_are_the_plans_and_a_plan_without_keys_has_no_byte_of_them() -> None:
    plan = plan_with()
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))).signers == SIGNERS
    assert "signers" not in plan_of(phase(0)).to_json()


# What is refused


def test_an_unsigned_decision_is_refused() -> None:
    world = at_gate()
    assert "has to be signed" in refused(world, "decide_gate", {**APPROVE, "actor": "ana"})


def test_a_decision_signed_by_anothers_key_is_refused() -> None:
    world = at_gate()
    about = target(world, "decide_gate", **APPROVE, actor="ana")
    as_ana = signed_by("bo", "decide_gate", about, **{**APPROVE, "actor": "ana"})
    assert NOT_ANAS in refused(world, "decide_gate", as_ana)
    assert NOT_ANAS in refused(world, "decide_gate", signed_by("eve", "decide_gate", about, **APPROVE, actor="ana"))


def test_a_decision_of_somebody_without_a_key_is_refused() -> None:
    world = at_gate()
    about = target(world, "decide_gate", **APPROVE, actor="eve")
    assert "eve has no key in this run" in refused(
        world, "decide_gate", signed_by("eve", "decide_gate", about, **APPROVE)
    )


CHANGES: dict[str, Callable[[Json], Json]] = {
    "decision": lambda sent: {**sent, "decision": "reject", "comment": "no"},
    "comment": lambda sent: {**sent, "comment": "and more"},
    "form": lambda sent: {**sent, "form": {"risk": "none"}},
    "actor": lambda sent: {**sent, "actor": "bo"},
    "note": lambda sent: {**sent, "note": "more"},
    "request_id": lambda sent: {**sent, "request_id": "another"},
    "evidence": lambda sent: {name: value for name, value in sent.items() if name != "evidence"},
    "expectations": lambda sent: {**sent, "expect": [{"phase": 0, "epoch": 0}]},
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_signature_does_not_cover_a_changed_message(what: str) -> None:
    form = {"risk": OutputPlan(type="string")} if what == "form" else {}
    world = at_gate(approved(form=form))
    gate = world.engine.state.phases[0].gate
    assert gate is not None
    filled = {"form": {"risk": "high"}} if form else {}
    sent = signed(world, "decide_gate", "ana", **APPROVE, **filled, evidence=gate.evidence)
    assert "is not one of" in refused(world, "decide_gate", CHANGES[what](sent))
    world.operate("decide_gate", **sent)


@pytest.mark.parametrize("what", ["run", "execution", "phase", "epoch", "gate", "round", "evidence"])
def test_a_signature_for_something_else_is_refused(what: str) -> None:
    world = at_gate()
    about = json.loads(json.dumps(target(world, "decide_gate", **APPROVE, actor="ana")))
    part = {"run": "run", "execution": "run", "phase": "phase", "epoch": "phase"}.get(what, "gate")
    key = what if what in {"execution", "epoch", "round", "evidence"} else "id"
    about[part][key] = 7 if key in {"epoch", "round"} else "another"
    assert NOT_ANAS in refused(world, "decide_gate", signed_by("ana", "decide_gate", about, **APPROVE))


def test_a_decision_for_one_run_does_not_count_in_another() -> None:
    one, other = at_gate(), at_gate(run="wf_other0")
    assert NOT_ANAS in refused(other, "decide_gate", signed(one, "decide_gate", "ana", **APPROVE))


def test_an_old_decision_does_not_count_after_the_gate_was_checked_again() -> None:
    world = at_gate(approved(need=2))
    old = signed(world, "decide_gate", "ana", **APPROVE)
    world.operate("retry_gate", **signed(world, "retry_gate", "bo", gate="release"))
    assert NOT_ANAS in refused(world, "decide_gate", old)


def test_an_old_decision_does_not_count_for_the_phase_started_again() -> None:
    world = at_gate(approved(need=2))
    old = signed(world, "decide_gate", "ana", **APPROVE)
    changes = {"gate": "release", "decision": "request_changes", "comment": "smaller"}
    world.operate("decide_gate", **signed(world, "decide_gate", "bo", **changes))
    world.finish(0)
    assert NOT_ANAS in refused(world, "decide_gate", old)


def test_a_signed_message_does_not_count_again_when_its_answer_is_forgotten() -> None:
    world = at_gate(approved(need=2))
    message = signed(world, "decide_gate", "ana", **APPROVE)
    world.operate("decide_gate", **message)
    world.engine.answers.clear()
    assert "has counted already" in refused(world, "decide_gate", message)


def test_a_message_under_the_id_of_a_signed_one_is_refused() -> None:
    world = at_gate(approved(need=2))
    message = signed(world, "decide_gate", "ana", **APPROVE)
    world.operate("decide_gate", **message)
    assert "was another message" in refused(world, "decide_gate", {**message, "comment": "more"})
    waiver = {"gate": "release", "reason": "x", **{name: message[name] for name in ("request_id", "signature")}}
    assert "was another message" in refused(world, "waive_gate", waiver)


def test_a_decision_under_the_id_of_an_unsigned_message_is_refused_and_not_answered_with_its_answer() -> None:
    world = at_gate()
    world.operate("pause", request_id="r")
    assert "was another message" in refused(world, "decide_gate", {**APPROVE, "actor": "ana", "request_id": "r"})


@pytest.mark.parametrize(
    ("signature", "why"),
    [
        ("rsa:AAAA", "it does not begin with 'ed25519:'"),
        ("ed25519:%%%", "it is not base64"),
        ("ed25519:AAAA", "it does not hold 64 bytes"),
    ],
)
def test_a_signature_of_another_form_is_refused(signature: str, why: str) -> None:
    world = at_gate()
    sent = {**APPROVE, "actor": "ana", "request_id": "r", "signature": signature}
    assert refused(world, "decide_gate", sent) == f"the signature cannot be read: {why}"


def test_a_signed_message_needs_an_actor_and_an_id() -> None:
    world = at_gate(GatePlan(id="release", checks=(LINT,)))
    world.fail(0)
    skip = {"phase": 0, "action": "skip_gate", "reason": "x", "signature": "ed25519:AAAA"}
    assert "needs an actor" in refused(world, "intervene", skip)
    assert "needs a request_id" in refused(world, "intervene", {**skip, "actor": "ana"})


def test_a_signature_where_none_is_taken_is_refused() -> None:
    world = at_gate()
    assert "takes no signature" in refused(world, "pause", {"signature": "ed25519:AAAA"})
    without = World(plan_of(phase(0, gates=(approved(),))))
    without.finish(0)
    assert "takes no signature" in refused(without, "decide_gate", {**APPROVE, "actor": "ana", "signature": "x"})


def test_nobody_delegates_to_somebody_without_a_key() -> None:
    world = at_gate(approved(people=("ana",)))
    message = signed(world, "delegate_gate", "ana", gate="release", to="dee")
    assert "dee has no key in this run, and could not decide" in refused(world, "delegate_gate", message)
    world.operate("delegate_gate", **signed(world, "delegate_gate", "ana", gate="release", to="bo"))
    world.operate("decide_gate", **signed(world, "decide_gate", "bo", **APPROVE))
    assert world.statuses() == ["completed", "running"]


def test_a_run_goes_back_only_when_somebody_signs_that() -> None:
    world = at_gate()
    reject = {"gate": "release", "decision": "reject", "comment": "no"}
    world.operate("decide_gate", **signed(world, "decide_gate", "ana", **reject))
    back = {"checkpoint": "beginning", "actor": "bo"}
    assert "restore has to be signed" in refused(world, "restore", back)
    world.operate("restore", **signed(world, "restore", "bo", checkpoint="beginning"))
    assert world.statuses() == ["running", "pending"]


def test_a_signed_restore_undoes_no_decision_that_came_later_and_counts_once() -> None:
    world = at_gate(approved(need=2))
    old = signed(world, "restore", "bo", checkpoint="beginning")
    world.operate("decide_gate", **signed(world, "decide_gate", "ana", **APPROVE))
    assert "the signature is not one of bo" in refused(world, "restore", old)
    now = signed(world, "restore", "bo", checkpoint="beginning")
    world.operate("restore", **now)
    world.engine.answers.clear()
    assert "has counted already" in refused(world, "restore", now)


def test_a_restore_signed_for_one_place_does_not_count_for_another() -> None:
    world = at_gate()
    world.operate("create_checkpoint", name="here")
    about = target(world, "restore", checkpoint="beginning", actor="ana")
    sent = signed_by("ana", "restore", about, checkpoint="here")
    assert "the signature is not one of ana" in refused(world, "restore", sent)


@pytest.mark.parametrize("action", sharing.CHOICES)
def test_what_two_phases_wrote_against_each_other_is_decided_by_a_signed_message(action: str) -> None:
    given = {"context": {"a": 3}} if action == "replace_context" else {}
    pair = (phase(n, context_writes=("a",)) for n in range(2))
    world = keyed(plan_of(*pair, signers=SIGNERS, context={"a": ContextKeyPlan()}, execution=Execution(max_workers=2)))
    world.write(0, a=1)
    world.write(1, a=2)
    world.finish(1)  # the merge, which cannot be made
    message = {"phase": 1, "action": action, "actor": "ana", **given}
    assert "intervene has to be signed" in refused(world, "intervene", message)
    world.operate("intervene", **signed(world, "intervene", "ana", phase=1, action=action, **given))
    assert world.finished == "completed"


def test_an_agent_is_refused_whatever_it_signs_with() -> None:
    world = at_gate()
    assert "decides about no gate" in refused(world, "decide_gate", {**APPROVE, "actor": "agent:builder"})


# Which messages


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("delegate_gate", {"gate": "release", "to": "bo"}),
        ("waive_gate", {"gate": "release", "reason": "x"}),
        ("retry_gate", {"gate": "release"}),
    ],
)
def test_every_message_that_changes_what_people_decide_has_to_be_signed(name: str, fields: Json) -> None:
    world = at_gate(approved(people=("ana",)))
    assert "has to be signed" in refused(world, name, {**fields, "actor": "ana"})
    world.operate(name, **signed(world, name, "ana", **fields))


@pytest.mark.parametrize("action", ["skip_gate", "retry", "retry_with", "retry_gate", "go_to"])
def test_what_could_undo_a_rejection_has_to_be_signed(action: str) -> None:
    plan = plan_of(phase(0), phase(1, 0, gates=(approved(),)), phase(2, 1), signers=SIGNERS)
    world = keyed(plan)
    world.finish(0)
    world.finish(1)
    rejection = {"gate": "release", "decision": "reject", "comment": "no"}
    world.operate("decide_gate", **signed(world, "decide_gate", "ana", **rejection))
    choice = {"phase": 1, "action": action, "reason": "x", "prompt": "y", "to": 0}
    assert "has to be signed" in refused(world, "intervene", {**choice, "actor": "bo"})
    world.operate("intervene", **signed(world, "intervene", "bo", **choice))


@pytest.mark.parametrize("action", ["skip", "replace_output"])
def test_what_leads_past_a_gate_or_puts_words_into_the_run_has_to_be_signed(action: str) -> None:
    world = keyed(plan_with(approved()))
    world.fail(0)
    choice = {"phase": 0, "action": action, "reason": "x", "outputs": {"contract": "mine"}}
    assert "has to be signed" in refused(world, "intervene", {**choice, "actor": "ana"})
    world.operate("intervene", **signed(world, "intervene", "ana", **choice))


def test_a_rejection_where_reviewers_came_to_no_decision_is_not_undone_without_a_signature() -> None:
    critic = AgentPlan(role="critic", uses="command", config={"run": ["critic"]})
    world = at_gate(GatePlan(id="release", review=ReviewPlan(reviewers=(critic,))))
    world.finish(0)
    world.end_agent(next(iter(world.running)), outputs={"verdict": "perhaps"})
    evidence = world.engine.state.phases[0].gates[0].evidence
    rejection = {"gate": "release", "decision": "reject", "comment": "no", "evidence": evidence}
    world.operate("decide_gate", **signed(world, "decide_gate", "ana", **rejection))
    assert "has to be signed" in refused(world, "retry_gate", {"gate": "release", "actor": "eve"})


def test_work_and_checks_are_done_again_and_phases_given_up_without_a_signature() -> None:
    world = keyed(plan_with(GatePlan(id="release", checks=(LINT,), approval=ApprovalPlan(people=("ana",)))))
    world.fail(0)
    world.operate("intervene", phase=0, action="retry")
    world.finish(0)
    world.fail(0)  # the check, not the people
    world.operate("retry_gate", gate="release")
    world.fail(0)
    world.operate("intervene", phase=0, action="cancel")
    assert world.statuses() == ["cancelled", "skipped"]


# The state


def test_a_fresh_history_knows_what_has_counted() -> None:
    world = at_gate(approved(need=2))
    message = signed(world, "decide_gate", "ana", **APPROVE)
    world.operate("decide_gate", **message)
    taken = json.loads(json.dumps(snapshots.snapshot(world.engine)))
    taken["answers"] = {}
    verify = verifier(world.plan)
    again = World(world.plan, engine=snapshots.restore(world.plan, taken, world.now, verify=verify))
    assert "has counted already" in refused(again, "decide_gate", message)
    again.operate("decide_gate", **signed(again, "decide_gate", "bo", **APPROVE))
    assert again.statuses() == ["completed", "running"]
    folded = State(world.plan)
    for fact in again.engine.ledger:
        folded.apply(fact)
    assert folded.signed == again.engine.state.signed


def test_whoever_signs_is_told_what_for_or_why_not() -> None:
    world = at_gate()
    asked = operations.to_sign(world.engine, "decide_gate", {**APPROVE, "actor": "ana"}, world.now)
    assert asked["needed"]
    assert asked["target"]["gate"] == {"id": "release", "round": 0, "evidence": target_evidence(world)}
    wrong = operations.to_sign(world.engine, "decide_gate", {"gate": "nothing", "decision": "approve"}, world.now)
    assert (wrong["needed"], wrong["target"]) == (False, None)
    assert "there is no gate" in wrong["why"]
    assert not operations.to_sign(world.engine, "pause", {}, world.now)["needed"]
    assert not operations.to_sign(world.engine, "nonsense", [], world.now)["needed"]


def target_evidence(world: World) -> str | None:
    gate = world.engine.state.phases[0].gate
    assert gate is not None
    return gate.evidence


def test_only_public_halves_are_in_a_plan() -> None:
    told = json.dumps(plan_with().to_json())
    assert all(key.private_bytes_raw().hex() not in told for key in KEYS.values())
