"""Forking and comparing at the command line: what is unaffected is not done again, and both runs know of each other."""

from __future__ import annotations

import asyncio
from typing import Any

from cli.api import Client
from tests.cli.program.person import Person, until

Json = dict[str, Any]

SHOP = """\
id: shop
inputs: {goal: {type: string, required: true}, flags: {type: string, default: none}}
agents:
  planner: {uses: command, run: [sh, note.sh, planned, "${inputs.goal}"]}
  builder: {uses: command, run: [sh, note.sh, built, "${phases.plan.outputs.text} with ${inputs.flags}"]}
  writer: {uses: command, run: [sh, note.sh, written, "${phases.plan.outputs.text}"]}
phases:
  - {name: Plan, agents: [planner]}
  - {name: Build, agents: [builder], depends_on: [plan]}
  - {name: Docs, agents: [writer], depends_on: [plan]}
  - {name: Ship, agents: [lead], depends_on: [build, docs]}
"""
NOTE = """\
echo "$1 $2" >> done.txt
printf '{"text": "%s %s"}' "$1" "$2" > "$PHASELOOM_OUTPUT"
"""


def shop(person: Person) -> str:
    (person.root / "definitions").mkdir(exist_ok=True)
    person.write("note.sh", NOTE)
    person.write("definitions/shop.yaml", SHOP)
    run: str = person.types("workflow", "start", "shop", "-i", "goal=a till", "--json").json["run"]
    ready(person)
    return run


def ready(person: Person) -> None:
    """Return once only the last phase is open."""
    until(lambda: person.view()["phases"][3]["status"] == "in_progress")


def work(person: Person) -> list[str]:
    return (person.root / "done.txt").read_text(encoding="utf-8").splitlines()


def test_only_what_a_change_affects_is_done_anew_and_the_runs_can_be_compared(person: Person) -> None:
    old = shop(person)
    said = person.types("workflow", "fork", old, "--at", "build", "--set", "inputs.flags=cash")
    ready(person)
    new = person.current
    assert f"{new} is a fork of {old} at build." in said.out
    assert "Reused: plan" in said.out
    assert "built planned a till with cash" in work(person)
    assert work(person).count("planned a till") == 1
    view = person.view()
    assert (view["forked_from"], view["checkpoint"]) == (old, "build")
    assert f"Forked as: {new} from build" in person.types("workflow", "status", "--run", old).out
    assert person.types("workflow", "status", "--run", old, "--json").json["status"] == "running"
    told = person.types("workflow", "compare", old, new, "--json").json
    rows = {row["id"]: row for row in told["phases"]}
    assert (told["runs"], rows["plan"]["reused_from"]) == ([old, new], [None, old])
    assert rows["build"]["outputs"] == [
        {
            "name": "text",
            "sides": [{"value": "built planned a till with none"}, {"value": "built planned a till with cash"}],
        }
    ]
    assert rows["build"]["attempts"] == [1, 1]
    shown = person.types("workflow", "compare", old, new).out
    assert "inputs.flags: none -> cash" in shown
    assert "completed (reused)" in shown
    until(lambda: {old, new} <= person.runs().keys())
    assert (person.runs()[new]["forked_from"], person.runs()[old]["forked_as"]) == (old, new)
    for run in (old, new):
        person.types("workflow", "cancel", "--run", run)


def test_an_output_or_the_definition_may_be_another_one_and_what_makes_no_sense_is_refused(person: Person) -> None:
    old = shop(person)
    told = person.types("workflow", "fork", "--output", "plan.text=mine", "--json").json
    assert (told["reused"], told["anew"]) == (["plan"], ["build", "docs", "ship"])
    ready(person)
    assert "written mine" in work(person)
    person.write("other.yaml", SHOP.replace("note.sh, written", "note.sh, rewritten"))
    told = person.types("workflow", "fork", old, "--definition", "other.yaml", "--json").json
    assert sorted(told["reused"]) == ["build", "plan"]
    ready(person)
    assert "rewritten planned a till" in work(person)
    assert person.tries("workflow", "fork", old, "--output", "ship.text=x").code == 4
    assert person.tries("workflow", "fork", old, "--output", "text=x").code == 2
    wrong = person.tries("workflow", "fork", old, "--output", "plan.txet=x")
    assert (wrong.code, "has no output 'txet' (did you mean 'text'?)" in wrong.err) == (4, True)
    assert person.tries("workflow", "fork", old, "--set", "goal=x").code == 2
    assert person.tries("workflow", "fork", old, "--set", "inputs.gaol=x").code == 2
    assert person.tries("workflow", "fork", old, "--at", "nowhere").code == 4
    asyncio.run(by_hand(person, old))


async def by_hand(person: Person, old: str) -> None:
    async with Client.connect(person.root) as client:
        new = await client.fork(old, inputs={"flags": "card"})
        assert (await new.view()).forked_from == old
        compared = await client.compare(old, new)
        assert [inputs["flags"] for inputs in compared.inputs] == ["none", "card"]
        for run in await client.runs():
            await (await client.run(run.run)).cancel()
