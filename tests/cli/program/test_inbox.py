"""`phaseloom inbox` over two runs and two people, and the walk through the gates in it on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.program.person import Person, until

Json = dict[str, Any]

APP = """
name: App
agents: {builder: {uses: command, run: ["true"]}}
gates:
  go:
    description: Ship it?
    approval: {by: [ana, bo], need: 2, deadline: 3d, form: {risk: string, hosts: integer}}
phases:
  - {name: Build, agents: [builder], gates: [go]}
"""

SITE = """
name: Site
agents: {builder: {uses: command, run: ["true"]}}
gates: {look: {approval: {by: [bo], deadline: 1d}}}
phases:
  - {name: Draw, agents: [builder], gates: [look]}
"""


def items(person: Person, *options: str) -> list[Json]:
    found: list[Json] = person.types("inbox", "--json", *options).json["items"]
    return found


@pytest.fixture
def runs(person: Person) -> dict[str, str]:
    """The ids of two runs by definition, each at its gate."""
    person.write("app.yaml", APP)
    person.write("site.yaml", SITE)
    found = {
        name: str(person.types("workflow", "start", f"{name}.yaml", "--json").json["run"]) for name in ("app", "site")
    }
    until(lambda: {item["run"] for item in items(person, "--all")} >= set(found.values()))
    return found


def test_everybody_sees_what_waits_for_them_over_all_runs_the_first_deadline_first(
    person: Person, runs: dict[str, str]
) -> None:
    (mine,) = items(person)
    assert (mine["run"], mine["kind"], mine["what"], mine["mine"]) == (runs["app"], "gate", "go", True)
    assert mine["gate"]["evidence"].startswith("sha256:")
    assert [(i["run"], i["mine"]) for i in items(person, "--all")] == [(runs["site"], False), (runs["app"], True)]
    assert [(i["run"], i["mine"]) for i in items(person, "--actor", "bo")] == [
        (runs["site"], True),
        (runs["app"], True),
    ]

    said = person.types("inbox")
    assert said.lines[1].startswith("gate go")
    assert "1 gate waits for others: phaseloom inbox --all" in said.lines
    command = next(line.split() for line in said.lines if line.startswith("    phaseloom"))
    shown = person.types(*command[1:])
    assert "Ship it?" in shown.lines
    assert f"approve go --run {runs['app']} --evidence" in shown.out

    person.types("workflow", "cancel", "--run", runs["site"])
    person.types("workflow", "cancel", "--run", runs["app"])
    until(lambda: not items(person, "--all"))
    assert person.types("inbox").lines == ["Nothing waits for you (ana)."]


def test_a_walk_needs_somebody_to_ask_and_options_in_their_place(person: Person) -> None:
    said = person.tries("inbox", "decide")
    assert said.code == 2
    assert "phaseloom workflow gate approve GATE --run ID --evidence DIGEST" in said.err
    said = person.tries("inbox", "--actor", "bo", "decide")
    assert said.code == 2
    assert said.err.startswith("error: --actor stands before 'decide'")


def answering(*steps: tuple[str, Callable[[], object] | str]) -> Callable[[str], str | None]:
    """Waits for each question in turn, and answers it; an answer may be looked up only then."""
    left, seen = list(steps), [0]

    def see(shown: str) -> str | None:
        if not left or left[0][0] not in shown[seen[0] :]:
            return None
        question, answer = left.pop(0)
        seen[0] = shown.index(question, seen[0]) + len(question)
        return str(answer() if callable(answer) else answer)

    return see


@pytest.mark.skipif(sys.platform != "linux", reason="terminals differ in what is read after their end")
def test_a_walk_shows_each_gate_asks_sends_and_goes_on_after_a_refusal(person: Person, runs: dict[str, str]) -> None:
    asked = "[q]uit: "
    walk = answering(
        (asked, "maybe\n"),
        (asked, "a\n"),
        ("risk (string): ", "low\n"),
        ("hosts (integer): ", "\n"),
        ("hosts (integer): ", "12\n"),
        ("Comment (may be empty): ", "looks right\n"),
    )
    shown = person.on_terminal("inbox", "decide", columns=100, seeing=walk)
    assert f"[1/1] Run: {runs['app']} (App)" in shown
    assert "Evidence: sha256:" in shown
    assert "To approve it, fill in: risk (string), hosts (integer)" in shown
    assert "go: 1 of 2 approved; it waits on." in shown
    assert "Gates: 1 approved." in shown
    (vote,) = next(i for i in items(person, "--actor", "bo") if i["run"] == runs["app"])["gate"]["votes"]
    assert (vote["who"], vote["comment"], vote["form"]) == ("ana", "looks right", {"risk": "low", "hosts": 12})
    assert items(person) == [], "who has approved is not asked again"

    def meanwhile() -> str:
        person.types("workflow", "gate", "retry", "go", "--run", runs["app"])
        return "\n"

    walk = answering(
        (asked, "c\n"),
        ("Why (empty: decide otherwise): ", "\n"),
        (asked, "c\n"),
        ("Why (empty: decide otherwise): ", "bigger\n"),
        (asked, "a\n"),
        ("risk (string): ", "low\n"),
        ("hosts (integer): ", "1\n"),
        ("Comment (may be empty): ", meanwhile),
    )
    shown = person.on_terminal("inbox", "decide", "--actor", "bo", columns=100, seeing=walk)
    assert "Draw starts again." in shown
    assert "Not decided: " in shown
    assert "Gates: 1 sent back, 1 not decided." in shown
    until(lambda: "bigger" in person.types("workflow", "logs", "--run", runs["site"]).out)

    until(lambda: {item["run"] for item in items(person, "--actor", "bo")} == set(runs.values()))
    walk = answering((asked, "s\n"), (asked, "q\n"))
    shown = person.on_terminal("inbox", "decide", columns=100, seeing=walk, PHASELOOM_ACTOR="bo")
    assert "Gates: 1 left for now, 1 not looked at." in shown
