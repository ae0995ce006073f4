"""Kill everything while people are waited for: what is due comes on time."""

from __future__ import annotations

import json
import time

from tests.acceptance.conftest import Desk

SECONDS = 6.0
LATE = 2.0
"""How long after it is due, or after everything is back, a deadline may take."""

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


def waits(desk: Desk) -> bool:
    """Whether people are waited for."""
    gates = json.loads(desk.type("workflow", "gate", "list", "--json"))["gates"]
    return bool(gates) and gates[0]["gate_status"] == "waiting"


def test_a_deadline_passes_on_time_though_everything_was_killed_while_it_ran(desk: Desk) -> None:
    desk.write("approved.yaml", APPROVED)
    desk.type("workflow", "start", "approved.yaml")
    desk.until(lambda: waits(desk), "the gate to wait for people")
    desk.kill("supervisor", "worker", "server")
    desk.type("workflow", "status")
    back = time.time()
    desk.type("workflow", "watch")
    assert desk.lines("built") == ["x", "x"], "each phase has run once"
    (journal,) = (desk.root / ".phaseloom" / "workflows").glob("wf_*/journal.jsonl")
    facts = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    (settled,) = [fact for fact in facts if fact["kind"] == "gate_settled"]
    assert settled["note"] == "nobody objected before the deadline"
    (checked,) = [fact for fact in facts if fact["kind"] == "gate_checked"]
    due = checked["at"] + SECONDS
    assert due <= settled["at"] <= max(due, back) + LATE
