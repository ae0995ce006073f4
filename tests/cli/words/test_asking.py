"""What a person is asked for: one rule for the command to type, parts of a shared phase, notes on what they gave."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cli.words.parallel import completed
from cli.words.reasons import why
from cli.words.starting import started_run
from cli.words.status import status
from cli.words.steering import decided
from cli.words.symbols import ASCII, PLAIN, SYMBOLS
from cli.words.table import table, width
from engine.agents import AgentPlan, OutputPlan
from engine.lookup import find_phase
from engine.plan import PhasePlan, Plan
from engine.view import details
from tests.cli.words.stories import SH, Story, delivery, need, person

Json = dict[str, Any]

MAKE = AgentPlan(role="backend-expert", uses="command", config={"run": ["make", "test"]})
HAND = AgentPlan(role="frontend-expert", config={"instructions": "Look at it on a phone.\nThen report."})


def one(*agents: AgentPlan, **fields: Any) -> Plan:
    phase = PhasePlan(id="build", name="Build", index=0, agents=agents, agents_mode="parallel", **fields)
    after = PhasePlan(id="ship", name="Ship", index=1, agents=(person("r"),), needs=(need(0),))
    return Plan(id="x", name="X", phases=(phase, after))


def explained(story: Story, word: str) -> list[str]:
    return why(details(story.engine, find_phase(story.engine.state, word)), [], story.view)


def test_the_same_command_is_told_at_the_start_in_the_status_and_by_why() -> None:
    story = Story(one(HAND, outputs={"report": OutputPlan()}))
    command = "phaseloom workflow next -o report=…"
    assert started_run("wf_abc123", "X", story.view)[-2:] == [
        "To do: Look at it on a phone. Then report.",
        f"Complete it with: {command}",
    ]
    assert f"    {command}" in status(story.view)
    assert "    Look at it on a phone. Then report." in status(story.view)
    assert explained(story, "0")[-1] == f"Complete it with: {command}"


def test_where_next_would_be_refused_the_phase_is_named() -> None:
    story = Story(delivery())
    story.ask("next")
    story.ask("complete_phase", phase=1)
    assert "    phaseloom workflow complete-phase 2" in status(story.view)  # the last of an open group
    assert explained(story, "2")[-1] == "Complete it with: phaseloom workflow complete-phase 2"
    beside = Story(
        replace(one(HAND), phases=(*one(HAND).phases[:1], PhasePlan(id="t", name="T", index=1, agents=(SH,))))
    )
    beside.broke(1)
    assert "    phaseloom workflow complete-phase 0" in status(beside.view)  # a decision comes first


def test_why_tells_instructions_prompt_and_outputs_of_a_persons_phase() -> None:
    outputs = {"report": OutputPlan(description="what was seen"), "level": OutputPlan(type="integer", optional=True)}
    story = Story(one(HAND, prompt="Is ${run.id} good?", description="Looks.", outputs=outputs))
    assert explained(story, "0")[2:] == [
        "",
        "Looks.",
        "",
        "For frontend-expert:",
        "  Look at it on a phone.",
        "  Then report.",
        "",
        "What is asked:",
        "  Is wf_abc123 good?",
        "",
        "Outputs to give:",
        "- report: what was seen",
        "- level (integer, optional)",
        "",
        "Complete it with: phaseloom workflow next -o report=… -o level=…",
    ]


def test_status_shows_which_parts_of_a_shared_phase_are_done() -> None:
    story = Story(one(MAKE, HAND)).later(125)
    lines = status(story.view)
    at = next(number for number, line in enumerate(lines) if line.startswith("  ⟳ 0  Build"))
    assert lines[at].endswith("in_progress (started 2m ago, waits for frontend-expert)")
    assert lines[at + 1 : at + 3] == [
        "       ⟳ backend-expert   at work: command make test, for 2m 05s",
        "       → frontend-expert  open, waits for them",
    ]
    answer = story.ask("next")
    assert completed(answer, story.view)[0] == (
        "Recorded. Build (index: 0) goes on: frontend-expert's part is done; "
        "backend-expert works on it: command make test, for 2m."
    )
    assert "       ✓ frontend-expert  done" in status(story.view)


def test_who_retries_a_phase_learns_that_a_part_of_it_waits_for_people_again() -> None:
    story = Story(one(MAKE, HAND))
    story.broke(0)
    answer = story.ask("intervene", phase=0, action="retry")
    assert decided(answer, story.view)[1:] == [
        "To do: Look at it on a phone. Then report.",
        "Complete it with: phaseloom workflow next",
    ]


def test_who_gives_an_output_that_nobody_declared_is_told() -> None:
    story = Story(one(HAND, outputs={"plan": OutputPlan()}))
    assert completed(story.ask("next", outputs={"plna": 1}), story.view)[:2] == [
        "Phase completed.",
        "Note: Build declares no output plna (it declares: plan); it is kept all the same.",
    ]


def test_the_eta_and_what_decides_about_it_stand_at_the_top() -> None:
    eta = {
        "text": "ETA 10m 00s to 1h 00m",
        "high": 3600.0,
        "critical_path": ["build", "ship"],
        "slack": {"docs": 300.0},
    }
    assert status({**Story(one(HAND)).view, "eta": eta})[3:6] == [
        "Progress: 0/2 (0%), ETA 10m 00s to 1h 00m",
        "Critical path: build → ship",
        "Slack: docs 5m 00s",
    ]


def test_a_table_gives_way_to_a_narrow_terminal() -> None:
    rows = [("a" * 40, "running", "waits for somebody with a long name"), ("b", "failed", "x")]
    lines = table(rows, indent="  ", fits=50)
    assert all(width(line) <= 50 for line in lines)
    assert all(word in lines[0] for word in ("aaaa…", "running", "waits"))
    assert table(rows)[0].startswith("a" * 40)


def test_every_mark_has_an_ascii_one_and_no_two_are_alike() -> None:
    assert len(set(SYMBOLS.values())) == len(set(PLAIN.values())) == len(SYMBOLS)
    assert all(mark.isascii() for mark in ASCII.values())
