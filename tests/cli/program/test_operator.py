"""People drive a run with parallel phases from the terminal, in the promised words."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.cli.program.person import PROGRAM, Json, Person, until

CATALOG = "full-stack-parallel"


def without_times(view: Json) -> Json:
    return {key: value for key, value in view.items() if key not in {"now", "eta"}}


def test_a_whole_run_by_hand(person: Person) -> None:
    began = person.types("workflow", "start", CATALOG)
    assert re.fullmatch(r"Started wf_[0-9a-z]{6}: Full Stack Parallel Development", began.lines[0])
    assert began.lines[1:] == [
        "In progress: Design & Contract (index: 0) [api-expert, ui-ux-expert]",
        "Complete it with: phaseloom workflow next",
    ]
    assert person.types("workflow", "next").lines == [
        "Phase completed.",
        "Started 2 parallel phases:",
        "- Backend Development (index: 1)",
        "- Frontend Development (index: 2)",
        "Complete each with: phaseloom workflow complete-phase <index>",
    ]
    assert person.types("workflow", "complete-phase", "1").lines == ["Phase completed. 1 parallel phase remaining."]
    status = person.types("workflow", "parallel-status").lines
    assert status[:3] == ["Parallel Execution Active: Yes", f"Workflow: {CATALOG}", "Phases:"]
    assert status[3] == "- Backend Development: completed (finished just now)"
    assert status[4:] == ["- Frontend Development: in_progress (started just now)", "Progress: 1/2 (50%)"]
    assert person.types("workflow", "complete-phase", "frontend-development").lines == [
        "All parallel phases complete. Continuing to Integration & Testing.",
        "Complete it with: phaseloom workflow next",
    ]
    assert person.types("workflow", "parallel-status").lines[0] == "Parallel Execution Active: No"
    assert person.types("workflow", "complete-phase", "Integration & Testing").lines[0] == "Phase completed."
    assert person.types("workflow", "next").lines == ["Phase completed.", "The workflow is complete."]
    assert "Status: completed" in person.types("workflow", "status").out
    # The worker writes a line down a moment after it has decided.
    completed = f"[INFO] Workflow {person.current} completed"
    until(lambda: person.types("workflow", "logs").lines[-1].endswith(completed))
    assert person.types("workflow", "logs").lines[0].endswith(f"[INFO] Workflow {person.current} started")


@pytest.mark.parametrize("command", ["workflow status", "workflow parallel-status", "runs"])
def test_a_look_at_a_run_loads_little_of_temporal_and_nothing_of_the_engine(person: Person, command: str) -> None:
    person.types("workflow", "start", CATALOG)
    looked = person.tries(*command.split(), PYTHONPROFILEIMPORTTIME="1")
    person.types("workflow", "cancel")
    loaded = {line.rpartition("|")[2].strip() for line in looked.err.splitlines()}
    assert looked.code == 0
    assert "temporalio.service" in loaded
    assert loaded.isdisjoint({"temporalio.client", "definitions.schema", "engine.engine", "rich", "yaml"})


def test_what_is_refused_changes_nothing_and_exits_non_zero(person: Person) -> None:
    person.types("workflow", "start", CATALOG)
    person.types("workflow", "next")
    person.types("workflow", "complete-phase", "1")
    before = without_times(person.view())
    refused = {
        ("next",): "a parallel group is open: Frontend Development (index: 2)",
        ("complete-phase", "1"): "Backend Development (index: 1) is already completed",
        ("complete-phase", "3"): "Integration & Testing (index: 3) has not started",
        ("complete-phase", "backend-developmnt"): "did you mean 'backend-development'",
        ("intervene", "retry", "--phase", "2"): "retry is not possible",
    }
    for command, words in refused.items():
        said = person.tries("workflow", *command)
        assert said.code == 4, (command, said)
        assert words in said.err
        assert said.err.startswith("error: ")
        assert said.out == ""
    assert without_times(person.view()) == before
    person.types("workflow", "cancel")
    said = person.tries("workflow", "complete-phase", "2", "--run", person.current)
    assert (said.code, said.err.splitlines()[0]) == (4, "error: the run is cancelled")


def test_starting_and_going_on_back_to_back_works(person: Person) -> None:
    script = f"'{PROGRAM}' workflow start {CATALOG} && '{PROGRAM}' workflow next"
    done = subprocess.run(
        ["sh", "-c", script], cwd=person.root, env=person.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Started 2 parallel phases:" in done.stdout
    person.types("workflow", "cancel")


def test_a_repeated_request_counts_once(person: Person) -> None:
    person.types("workflow", "start", CATALOG)
    first = person.types("workflow", "next", "--request-id", "r1", "--json").json
    assert person.types("workflow", "next", "--request-id", "r1", "--json").json == first
    assert person.view()["progress"]["completed"] == 1
    person.types("workflow", "cancel")


def test_answers_as_json_have_the_fields_of_the_api(person: Person) -> None:
    begun = person.types("workflow", "start", CATALOG, "--json").json
    assert begun["definition"] == CATALOG
    assert begun["view"]["active"][0]["waits_for"] == "person"
    person.types("workflow", "next")
    answer = person.types("workflow", "start-parallel", "1", "--json").json
    assert answer["success"] is True
    assert [phase["index"] for phase in answer["parallel_phases"]] == [1, 2]
    answer = person.types("workflow", "complete-phase", "1", "--json").json
    assert (answer["success"], answer["all_parallel_complete"], answer["remaining"]) == (True, False, 1)
    parallel = person.types("workflow", "parallel-status", "--json").json
    assert (parallel["active"], parallel["progress"]) == (True, {"completed": 1, "total": 2})
    refused = person.tries("workflow", "next", "--json")
    assert refused.code == 4
    assert refused.json["error"]["code"] == "refused"
    assert refused.err == ""
    person.types("workflow", "cancel")


def test_a_cancelled_group_pauses_the_run_and_can_be_retried(person: Person) -> None:
    person.types("workflow", "start", CATALOG)
    person.types("workflow", "next")
    said = person.types("workflow", "cancel-parallel")
    assert said.lines[:3] == [
        "Cancelled 2 parallel phases:",
        "- Backend Development (index: 1)",
        "- Frontend Development (index: 2)",
    ]
    assert "The workflow has paused because parallel execution was cancelled." in said.lines
    assert person.types("workflow", "parallel-status").lines[0] == "Parallel Execution Active: No"
    said = person.types("workflow", "start-parallel", "1")
    assert said.lines[0] == "Started 2 parallel phases:"
    person.types("workflow", "cancel")


def test_without_a_current_run_the_only_open_one_is_meant_and_several_are_listed(person: Person) -> None:
    # A list learns of a run a moment after its start, and of its end a moment after that.
    until(lambda: not person.runs())
    said = person.tries("workflow", "next")
    assert said.code == 4
    assert said.err.startswith("error: no run is open")
    runs = [person.types("workflow", "start", CATALOG, "--json").json["run"] for _ in range(2)]
    until(lambda: person.runs().keys() == set(runs))
    current = person.root / ".phaseloom" / "current"
    current.unlink()
    said = person.tries("workflow", "next")
    assert said.code == 4
    assert "open are:" in said.err
    assert all(f"  {run}  {CATALOG}" in said.err for run in runs)
    person.types("workflow", "cancel", "--run", runs[0])
    until(lambda: list(person.runs()) == [runs[1]])
    assert person.types("workflow", "next").lines[1] == "Started 2 parallel phases:"
    waits = ["person:backend-expert", "person:frontend-expert"]
    until(lambda: [run["waiting_for"] for run in person.runs().values()] == [waits])
    person.types("workflow", "cancel", "--run", runs[1])
    ended = {"completed", "cancelled"}
    until(lambda: {run["status"] for run in person.runs("--all").values()} == ended)


def test_completion_signals_end_the_run(person: Person) -> None:
    person.write(
        "release.yaml",
        "name: Release\ncompletion_signals: [All services deployed]\n"
        "phases:\n  - {name: Deploy, outputs: {tag: {type: string}}}\n",
    )
    person.types("workflow", "start", "release.yaml")
    missing = person.tries("workflow", "next")
    assert missing.code == 4
    assert "-o tag=" in missing.err
    said = person.types("workflow", "next", "--output", "tag=v1")
    assert said.lines[-1] == 'Report each with: phaseloom workflow signal "All services deployed"'
    said = person.types("workflow", "signal", "all services deployed")
    assert said.lines == ["Reported: All services deployed", "The workflow is complete."]


def test_inputs_are_checked_before_anything_starts(person: Person) -> None:
    person.write(
        "inputs.yaml",
        "name: Inputs\ninputs:\n  feature: {type: string, description: what to build}\n"
        "  count: {type: integer, default: 2}\nphases:\n  - {name: Only}\n",
    )
    said = person.tries("workflow", "start", "inputs.yaml", "--input", "count=many", "--input", "featur=x")
    assert said.code == 2
    assert "there is no input 'featur' (did you mean 'feature'?)" in said.err
    assert "the input 'count': an integer is needed here" in said.err
    assert "the input 'feature' (string) is required - what to build" in said.err
    person.write("given.json", '{"feature": "search", "count": 3}')
    person.types("workflow", "start", "inputs.yaml", "--inputs-file", "given.json", "-i", "count=4")
    person.types("workflow", "cancel")

    def listed() -> list[str]:
        return [run for run, about in person.runs("--all").items() if about["name"] == "Inputs"]

    # By the time the list knows of this one it knows of one that should not have been started before.
    until(listed)
    assert listed() == [person.current]


def test_a_definition_that_another_process_keeps_can_be_started_by_its_id(person: Person) -> None:
    person.write("mine.yaml", "name: Mine\nphases:\n  - {name: One}\n")
    said = person.types("workflow", "define", "mine.yaml")
    assert said.lines[-1] == "Start it with: phaseloom workflow start mine"
    person.types("workflow", "define", "mine.yaml")
    person.write("other.yaml", "id: mine\nname: Other\nphases:\n  - {name: Two}\n")
    refused = person.tries("workflow", "define", "other.yaml")
    assert (refused.code, "--force" in refused.err) == (4, True)
    (person.root / "mine.yaml").unlink()
    listed = {entry["id"]: entry for entry in person.types("workflow", "list", "--json").json["definitions"]}
    assert listed["mine"]["origin"] == "kept"
    assert person.types("workflow", "start", "mine").lines[1] == "In progress: One (index: 0) [person]"
    person.types("workflow", "cancel")
