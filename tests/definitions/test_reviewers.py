"""Reviewers at gates: what a definition may say of them, and what becomes of it in the plan."""

from __future__ import annotations

import pytest

from definitions import compile_plan, load_text
from definitions.diagnostics import InvalidDefinitionError
from tests.definitions.finding import only

AGENTS = """\
agents:
  builder: {uses: command, run: [make]}
  critic: {uses: command, run: [critic]}
  remote: {uses: http, url: "http://critic.invalid", method: POST}
  lead: {uses: manual}
  child: {uses: workflow, definition: other}
"""


def definition(gate: str) -> str:
    return f"{AGENTS}gates: {{look: {gate}}}\nphases: [{{id: build, agents: [builder], gates: [look]}}]\n"


def test_reviewers_are_compiled_into_the_plan_and_nothing_is_where_there_are_none() -> None:
    text = definition("{reviewers: [critic, remote], approve: any, max_rounds: 1, consult: together}")
    (gate,) = compile_plan(load_text(text, file="x.yaml"), {}).phases[0].gates
    assert gate.review is not None
    assert [(agent.role, agent.uses) for agent in gate.review.reviewers] == [("critic", "command"), ("remote", "http")]
    assert (gate.review.need, gate.review.max_rounds, gate.review.together) == (1, 1, True)
    assert gate.needs_host, "the evidence of reviewers covers the files"
    plain = compile_plan(load_text(definition("{checks: [{name: a, run: [a]}]}"), file="x.yaml"), {})
    assert "review" not in plain.to_json()["phases"][0]["gates"][0]


@pytest.mark.parametrize(
    ("gate", "code", "words"),
    [
        ("{reviewers: [critik]}", "PL115", "no agent 'critik' is declared"),
        ("{reviewers: [lead]}", "PL115", "'lead' uses manual and cannot review"),
        ("{reviewers: [critic, critic]}", "PL107", "names the reviewer 'critic' twice"),
        ("{reviewers: [critic], approve: 2}", "PL110", "2 reviewers have to approve, and there are 1"),
        ("{approval: {}, max_rounds: 2}", "PL111", "'max_rounds' says nothing without 'reviewers'"),
        ("{}", "PL105", "a gate needs 'checks', 'reviewers', 'approval' or 'includes'"),
        ("{reviewers: [critic], review_prompt: 'Of ${phases.biuld.outputs}'}", "PL302", "no phase 'biuld'"),
    ],
)
def test_what_no_review_can_come_of_is_an_error(gate: str, code: str, words: str) -> None:
    assert words in only(definition(gate), code).message


def test_only_reviewers_are_told_of_a_review() -> None:
    telling = 'agents: {critic: {run: ["${review.text}"]}, builder: {run: [make]}}\n'
    phases = "phases: [{id: build, agents: [%s], gates: [look]}]\n"
    gates = "gates: {look: {reviewers: [critic], review_prompt: 'See ${review.gates}'}}\n"
    assert not load_text(telling + gates + phases % "builder", file="x.yaml").diagnostics
    both = only(telling + gates + phases % "critic", "PL302")
    assert "'review' has no value here" in both.message


def test_a_child_run_gives_no_verdict() -> None:
    with pytest.raises(InvalidDefinitionError) as refused:
        compile_plan(load_text(definition("{reviewers: [child]}"), file="x.yaml"), {})
    assert [d.code for d in refused.value.diagnostics if d.severity == "error"] == ["PL115"]
