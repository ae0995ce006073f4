"""Everything is killed in the middle of a restore: the run is restored all the same, and nobody from before is left."""

from __future__ import annotations

import json

from tests.acceptance.conftest import Desk, alive
from tests.cli.program.person import Person

LONG = """\
id: long
agents:
  first: {uses: command, run: [sh, -c, "echo x >> first"]}
  worker:
    uses: command
    run: [sh, -c, "trap '' TERM; echo $$ >> pids; until test -e go; do sleep 0.05; done; echo x >> ended"]
phases:
  - {name: First, agents: [first]}
  - {name: A, agents: [worker], parallel: true, timeout: never}
  - {name: B, agents: [worker], parallel: true, timeout: never}
"""


def kinds(desk: Desk) -> list[str]:
    (journal,) = (desk.root / ".phaseloom" / "workflows").glob("wf_*/journal.jsonl")
    whole, _, _ = journal.read_text(encoding="utf-8").rpartition("\n")  # the last line may be half written
    return [json.loads(line)["kind"] for line in whole.splitlines()]


def test_a_restore_is_carried_out_although_everything_is_killed_in_its_middle(desk: Desk) -> None:
    desk.write("long.yaml", LONG)
    desk.type("run", "long.yaml", "--detach")
    desk.until(lambda: len(desk.lines("pids")) == 2, "two agents")
    before = [int(pid) for pid in desk.lines("pids")]
    restoring = desk.begin("workflow", "restore", "first", "--yes")
    # The worker's file has a decision a moment before the server has it; asked, it tells only what will stay.
    # It is asked in this process: the start of one for each look would take too much of the agents' grace of 10 s.
    ann = Person(desk.root)
    desk.until(lambda: "restoring" in ann.view(), "the restore to begin")
    assert "restored" not in kinds(desk)  # the agents take no notice of SIGTERM
    desk.kill("supervisor", "worker", "server")
    restoring.kill()
    restoring.communicate()
    desk.type("workflow", "status")
    desk.until(lambda: "restored" in kinds(desk) and len(desk.lines("pids")) == 4, "the agents to run again")
    assert not any(alive(pid) for pid in before)
    desk.write("go", "")
    desk.type("workflow", "watch")
    assert (len(desk.lines("first")), len(desk.lines("ended"))) == (1, 2)
    rows = json.loads(desk.type("runs", "--all", "--json"))["runs"]
    assert [row["status"] for row in rows] == ["completed"]
