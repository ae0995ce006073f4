"""The catalog at work: people and commands together, commands alone, and a program that is missing."""

from __future__ import annotations

import os
from pathlib import Path

from tests.cli.program.person import Person, until

TWO_BOUND = """
agents:
  backend-expert: {uses: command, run: [touch, backend.txt]}
  testing-expert:
    uses: command
    run: [sh, -c, "test -f backend.txt && echo 1 passed"]
    outputs:
      report: {type: string, value: "${stdout}"}
"""

AGENT = """
import json, os
from pathlib import Path

known = json.loads(Path(os.environ["PHASELOOM_INPUT"]).read_text())
prompt = Path(os.environ["PHASELOOM_PROMPT_FILE"]).read_text()
role = os.environ["PHASELOOM_AGENT"]
told = {name: phase["outputs"] for name, phase in known["phases"].items()}
said = {
    "analyst": lambda: {"problem": known["inputs"]["idea"], "target_users": ["ana"], "constraints": []},
    "pm": lambda: {"user_stories": [told["analyst"]["problem"] + "!"], "acceptance_criteria": ["loud"]},
    "ux_expert": lambda: {"flows": told["pm"]["user_stories"], "screens": []},
    "architect": lambda: {"architecture": "small", "api": told["pm"]["user_stories"]},
    "developer": lambda: {"summary": " ".join(told["ux_expert"]["flows"] + told["architect"]["api"]), "files": []},
    "qa": lambda: {"passed": told["developer"]["summary"] in prompt, "report": told["developer"]["summary"]},
}[role]()
Path(os.environ["PHASELOOM_OUTPUT"]).write_text(json.dumps(said))
"""

PIPELINE = "agents:\n" + "".join(
    f"  {role}: {{uses: command, run: [python3, agent.py]}}\n"
    for role in ("analyst", "pm", "ux_expert", "architect", "developer", "qa")
)

CLAUDE = """#!/bin/sh
cat > "said-$PHASELOOM_PHASE-$PHASELOOM_AGENT.txt"
echo "$@" > "arguments-$PHASELOOM_AGENT.txt"
case $PHASELOOM_AGENT in reviewer) echo REQUEST_CHANGES;; *) echo "the words of $PHASELOOM_AGENT";; esac
"""


def phase(person: Person, name: str) -> str:
    """The status of one phase of the current run."""
    return next(str(phase["status"]) for phase in person.view()["phases"] if phase["id"] == name)


def passes_gate(person: Person, gate: str, after: str) -> None:
    """Nothing in the directory tells how it is checked, so the gate stops; somebody lets it be."""
    until(lambda: phase(person, after) == "paused")
    assert "nothing in this project tells how to check its lint" in person.types("workflow", "gate", "show", gate).out
    assert "is waived" in person.types("workflow", "gate", "waive", gate, "--reason", "two files").out


def test_a_lifecycle_is_gone_through_by_two_commands_and_people_and_goes_back(person: Person) -> None:
    person.write("phaseloom.yaml", TWO_BOUND)
    started = person.types("workflow", "start", "development-lifecycle", "--input", "goal=a till")
    assert "not in effect" not in started.err
    assert "In progress: Ideation (index: 0) [research-expert]" in started.lines
    person.types("workflow", "next", "--output", "brief=add prices")
    person.types("workflow", "next")
    assert "Started Development (index: 3)." in person.types("workflow", "next").lines
    person.types("workflow", "complete-phase", "development")
    passes_gate(person, "pre-commit", "development")
    assert (person.root / "backend.txt").exists()
    passes_gate(person, "pre-push", "testing")
    assert "1 passed" in person.types("workflow", "logs", "testing").out
    until(lambda: phase(person, "review") == "in_progress")
    said = person.types("workflow", "next")
    assert said.lines[0].startswith("Recorded. Review (index: 5) is done once its gate is passed: pre-deploy")
    passes_gate(person, "pre-deploy", "review")
    for following in ("Monitor", "Iterate"):
        assert any(f"Started {following}" in line for line in person.types("workflow", "next").lines)
    run = person.current
    back = person.types("workflow", "next", "--output", "return_to=deploy", "--output", "decision=once more")
    assert "Started Deploy (index: 6)." in back.lines
    for _ in range(2):
        person.types("workflow", "next")
    ended = person.types("workflow", "next", "--output", "decision=done")
    assert "The workflow is complete." in ended.lines
    view = person.types("workflow", "status", "--json", "--run", run).json
    assert [(phase["status"], phase["epoch"]) for phase in view["phases"]] == [
        *[("completed", 0)] * 6,
        *[("completed", 1)] * 3,
    ]


def test_the_agent_pipeline_hands_typed_outputs_on_without_people(person: Person) -> None:
    person.write("agent.py", AGENT)
    person.write("phaseloom.yaml", PIPELINE)
    said = person.types("run", "agent-pipeline", "--input", "idea=a till", "--non-interactive")
    assert "  passed: true" in said.lines
    assert "  report: a till! a till!" in said.lines


def test_an_unbound_pipeline_is_refused_where_nobody_is(person: Person) -> None:
    person.write("phaseloom.yaml", PIPELINE.replace("  qa:", "  other:"))
    said = person.tries("run", "agent-pipeline", "--input", "idea=a till", "--non-interactive")
    assert said.code != 0
    assert "people are needed for: qa" in said.err


def test_without_its_program_aspir_ends_and_says_what_to_bind(alone: Person, tmp_path: Path) -> None:
    (tmp_path / "sh").symlink_to("/bin/sh")
    said = alone.tries("run", "aspir", "--input", "feature=a mean", PATH=str(tmp_path))
    assert said.code == 1
    assert "there is no program 'claude' here" in said.out + said.err
    assert "bind the role specifier in phaseloom.yaml" in said.out + said.err


def test_aspir_gives_prompts_to_its_program_and_revises_what_the_review_asks_for(alone: Person, tmp_path: Path) -> None:
    program = tmp_path / "claude"
    program.write_text(CLAUDE, encoding="utf-8")
    program.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    said = alone.types("run", "aspir", "--input", "feature=a mean", "--non-interactive", PATH=path)
    assert "✓ All steps complete" in said.lines
    assert "a mean" in (alone.root / "said-specify-specifier.txt").read_text()
    assert "the words of specifier" in (alone.root / "said-plan-planner.txt").read_text()
    assert "REQUEST_CHANGES" in (alone.root / "said-revise-builder.txt").read_text()
    assert (alone.root / "arguments-builder.txt").read_text() == "-p --permission-mode acceptEdits\n"
    assert (alone.root / "arguments-planner.txt").read_text() == "-p\n"
