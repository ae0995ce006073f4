"""A run told as it happens."""

from __future__ import annotations

from dataclasses import replace

from cli.words.closing import closing
from cli.words.narration import Narration, graph, loading
from engine.agents import OutputPlan
from engine.effects import AgentCancelled, NoticesLost, TimerFired, WorkersCounted
from engine.facts import Fact
from engine.plan import Execution, Need, PhasePlan, Plan
from tests.cli.words.stories import START, Story, delivery, fleet, steps

PASSED = {"tests": {"passed": 2, "failed": 0, "total": 2, "results": []}}


def told(story: Story) -> list[str]:
    narration = Narration(story.plan)
    return [line for fact in story.engine.ledger for line in narration.feed(fact)]


def test_a_workstream_is_told_in_the_promised_words() -> None:
    story = Story(steps())
    story.later(161).done(0, **PASSED)
    story.later(4).done(1, **PASSED)
    story.later(16).done(2, **PASSED)
    assert told(story) == [
        "✓ Initializing worker pool (max_workers=3)",
        "⟳ Executing steps in parallel:",
        "  → [step-01-math-utils] Starting...",
        "  → [step-02-string-utils] Starting...",
        "  → [step-03-file-utils] Starting...",
        "✓ [step-01-math-utils] Complete (2m 41s)",
        "✓ [step-02-string-utils] Complete (2m 45s)",
        "✓ [step-03-file-utils] Complete (3m 01s)",
        "✓ All steps complete",
        "✓ Running acceptance tests (3/3)",
        "  → step-01-math-utils: PASS",
        "  → step-02-string-utils: PASS",
        "  → step-03-file-utils: PASS",
        "✓ Workstream complete in 3m 01s",
        "  (Sequential would have taken ~8min - 62% time saved)",
    ]


def test_what_is_said_before_the_start_counts_every_dependency() -> None:
    plan = steps()
    assert loading(plan) == "✓ Loading workstream: ws-utilities"
    assert graph(plan) == "✓ Building dependency graph (3 steps, 0 dependencies)"
    last = replace(plan.phases[2], needs=(Need(phase=0), Need(phase=1, implicit=True)))
    assert graph(replace(plan, phases=(*plan.phases[:2], last))).endswith("(3 steps, 2 dependencies)")
    assert loading(delivery()) == "✓ Loading workflow: full-stack-parallel"


def test_a_sequential_run_says_so_and_claims_no_saving() -> None:
    plan = replace(steps(tests=False), execution=Execution(parallel=False, max_workers=1))
    story = Story(plan)
    for index in range(3):
        story.later(10).done(index)
    lines = told(story)
    assert "⟳ Executing steps one by one:" in lines
    assert lines[-2:] == ["✓ All steps complete", "✓ Workstream complete in 30s"]


def test_a_failed_step_shows_why_and_its_last_words() -> None:
    story = Story(steps(tests=False, on_failure="isolate"))
    tail = "\n".join(f"line {number}" for number in range(1, 9))
    story.later(12).broke(0, tail=tail).done(1).done(2)
    lines = told(story)
    assert "✗ [step-01-math-utils] Failed (12s): sh exited with 3" in lines
    assert lines.count("    | line 8") == 1
    assert "    | line 3" not in lines
    assert "    all of it: phaseloom workflow logs step-01-math-utils" in lines
    assert lines[-2:] == ["✗ 2 of 3 steps complete, 1 failed", "✗ Workstream failed after 12s"]


def test_failed_acceptance_tests_are_counted_by_step() -> None:
    story = Story(steps(on_failure="isolate"))
    failed = {"passed": 1, "failed": 1, "total": 2, "results": []}
    story.done(0, **PASSED).broke(1, code="tests_failed", message="1 of 2 tests failed", tests=failed).done(2, **PASSED)
    lines = told(story)
    at = lines.index("✗ Running acceptance tests (2/3)")
    assert lines[at + 2] == "  → step-02-string-utils: FAIL (1/2)"


def test_a_step_that_pauses_says_what_to_do_and_goes_on_after_a_decision() -> None:
    story = Story(steps(tests=False, count=1))
    story.later(3).broke(0)
    story.ask("intervene", phase=0, action="retry", note="disk was full")
    story.later(2).done(0)
    assert told(story)[3:] == [
        "✗ [step-01-math-utils] Failed (3s): sh exited with 3",
        "    waits for a decision: phaseloom workflow status",
        "  → [step-01-math-utils] Decided by ana: retry: disk was full",
        "  → [step-01-math-utils] Starting...",
        "✓ [step-01-math-utils] Complete (2s)",
        "✓ All steps complete",
        "✓ Workstream complete in 5s",
    ]


def test_people_are_told_how_to_complete_their_phase() -> None:
    lines = told(Story(delivery()))
    assert lines[-2:] == [
        "  → [design-contract] Starting...",
        "    waits for api-expert, ui-ux-expert: phaseloom workflow complete-phase 0",
    ]


def test_a_cancelled_run_says_that_nothing_is_left() -> None:
    story = Story(delivery())
    story.later(61).ask("cancel")
    lines = told(story)
    assert "⊘ Cancelling by ana..." in lines
    assert lines[-1] == "⊘ Workflow cancelled after 1m 01s; no agent is left running"


def test_pauses_reports_and_refusals_are_told() -> None:
    plan = replace(delivery(), completion_signals=("All services deployed",))
    story = Story(plan)
    story.ask("pause", note="lunch")
    story.ask("resume")
    story.ask("report_signal", signal="all services deployed")
    assert [line for line in told(story) if line.startswith(("‖", "▶", "✓ Reported"))] == [
        "‖ Paused by ana: lunch",
        "▶ Resumed by ana",
        "✓ Reported by ana: All services deployed",
    ]


def test_what_runs_now_is_known_with_its_beginning() -> None:
    story = Story(steps(tests=False))
    story.later(5).done(1)
    narration = Narration(story.plan)
    for fact in story.engine.ledger:
        narration.feed(fact)
    assert narration.running == {0: START, 2: START}
    assert narration.status is None


def test_automatic_workers_are_told_once_they_are_counted() -> None:
    story = Story(replace(steps(), execution=Execution(max_workers=0)))
    assert told(story) == []
    story.engine.handle(WorkersCounted(count=8), story.at)
    assert told(story)[0] == "✓ Initializing worker pool (max_workers=8)"


def test_every_fact_of_a_plan_without_phases_can_be_told() -> None:
    assert told(Story(Plan(id="none", name="None")))[-2:] == ["✓ All steps complete", "✓ Workflow complete in 0s"]


def test_the_end_shows_what_the_last_phases_yield_where_it_fits_on_a_line() -> None:
    declared = {name: OutputPlan() for name in ("report", "high", "complete", "plan", "text")}
    phases = (PhasePlan(id="a", name="A", index=0, outputs=declared), PhasePlan(id="b", name="B", index=1))
    outputs = {"report": ["r.md", "r.html"], "high": 2, "complete": True, "plan": [{"advice": "…"}], "text": "x\ny"}
    facts = [
        Fact(n=1, at=0.0, kind="run_started"),
        Fact(n=2, at=1.0, kind="phase_settled", phase=0, data={"status": "completed", "outputs": outputs}),
        Fact(n=3, at=1.0, kind="phase_settled", phase=1, data={"status": "completed", "outputs": {"free": 1}}),
        Fact(n=4, at=1.0, kind="run_settled", data={"status": "completed"}),
    ]
    shown = closing(Plan(id="p", name="P", phases=phases), facts)
    assert shown[2:] == ["  report: r.md, r.html", "  high: 2", "  complete: true"]


def test_items_are_told_like_phases_and_their_phase_is_not_at_work_itself() -> None:
    story = Story(fleet())
    story.later(10).done(2).later(10).broke(3).done(4)
    narration = Narration(story.plan)
    lines = [line for fact in story.engine.ledger for line in narration.feed(fact)]
    assert lines[2:] == [
        "  → [build] Starting...",
        "    3 items",
        "  → [build.0] Starting...",
        "  → [build.1] Starting...",
        "  → [build.2] Starting...",
        "✓ [build.0] Complete (10s)",
        "✗ [build.1] Failed (20s): sh exited with 3",
        "    waits for a decision: phaseloom workflow status",
        "✓ [build.2] Complete (20s)",
    ]
    assert not narration.running
    assert (narration.stand[0].status, narration.stand[0].items) == ("in_progress", (2, 3))
    assert set(narration.stand) == {0}


def test_a_saving_counts_the_items_and_the_steps_are_those_of_the_plan() -> None:
    story = Story(fleet()).later(60).done(2).done(3).done(4).later(20).done(1)
    assert told(story)[-4:] == [
        "✓ [ship] Complete (20s)",
        "✓ All steps complete",
        "✓ Workflow complete in 1m 20s",
        "  (Sequential would have taken ~3min - 66% time saved)",
    ]


def test_items_that_were_done_before_are_said_to_be_kept() -> None:
    story = Story(fleet()).later(5).done(2)
    story.ask("intervene", phase="build.1", action="cancel")
    story.ask("intervene", phase="build.2", action="cancel")
    for index in (3, 4):
        story.engine.handle(AgentCancelled(phase=index, epoch=0, position=0), story.at)
    story.ask("intervene", phase="build", action="retry")
    lines = told(story)
    assert lines[lines.index("  → [build] Decided by ana: retry") :] == [
        "  → [build] Decided by ana: retry",
        "  → [build] Starting...",
        "    3 items, 1 of them done already",
        "  → [build.1] Starting...",
        "  → [build.2] Starting...",
    ]


def test_a_reminder_and_a_notice_that_was_lost_are_told() -> None:
    first, *others = delivery().phases
    story = Story(replace(delivery(), phases=(replace(first, remind=60.0), *others))).later(61)
    story.engine.handle(TimerFired(), story.at)
    story.engine.handle(NoticesLost(lost=[{"key": "k", "to": "team", "text": "x", "why": "it answered 404"}]), story.at)
    assert told(story)[-2:] == [
        f"  ! [{first.id}] Not done yet: phaseloom workflow why {first.id}",
        "  ! Notice to team not delivered: it answered 404",
    ]
