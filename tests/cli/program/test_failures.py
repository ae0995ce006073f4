"""Failures as an operator sees them: their kind, attempts that were stopped early, open circuits, `breakers`."""

from __future__ import annotations

from typing import Any

from tests.cli.program.person import Person, until

Json = dict[str, Any]

CAKE = """\
id: cake
agents:
  baker: {uses: command, shell: "echo \\"oven is cold after $RANDOM s\\" >&2; exit 3"}
phases:
  - name: Bake
    agents: [baker]
    retry: {max_attempts: 9, initial: 0.01s}
    circuit_breaker: {max_attempts: 4, cooldown: 1h}
"""

BREAD = """\
id: bread
agents:
  oven:
    uses: command
    shell: "exit 75"
    circuit_breaker: {threshold: 1, recovery: 1h}
phases:
  - {name: Bake, agents: [oven], retry: {max_attempts: 1}, on_failure: isolate}
"""

ROUNDS = """\
id: rounds
agents:
  builder: {uses: command, shell: "echo x >> rounds.txt"}
phases:
  - {name: Build, agents: [builder], acceptance_tests: ["test $(wc -l < rounds.txt) -ge 3"]}
"""


def error_of(person: Person) -> Json:
    """The error of the phase as it is now; none while it is at work."""
    return person.types("workflow", "status", "bake", "--json").json["error"] or {}


def test_the_same_error_three_times_stops_attempts_early_and_says_so(person: Person) -> None:
    assert person.tries("run", person.write("cake.yaml", CAKE)).code == 75
    shown = person.types("workflow", "why", "bake")
    assert "(stopped early: the same error 3 times)" in shown.out
    assert "Kind: deterministic (it would come again, as far as anybody can tell)" in shown.lines
    assert "Attempts: 3" in shown.lines
    assert any(line.startswith("Its circuit breaker is open (3 failed attempts in this run)") for line in shown.lines)
    assert "(stopped early: the same error 3 times)" in person.types("workflow", "status").out
    error = error_of(person)
    assert (error["class"], error["stopped_early"], error["circuit"]) == ("deterministic", "repeated", "open")
    assert "[deterministic]" in person.types("workflow", "logs", "bake").out

    person.types("workflow", "intervene", "retry", "--phase", "bake", "--actor", "agent:baker")
    until(lambda: error_of(person).get("code") == "circuit_open")
    assert "not started: its circuit breaker is open" in person.types("workflow", "status").out

    person.types("workflow", "intervene", "retry", "--phase", "bake")
    until(lambda: error_of(person).get("attempts") == 1)
    probe = person.types("workflow", "status", "bake", "--json").json
    assert (probe["error"]["stopped_early"], probe["circuit"]["failed"]) == ("attempts", 4)
    person.types("workflow", "cancel")


def test_work_that_fails_its_tests_is_done_again_twice_without_a_rule(person: Person) -> None:
    assert person.types("run", person.write("rounds.yaml", ROUNDS)).code == 0
    assert (person.root / "rounds.txt").read_text() == "x\nx\nx\n"


def test_breakers_lists_an_open_circuit_and_reset_closes_it(person: Person) -> None:
    assert person.types("breakers", "list", "--json").json == {"breakers": []}
    assert "no circuit breaker of 'toaster'" in person.tries("breakers", "reset", "toaster").err
    assert person.tries("run", person.write("bread.yaml", BREAD)).code == 1
    until(lambda: [one["state"] for one in person.types("breakers", "list", "--json").json["breakers"]] == ["open"])
    shown = person.types("breakers", "list").lines
    assert shown[0].split() == ["TOOL", "STATE", "FAILURES", "SINCE", "PROBE", "LAST", "ERROR"]
    assert shown[1].split()[:3] == ["oven", "open", "1"]
    assert shown[-1] == "Close one at once with: phaseloom breakers reset oven"
    told = person.types("breakers", "reset", "oven").lines
    assert told == ["The circuit of oven is closed again (it was open, after 1 failure)."]
    assert person.types("breakers", "list", "--json").json["breakers"][0]["state"] == "closed"
