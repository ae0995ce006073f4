"""A tool that fails in one run is left alone in all of them, until one attempt shows that it works again."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from cli.reach.breakers import states
from engine.agents import AgentPlan, ToolBreaker
from engine.plan import Need, PhasePlan, Plan, Retry
from tests.cli.conftest import Place, kill, until

Json = dict[str, Any]

OPEN = 6.0
"""Seconds that the circuit stays open: more than a busy machine needs to ask and to be seen waiting."""

LEASE = 2.0
"""Seconds after which a killed probe has lost its place."""


def plan(script: str, attempts: int = 1, recovery: float = LEASE) -> Json:
    """A phase that uses the tool `oven`, whose breaker opens at the second failure in a row, after one that waits."""
    agent = AgentPlan(
        role="cook",
        uses="command",
        config={"tasks": [script]},
        breaker=ToolBreaker(tool="oven", threshold=2, recovery=recovery),
    )
    retry = Retry(max_attempts=attempts, initial=0.05, factor=1, every_failure=True)
    wait = AgentPlan(
        role="maid", uses="command", config={"tasks": ["until test -e go-$PHASELOOM_RUN; do sleep 0.05; done"]}
    )
    ready = PhasePlan(id="ready", name="Ready", index=0, agents=(wait,))
    bake = PhasePlan(
        id="bake", name="Bake", index=1, agents=(agent,), needs=(Need(phase=0),), retry=retry, on_failure="isolate"
    )
    return Plan(id="bread", name="Bread", phases=(ready, bake)).to_json()


async def start(place: Place, name: str, script: str, **how: Any) -> Any:
    connection = await place.connect()
    given = {"plan": plan(script, **how), "search_attributes": True}
    return await connection.client.start_workflow("PhaseRun", given, id=name, task_queue=connection.task_queue)


async def breaker(place: Place) -> Json:
    """The state of the oven's breaker, once there is one."""
    found = await states(await place.connect())
    return found[0] if found else {"state": "none"}


def log_of(place: Place, run: str, phase: str = "bake") -> str:
    path = place.root / ".phaseloom/workflows" / run / f"logs/phase-{phase}.log"
    return path.read_text(encoding="utf-8") if path.exists() else ""


async def has_state(place: Place, word: str) -> Json:
    """The oven's breaker, as soon as it is so."""
    async with asyncio.timeout(60):
        while (found := await breaker(place))["state"] != word:
            await asyncio.sleep(0.02)
    return found


def begins(place: Place, run: str) -> None:
    (place.root / f"go-{run}").touch()


async def test_a_killed_probe_frees_its_place_and_the_next_one_closes_the_circuit(place: Place) -> None:
    work = "date +%s.%N >> good; test $(wc -l < good) = 2 || sleep 60"
    good = await start(place, "wf_good", work)  # before, for a start takes a part of the recovery
    await start(place, "wf_bad", "echo x >> bad; exit 75", attempts=2, recovery=OPEN)
    await until(lambda: log_of(place, "wf_good", "ready"))
    begins(place, "wf_bad")
    opened = await has_state(place, "open")
    begins(place, "wf_good")
    assert len(place.lines("bad")) == 2
    await until(lambda: "the circuit of oven is open (2 failures in a row)" in log_of(place, "wf_good"))
    assert place.lines("good") == []
    async with asyncio.timeout(60):
        while "the circuit of oven is open: waits until" not in str((await good.query("view"))["phases"][1]):
            await asyncio.sleep(0.02)

    await until(lambda: len(place.lines("good")) == 1)
    assert float(place.lines("good")[0]) > datetime.fromisoformat(opened["recovers_at"]).timestamp() - 0.1
    assert (await breaker(place))["probe"]["by"] == "wf_good/bake"
    await kill((await place.family()).worker)

    summary = await asyncio.wait_for(good.result(), 60)
    result = summary["view"]["phases"][1]
    assert (summary["status"], result["status"], len(place.lines("good"))) == ("completed", "completed", 2)
    assert "Invoked (attempt 2)" not in log_of(place, "wf_good")
    assert (await breaker(place))["state"] == "closed"
