"""Reviewers as people meet them: real programs that read, answer, fail; batches decided together and one by one."""

from __future__ import annotations

from activities.leftovers import identity
from tests.cli.program.person import SECONDS, Json, Person, until
from tests.cli.program.test_gates import of_kind

TOGETHER = """\
id: together
agents:
  builder: {uses: command, run: [sh, -c, 'echo built >> "built-$PHASELOOM_PHASE"']}
  critic: {uses: command, run: [sh, critic.sh]}
  second: {uses: command, run: [echo, APPROVE fine with me]}
gates:
  look:
    reviewers: [critic, second]
    consult: together
    review_prompt: Read what ${inputs.who} has written.
    approval: {by: [ana]}
inputs: {who: {default: kim}}
phases:
  - {name: One, agents: [builder], gates: [look], parallel: true}
  - {name: Two, agents: [builder], gates: [look], parallel: true}
  - {name: Three, agents: [builder], gates: [look], parallel: true}
  - {name: End, agents: [builder]}
"""

CRITIC = """\
cat "$PHASELOOM_PROMPT_FILE" >> asked
if [ "$(wc -l < built-two)" = 1 ]; then
  cat > "$PHASELOOM_OUTPUT" <<'END'
{"verdicts": {"one": "APPROVE", "three/look": {"verdict": "COMMENT", "comment": "nice"},
              "two": {"verdict": "REQUEST_CHANGES", "comment": "build it twice"}}}
END
else
  echo '{"verdict": "APPROVE", "comment": "better"}' > "$PHASELOOM_OUTPUT"
fi
"""

GONE = """\
id: gone
agents:
  builder: {uses: command, run: ["true"]}
  critic: {uses: command, run: [./no-such-critic]}
  chatty: {uses: command, run: [echo, I would APPROVE it]}
gates: {look: {reviewers: [critic, chatty]}}
phases: [{name: One, agents: [builder], gates: [look]}]
"""


def waiting(person: Person, count: int) -> list[Json]:
    """The gates that wait for people, as soon as there are so many."""
    found: list[Json] = []

    def look() -> bool:
        found[:] = [row for row in person.view()["gates"] if row["gate_status"] == "waiting"]
        return len(found) == count

    until(look)
    return found


def test_reviewers_send_one_of_three_phases_back_and_people_decide_together_and_singly(person: Person) -> None:
    person.write("critic.sh", CRITIC)
    person.types("workflow", "start", person.write("together.yaml", TOGETHER))
    rows = {row["id"]: row for row in waiting(person, 3)}
    assert [rows[name]["batch"] for name in ("one", "two", "three")] == ["c1", "c2", "c1"]
    assert (person.root / "built-two").read_text() == "built\nbuilt\n"
    asked = (person.root / "asked").read_text()
    assert asked.startswith("Read what kim has written.")
    assert asked.index("## one/look") < asked.index("## two/look") < asked.index("## three/look")
    assert "- critic, epoch 0: REQUEST_CHANGES build it twice" in asked

    shown = person.types("workflow", "gate", "show", "three/look").out
    assert "- reviewed by critic: COMMENT: nice" in shown
    assert "Batch c1 has 2 gates: one/look, three/look." in shown
    assert "reviewed by critic: APPROVE: better" in person.types("workflow", "status").out
    assert "- reviewed by second: APPROVE: fine with me" in person.types("workflow", "why", "two").out
    listed = person.types("inbox").lines
    assert "    reviewed by critic: COMMENT: nice" in listed
    (command,) = {line.strip() for line in listed if "approve --batch c1" in line}

    other = person.tries(*command.split()[1:], "--actor", "bo")
    assert other.code == 4
    stale = person.tries("workflow", "gate", "approve", "--batch", "c1", "--evidence", "sha256:000000000000")
    assert stale.code == 4
    assert "no gate that waits in the batch 'c1' has the evidence" in stale.err
    both = person.tries("workflow", "gate", "approve", "two/look", "--batch", "c1")
    assert both.code == 2
    said = person.types(*command.split()[1:])
    assert said.lines[:2] == ["One: look is passed.", "Three: look is passed."]
    evidence = rows["two"]["evidence"]
    said = person.types("workflow", "gate", "approve", "two/look", "--evidence", evidence)
    assert said.lines[:2] == ["look is passed.", "Started End (index: 3)."]
    until(lambda: person.tries("workflow", "status", "--json").json["status"] == "completed")
    log = person.types("workflow", "logs").out
    assert "Consultation c1: critic, second review one/look, two/look, three/look" in log
    assert "Consultation c1: critic - two/look: REQUEST_CHANGES: build it twice" in log


def test_a_reviewer_that_cannot_be_run_or_says_no_verdict_leaves_it_to_a_person(person: Person) -> None:
    said = person.begins("run", person.write("gone.yaml", GONE))
    gate = waiting(person, 1)[0]
    assert [(told["reviewer"], told["verdict"]) for told in gate["reviews"]] == [("critic", None), ("chatty", None)]
    assert "command not found" in gate["reviews"][0]["comment"]
    assert "begins with no verdict" in gate["reviews"][1]["comment"]
    assert "Not every reviewer could be asked" in person.types("workflow", "gate", "show", "look").out

    person.write("no-such-critic", "#!/bin/sh\necho APPROVE now I am here\n")
    (person.root / "no-such-critic").chmod(0o755)
    person.types("workflow", "gate", "retry", "look")
    until(lambda: person.view()["gates"][0]["round"] == 1 and person.view()["gates"][0]["gate_status"] == "waiting")
    (again,) = waiting(person, 1)
    assert again["reviews"][0]["verdict"] == "APPROVE"
    assert again["review"]["outcome"] == "error", "one that says nothing clear is still no verdict"
    person.types("workflow", "gate", "approve", "look", "--evidence", again["evidence"], "--comment", "good enough")
    assert said.wait(SECONDS) == 0
    out = said.stdout.read() if said.stdout is not None else ""
    assert "c1: critic, chatty review one/look..." in out
    assert "    critic: no verdict: " in out
    until(lambda: of_kind(person, "run_settled"))
    assert [fact["actor"] for fact in of_kind(person, "gate_decided")] == ["ana"]


SLOW = """\
id: slow
agents:
  builder: {uses: command, run: ["true"]}
  sleeper: {uses: command, run: [sh, -c, 'echo $$ >> sleepers; sleep 600']}
gates:
  short: {reviewers: [sleeper], review_timeout: 1s}
  long: {reviewers: [sleeper]}
phases: [{name: One, agents: [builder], gates: [short, long]}]
"""


def test_a_reviewer_that_takes_too_long_is_no_verdict_and_one_of_a_cancelled_run_is_stopped(person: Person) -> None:
    person.types("workflow", "start", person.write("slow.yaml", SLOW))
    (gate,) = waiting(person, 1)
    assert gate["reviews"][0]["verdict"] is None
    assert "did not end within 1s and was killed" in gate["reviews"][0]["comment"]
    sleepers = person.root / "sleepers"
    before = sleepers.read_text() if sleepers.exists() else ""  # it may have had no time even to write
    person.types("workflow", "gate", "approve", "short", "--evidence", gate["evidence"])
    until(lambda: sleepers.exists() and sleepers.read_text() != before)
    assert "at the gate long, which is reviewed by sleeper" in person.types("workflow", "status").out
    early = person.tries("workflow", "gate", "approve", "long", "--evidence", gate["evidence"])
    assert early.code == 4
    assert "it is being reviewed" in early.err
    person.types("workflow", "cancel")
    until(lambda: person.tries("workflow", "status", "--json").json["status"] == "cancelled")
    assert not [pid for pid in sleepers.read_text().split() if identity(int(pid))]


WORN = """\
id: worn
agents:
  builder: {uses: command, run: ["true"]}
  critic: &judge
    uses: command
    run: [sh, judge.sh]
    circuit_breaker: {tool: oracle, threshold: 2, recovery: 3s}
  second: *judge
gates: {look: {reviewers: [critic, second]}}
phases: [{name: One, agents: [builder], gates: [look]}]
"""

JUDGE = """\
echo x >> asked-oracle
test "$(wc -l < asked-oracle)" -gt 2 || exit 75
echo x >> at-work
until test -e judged; do sleep 0.05; done
echo APPROVE
"""


def test_of_reviewers_whose_tool_has_failed_one_tries_it_again_and_the_others_wait_for_what_comes_of_it(
    person: Person,
) -> None:
    def lines(name: str) -> int:
        path = person.root / name
        return path.read_text().count("x") if path.exists() else 0

    def waits() -> int:
        return person.tries("workflow", "logs", "one").out.count("Waits")

    def oracle() -> Json:
        (found,) = person.types("breakers", "list", "--json").json["breakers"]
        return dict(found)

    person.write("judge.sh", JUDGE)
    person.types("workflow", "start", person.write("worn.yaml", WORN))
    until(lambda: lines("at-work"))
    assert lines("asked-oracle") == 3
    state = oracle()
    assert (state["tool"], state["state"]) == ("oracle", "half_open")
    assert state["probe"]["by"] == f"{person.current}/one"
    refused = waits()
    until(lambda: waits() > refused)
    assert lines("at-work") == 1, "the other has asked again, and waits"
    person.write("judged", "")
    until(lambda: person.view()["status"] == "completed")
    assert (lines("asked-oracle"), lines("at-work")) == (4, 2)
    assert oracle()["state"] == "closed"
    until(lambda: of_kind(person, "run_settled"))
    reviews = [
        (fact["data"]["reviewer"], fact["data"]["verdicts"][0]["verdict"]) for fact in of_kind(person, "review_settled")
    ]
    assert sorted(reviews) == [("critic", "APPROVE"), ("second", "APPROVE")]
