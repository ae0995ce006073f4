"""Agents that share a context and get in each other's way, as an operator sees it."""

from __future__ import annotations

import json

from tests.cli.program.person import Person, until

AGENT = """\
import json, os, pathlib, sys, time

given = json.load(open(os.environ["PHASELOOM_INPUT"]))
mine, other, writes = sys.argv[1:4]
pathlib.Path(mine + "-began").touch()
while not pathlib.Path(other).exists():
    time.sleep(0.02)
pathlib.Path("seen-" + mine).write_text(json.dumps({"context": given["context"], "version": given["context_version"]}))
json.dump({"context": json.loads(writes), "done": mine}, open(os.environ["PHASELOOM_OUTPUT"], "w"))
"""
BACKEND = {"api": {"users": "GET /users"}, "notes": ["backend"], "port": 8000, "guide": "x" * 9000 + "\nend\n"}
FRONTEND = {"api": {"pages": "GET /pages"}, "notes": ["frontend"], "port": 3000}
SHOP = f"""\
id: shop
agents:
  backend: {{uses: command, run: [python3, agent.py, backend, frontend-began, '{json.dumps(BACKEND)}']}}
  frontend: {{uses: command, run: [python3, agent.py, frontend, backend-done, '{json.dumps(FRONTEND)}']}}
  checker: {{uses: command, run: [python3, agent.py, checker, backend-done, '{{"api": {{}}}}']}}
context:
  api: {{type: object, default: {{}}}}
  notes: {{type: list}}
  port: {{type: integer, description: where the shop is}}
  guide: {{type: string, owner: backend}}
phases:
  - {{id: backend, agents: [backend], parallel: true, context: {{read: [api], write: [api, notes, port, guide]}}}}
  - {{id: frontend, agents: [frontend], parallel: true, context: {{read: [api], write: [api, notes, port]}}}}
  - {{id: check, agents: [checker], prompt: "Port ${{context.port}}", context: {{read: [api, notes, port, guide]}}}}
"""


def started(person: Person) -> None:
    person.write("agent.py", AGENT)
    person.types("workflow", "start", person.write("shop.yaml", SHOP))
    until((person.root / "seen-backend").exists)
    until(lambda: person.view()["context_version"] == 1)
    person.write("backend-done", "")


def test_what_can_be_merged_is_and_a_person_decides_about_the_rest(person: Person) -> None:
    started(person)
    until(lambda: person.view()["status"] == "paused")
    shown = person.types("workflow", "status").out
    assert "frontend and backend (in backend) both changed the context key port" in shown
    assert "1. Keep what the others have written, drop what frontend wrote" in shown
    assert "Some need more: 3 --context KEY=…" in shown
    why = person.types("workflow", "why", "frontend").out
    assert "Not in the shared context: what frontend wrote." in why
    assert "3000" in why
    assert "8000  (backend in backend, version 1)" in why
    assert "api:" not in why, "that has been merged"
    said = person.tries("workflow", "intervene", "replace_context", "--context", "port=none")
    assert said.code != 0
    assert "an integer is needed" in said.err
    person.types("workflow", "intervene", "replace_context", "-c", "port=4000")
    until(lambda: person.view()["status"] == "paused")

    # The check has no right to write: it fails, nothing is written, and it says whose key that is.
    refused = person.types("workflow", "status", "check", "--json").json
    assert refused["error"]["code"] == "context_refused"
    assert "its phase does not declare to write it" in refused["error"]["message"]
    seen = json.loads((person.root / "seen-checker").read_text(encoding="utf-8"))
    assert seen["version"] == 2
    assert seen["context"]["guide"] == BACKEND["guide"]
    assert seen["context"]["api"] == {"users": "GET /users", "pages": "GET /pages"}
    assert seen["context"]["notes"] == ["backend", "frontend"]
    assert seen["context"]["port"] == 4000
    first = json.loads((person.root / "seen-frontend").read_text(encoding="utf-8"))
    assert first == {"context": {"api": {}}, "version": 0}, "what was there when it began"

    person.types("workflow", "intervene", "cancel", "--phase", "check")
    until(lambda: person.view()["ended_at"] is not None)
    looks_at_an_ended_run(person)


def looks_at_an_ended_run(person: Person) -> None:
    shown = person.types("workflow", "context", "show").out
    assert "Version: 2" in shown
    assert "4000" in shown
    whole = person.types("workflow", "context", "show", "guide").lines
    assert whole[-2:] == ["x" * 9000, "end"]
    assert "of backend" in whole[0]
    before = person.types("workflow", "context", "show", "port", "--at", "1", "--json").json
    assert (before["keys"][0]["value"], before["keys"][0]["by"]) == (8000, "backend")
    history = person.types("workflow", "context", "history", "port", "--json").json["versions"]
    assert [(one["version"], one["by"], one.get("decision")) for one in history] == [
        (1, "backend", None),
        (2, "ana", "replace_context"),
    ]
    assert "(replace_context by ana)" in person.types("workflow", "context", "history").lines[2]
    changed = person.types("workflow", "context", "diff", f"@{history[0]['fact']}").lines
    assert '  + pages: "GET /pages"' in changed
    assert "  ~ 8000 -> 4000" in changed
    assert '  + [1]: "frontend"' in changed
    only = person.types("workflow", "context", "diff", "0", "1", "--key", "port", "--json").json
    assert only["keys"][0]["changes"] == [{"change": "add", "path": "", "new": 8000}]
    assert person.types("workflow", "context", "diff", "2").lines == [
        "Nothing changed between version 2 and version 2."
    ]
    there = person.types("workflow", "checkpoints", "show", "backend", "--json").json
    assert (there["context_version"], there["context"]["port"]) == (1, 8000)
    changed = person.types("workflow", "checkpoints", "diff", "backend").lines
    assert "  context port: 8000 -> 4000" in changed
    said = person.tries("workflow", "context", "show", "prot")
    assert said.code != 0
    assert "did you mean 'port'?" in said.err
    assert "Context: version 1 by backend in backend" in person.types("workflow", "logs").out


def test_a_person_writes_keys_when_completing_a_phase(person: Person) -> None:
    text = "context: {plan: {owner: lead}, port: {type: integer, owner: ops}}\nphases: [{id: one, agents: [lead]}]\n"
    file = person.write("hand.yaml", text + "agents: {lead: {uses: manual}, ops: {uses: manual}}\n")
    person.types("workflow", "start", file)
    said = person.tries("workflow", "next", "--context", "port=1")
    assert said.code != 0
    assert "belongs to ops" in said.err
    person.types("workflow", "complete-phase", "one", "-c", 'plan=["a"]')
    assert person.types("workflow", "context", "show", "plan", "--json").json["keys"][0]["value"] == ["a"]
