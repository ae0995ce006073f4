"""The files of a run that a worker keeps: always what the ledger says, whatever was lost in between."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from engine.agents import AgentPlan
from engine.facts import Fact
from engine.plan import PhasePlan, Plan
from worker import RunFiles

PLAN = Plan(id="t", name="T", phases=(PhasePlan(id="a", name="A", index=0, agents=(AgentPlan(role="r"),)),))
LEDGER = [
    Fact(n=1, at=0.0, kind="run_started"),
    Fact(n=2, at=0.0, kind="phase_started", phase=0, epoch=0),
    Fact(n=3, at=2.0, kind="phase_settled", phase=0, epoch=0, data={"status": "completed", "seconds": 2.0}),
    Fact(n=4, at=2.0, kind="run_settled", data={"status": "completed"}),
]
LOG = [
    "[1970-01-01T00:00:00Z] [INFO] Workflow wf_1 started",
    "[1970-01-01T00:00:00Z] [INFO] Phase: a - Starting",
    "[1970-01-01T00:00:00Z] [INFO] Agent: r - Invoked",
    "[1970-01-01T00:00:02Z] [INFO] Phase: a - Completed (2s)",
    "[1970-01-01T00:00:02Z] [INFO] Checkpoint saved: a",
    "[1970-01-01T00:00:02Z] [INFO] Workflow wf_1 completed",
]


def told(root: Path, *ledgers: list[Fact]) -> None:
    """One worker's life, in which it hears of these ledgers."""
    with RunFiles(root) as files:
        for ledger in ledgers:
            files.tell("wf_1", PLAN, ledger)


def log(root: Path) -> list[str]:
    return (root / ".phaseloom/workflows/wf_1/logs/orchestrator.log").read_text(encoding="utf-8").splitlines()


def facts(root: Path) -> list[Fact]:
    lines = (root / ".phaseloom/workflows/wf_1/journal.jsonl").read_text(encoding="utf-8").splitlines()
    return [Fact.from_json(json.loads(line)) for line in lines]


@pytest.mark.parametrize(
    "lives",
    [
        [[LEDGER]],
        [[LEDGER[:1], LEDGER[:2], LEDGER]],
        [[LEDGER[:2]], [LEDGER]],
        [[LEDGER[:2]], [LEDGER[:2], LEDGER[:3]], [LEDGER]],
        [[LEDGER, LEDGER]],
    ],
    ids=["at once", "bit by bit", "two workers", "three workers", "told again"],
)
def test_each_fact_stands_there_once_and_in_order(tmp_path: Path, lives: list[list[list[Fact]]]) -> None:
    for life in lives:
        told(tmp_path, *life)
    assert facts(tmp_path) == LEDGER
    assert log(tmp_path) == LOG


def test_a_decision_that_was_lost_and_made_otherwise_is_corrected(tmp_path: Path) -> None:
    lost = [*LEDGER[:2], Fact(n=3, at=1.0, kind="run_paused", actor="ann")]
    told(tmp_path, lost, LEDGER)
    assert facts(tmp_path) == LEDGER
    assert log(tmp_path) == LOG


def test_a_line_cut_off_by_a_crash_is_completed(tmp_path: Path) -> None:
    told(tmp_path, LEDGER[:2])
    for path in tmp_path.rglob("*.*l*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-7])
    told(tmp_path, LEDGER)
    assert facts(tmp_path) == LEDGER
    assert log(tmp_path) == LOG


def test_a_run_whose_id_is_no_file_name_harms_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), RunFiles(tmp_path) as files:
        files.tell("../../escape", PLAN, LEDGER)
        files.tell("wf_1", PLAN, [replace(fact) for fact in LEDGER])
    assert "../../escape" in caplog.text
    assert log(tmp_path) == LOG
    assert not (tmp_path.parent / "escape").exists()
