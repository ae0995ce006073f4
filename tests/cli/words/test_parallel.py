"""What an operator of parallel phases reads: the promised words."""

from __future__ import annotations

from dataclasses import replace

from cli.words.parallel import cancelled, completed, group_started, parallel_status, started
from cli.words.starting import started_run
from engine.plan import PhasePlan, Plan
from tests.cli.words.stories import HOUR, MINUTE, SH, Story, delivery, need, person


def test_entering_a_group_lists_its_phases_and_how_to_complete_them() -> None:
    story = Story(delivery())
    answer = story.ask("next")
    assert completed(answer, story.view) == [
        "Phase completed.",
        "Started 2 parallel phases:",
        "- Backend Development (index: 1)",
        "- Frontend Development (index: 2)",
        "Complete each with: phaseloom workflow complete-phase <index>",
    ]


def test_completing_members_counts_down_and_goes_on_by_itself() -> None:
    story = Story(delivery())
    story.ask("next")
    answer = story.ask("complete_phase", phase=1)
    assert completed(answer, story.view) == ["Phase completed. 1 parallel phase remaining."]
    answer = story.ask("complete_phase", phase="Frontend Development")
    assert completed(answer, story.view) == [
        "All parallel phases complete. Continuing to Integration & Testing.",
        "Complete it with: phaseloom workflow next",
    ]
    answer = story.ask("next")
    assert completed(answer, story.view)[:2] == ["Phase completed.", "Started Review & Deploy (index: 4)."]
    answer = story.ask("next")
    assert completed(answer, None) == ["Phase completed.", "The workflow is complete."]


def test_two_of_three_remaining_is_plural() -> None:
    story = Story(bound(3, agent_is_person=True))
    answer = story.ask("complete_phase", phase=0)
    assert completed(answer, story.view)[0] == "Phase completed. 2 parallel phases remaining."


def test_the_last_group_of_a_plan_says_that_the_workflow_is_complete() -> None:
    story = Story(bound(2, agent_is_person=True))
    story.ask("complete_phase", phase=0)
    answer = story.ask("complete_phase", phase=1)
    assert completed(answer, None) == ["All parallel phases complete.", "The workflow is complete."]


def test_a_bound_group_larger_than_the_pool_says_how_many_wait() -> None:
    story = Story(bound(5))
    view = story.view
    assert started_run("wf_abc123", "Five", view) == [
        "Started wf_abc123: Five",
        "Started 3 parallel phases:",
        "- P0 (index: 0)",
        "- P1 (index: 1)",
        "- P2 (index: 2)",
        "2 queued (waiting for a worker slot)",
        "Follow it with: phaseloom workflow watch",
    ]


def test_two_groups_in_a_row_name_what_follows_and_list_it() -> None:
    phases = [
        PhasePlan(
            id=f"p{i}", name=f"P{i}", index=i, agents=(person("r"),), group=i // 2, after_group=0 if i > 1 else None
        )
        for i in range(4)
    ]
    story = Story(Plan(id="two", name="Two", phases=tuple(phases)))
    story.ask("complete_phase", phase=0)
    answer = story.ask("complete_phase", phase=1)
    assert completed(answer, story.view)[:4] == [
        "All parallel phases complete. Continuing to P2 and P3.",
        "Started 2 parallel phases:",
        "- P2 (index: 2)",
        "- P3 (index: 3)",
    ]


def test_missing_completion_signals_are_asked_for_only_when_all_phases_are_done() -> None:
    story = Story(replace(bound(2, agent_is_person=True), completion_signals=("All services deployed",)))
    answer = story.ask("complete_phase", phase=0)
    assert completed(answer, story.view) == ["Phase completed. 1 parallel phase remaining."]
    answer = story.ask("complete_phase", phase=1)
    assert completed(answer, story.view) == [
        "All parallel phases complete.",
        "All phases are done. The run is complete once these are reported:",
        "- All services deployed",
        'Report each with: phaseloom workflow signal "All services deployed"',
    ]


def test_a_phase_with_a_person_and_then_an_agent_goes_on() -> None:
    phase = PhasePlan(id="p", name="P", index=0, agents=(person("architect"), SH))
    story = Story(Plan(id="x", name="X", phases=(phase,)))
    answer = story.ask("next")
    assert completed(answer, story.view) == [
        "Recorded. P (index: 0) goes on: architect's part is done; sh works on it: command true, for 0s.",
        "Look on with: phaseloom workflow watch; its output: phaseloom workflow logs p",
    ]


def test_parallel_status_tells_when_each_member_started_and_finished() -> None:
    story = Story(delivery())
    story.ask("next")
    story.later(90 * MINUTE).ask("complete_phase", phase=2)
    story.later(30 * MINUTE)
    assert parallel_status(story.view) == [
        "Parallel Execution Active: Yes",
        "Workflow: full-stack-parallel",
        "Phases:",
        "- Backend Development: in_progress (started 2h ago)",
        "- Frontend Development: completed (finished 30m ago)",
        "Progress: 1/2 (50%)",
    ]
    story.later(HOUR).ask("complete_phase", phase=1)
    assert parallel_status(story.view)[0] == "Parallel Execution Active: No"
    assert parallel_status(story.view)[-1] == "Progress: 2/2 (100%)"


def test_parallel_status_before_any_group_is_no_and_empty() -> None:
    assert parallel_status(Story(delivery()).view) == [
        "Parallel Execution Active: No",
        "Workflow: full-stack-parallel",
        "Phases:",
        "Progress: 0/0 (0%)",
    ]


def test_parallel_status_tells_what_queued_members_wait_for() -> None:
    story = Story(bound(4))
    assert "- P3: pending (waiting for a worker slot)" in parallel_status(story.view)


def test_a_cancelled_group_can_be_started_again() -> None:
    story = Story(delivery())
    story.ask("next")
    assert cancelled(story.ask("cancel_parallel")) == [
        "Cancelled 2 parallel phases:",
        "- Backend Development (index: 1)",
        "- Frontend Development (index: 2)",
    ]
    assert parallel_status(story.view)[:1] == ["Parallel Execution Active: No"]
    assert "- Backend Development: cancelled (needs a decision)" in parallel_status(story.view)
    answer = story.ask("start_parallel", phase=1)
    assert group_started(answer, story.view)[0] == "Started 2 parallel phases:"
    answer = story.ask("start_parallel", phase=2)
    assert group_started(answer, story.view)[0] == "Running already, 2 parallel phases:"


def test_phases_that_start_together_without_being_a_group_are_just_phases() -> None:
    phases = tuple(PhasePlan(id=f"p{i}", name=f"P{i}", index=i, agents=(person("r"),)) for i in range(2))
    story = Story(Plan(id="x", name="X", phases=phases))
    rows = story.view["active"]
    assert started(rows, [], story.view) == [
        "Started 2 phases:",
        "- P0 (index: 0)",
        "- P1 (index: 1)",
        "Complete each with: phaseloom workflow complete-phase <index>",
    ]


def test_a_single_phase_beside_other_open_ones_is_completed_by_index() -> None:
    phases = (
        PhasePlan(id="a", name="A", index=0, agents=(person("r"),)),
        PhasePlan(id="b", name="B", index=1, agents=(person("r"),)),
        PhasePlan(id="c", name="C", index=2, agents=(person("r"),), needs=(need(1),)),
    )
    story = Story(Plan(id="x", name="X", phases=phases))
    answer = story.ask("complete_phase", phase=1)
    assert completed(answer, story.view)[-1] == "Complete it with: phaseloom workflow complete-phase 2"


def bound(count: int, *, agent_is_person: bool = False) -> Plan:
    agent = person("dev") if agent_is_person else SH
    phases = tuple(PhasePlan(id=f"p{i}", name=f"P{i}", index=i, agents=(agent,), group=0) for i in range(count))
    return Plan(id="bound", name="Bound", phases=phases)
