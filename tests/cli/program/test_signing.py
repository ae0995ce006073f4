"""Signed decisions as people meet them: keys, a run that asks for them, what is refused, and what doctor says."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from activities.environment import build
from tests.cli.program.person import Person, until
from tests.cli.program.test_gates import of_kind, signals, stands
from tests.cli.program.test_inbox import answering

Json = dict[str, Any]

RELEASE = """\
id: release
agents:
  builder: {uses: command, run: ["true"]}
  cheat:
    uses: command
    run: [phaseloom, workflow, gate, approve, go, --run, "${run.id}", --actor, ana]
    ok_exit_codes: [4]
gates: {go: {approval: {by: [ana, bo], evidence: optional}}}
phases:
  - {name: Build, agents: [builder], gates: [go]}
  - {name: Cheat, agents: [cheat], depends_on: []}
"""


@pytest.fixture(autouse=True)
def own_keys(person: Person, tmp_path: Path) -> Iterator[None]:
    """Nobody has a key, the project has no settings, and in the end no run is open."""
    before = dict(person.environ)
    person.environ["XDG_CONFIG_HOME"] = str(tmp_path)
    yield
    for run in person.types("runs", "--json").json["runs"]:
        person.tries("workflow", "cancel", "--run", run["run"])  # the list may be a moment old
    person.environ = before
    (person.root / "phaseloom.yaml").unlink(missing_ok=True)


def key_of(person: Person, name: str) -> Json:
    """A key that is made for somebody; the project knows it from then on."""
    made: Json = person.types("keys", "create", name, "--json").json
    file = person.root / "phaseloom.yaml"
    there = file.read_text(encoding="utf-8") if file.exists() else "signing:\n  keys:\n"
    file.write_text(f"{there}    {name}: {made['public']}\n", encoding="utf-8")
    return made


def started(person: Person) -> None:
    person.types("workflow", "start", person.write("release.yaml", RELEASE))
    stands(person, "waiting")


def test_a_run_with_keys_takes_signed_decisions_only_and_writes_down_the_others(person: Person) -> None:
    key = key_of(person, "ana")
    person.types("workflow", "start", person.write("release.yaml", RELEASE))
    until(lambda: any(row["id"] == "cheat" and row["status"] == "completed" for row in person.view()["phases"]))
    gate = stands(person, "waiting")
    signals(person, "decide_gate", gate="go", decision="approve", actor="ana", evidence=gate["evidence"])
    signals(person, "intervene", phase="build", action="skip", reason="x", actor="ana")
    until(lambda: len(of_kind(person, "message_refused")) >= 3)
    told = [fact["data"]["why"] for fact in of_kind(person, "message_refused")]
    assert "agent:cheat: what an agent runs decides about no gate" in told
    assert sum("has to be signed" in why for why in told) == 1
    stranger = person.tries("workflow", "gate", "approve", "go", "--actor", "bo")
    assert stranger.code == 4
    assert "bo has no key in it" in stranger.err
    said = person.types("workflow", "gate", "approve", "go", "--comment", "ship it")
    assert said.lines[0] == "go is passed."
    until(lambda: of_kind(person, "message_signed"))
    (signed,) = of_kind(person, "message_signed")
    assert (signed["actor"], signed["data"]["key"]) == ("ana", key["public"])
    assert signed["data"]["statement"]["payload"]["comment"] == "ship it"
    assert "Message decide_gate signed by ana" in person.types("workflow", "logs").out


def test_no_agent_is_given_the_key_of_the_worker() -> None:
    of_worker = {"PHASELOOM_KEY": "/keys/ana.key", "HOME": "/home/ana"}
    given = build(of_worker, passed=["PHASELOOM_KEY"], given={"PHASELOOM_KEY": "x"}, own={})
    assert "PHASELOOM_KEY" not in given.variables
    assert any("PHASELOOM_KEY is never passed" in warning for warning in given.warnings)


def test_the_stock_client_sends_what_was_signed_here_and_cannot_send_it_again(person: Person) -> None:
    key_of(person, "ana")
    started(person)
    decision = json.dumps({"gate": "go", "decision": "approve"})
    payload: Json = json.loads(person.types("sign", "decide_gate", decision).out)
    signals(person, "decide_gate", **{**payload, "decision": "reject", "comment": "no"})
    signals(person, "decide_gate", **payload)
    until(lambda: of_kind(person, "gate_decided"))
    (decided,) = of_kind(person, "gate_decided")
    assert decided["data"]["decision"] == "approve"
    assert "not one of ana" in json.dumps(of_kind(person, "message_refused"))
    started(person)
    signals(person, "decide_gate", **payload)
    until(lambda: of_kind(person, "message_refused"))
    assert stands(person, "waiting")["approvals"] == 0
    wrong = person.tries("sign", "pause", "{}")
    assert (wrong.code, "is never signed" in wrong.err) == (4, True)
    late = person.tries("sign", "decide_gate", '{"gate": "nothing", "decision": "approve"}')
    assert (late.code, "there is no gate 'nothing'" in late.err) == (4, True)
    assert person.tries("sign", "decide_gate", "[]").code == 2
    assert person.tries("sign", "decide_gate", "{").code == 2


@pytest.mark.skipif(sys.platform != "linux", reason="terminals differ in what is read after their end")
def test_the_walk_through_the_inbox_signs(person: Person) -> None:
    key_of(person, "ana")
    started(person)
    walk = answering(("[q]uit: ", "a\n"), ("Comment (may be empty): ", "\n"))
    shown = person.on_terminal("inbox", "decide", columns=100, seeing=walk)
    assert "go is passed." in shown
    until(lambda: of_kind(person, "message_signed"))


def test_a_run_with_keys_goes_back_when_somebody_with_a_key_says_so(person: Person) -> None:
    made = key_of(person, "ana")
    other = person.types("keys", "create", "other", "--json").json
    started(person)
    signals(person, "restore", checkpoint="beginning", actor="ana")
    until(lambda: any("restore has to be signed" in fact["data"]["why"] for fact in of_kind(person, "message_refused")))
    wrong = person.tries("workflow", "restore", "beginning", "--yes", "--key", other["file"])
    assert (wrong.code, "is not a key that" in wrong.err) == (4, True)
    assert person.types("workflow", "restore", "beginning", "--yes", "--key", made["file"], "--json").json["in_place"]
    stands(person, "waiting")
    until(lambda: of_kind(person, "message_signed"))
    assert [fact["data"]["statement"]["message"] for fact in of_kind(person, "message_signed")] == ["restore"]


def test_without_the_right_key_the_command_says_which_file_and_what_to_do(person: Person) -> None:
    made = key_of(person, "ana")
    other = person.types("keys", "create", "other", "--json").json
    started(person)
    file = Path(made["file"])
    wrong = person.tries("workflow", "gate", "approve", "go", "--key", other["file"])
    assert (wrong.code, "is not a key that" in wrong.err, other["file"] in wrong.err) == (4, True, True)
    file.chmod(0o640)
    open_to_others = person.tries("workflow", "gate", "approve", "go")
    assert (open_to_others.code, "mode 0640" in open_to_others.err, "chmod 600" in open_to_others.err) == (
        4,
        True,
        True,
    )
    assert "mode 0640" in person.types("keys", "list").out
    assert any("mode 0640" in problem for problem in person.types("doctor", "--json").json["problems"])
    file.unlink()
    missing = person.tries("workflow", "gate", "approve", "go")
    assert (missing.code, str(file) in missing.err, "--key FILE" in missing.err) == (4, True, True)
    assert stands(person, "waiting")["approvals"] == 0


def test_doctor_says_which_protection_is_in_force(person: Person) -> None:
    before = person.types("doctor", "--json").json
    assert before["protection"]["decisions"] == "named"
    assert any("decisions are not signed" in line for line in before["unprotected"])
    made = key_of(person, "ana")
    report = person.types("doctor", "--json").json
    (key,) = report["protection"]["keys"]
    assert (key["name"], key["file"], key["readable_by_agents"]) == ("ana", made["file"], True)
    told = "\n".join(report["unprotected"])
    assert f"who can read the key of ana ({made['file']})" in told
    assert "can change phaseloom.yaml" in told
    assert "signed, by keys of ana" in person.types("doctor").out
    Path(made["file"]).unlink()
    away = person.types("doctor", "--json").json
    assert away["protection"]["keys"] == []
    assert any("they cannot sign" in line for line in away["unprotected"])
    person.write("phaseloom.yaml", "signing: {keys: {ana: nonsense}}\n")
    broken = person.types("doctor", "--json").json
    assert any("is no public key" in problem for problem in broken["problems"])


def test_without_the_library_nothing_is_started_and_the_extra_is_named(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_of(person, "ana")
    monkeypatch.setitem(sys.modules, "cryptography", None)
    said = person.tries("workflow", "start", person.write("release.yaml", RELEASE))
    assert (said.code, "phaseloom[encryption]" in said.err) == (2, True)
    assert any("phaseloom[encryption]" in problem for problem in person.types("doctor", "--json").json["problems"])
    monkeypatch.undo()
    assert person.types("keys", "list").lines[0].startswith("NAME")


@pytest.mark.parametrize("name", ["agent:builder", "../ana", ".ana", "", "a\nb"])
def test_a_name_that_no_key_can_have_is_refused(person: Person, name: str) -> None:
    assert person.tries("keys", "create", name).code == 2


def test_a_key_is_made_once_for_its_owner_alone(person: Person) -> None:
    assert person.types("keys", "list").lines == ["No keys; phaseloom keys create NAME makes one."]
    made = person.types("keys", "create", "ana b", "--json").json
    file = Path(made["file"])
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    before = file.read_bytes()
    again = person.tries("keys", "create", "ana b")
    assert (again.code, "has a key already" in again.err, file.read_bytes()) == (4, True, before)
    (listed,) = person.types("keys", "list", "--json").json["keys"]
    assert (listed["name"], listed["public"], listed["problem"]) == ("ana b", made["public"], None)
    assert made["public"] not in before.decode()
