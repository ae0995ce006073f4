"""Runs that are under way somewhere go on with this version: recorded histories replay, in the sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from worker import sandbox_runner
from workflows.breaker import ToolBreaker
from workflows.deliver import Deliver
from workflows.run import PhaseRun

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))


def test_there_are_histories_to_replay() -> None:
    assert len(HISTORIES) >= 11


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_a_recorded_history_replays(path: Path) -> None:
    replayer = Replayer(workflows=[PhaseRun, ToolBreaker, Deliver], workflow_runner=sandbox_runner())
    run = f"wf_{path.stem.rstrip('0123456789-')}"  # signatures are bound to it
    history = WorkflowHistory.from_json(run, path.read_text(encoding="utf-8"))
    await replayer.replay_workflow(history)
