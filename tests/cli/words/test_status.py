"""The state of a run, and why a phase is where it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cli.words.reasons import why
from cli.words.runs import waits
from cli.words.status import status
from cli.words.steering import checkpoint, decided, paused, reported, resumed
from cli.words.table import table
from engine.lookup import find_phase
from engine.plan import PhasePlan, Plan
from engine.view import details
from tests.cli.words.stories import HOUR, SH, START, Story, delivery, fleet, need

Json = dict[str, Any]

POSSIBLE = (
    "Possible now: retry, retry_with, replace_output, skip, go_to, cancel "
    "(phaseloom workflow intervene <option> --phase 1)"
)


def explained(story: Story, word: str) -> list[str]:
    def about(name: str) -> Json:
        return details(story.engine, find_phase(story.engine.state, name))

    phase = about(word)
    return why(phase, [about(str(need["phase"])) for need in phase["waits_for_phases"]], story.view)


def verified() -> Plan:
    """Build, then tests, then ship; done by commands."""
    names = ("Build", "Testing", "Ship")
    phases = [
        PhasePlan(id=name.lower(), name=name, index=i, agents=(SH,), needs=(need(i - 1),) if i else ())
        for i, name in enumerate(names)
    ]
    return Plan(id="tested", name="Tested", phases=tuple(phases))


def test_a_running_run_names_whom_it_waits_for_before_the_phases() -> None:
    story = Story(delivery())
    story.later(60).ask("next")
    story.later(2 * HOUR)
    assert status(story.view) == [
        "Run: wf_abc123",
        "Workflow: full-stack-parallel (Full Stack Parallel Development)",
        "Status: running (started 2h ago)",
        "Progress: 1/5 (20%)",
        "",
        "Waiting for:",
        "- backend-expert: Backend Development (index: 1), started 2h ago",
        "    phaseloom workflow complete-phase 1",
        "- frontend-expert: Frontend Development (index: 2), started 2h ago",
        "    phaseloom workflow complete-phase 2",
        "",
        "Phases:",
        "  ✓ 0  Design & Contract      completed (1m 00s)",
        "  ⟳ 1  Backend Development    in_progress (started 2h ago, waits for backend-expert)",
        "  ⟳ 2  Frontend Development   in_progress (started 2h ago, waits for frontend-expert)",
        "  · 3  Integration & Testing  pending",
        "  · 4  Review & Deploy        pending",
    ]


def test_a_pause_is_told_with_its_reason_and_numbered_options() -> None:
    story = Story(verified())
    story.done(0).later(5).broke(1)
    lines = status(story.view)
    at = lines.index("The workflow has paused because tests are failing.")
    assert lines[at + 1 : at + 6] == [
        "Options:",
        "  1. Fix and retry Testing",
        "  2. Retry Testing with edited input",
        "  3. Replace the output of Testing",
        "  4. Skip the testing phase (not recommended)",
    ]
    assert lines[at + 6] == "  5. Go back to a phase before Testing"
    assert lines[at + 7].startswith("  6. Cancel")
    assert lines[at + 8] == "Choose with: phaseloom workflow intervene <number>"
    assert "  ‖ 1  Testing  paused: sh exited with 3" in lines
    assert at < lines.index("Phases:")


def test_options_say_how_to_name_another_phase_when_several_wait() -> None:
    phases = tuple(PhasePlan(id=f"p{i}", name=f"P{i}", index=i, agents=(SH,)) for i in range(2))
    story = Story(Plan(id="x", name="X", phases=phases)).broke(0).broke(1)
    lines = status(story.view)
    assert "Decide about one of the 2 phases by adding: --phase <index>" in lines
    assert "- a decision on P1 (index: 1), stopped just now" in lines


def test_queues_are_counted_with_the_places_in_use() -> None:
    phases = tuple(PhasePlan(id=f"p{i}", name=f"P{i}", index=i, agents=(SH,)) for i in range(5))
    assert "- a worker slot (3 of 3 in use): 2 phases" in status(Story(Plan(id="x", name="X", phases=phases)).view)


def test_a_large_plan_shows_what_matters_and_counts_the_rest() -> None:
    phases = tuple(PhasePlan(id=f"p{i}", name=f"P{i}", index=i, agents=(SH,)) for i in range(90))
    story = Story(Plan(id="x", name="X", phases=phases))
    story.broke(0)
    lines = status(story.view)
    assert len([line for line in lines if line.startswith("  ")]) < 15
    assert lines[-1].startswith("  … 86 more (86 pending, 3 in_progress, 1 paused); all of them:")
    assert len(status(story.view, complete=True)) > 90


def test_an_ended_run_says_when_and_how_long_it_took() -> None:
    story = Story(verified())
    story.done(0).done(1).later(125).done(2).later(2 * HOUR)
    assert status(story.view)[2] == "Status: completed (2h ago, after 2m 05s)"


def test_why_names_the_exact_need_and_the_command_that_meets_it() -> None:
    story = Story(delivery())
    story.ask("next")
    story.ask("complete_phase", phase=1)
    assert explained(story, "3") == [
        "Integration & Testing (index: 3) is pending.",
        "It waits for:",
        "- Frontend Development (index: 2): in_progress (started just now, waits for frontend-expert)",
        "    phaseloom workflow complete-phase 2",
    ]
    assert explained(story, "review-deploy")[2] == (
        "- Integration & Testing (index: 3): pending (itself waits for frontend-development)"
    )
    assert explained(story, "2")[-1] == "Complete it with: phaseloom workflow complete-phase 2"
    assert explained(story, "1") == [
        "Backend Development (index: 1) is completed.",
        "Completed by ana just now, after 0s.",
    ]


def test_why_of_a_failed_phase_shows_its_end_and_what_is_possible() -> None:
    story = Story(verified())
    story.done(0).broke(1, tail="one\ntwo\n", attempts=2)
    assert explained(story, "testing") == [
        "Testing (index: 1) is paused.",
        "Failed: sh exited with 3",
        "Kind: deterministic (it would come again, as far as anybody can tell)",
        "Attempts: 2",
        "Its last words:",
        "  one",
        "  two",
        "All of its output: phaseloom workflow logs testing",
        POSSIBLE,
    ]
    assert explained(story, "ship")[-1] == "    phaseloom workflow intervene retry --phase 1"


def test_why_of_a_queued_or_skipped_phase_says_so() -> None:
    phases = tuple(PhasePlan(id=f"p{i}", name=f"P{i}", index=i, agents=(SH,)) for i in range(2))
    story = Story(
        replace(Plan(id="x", name="X", phases=phases), execution=replace(delivery().execution, max_workers=1))
    )
    assert explained(story, "p1")[-1] == "All that it needs is done. It waits for a worker slot."
    story.ask("intervene", phase="p1", action="skip", reason="not today")
    assert explained(story, "p1")[-1] == "Skipped by ana."


def test_decisions_are_confirmed_with_what_they_start() -> None:
    story = Story(verified())
    story.done(0).broke(1)
    answer = story.ask("intervene", phase=1, action="skip", reason="flaky")
    assert decided(answer, story.view) == ["Testing (index: 1) is skipped.", "Started Ship (index: 2)."]


def test_pausing_and_resuming_say_what_happens_next() -> None:
    story = Story(verified())
    answer = story.ask("pause")
    assert paused(answer, story.view)[0] == "Paused: nothing new starts. 1 phase at work may still end."
    story.done(0)
    answer = story.ask("resume")
    assert resumed(answer, story.view) == ["Resumed.", "Started Testing (index: 1)."]


def test_the_last_checkpoint_is_the_phase_that_settled_last() -> None:
    story = Story(verified()).done(0).later(HOUR / 2)
    fact = {"phase": 0, "at": START, "data": {"status": "completed"}}
    assert checkpoint(fact, story.view, {0: "Build"}) == "Last checkpoint: Build (completed 30m ago)"
    assert checkpoint(None, story.view, {}) == "Last checkpoint: none, no phase has been settled yet"


def test_reports_say_what_is_still_missing() -> None:
    story = Story(replace(verified(), completion_signals=("Deployed", "Announced")))
    answer = story.ask("report_signal", signal="deployed")
    assert reported(answer, story.view) == ["Reported: Deployed", "Not reported yet: Announced"]
    answer = story.ask("report_signal", signal="announced")
    assert reported(answer, story.view)[1].startswith("All completion signals are reported")


def test_whom_a_run_waits_for_fits_a_column() -> None:
    assert waits(["person:api-expert", "decision:testing"]) == "api-expert, decision on testing"
    assert waits([f"person:r{i}" for i in range(5)]) == "r0, r1, r2 and 2 more"


def test_columns_line_up_whatever_the_width_of_characters() -> None:
    lines = table([("名前", "x"), ("name", "y"), ("e\u0301", "z")])
    assert lines == ["名前  x", "name  y", "e\u0301     z"]


def test_items_stand_below_their_phase_as_far_as_they_matter_now() -> None:
    story = Story(fleet()).later(60).done(2).broke(3).later(60)
    lines = status(story.view)
    assert lines[lines.index("Phases:") :] == [
        "Phases:",
        "  ⟳ 0  Build        in_progress (1/3 items, started 2m ago)",
        "         ‖ build.1  paused: sh exited with 3",
        "         ⟳ build.2  in_progress (started 2m ago)",
        "  · 1  Ship         pending",
    ]
    assert explained(story, "build") == [
        "Build (index: 0) is in_progress.",
        "It started 2m ago and runs once per item: 1 of 3 are done, 1 running, 1 paused.",
        "- build.1 paused: sh exited with 3",
    ]


def test_an_ended_run_says_how_many_items_there_were_and_what_they_took_together() -> None:
    story = Story(fleet()).later(60).done(2).done(3).done(4).later(20).done(1)
    text = "\n".join(status(story.view))
    assert "Build  completed (3 items, 1m 00s)" in text
    assert "build      3m 00s    1m 00s" in text
    assert "Total      3m 20s    1m 20s" in text


def test_a_phase_with_a_deadline_says_when_it_is_due() -> None:
    plan = delivery()
    due = replace(plan.phases[0], deadline=60 * HOUR)
    story = Story(replace(plan, phases=(due, *plan.phases[1:])))
    story.later(2 * HOUR)
    row = next(line for line in status(story.view) if " 0 " in line)
    assert row.endswith("(started 2h ago, waits for api-expert, ui-ux-expert, due in 2d 10h)")
    assert explained(story, "0")[1].startswith(
        "It started 2h ago, is due in 2d 10h and waits for api-expert, ui-ux-expert."
    )
    story.ask("next")
    assert not any("due in" in line for line in status(story.view))
