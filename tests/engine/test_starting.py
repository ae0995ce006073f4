"""What the first fact of a run keeps of what it was started with."""

from __future__ import annotations

from typing import Any

import pytest

from engine import snapshots
from engine.engine import Engine
from engine.starting import begin
from tests.engine.world import phase, plan_of

Json = dict[str, Any]

TOLD = {"git": {"commit": "a" * 40, "dirty": "b" * 64}, "files": {"digest": "c" * 64}}


def first_fact(**start: Any) -> Json:
    engine = Engine(plan_of(phase(0)))
    begin(engine, {"run": {"id": "wf_x"}, **start}, 1.0, name="wf_x", execution="x")
    again = snapshots.restore(engine.plan, snapshots.snapshot(engine), 2.0)
    assert again.ledger[0] == engine.ledger[0]
    return engine.ledger[0].data


@pytest.mark.parametrize("seed", [{}, {"seed": {"from": "wf_old", "reused": []}}], ids=["fresh", "fork"])
def test_what_the_start_tells_of_files_is_kept(seed: Json) -> None:
    kept = first_fact(**TOLD, **seed)
    assert {name: kept[name] for name in TOLD} == TOLD


@pytest.mark.parametrize("start", [{}, {"git": None}, {"git": "x", "files": ["x"]}, {"files": 7}, {"files": {}}])
def test_a_start_that_tells_nothing_of_files_or_nonsense_begins_as_ever(start: Json) -> None:
    assert first_fact(**start) == {"inputs": {}, "env": {}, "run": {"id": "wf_x"}}
