"""Whatever the plan, the order of events and the operator: needs, limits and an end."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine import restoring, snapshots
from engine.engine import Engine
from engine.errors import RefusedError
from engine.facts import Fact
from engine.interventions import KNOWN
from engine.plan import (
    AgentPlan,
    ApprovalPlan,
    CheckPlan,
    Execution,
    GatePlan,
    JumpPlan,
    Need,
    NeedKind,
    PhasePlan,
    Plan,
    StepGroup,
)
from engine.state import State
from engine.view import details, view
from tests.engine.world import COMMAND, PERSON, World

AGENTS: list[tuple[AgentPlan, ...]] = [
    (COMMAND,),
    (COMMAND,),
    (PERSON,),
    (PERSON, COMMAND),
    (COMMAND, PERSON, PERSON),
    (COMMAND, COMMAND),
]
LINT = CheckPlan(name="lint", gate="checked", run=("lint",))
HOLDS = CheckPlan(name="holds", gate="checked", expr="1 < 2")
BY_ANYONE = ApprovalPlan(need=2, evidence="optional", deadline=6, remind=2, self_approval=True)
BY_ANA = ApprovalPlan(people=("ana",), deadline=4, on_deadline="escalate", escalate_to=("bo",), after_escalation="fail")
GATES: list[tuple[GatePlan, ...]] = [
    (),
    (),
    (),
    (GatePlan(id="checked", checks=(LINT, HOLDS)),),
    (GatePlan(id="decided", approval=BY_ANYONE),),
    (GatePlan(id="checked", checks=(LINT,), approval=BY_ANA, skippable=False), GatePlan(id="late", checks=(HOLDS,))),
]
WAYS = [None, "status == 'failed'", "status == 'completed'", "outputs.unknown > 1"]
KINDS: list[NeedKind] = ["data", "data", "data", "context"]
NO_NEEDS: st.SearchStrategy[set[int]] = st.just(set())
Json = dict[str, Any]
Step = tuple[str, Any]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    size = draw(st.integers(1, 8))
    parallel = [draw(st.booleans()) for _ in range(size)]
    groups: list[int | None] = []
    for index, member in enumerate(parallel):
        before = groups[index - 1] if index else None
        last = max((g for g in groups if g is not None), default=-1)
        groups.append(None if not member else before if before is not None else last + 1)
    limits = draw(st.lists(st.tuples(st.sets(st.integers(0, size - 1), min_size=1), st.integers(1, 2)), max_size=2))
    phases = [
        _phase(draw, index, groups, [n for n, (m, _) in enumerate(limits) if index in m]) for index in range(size)
    ]
    execution = Execution(
        parallel=draw(st.integers(0, 4)) > 0,
        max_workers=draw(st.integers(0, 3)),
        rate_limit_delay=draw(st.sampled_from([0.0, 0.0, 5.0])),
    )
    step_groups = tuple(
        StepGroup(id=f"g{n}", phases=tuple(sorted(m)), max_workers=w) for n, (m, w) in enumerate(limits)
    )
    signals = tuple(draw(st.sets(st.sampled_from(["All green", "Docs are out"]))))
    return Plan(
        id="plan",
        name="Plan",
        phases=tuple(phases),
        execution=execution,
        step_groups=tuple(step_groups),
        completion_signals=tuple(sorted(signals)),
    )


def _phase(draw: st.DrawFn, index: int, groups: list[int | None], limits: list[int]) -> PhasePlan:
    group = groups[index]
    earlier = sorted({g for g in groups[:index] if g is not None and g != group})
    needs = draw(st.sets(st.integers(0, index - 1), max_size=3) if index else NO_NEEDS)
    kind = draw(st.sampled_from(KINDS))
    behind = draw(st.booleans())
    items = draw(st.sampled_from([None, None, None, None, [], ["a"], ["a", "b", "c"], "inputs.missing"]))
    way = JumpPlan(to=draw(st.integers(0, len(groups) - 1)), condition=draw(st.sampled_from(WAYS)), max_rounds=2)
    jumps = (way,) if draw(st.integers(0, 3)) == 0 else ()
    return PhasePlan(
        id=f"p{index}",
        name=f"Phase {index}",
        index=index,
        agents=draw(st.sampled_from(AGENTS)),
        agents_mode=draw(st.sampled_from(["in_turn", "parallel"])),
        needs=tuple(Need(phase=n, kind=kind) for n in sorted(needs)),
        after_group=earlier[-1] if earlier and behind else None,
        group=group,
        condition=draw(st.sampled_from([None, None, None, "true", "1 > 2"])),
        always=draw(st.integers(0, 5)) == 0,
        on_failure=draw(st.sampled_from(["pause", "isolate", "fail_fast"])),
        limits=tuple(limits),
        gates=draw(st.sampled_from(GATES)),
        jumps=jumps,
        on_jump=draw(st.integers(0, 6)) == 0,
        for_each=items,
        max_parallel=draw(st.sampled_from([None, 1, 2])) if items else None,
    )


WHICH = st.one_of(st.integers(-1, 14), st.sampled_from(["p0.0", "p0.1", "p1.2", "p2.0", "p3.1"]))
MESSAGES: st.SearchStrategy[tuple[str, dict[str, Any]]] = st.one_of(
    st.tuples(st.sampled_from(["pause", "resume", "next", "cancel_parallel"]), st.just({})),
    st.tuples(
        st.sampled_from(["complete_phase", "fail_phase", "start_parallel", "cancel_parallel"]),
        st.fixed_dictionaries({"phase": WHICH}),
    ),
    st.tuples(
        st.just("intervene"),
        st.fixed_dictionaries(
            {
                "phase": WHICH,
                "action": st.sampled_from([*KNOWN, "nonsense"]),
                "reason": st.just("because"),
                "prompt": st.just("again"),
                "outputs": st.just({"x": 1}),
                "to": st.integers(0, 7),
            }
        ),
    ),
    st.tuples(
        st.sampled_from(["decide_gate", "retry_gate", "waive_gate", "delegate_gate"]),
        st.fixed_dictionaries(
            {"gate": st.sampled_from(["checked", "decided", "late"]), "phase": st.integers(0, 8)},
        ),
    ),
    st.tuples(
        st.just("restore"),
        st.one_of(
            st.fixed_dictionaries(
                {"checkpoint": st.sampled_from(["beginning", "last-checkpoint", "mine", "p0", "p1"])}
            ),
            st.fixed_dictionaries({"checkpoint": st.integers(1, 40)}),
            st.fixed_dictionaries({"phase": WHICH}),
        ),
    ),
    st.tuples(st.just("create_checkpoint"), st.just({"name": "mine"})),
    st.tuples(st.just("report_signal"), st.just({"signal": "all green"})),
    st.tuples(st.just("cancel"), st.just({})),
)
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        st.tuples(st.just("finish"), st.integers(0, 20)),
        st.tuples(st.just("finish"), st.integers(0, 20)),
        st.tuples(st.just("fail"), st.integers(0, 20)),
        st.tuples(st.just("tick"), st.integers(1, 9)),
        st.tuples(st.just("operate"), MESSAGES),
    ),
    max_size=25,
)


def filled_in(world: World, name: str, payload: Json) -> Json:
    """A message about a gate with what it needs to be taken, mostly; who sends it changes with the moment."""
    if "gate" not in payload:
        return payload
    turn = len(world.engine.ledger)
    actor = ("ana", "bo", "cy")[turn % 3]
    index = payload["phase"]
    gate = world.engine.state.phases[index].gate if index < len(world.plan.phases) else None
    given: Json = {**payload, "actor": actor}
    if name == "decide_gate":
        given["decision"] = ("approve", "approve", "reject", "request_changes")[turn % 4]
        given["comment"] = "because"
        if gate is not None and gate.evidence is not None and turn % 5:
            given["evidence"] = gate.evidence
    elif name == "delegate_gate":
        given["to"] = "dee"
    else:
        given["reason"] = "because"
    return given


def play(world: World, steps: list[Step]) -> None:
    for what, argument in steps:
        if world.finished:
            return
        keys = sorted(world.running)
        if what in {"finish", "fail"} and keys:
            error = {"code": "exit_code", "message": "exit code 1"} if what == "fail" else None
            world.end_agent(keys[argument % len(keys)], error=error)
        elif what == "tick":
            world.tick(argument)
        elif what == "operate":
            try:
                world.operate(argument[0], **filled_in(world, *argument))
            except RefusedError:
                continue


@settings(max_examples=400, deadline=None)
@given(plans(), STEPS)
def test_no_phase_starts_before_its_needs_no_limit_is_exceeded_and_every_run_ends(
    plan: Plan, steps: list[Step]
) -> None:
    world = World(plan)
    play(world, steps)
    status = world.drive_to_end()
    assert status in {"completed", "failed", "cancelled"}
    assert all(phase.settled for phase in world.engine.state.phases)


@settings(max_examples=200, deadline=None)
@given(plans(), STEPS)
def test_the_state_is_the_fold_of_the_facts(plan: Plan, steps: list[Step]) -> None:
    world = World(plan)
    play(world, steps)
    folded = State(plan)
    for fact in world.engine.ledger:
        folded.apply(fact)
    for phase, again in zip(world.engine.state.phases, folded.phases, strict=True):
        assert (phase.status, phase.epoch, phase.outputs, phase.error) == (
            again.status,
            again.epoch,
            again.outputs,
            again.error,
        )
    assert (folded.status, folded.counts, folded.pause) == (
        world.engine.state.status,
        world.engine.state.counts,
        world.engine.state.pause,
    )


@settings(max_examples=200, deadline=None)
@given(plans(), STEPS, STEPS)
def test_a_snapshot_at_any_moment_goes_on_to_an_end_with_nothing_lost(
    plan: Plan, steps: list[Step], more: list[Any]
) -> None:
    world = World(plan)
    play(world, steps)
    if world.finished:
        return
    snapshot = json.loads(json.dumps(snapshots.snapshot(world.engine)))
    settled = {(i, p.epoch): p.outputs for i, p in enumerate(world.engine.state.phases) if p.settled}
    successor = World(plan, engine=snapshots.restore(plan, snapshot, world.now))
    if world.counting or plan.execution.max_workers == 0:
        successor.counting = not world.engine.state.max_workers
    play(successor, more)
    successor.drive_to_end()
    for (index, epoch), outputs in settled.items():
        phase = successor.engine.state.phases[index]
        assert phase.outputs == outputs or phase.epoch > epoch
        before, after = (settlements(run.engine.ledger, index, epoch) for run in (world, successor))
        # After a restore a phase counts as settled in an epoch in which it was not.
        assert before == after == 1 or (before == after == 0 and epoch)


def settlements(ledger: list[Fact], index: int, epoch: int) -> int:
    """How often a phase was settled in an epoch, for good."""
    own = [fact for fact in ledger if fact.kind == "phase_settled" and (fact.phase, fact.epoch) == (index, epoch)]
    return sum(not fact.data.get("held") for fact in own)


@settings(max_examples=100, deadline=None)
@given(plans(), STEPS)
def test_every_view_is_json_and_agrees_with_the_state(plan: Plan, steps: list[Step]) -> None:
    world = World(plan)
    play(world, steps)
    shown = json.loads(json.dumps(view(world.engine, world.now)))
    assert shown["status"] == world.engine.state.status
    assert sum(shown["counts"].values()) == len(plan.phases)
    assert [row["id"] for row in shown["phases"]] == [p.id for p in plan.phases]
    for phase in world.engine.state.phases:
        json.dumps(details(world.engine, phase))


def told(state: State) -> Json:
    """All that a state says of its run, for comparison."""
    return {
        "phases": [
            (p.plan.id, p.status, p.outputs, p.error, p.held, p.open_needs, p.bad_needs, p.jumped_to, p.persons)
            for p in state.phases
        ],
        "rest": (state.status, state.counts, state.pause, state.stopping, state.signals, state.rounds, state.waivers),
    }


def folded(plan: Plan, facts: list[Fact]) -> State:
    state = State(plan)
    for fact in facts:
        state.apply(fact)
    return state


@settings(max_examples=120, deadline=None)
@given(plans(), STEPS, STEPS, st.integers(1, 60))
def test_after_a_restore_the_run_is_where_its_first_facts_left_it_but_for_what_ran_and_comes_to_an_end(
    plan: Plan, steps: list[Step], more: list[Step], seed: int
) -> None:
    world = World(plan)
    play(world, steps)
    if world.finished or world.engine.state.stopping == "cancelled":
        return
    if world.engine.state.restoring is None:
        places = [1, *world.engine.state.saved.positions]
        to = places[seed % len(places)]
        world.operate("restore", checkpoint="beginning" if to == 1 else to)
    else:
        to = world.engine.state.restoring["to"]
    while world.engine.state.restoring is not None:
        assert world.running, "it waits for nobody"
        world.end_agent(min(world.running))
    ledger = world.engine.ledger
    at = next(f.n for f in reversed(ledger) if f.kind == "restored")
    now, then = folded(plan, ledger[:at]), folded(plan, ledger[:to])
    epochs = {int(index): epoch for index, epoch in ledger[at - 1].data["epochs"].items()}
    for before, phase in zip(then.phases, now.phases, strict=False):
        index = phase.plan.index
        if before.status == "running" and before.cancelling is None and before.gate is None:
            assert phase.status == ("running" if index in then.expanding else "pending")
        else:
            assert (phase.status, phase.outputs, phase.held) == (before.status, before.outputs, before.held)
        assert phase.epoch == epochs.get(index, before.epoch)
        assert phase.epoch >= before.epoch
    assert all(phase.status == "cancelled" for phase in now.phases[len(then.phases) :])
    assert (now.signals, now.rounds, now.stopping) == (then.signals, then.rounds, then.stopping)
    play(world, more)
    assert world.drive_to_end() in {"completed", "failed", "cancelled"}
    again = folded(plan, ledger)
    assert told(again) == told(world.engine.state)


@settings(max_examples=100, deadline=None)
@given(plans(), STEPS, st.integers(0, 60), STEPS)
def test_a_new_run_goes_on_where_another_one_was_at_any_of_its_checkpoints(
    plan: Plan, steps: list[Step], seed: int, more: list[Step]
) -> None:
    world = World(plan)
    play(world, steps)
    places = [1, *world.engine.state.saved.positions]
    to = places[seed % len(places)]
    facts = json.loads(json.dumps([fact.to_json() for fact in world.engine.ledger[:to]]))
    engine = Engine(plan)
    restoring.seed(
        engine, {"facts": facts, "from": "wf_old", "checkpoint": "c"}, world.now, run={"id": "wf_new"}, actor=None
    )
    engine.advance(world.now)
    successor = World(plan, engine=engine)
    play(successor, more)
    assert successor.drive_to_end() in {"completed", "failed", "cancelled"}
    assert successor.engine.state.run["id"] == "wf_new"
    assert told(folded(plan, engine.ledger)) == told(engine.state)
