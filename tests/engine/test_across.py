"""Many runs together, against numbers that were worked out by hand."""

from __future__ import annotations

from typing import Any

from engine.across import across
from engine.gates.plans import CheckPlan, GatePlan
from engine.metrics import metrics
from engine.plan import Plan
from engine.spells import Spells
from tests.engine.world import World, phase, plan_of

Json = dict[str, Any]

GATE = GatePlan(id="ready", checks=(CheckPlan(name="lint", gate="ready", run=("lint",)),))


def measured(world: World) -> Json:
    facts = world.engine.ledger
    return metrics(Spells.of(world.plan, facts), facts, world.now)


def two_phases(first: float, second: float | None, plan: Plan | None = None) -> Json:
    """A run whose phases take so long; one whose second phase takes no time at all fails there."""
    world = World(plan or plan_of(phase(0), phase(1, 0, on_failure="isolate")))
    world.tick(first)
    world.finish(0)
    world.tick(second or 0)
    if second is None:
        world.fail(1)
    else:
        world.finish(1)
    assert world.finished
    return measured(world)


def test_percentiles_are_of_the_phases_that_completed_and_the_rate_leaves_cancelled_runs_out() -> None:
    cancelled = World(plan_of(phase(0), phase(1, 0)))
    cancelled.operate("cancel")
    cancelled.end_agent((0, 0, 0))
    runs = [two_phases(1, 10), two_phases(2, 20), two_phases(3, 30), two_phases(4, None), measured(cancelled)]
    found = across(runs)
    assert [found[name] for name in ("runs", "completed", "failed", "cancelled")] == [5, 3, 1, 1]
    assert found["success_rate"] == 0.75
    assert found["seconds"] == {"count": 3, "seconds": 66, "p50": 22, "p95": 33, "most": 33}
    (definition,) = found["definitions"]
    assert definition["definition"] == "plan"
    first, second = definition["phases"]
    assert (first["started"], first["completed"]) == (5, 4)
    assert first["seconds"] == {"count": 4, "seconds": 10, "p50": 2, "p95": 4, "most": 4}
    assert (second["started"], second["completed"]) == (4, 3)
    assert second["seconds"] == {"count": 3, "seconds": 60, "p50": 20, "p95": 30, "most": 30}


def test_gates_of_one_name_are_counted_over_all_runs() -> None:
    def gated(*, bad: bool) -> Json:
        world = World(plan_of(phase(0, gates=(GATE,), on_failure="isolate")))
        world.finish(0)
        if bad:
            world.fail(0)
        else:
            world.finish(0)
        return measured(world)

    (gate,) = across([gated(bad=False), gated(bad=False), gated(bad=True)])["gates"]
    assert (gate["passed"], gate["failed"], gate["pass_rate"]) == (2, 1, 0.6667)


def test_definitions_are_apart() -> None:
    other = Plan(id="other", name="Other", phases=(phase(0), phase(1, 0)))
    found = across([two_phases(1, 1, other), two_phases(2, 2)])
    assert [row["definition"] for row in found["definitions"]] == ["other", "plan"]
    assert [row["seconds"]["p50"] for row in found["definitions"]] == [2, 4]


def test_no_run_has_no_numbers() -> None:
    found = across([])
    assert (found["runs"], found["success_rate"], found["utilisation"], found["retry_rate"]) == (0, None, None, None)
