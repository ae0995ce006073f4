"""Kill everything while people are waited for: what is due comes on time."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.acceptance.conftest import Desk

SECONDS = 6.0
LATE = 20.0
"""How long after it is due, or after everything is back, a deadline may take on a machine that is busy."""

APPROVED = f"""\
id: approved
agents: {{builder: {{uses: command, run: [sh, -c, "echo x >> built"]}}}}
gates:
  go:
    checks: [{{name: fine, run: ["true"]}}]
    approval: {{by: [bo], deadline: {SECONDS:g}s, on_deadline: approve}}
phases:
  - {{name: Build, agents: [builder], gates: [go]}}
  - {{name: After, agents: [builder]}}
"""


def facts(desk: Desk, kind: str) -> list[dict[str, Any]]:
    """The facts of a kind in the run's journal: a command would take too much of the time until the deadline."""
    journals = (desk.root / ".phaseloom" / "workflows").glob("wf_*/journal.jsonl")
    lines = [line for file in journals for line in file.read_text(encoding="utf-8").splitlines(keepends=True)]
    found = [json.loads(line) for line in lines if line.endswith("\n")]
    return [fact for fact in found if fact["kind"] == kind]


def test_a_deadline_passes_on_time_though_everything_was_killed_while_it_ran(desk: Desk) -> None:
    desk.write("approved.yaml", APPROVED)
    desk.type("workflow", "start", "approved.yaml")
    desk.until(lambda: facts(desk, "gate_checked"), "the gate to wait for people")
    desk.kill("supervisor", "worker", "server")
    desk.type("workflow", "status")
    desk.until(desk.has_worker, "a worker")
    back = time.time()
    desk.type("workflow", "watch")
    assert desk.lines("built") == ["x", "x"], "each phase has run once"
    desk.until(lambda: facts(desk, "run_settled"), "the end to be written down")
    (settled,) = facts(desk, "gate_settled")
    assert settled["note"] == "nobody objected before the deadline"
    (checked,) = facts(desk, "gate_checked")
    due = checked["at"] + SECONDS
    assert due <= settled["at"] <= max(due, back) + LATE
