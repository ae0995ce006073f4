"""Whose part of a phase is done, whose is open, and what a person is told who asks for more than that."""

from __future__ import annotations

import pytest

from engine import operations
from engine.agents import AgentPlan, OutputPlan
from engine.effects import AgentFinished
from engine.engine import Engine
from engine.errors import RefusedError
from engine.parts import doing, lasting
from engine.plan import PhasePlan, Plan
from engine.view import details, view

MAKE = AgentPlan(role="backend-expert", uses="command", config={"run": ["make", "test"]})
HAND = AgentPlan(role="frontend-expert", config={"instructions": "Look at it on a phone."})


def begun(*agents: AgentPlan, **phase: object) -> Engine:
    only = PhasePlan(id="build", name="Build", index=0, agents=agents, agents_mode="parallel", **phase)  # type: ignore[arg-type]  # any field
    engine = Engine(Plan(id="x", name="X", phases=(only,)))
    engine.start(100.0, inputs={}, env={}, run={"id": "wf_abc123"})
    engine.flush()
    return engine


def refused(engine: Engine, name: str, at: float, **payload: object) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        operations.check(engine, name, payload, at)
    return caught.value


def test_next_says_who_works_on_the_phase_and_where_to_look_on() -> None:
    error = refused(begun(MAKE), "next", 220.0)
    assert error.message == (
        "no phase waits for a person: Build (index: 0): backend-expert works on it: command make test, for 2m"
    )
    assert error.hint == "look on with: phaseloom workflow watch; its output: phaseloom workflow logs build"


def test_next_says_whose_part_is_done_and_whose_is_not() -> None:
    engine = begun(MAKE, HAND)
    answer = operations.act(engine, "next", {}, 101.0)
    assert [(part["who"], part["state"]) for part in answer["parts"]] == [
        ("backend-expert", "at work"),
        ("frontend-expert", "done"),
    ]
    error = refused(engine, "complete_phase", 140.0, phase=0)
    assert error.message == (
        "Build (index: 0) completes by itself: frontend-expert's part is done; "
        "backend-expert works on it: command make test, for 40s"
    )
    assert "phaseloom workflow watch" in error.hint


def test_the_view_tells_the_parts_of_a_phase_at_work() -> None:
    engine = begun(MAKE, HAND)
    (row,) = view(engine, 101.0)["active"]
    assert row["parts"] == [
        {"who": "backend-expert", "state": "at work", "does": "command make test"},
        {"who": "frontend-expert", "state": "open"},
    ]
    engine.handle(AgentFinished(phase=0, epoch=0, position=0, result={"outputs": {}}), 102.0)
    (row,) = view(engine, 103.0)["active"]
    assert [part["state"] for part in row["parts"]] == ["done", "open"]


def test_who_is_asked_reads_the_instructions_and_the_prompt_with_its_values() -> None:
    engine = begun(HAND, prompt="Build ${run.id}.", outputs={"report": OutputPlan(description="what was seen")})
    (entry,) = view(engine, 101.0)["waiting"]
    assert (entry["what"], entry["outputs"], entry["more"]) == ("Look at it on a phone.", ["report"], True)
    asked = details(engine, engine.state.phases[0])["asked_for"]
    assert asked["instructions"] == {"frontend-expert": "Look at it on a phone."}
    assert asked["prompt"] == "Build wf_abc123."
    assert asked["outputs"]["report"]["description"] == "what was seen"


def test_all_missing_outputs_are_named_as_one_command() -> None:
    outputs = {"count": OutputPlan(type="integer"), "name": OutputPlan(type="string"), "note": OutputPlan()}
    engine = begun(HAND, outputs=outputs)
    error = refused(engine, "next", 101.0)
    assert error.message == "Build declares outputs that are missing: count (integer), name (string)"
    assert error.hint == "type: phaseloom workflow next -o count=… -o name=…"
    assert refused(engine, "complete_phase", 101.0, phase="build").hint == (
        "type: phaseloom workflow complete-phase 0 -o count=… -o name=…"
    )


def test_a_default_stands_in_for_an_output_that_nobody_gives() -> None:
    outputs = {"level": OutputPlan(type="integer", default=3, optional=True)}
    engine = begun(HAND, outputs=outputs)
    operations.act(engine, "next", {}, 101.0)
    assert engine.state.phases[0].outputs["level"] == 3
    engine = begun(MAKE, outputs=outputs)
    engine.handle(AgentFinished(phase=0, epoch=0, position=0, result={"outputs": {}}), 102.0)
    assert engine.state.phases[0].outputs == {"level": 3}
    engine = begun(MAKE, outputs=outputs)
    engine.handle(AgentFinished(phase=0, epoch=0, position=0, result={"outputs": {"level": 5}}), 102.0)
    assert engine.state.phases[0].outputs == {"level": 5}


def test_the_answer_names_outputs_that_nobody_declared() -> None:
    engine = begun(HAND, outputs={"plan": OutputPlan()})
    answer = operations.act(engine, "next", {"outputs": {"plna": "x"}}, 101.0)
    assert (answer["undeclared"], answer["declared"]) == (["plna"], ["plan"])


@pytest.mark.parametrize(
    ("uses", "config", "words"),
    [
        ("manual", {"instructions": "x"}, ""),
        ("command", {"tasks": ["make all\nmake test"]}, "command make all make test"),
        ("command", {"tasks": []}, "command its acceptance tests"),
        ("http", {"url": "http://localhost/x"}, "http http://localhost/x"),
        ("python", {"function": "mod:go"}, "python mod:go"),
        ("aider", {"tasks": ["x"]}, "aider"),
        ("activity", {"activity": "Ship"}, "activity Ship"),
        ("workflow", {"definition": "spir"}, "workflow spir"),
    ],
)
def test_what_each_kind_of_agent_does_fits_in_a_few_words(uses: str, config: dict[str, object], words: str) -> None:
    assert doing(AgentPlan(role="r", uses=uses, config=config)) == words


def test_a_length_of_time_is_told_in_its_largest_unit() -> None:
    assert [lasting(each) for each in (0.4, 59, 60, 7200, 200000)] == ["0s", "59s", "1m", "2h", "2d"]
