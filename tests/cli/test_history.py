"""What phases have taken is measured from the runs that have ended here."""

from __future__ import annotations

import json
import os
from pathlib import Path

from activities.artifacts import ArtifactStore
from cli.reach.history import measured
from cli.reach.planned import lengths_of
from engine.engine import Engine
from tests.engine.world import World, phase, plan_of

PLAN = plan_of(phase(0), phase(1, 0, estimate=(5.0, 7.0)), phase(2))


def keep(root: Path, run: str, lengths: list[float], at: float, *, fails: int | None = None) -> None:
    """The archive of a run of `PLAN` whose phases took so long."""
    engine = Engine(PLAN)
    facts = []
    for index, length in enumerate(lengths):
        status = "failed" if index == fails else "completed"
        facts += [
            {"n": 1, "at": 100.0, "kind": "phase_started", "phase": index},
            {"n": 2, "at": 100.0 + length, "kind": "phase_settled", "phase": index, "data": {"status": status}},
        ]
    content = {"run": run, "ledger": {"plan": engine.plan.to_json(), "facts": facts}}
    ref = ArtifactStore(root).put_bytes(json.dumps(content).encode(), "application/json")
    pointer = root / ".phaseloom" / "workflows" / run / "archive.json"
    pointer.parent.mkdir(parents=True)
    pointer.write_text(json.dumps({"run": run, "sha256": ref.sha256}))
    os.utime(pointer, (at, at))


def test_the_median_of_the_completed_phases_counts(tmp_path: Path) -> None:
    keep(tmp_path, "wf_1", [10, 1, 4], 1)
    keep(tmp_path, "wf_2", [30, 1, 4], 2)
    keep(tmp_path, "wf_3", [20, 1, 999], 3, fails=2)
    found = measured(tmp_path, "plan")
    assert found["p0"].seconds == 20
    assert (found["p0"].low, found["p0"].high, found["p0"].runs) == (10, 30, 3)
    assert found["p2"].runs == 2
    assert measured(tmp_path, "another") == {}


def test_only_the_newest_runs_count(tmp_path: Path) -> None:
    for number in range(7):
        keep(tmp_path, f"wf_{number}", [number * 10.0], float(number))
    assert (measured(tmp_path, "plan")["p0"].low, measured(tmp_path, "plan")["p0"].runs) == (20, 5)


def test_a_run_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    assert measured(tmp_path, "plan") == {}
    keep(tmp_path, "wf_1", [10], 1)
    for number, text in enumerate(("", "[]", "{}", '{"sha256": "0"}', '{"sha256": 5}')):
        directory = tmp_path / ".phaseloom" / "workflows" / f"wf_bad{number}"
        directory.mkdir()
        (directory / "archive.json").write_text(text)
    assert measured(tmp_path, "plan")["p0"].runs == 1


def test_the_ledger_of_a_real_run_is_understood(tmp_path: Path) -> None:
    world = World(plan_of(phase(0)))
    world.now += 42
    ledger = {"plan": world.plan.to_json(), "facts": [fact.to_json() for fact in world.engine.ledger]}
    ref = ArtifactStore(tmp_path).put_bytes(json.dumps({"ledger": ledger}).encode(), "application/json")
    pointer = tmp_path / ".phaseloom" / "workflows" / "wf_1" / "archive.json"
    pointer.parent.mkdir(parents=True)
    pointer.write_text(json.dumps({"sha256": ref.sha256}))
    assert measured(tmp_path, "plan") == {}  # its phase still runs


def test_an_estimate_goes_before_what_was_measured_and_that_before_what_is_assumed(tmp_path: Path) -> None:
    keep(tmp_path, "wf_1", [9, 100], 1)
    lengths = lengths_of(PLAN, measured(tmp_path, "plan"), 1)
    assert lengths.sources == {0: "measured", 1: "estimate", 2: "assumed"}
    assert lengths.spans == {0: (9, 9), 1: (5, 7), 2: (7, 8)}
