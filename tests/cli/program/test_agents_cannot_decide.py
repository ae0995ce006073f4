"""What an agent runs cannot decide about a gate, whatever name it gives."""

from __future__ import annotations

from tests.cli.program.person import Person, until

SELF_MADE = """\
name: Self made
agents:
  cheat:
    uses: command
    run: [phaseloom, workflow, gate, approve, go, --run, "${run.id}", --actor, ana]
    ok_exit_codes: [4]
  owner: {uses: manual}
gates: {go: {approval: {by: [ana], evidence: optional}}}
phases:
  - {name: Ask, agents: [owner], gates: [go]}
  - {name: Start, agents: [owner], depends_on: []}
  - {name: Cheat, agents: [cheat], depends_on: [start]}
"""


def test_an_agent_that_approves_its_own_gate_is_refused_and_the_journal_says_so(person: Person) -> None:
    person.write("self-made.yaml", SELF_MADE)
    person.types("workflow", "start", "self-made.yaml")
    person.types("workflow", "complete-phase", "ask", PHASELOOM_ACTOR="bo")
    person.types("workflow", "complete-phase", "start", PHASELOOM_ACTOR="bo")

    def cheated() -> bool:
        return any(row["id"] == "cheat" and row["status"] == "completed" for row in person.view()["phases"])

    until(cheated)
    assert person.view()["gates"][0]["gate_status"] == "waiting"
    refused = "decide_gate refused: agent:cheat: what an agent runs decides about no gate"
    until(lambda: refused in person.types("workflow", "logs").out)
    assert person.types("workflow", "gate", "approve", "go").lines[0] == "go is passed."
