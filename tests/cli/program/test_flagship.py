"""The feature delivery of the design: people, agents that mend, a gate with two approvals, from the file to the end.

`feature-delivery.yaml` is that file; only the groups that its gate names are added. Stand-ins for `pytest` and `aider`
come first on the search path.
"""

from __future__ import annotations

import os
from pathlib import Path

from definitions import compile_plan, env_names, load_text, not_in_effect
from tests.cli.program.person import Person, until
from tests.cli.program.test_gates import of_kind, stands

DELIVERY = (Path(__file__).parent / "feature-delivery.yaml").read_text(encoding="utf-8")
PYTEST = """\
#!/bin/sh
echo x >> rounds
if [ "$(wc -l < rounds)" = 1 ]; then
  echo '{"summary": {"failed": 2}, "coverage": 0.4}'
  exit 1
fi
echo '{"summary": {"failed": 0}, "coverage": 0.9}'
"""
AIDER = """\
#!/bin/sh
cat "$2" >> prompts
echo >> prompts
"""


def works_at(person: Person, phase: str) -> bool:
    """Whether the phase is in progress and nothing but a person is waited for there."""
    return any(row["id"] == phase and row.get("waits_for") == "person" for row in person.view()["active"])


def test_all_of_it_is_in_effect() -> None:
    checked = load_text(DELIVERY, file="feature-delivery.yaml")
    assert [d for d in checked.diagnostics if d.severity == "error"] == []
    plan = compile_plan(checked, dict.fromkeys(env_names(checked), ""))
    assert list(not_in_effect(plan)) == []
    by_id = {phase.id: phase for phase in plan.phases}
    (gate,) = by_id["test"].gates
    assert gate.approval is not None
    assert (gate.approval.people, gate.approval.escalate_to) == (("ana", "bo", "cy"), ("dee",))
    assert by_id["test"].jumps[0].to == by_id["fix"].index
    assert by_id["fix"].on_jump


def test_it_runs_from_the_design_to_the_release(alone: Person) -> None:
    programs = alone.root / "programs"
    programs.mkdir()
    for name, script in (("pytest", PYTEST), ("aider", AIDER)):
        (programs / name).write_text(script, encoding="utf-8")
        (programs / name).chmod(0o755)
    alone.environ["PATH"] = f"{programs}{os.pathsep}{alone.environ['PATH']}"
    file = alone.write("feature-delivery.yaml", DELIVERY.replace("rate_limit_delay: 5s", "rate_limit_delay: 0s"))
    assert "not in effect" not in alone.types("validate", file).out
    said = alone.types("workflow", "start", file, "--input", "feature=login")
    assert "not in effect" not in said.out + said.err

    alone.types("workflow", "next", "--output", "contract=POST /login")
    until(lambda: works_at(alone, "frontend"))
    alone.types("workflow", "complete-phase", "frontend")
    evidence = stands(alone, "waiting")["evidence"]
    assert alone.root.joinpath("prompts").read_text().splitlines() == [
        "Build login: POST /login",
        "Make the failing tests pass",
    ]
    until(lambda: len(of_kind(alone, "gate_checked")) == 2)
    assert [fact["data"]["status"] for fact in of_kind(alone, "gate_checked")] == ["failed", "passed"]
    alone.types("workflow", "gate", "approve", "pre-push", "--evidence", evidence)
    alone.types("workflow", "gate", "approve", "pre-push", "--evidence", evidence, "--actor", "cy")
    until(lambda: works_at(alone, "release"))
    alone.types("workflow", "next")
    assert "All services deployed" in alone.types("workflow", "status").out
    alone.types("workflow", "signal", "All services deployed")
    view = alone.view()
    assert view["status"] == "completed"
    assert {row["status"] for row in view["phases"]} == {"completed"}
