"""Gates and jumps told: as they happen, in the journal, by `status`, `why` and after `next`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import pytest

from cli.words.bars import Canvas
from cli.words.closing import skipped_because
from cli.words.gates import details, listing
from cli.words.narration import Narration
from cli.words.parallel import completed
from cli.words.reasons import why
from cli.words.status import status
from cli.words.swimlanes import scene, swimlanes
from engine import journal
from engine.effects import AgentFinished
from engine.facts import Fact, FactKind
from engine.gates.plans import ApprovalPlan, CheckPlan, GatePlan
from engine.plan import JumpPlan
from engine.view import details as phase_details
from engine.view import view
from tests.engine.world import PERSON, World, phase, plan_of

LINT, TESTS = (CheckPlan(name=name, gate="checked", run=(name,)) for name in ("lint", "tests"))
CHECKED = GatePlan(id="checked", checks=(LINT, TESTS))
ASKED = GatePlan(
    id="release",
    checks=(LINT,),
    approval=ApprovalPlan(people=("ana", "bo"), remind=60, deadline=90, on_deadline="escalate", escalate_to=("dee",)),
)


def at_gate(gate: GatePlan) -> World:
    world = World(plan_of(phase(0, gates=(gate,)), phase(1, 0)))
    world.finish(0)
    return world


def narrated(world: World) -> Narration:
    narration = Narration(world.plan)
    for fact in world.engine.ledger:
        narration.feed(fact)
    return narration


def told(world: World) -> list[str]:
    narration = Narration(world.plan)
    return [line for fact in world.engine.ledger for line in narration.feed(fact)]


def iterating() -> World:
    """Two phases of people; the second sends control to the phase that it names, or asks again."""
    back = JumpPlan(to=0, condition="outputs.to == 'p0'", max_rounds=5)
    again = JumpPlan(to=1, condition="outputs.to == 'p1'", max_rounds=5)
    world = World(plan_of(phase(0, agents=(PERSON,)), phase(1, 0, agents=(PERSON,), jumps=(back, again))))
    world.operate("next")
    return world


def why_of(world: World, index: int) -> list[str]:
    state = world.engine.state
    needed = [phase_details(world.engine, state.phases[need.phase]) for need in world.plan.phases[index].needs]
    return why(phase_details(world.engine, state.phases[index]), needed, view(world.engine, world.now))


def test_checks_that_run_and_fail_are_told_with_what_they_found() -> None:
    world = at_gate(CHECKED)
    world.fail(0)
    lines = told(world)
    assert lines[lines.index("  ⟳ [p0] Gate checked: 2 checks running...") + 1 :][:2] == [
        "  ✗ [p0] Gate checked: 1 of 2 checks passed",
        "    ✗ lint - failed: exit code 1",
    ]
    assert any(
        line.startswith("✗ [p0] Failed") and line.endswith("1 of 2 checks failed: lint (exit code 1)") for line in lines
    )


def test_who_is_asked_reminded_and_asked_in_their_place_is_told_with_what_to_type() -> None:
    world = at_gate(ASKED)
    world.finish(0)
    show = "phaseloom workflow gate show release"
    assert told(world)[-2:] == [
        "  ✓ [p0] Gate release: 1 of 1 checks passed",
        f"    waits for ana, bo to decide: {show}",
    ]
    world.tick(61)
    assert told(world)[-1] == f"  ! [p0] Gate release still waits for ana, bo: {show}"
    world.tick(30)
    assert told(world)[-1] == "  ! [p0] Gate release: nobody decided in time; dee may decide too"


def test_decisions_and_waivers_are_told_with_their_people() -> None:
    world = at_gate(ASKED)
    world.finish(0)
    gate = world.engine.state.phases[0].gates[0]
    fields = {"gate": "release", "decision": "approve", "evidence": gate.evidence, "comment": "ship it"}
    world.operate("decide_gate", actor="ana", **fields)
    assert {"  → [p0] Gate release: approve by ana: ship it", "  ✓ [p0] Gate release: passed"} <= set(told(world))
    world = at_gate(CHECKED)
    world.fail(0)
    world.operate("waive_gate", gate="checked", reason="two files", actor="ana")
    assert "  ↷ [p0] Gate checked: waived by ana: two files" in told(world)


def test_a_lane_says_at_which_gate_a_phase_stands_and_when_it_needs_somebody() -> None:
    world = at_gate(ASKED)
    assert lane(world).endswith("at release")
    world.finish(0)
    assert lane(world).endswith("needs you")


def lane(world: World) -> str:
    shown = scene(
        world.plan, narrated(world).stand, began=world.engine.ledger[0].at, now=world.now, lengths={}, workers=2
    )
    return swimlanes(shown, world.now, Canvas(), rows=5)[0]


def test_control_that_goes_back_is_told_and_clears_the_lanes() -> None:
    world = iterating()
    world.operate("next", outputs={"to": "p0"})
    assert "  → [p1] Control goes to p0" in told(world)
    assert {index: each.status for index, each in narrated(world).stand.items()} == {0: "in_progress"}
    world = iterating()
    world.operate("next", outputs={"to": "p1"})
    assert "  → [p1] Control goes to p1" in told(world)


def test_after_next_it_is_said_where_control_has_gone() -> None:
    world = iterating()
    answer = world.operate("next", outputs={"to": "p0"})
    now = view(world.engine, world.now)
    assert completed(answer, now)[:2] == [
        "Phase completed. Control goes back to Phase 0 (index: 0), and on from there.",
        "Started Phase 0 (index: 0).",
    ]
    world = iterating()
    answer = world.operate("next", outputs={"to": "p1"})
    assert completed(answer, view(world.engine, world.now))[0] == "Phase completed. It is to be done again."
    world = iterating()
    assert completed(world.operate("next", outputs={"to": ""}), None)[0] == "Phase completed."


def lines_of(world: World) -> list[str]:
    return list(journal.lines(world.engine.state.plans, "wf_abc123", world.engine.ledger))


def test_the_journal_has_jumps_and_reads_to_its_end_after_them() -> None:
    world = iterating()
    world.operate("next", outputs={"to": "p0"})
    texts = [line.partition("] [")[2] for line in lines_of(world)]
    assert "INFO] Phase: p1 - Control goes to p0" in texts
    assert texts[-1] == "INFO] Agent: lead - Invoked"


def test_every_kind_of_fact_has_its_words_in_the_journal() -> None:
    known = set(journal._PHASE_TEXTS) | set(journal._RUN_TEXTS) | {"jump_begun"}
    assert known == set(get_args(FactKind))


def test_a_gate_that_is_not_passed_is_said_once_and_leads_to_what_was_found() -> None:
    world = at_gate(CHECKED)
    long = "nothing in this project tells how this is checked, and here are the many words of it"
    results = [{"name": name, "gate": "checked", "status": "error", "message": long} for name in ("lint", "tests")]
    world.engine.handle(AgentFinished(phase=0, epoch=0, position=1, result={"gate": {"results": results}}), world.now)
    now = view(world.engine, world.now)
    lines = status(now)
    paused = "The workflow has paused because Phase 0 did not pass the gate checked"
    place = lines.index(f"{paused}: 2 of 2 checks cannot be run: lint, tests.")
    assert lines[place + 1] == "What was found: phaseloom workflow gate show checked"
    assert "Some need more: 3 --prompt '…', 4 --reason '…'" in lines
    assert "What was found: phaseloom workflow gate show checked" in why_of(world, 0)
    assert "    phaseloom workflow gate show checked" in why_of(world, 1)
    assert "did not pass" in listing(now["gates"], now["now"])[0]
    (gate,) = phase_details(world.engine, world.engine.state.phases[0])["gates"]
    shown = details({**now["gates"][0], **gate}, now["now"])
    assert [line for line in shown if "cannot be run" in line] == []
    assert sum(long in line for line in shown) == 2
    assert any("pyproject.toml" in line for line in shown), "it says what would tell how a check is done"


@pytest.mark.parametrize(("move", "says"), [(lambda _: None, "being checked"), (lambda w: w.finish(0), "waits for a")])
def test_why_tells_a_phase_at_its_gate_from_one_at_work(move: Callable[[World], Any], says: str) -> None:
    world = at_gate(ASKED)
    move(world)
    assert any(f"Its work is done; its gate release {'is ' * (says[0] == 'b')}{says}" in x for x in why_of(world, 0))
    assert any("at the gate release" in line for line in status(view(world.engine, world.now)))


@pytest.mark.parametrize(("reason", "says"), [("jump", "went past it"), ("on_jump", "only when control")])
def test_what_jumps_leave_out_says_so(reason: str, says: str) -> None:
    fact = Fact(n=1, at=0, kind="phase_settled", phase=0, data={"status": "skipped", "reason": reason})
    assert says in skipped_because(fact)
    assert says not in skipped_because(replace(fact, data={"status": "skipped"}))
