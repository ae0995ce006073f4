"""The ready list by itself: what waited earlier for something else does not let a phase slip through."""

from __future__ import annotations

from engine.plan import Execution
from engine.readylist import ReadyList
from tests.engine.world import phase, plan_of


def test_a_phase_that_waits_for_a_worker_now_does_not_start_for_having_waited_without_need_of_one() -> None:
    ready = ReadyList(plan_of(phase(0)), 0)
    ready.add(0, worker=False)
    ready.discard(0)
    ready.add(0, worker=True)
    assert ready.take(workers=False) is None
    assert ready.waits_for_slot(0)
    ready.max_workers = 1
    assert ready.take(workers=True) == 0
    assert ready.slots_used == 1


def test_a_phase_that_was_blocked_before_takes_its_place_as_it_waits_now() -> None:
    ready = ReadyList(plan_of(phase(0), phase(1), execution=Execution(parallel=False)), 1)
    ready.add(0, worker=False)
    ready.add(1, worker=False)
    assert ready.take(workers=False) == 0
    assert ready.take(workers=False) is None
    ready.discard(1)
    ready.add(1, worker=True)
    ready.leave(0)
    assert ready.take(workers=False) is None
    assert ready.take(workers=True) == 1
    assert ready.slots_used == 1
