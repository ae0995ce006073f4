"""Whoever writes what from whichever version: no accepted write is lost unless that is recorded."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine import snapshots
from engine.errors import RefusedError
from engine.plan import ContextKeyPlan, ContextRules, Execution, Plan
from tests.engine.sharing import facts
from tests.engine.world import PERSON, World, phase, plan_of

Json = dict[str, Any]

KEYS = {
    "a": ContextKeyPlan(),
    "b": ContextKeyPlan(type="list", default=[], optional=True),
    "c": ContextKeyPlan(type="integer", invariant="context.c < 4"),
}
VALUE = st.sampled_from([0, 1, {"x": 1}, {"y": 2}, {"x": 1, "y": 3}, ["p"], ["q"], ["p", "q"]])
WRITES = st.fixed_dictionaries(
    {},
    optional={"a": VALUE, "b": st.lists(st.sampled_from("pqr"), max_size=3, unique=True), "c": st.integers(0, 5)},
)
STEP = st.tuples(
    st.sampled_from(["write", "write", "write", "decide", "retry", "back", "snapshot"]), st.integers(0, 9), WRITES
)


def writers(count: int, rules: ContextRules) -> Plan:
    """Phases that work at once, each of which a person looks at, so that control can come back to them."""
    every: Json = {"context_reads": tuple(KEYS), "context_writes": tuple(KEYS)}
    work = [phase(index, **every) for index in range(count)]
    looks = [phase(count + index, index, agents=(PERSON,)) for index in range(count)]
    return plan_of(*work, *looks, context=KEYS, context_rules=rules, execution=Execution(max_workers=count))


def step(world: World, what: str, number: int, writes: Json) -> World:
    running, paused = sorted(world.running), sorted(world.engine.state.paused_phases)
    if what == "write" and running:
        world.end_agent(running[number % len(running)], context=writes)
    elif what in {"decide", "retry"} and paused:
        action = ("keep_theirs", "take_mine", "replace_context")[number % 3] if what == "decide" else "retry"
        values = {"a": 7, "b": [], "c": 1, **writes}
        wanted = {key for offer in world.engine.state.phases[paused[0]].conflicts.values() for key in offer["keys"]}
        given: Json = {"context": {key: values[key] for key in wanted or {"c"}}} if action == "replace_context" else {}
        try_to(world, "intervene", phase=paused[0], action=action, reason="so be it", **given)
    elif what == "back":
        work = len(world.plan.phases) // 2
        index = number % work
        try_to(world, "fail_phase", phase=work + index)
        try_to(world, "intervene", phase=work + index, action="go_to", to=index)
    elif what == "snapshot":
        taken = json.loads(json.dumps(snapshots.snapshot(world.engine)))
        return World(world.plan, engine=snapshots.restore(world.plan, taken, world.now))
    return world


def try_to(world: World, name: str, **payload: Any) -> None:
    try:
        world.operate(name, **payload)
    except RefusedError:
        return


def check(world: World) -> None:
    """Versions have no gap, and each write that replaced one its writer had not seen was merged or decided about."""
    written = facts(world, "context_written")
    assert [fact["data"]["version"] for fact in written] == list(range(1, len(written) + 1))
    conflicts = facts(world, "context_conflicted")
    history: dict[str, list[Json]] = {}
    for fact in written:
        data = fact["data"]
        for key, write in data["writes"].items():
            unseen = [old for old in history.get(key, ()) if old["version"] > data["base"]]
            if unseen and write["hash"] != unseen[-1]["hash"]:
                assert key in data.get("merged", ()) or "decision" in data
                known = [c for c in conflicts if (c["phase"], c["epoch"]) == (fact["phase"], fact["epoch"])]
                assert any(key in c["data"]["keys"] and c["n"] < fact["n"] for c in known) or key in data["over"]
            history.setdefault(key, []).append({"version": data["version"], "hash": write["hash"]})
    state = world.engine.state
    for key, entries in history.items():
        assert state.context.hash_of(key) == entries[-1]["hash"]
        assert [entry.version for entry in state.context.history(key)] == [entry["version"] for entry in entries]


@settings(max_examples=200, deadline=None)
@given(st.integers(2, 4), st.integers(0, 1), st.lists(STEP, max_size=30))
def test_no_accepted_write_is_lost_without_a_recorded_conflict(
    count: int, reruns: int, steps: list[tuple[str, int, Json]]
) -> None:
    world = World(writers(count, ContextRules(consistency="rerun" if reruns else "pause", max_reruns=1)))
    for what, number, writes in steps:
        world = step(world, what, number, writes)
        check(world)
    if not world.finished:
        world.drive_to_end()
    check(world)
