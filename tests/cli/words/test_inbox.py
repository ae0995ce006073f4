"""One inbox: who is waited for, in which order, and how that reads."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from cli.reach.inbox import from_list, from_view, in_order, of_gate, waits_for
from cli.words.inbox import listing, summary
from cli.words.table import width
from engine import operations
from engine.agents import AgentPlan
from engine.errors import RefusedError
from engine.gates.plans import ApprovalPlan, GatePlan
from engine.gates.showing import LISTED
from engine.plan import PhasePlan, Plan
from engine.view import details
from tests.cli.words.stories import SH, Story, person

Json = dict[str, Any]

RUN: Json = {"run": "wf_abc123", "definition": "release", "name": "Release", "waiting_for": ["gate:build/go"]}


def at_gate(approval: ApprovalPlan, agent: AgentPlan = SH) -> Story:
    """A run whose one phase is done and stands at a gate."""
    gate = GatePlan(id="go", approval=approval)
    story = Story(
        Plan(
            id="release",
            name="Release",
            phases=(PhasePlan(id="build", name="Build", index=0, agents=(agent,), gates=(gate,)),),
        )
    )
    if agent.uses == "manual":
        story.ask("complete_phase", phase=0)
    else:
        story.done(0)
    return story


def standing(story: Story) -> Json:
    """The gate as the inbox puts it together from the view and the phase."""
    row = story.view["gates"][0]
    return {**row, **details(story.engine, story.engine.state.phases[0])["gates"][0]}


def inbox(*items: Json, others: int = 0) -> Json:
    return {"actor": "ana", "now": "2024-02-19T10:00:00.000Z", "for_others": others, "items": list(items)}


PEOPLE = ApprovalPlan(people=("ana", "bo"), need=2, evidence="optional")  # so that no worker is needed


@pytest.mark.parametrize("actor", ["ana", "bo", "cy", "dee"])
@pytest.mark.parametrize(
    ("approval", "agent"),
    [
        (PEOPLE, SH),
        (replace(PEOPLE, people=()), SH),
        (replace(PEOPLE, people=(*(f"p{i}" for i in range(8)), "dee")), SH),
        (PEOPLE, person("lead")),
        (replace(PEOPLE, self_approval=True), person("lead")),
    ],
)
def test_a_gate_waits_for_exactly_those_whose_decision_the_engine_takes(
    actor: str, approval: ApprovalPlan, agent: AgentPlan
) -> None:
    story = at_gate(approval, agent)
    if "ana" in approval.people:
        story.ask("delegate_gate", gate="go", to="cy")
    gate = standing(story)
    decision = {"gate": "go", "decision": "approve", "evidence": gate["evidence"], "actor": actor}
    try:
        operations.act(story.engine, "decide_gate", decision, story.at)
        taken = True
    except RefusedError:
        taken = False
    assert waits_for(gate, actor) is taken


def test_who_has_decided_is_not_asked_again_and_neither_is_their_delegate() -> None:
    story = at_gate(PEOPLE)
    story.ask("delegate_gate", gate="go", to="cy")
    story.ask("decide_gate", gate="go", decision="approve", evidence=standing(story)["evidence"], actor="cy")
    assert [who for who in ("ana", "bo", "cy") if waits_for(standing(story), who)] == ["bo"]


def test_deadlines_come_first_then_what_waits_longest() -> None:
    def item(run: str, deadline: str | None, since: str | None) -> Json:
        return {"run": run, "deadline": deadline, "since": since}

    wanted = [item("a", "2024-01-02", "9"), item("b", "2024-01-03", "1"), item("c", None, "1"), item("d", None, "2")]
    last = item("e", None, None)
    assert in_order([last, *reversed(wanted)]) == [*wanted, last]


def test_a_gate_reads_as_who_is_asked_by_when_and_what_to_type() -> None:
    gate = standing(at_gate(replace(PEOPLE, deadline=86_400.0)))
    lines = listing(inbox(of_gate(RUN, gate, "ana"), others=1))
    assert lines[0].split() == ["WAITS", "FOR", "PHASE", "RUN", "WORKFLOW", "SINCE", "DUE"]
    assert re.split(r"  +", lines[1]) == [
        "gate go",
        "Build (index: 0)",
        "wf_abc123",
        "release",
        "just now",
        "in 1d 00h",
    ]
    assert lines[2:] == [
        f"    asked: ana, bo; 0 of 2 approved, evidence {gate['evidence'][:19]}",
        "    phaseloom workflow gate show build/go --run wf_abc123",
        "1 gate waits for others: phaseloom inbox --all",
        "Decide about the gates, one after the other, with: phaseloom inbox decide",
    ]


def test_gates_of_others_are_marked_and_nobody_is_told_to_decide() -> None:
    other = of_gate(RUN, standing(at_gate(PEOPLE)), "cy")
    lines = listing(inbox(other, others=1))
    assert lines[1].startswith("gate go (others)")
    assert lines[-1].startswith("    phaseloom workflow gate show")


def test_an_empty_inbox_says_whose_it_is() -> None:
    assert listing(inbox()) == ["Nothing waits for you (ana)."]


def test_stopped_phases_people_signals_and_pauses_each_have_their_command() -> None:
    phases = (
        PhasePlan(id="tests", name="Tests", index=0, agents=(SH,)),
        PhasePlan(id="review", name="Review", index=1, agents=(person("lead"),), description="Read it all."),
    )
    story = Story(Plan(id="p", name="P", phases=phases, completion_signals=("it's green",)))
    story.broke(0)
    items = from_view(RUN, story.view)
    told = {item["kind"]: item["command"] for item in items}
    assert told["decision"] == "phaseloom workflow intervene <action> --phase 0 --run wf_abc123"
    assert items[0]["what"].startswith("1 phase needs you because tests are failing")
    story.ask("intervene", phase=0, action="skip", reason="flaky")
    (open_one,) = from_view(RUN, story.view)
    assert (open_one["who"], open_one["what"]) == (["lead"], "Read it all.")
    assert open_one["command"] == "phaseloom workflow complete-phase 1 --run wf_abc123"
    story.ask("pause")
    assert {i["kind"]: i["command"] for i in from_view(RUN, story.view)}["resume"].startswith(
        "phaseloom workflow resume"
    )
    story.ask("resume")
    story.ask("complete_phase", phase=1)
    (signal,) = from_view(RUN, story.view)
    assert signal["command"] == """phaseloom workflow signal 'it'"'"'s green' --run wf_abc123"""
    assert listing(inbox(signal))[1].startswith("report: it's green")


def test_a_run_with_more_than_it_tells_at_once_says_so() -> None:
    phases = tuple(
        PhasePlan(id=f"p{i}", name=f"P{i}", index=i, agents=(person("lead"),), group=0) for i in range(LISTED + 2)
    )
    kinds = [item["kind"] for item in from_view(RUN, Story(Plan(id="p", name="P", phases=phases)).view)]
    assert kinds.count("more") == int(kinds.count("person") == LISTED)
    assert kinds.count("more") == 1


def test_of_a_run_without_a_worker_stands_what_the_list_says() -> None:
    words = ["gate:build/go", "decision:tests", "person:lead", "signal:green"]
    items = from_list({**RUN, "waiting_for": words})
    assert [(item["kind"], item["mine"], item["answered"]) for item in items] == [
        ("gate", None, False),
        ("decision", True, False),
        ("person", True, False),
        ("signal", True, False),
    ]
    lines = listing(inbox(*items))
    assert lines[1].split()[:3] == ["gate", "go", "build"]
    assert lines[2] == "    no worker answers: this is what the list of runs says"
    assert "inbox decide" not in lines[-1]


def test_all_but_the_commands_fits_the_terminal() -> None:
    story = at_gate(replace(PEOPLE, people=tuple(f"somebody-{i}" for i in range(9)), deadline=86_400.0))
    lines = listing(inbox(of_gate(RUN, standing(story), "somebody-0")), fits=60)
    assert max(width(line) for line in lines[:3]) <= 60
    assert lines[3] == "    phaseloom workflow gate show build/go --run wf_abc123"


def test_the_end_of_a_walk_counts_what_was_decided() -> None:
    outcomes = ["approve", "approve", "request_changes", "reject", "skip", "refused", "gone"]
    told = "2 approved, 1 sent back, 1 rejected, 1 left for now, 1 not decided, 1 not open any more, 2 not looked at"
    assert summary(outcomes, 2) == f"Gates: {told}."


def test_a_person_sees_until_when_a_phase_is_to_be_done() -> None:
    phase = PhasePlan(id="read", name="Read", index=0, agents=(person("reader"),), deadline=7200.0)
    story = Story(Plan(id="release", name="Release", phases=(phase,)))
    (item,) = from_view(RUN, story.view)
    assert (item["kind"], item["deadline"]) == ("person", story.view["phases"][0]["deadline"])
    assert any(
        "in 2h 00m" in line
        for line in listing({"items": [item], "now": story.view["now"], "actor": "ana", "for_others": 0})
    )
