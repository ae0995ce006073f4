"""Whatever the plan, the order of events and the operator: needs, limits and an end."""

from __future__ import annotations

import json
from typing import Any, Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from engine import restoring, snapshots
from engine.agents import AgentPlan
from engine.engine import Engine
from engine.errors import RefusedError
from engine.facts import Fact
from engine.gates.plans import ApprovalPlan, CheckPlan, GatePlan, ReviewPlan
from engine.interventions import KNOWN
from engine.metrics import metrics
from engine.plan import (
    ContextKeyPlan,
    ContextRules,
    Execution,
    HookPlan,
    JumpPlan,
    Need,
    NeedKind,
    PhasePlan,
    Plan,
    StepBreaker,
    StepGroup,
    TargetPlan,
)
from engine.spells import Spells
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
CRITIC = AgentPlan(role="critic", uses="command", config={"run": ["critic"]})
SECOND = AgentPlan(role="second", uses="command", config={"run": ["second"]})
BY_TWO = ReviewPlan(reviewers=(CRITIC, SECOND), max_rounds=1)
BY_ONE = ReviewPlan(reviewers=(CRITIC,), max_rounds=1, together=True)
BY_ANY = ReviewPlan(reviewers=(CRITIC, SECOND), need=1, max_rounds=0, prompt="Any?")
GATES: list[tuple[GatePlan, ...]] = [
    (),
    (),
    (),
    (GatePlan(id="checked", checks=(LINT, HOLDS)),),
    (GatePlan(id="decided", approval=BY_ANYONE),),
    (GatePlan(id="checked", checks=(LINT,), approval=BY_ANA, skippable=False), GatePlan(id="late", checks=(HOLDS,))),
]
BREAKERS = [None, None, StepBreaker(max_attempts=2, cooldown=8), StepBreaker(max_error_repeats=1, cooldown=0)]
REVIEWED: list[tuple[GatePlan, ...]] = [
    (),
    (GatePlan(id="checked", review=BY_TWO),),
    (GatePlan(id="checked", review=BY_ONE), GatePlan(id="decided", review=BY_TWO, approval=BY_ANYONE)),
    (GatePlan(id="decided", review=BY_ONE, approval=BY_ANA), GatePlan(id="late", checks=(LINT,), review=BY_ANY)),
]
KEYS = {
    "a": ContextKeyPlan(),
    "b": ContextKeyPlan(type="list", default=[], optional=True),
    "c": ContextKeyPlan(type="integer", invariant="context.c < 3"),
    "d": ContextKeyPlan(owner="lead"),
}
CONSISTENCY: list[Literal["pause", "rerun"]] = ["pause", "rerun"]
SHARED: list[dict[str, ContextKeyPlan]] = [{}, KEYS]
WRITES: list[dict[str, Any] | None] = [
    None,
    {"a": 1},
    {"a": {"x": 1}, "b": ["x"]},
    {"a": {"y": 2}, "b": ["y"]},
    {"b": ["x", "y"], "c": 2},
    {"c": 5},
    {"d": 1},
]
WAYS = [None, "status == 'failed'", "status == 'completed'", "outputs.unknown > 1"]
KINDS: list[NeedKind] = ["data", "data", "data", "context"]
NO_NEEDS: st.SearchStrategy[set[int]] = st.just(set())
Json = dict[str, Any]
Step = tuple[str, Any]


@st.composite
def plans(draw: st.DrawFn, gates: list[tuple[GatePlan, ...]] = GATES) -> Plan:
    size = draw(st.integers(1, 8))
    parallel = [draw(st.booleans()) for _ in range(size)]
    groups: list[int | None] = []
    for index, member in enumerate(parallel):
        before = groups[index - 1] if index else None
        last = max((g for g in groups if g is not None), default=-1)
        groups.append(None if not member else before if before is not None else last + 1)
    limits = draw(st.lists(st.tuples(st.sets(st.integers(0, size - 1), min_size=1), st.integers(1, 2)), max_size=2))
    phases = [
        _phase(draw, index, groups, [n for n, (m, _) in enumerate(limits) if index in m], gates)
        for index in range(size)
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
        context=draw(st.sampled_from(SHARED)),
        context_rules=ContextRules(consistency=draw(st.sampled_from(CONSISTENCY))),
        execution=execution,
        step_groups=tuple(step_groups),
        completion_signals=tuple(sorted(signals)),
        targets=draw(st.sampled_from([(), (TargetPlan(name="team", url_env="TEAM"),)])),
        hooks=draw(st.sampled_from([{}, {"failure": HookPlan(run=("tell", "${status}"))}])),
    )


def _phase(
    draw: st.DrawFn, index: int, groups: list[int | None], limits: list[int], gates: list[tuple[GatePlan, ...]]
) -> PhasePlan:
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
        gates=draw(st.sampled_from(gates)),
        jumps=jumps,
        on_jump=draw(st.integers(0, 6)) == 0,
        for_each=items,
        max_parallel=draw(st.sampled_from([None, 1, 2])) if items else None,
        breaker=draw(st.sampled_from(BREAKERS)),
        deadline=draw(st.sampled_from([None, None, 5.0])),
        remind=draw(st.sampled_from([None, None, 3.0])),
        context_reads=draw(st.sampled_from([(), ("a", "b")])),
        context_writes=draw(st.sampled_from([(), ("a", "b", "c"), ("a", "b", "c", "d")])),
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
                "context": st.sampled_from([{"a": 3}, {"a": 3, "b": []}, {"c": 1}]),
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


def answer(world: World, argument: int) -> Json:
    """What a reviewer answers: each of the verdicts, one by one for each gate, or nonsense."""
    words: list[Json] = [
        {"verdict": "APPROVE"},
        {"verdict": "REQUEST_CHANGES", "comment": "because"},
        {"verdict": "COMMENT", "comment": "nice"},
        {"verdict": "LGTM"},
        {"verdicts": {f"p{number}": "APPROVE" if number % 2 else "REQUEST_CHANGES: no" for number in range(8)}},
    ]
    return words[(argument + len(world.engine.ledger)) % len(words)]


def play(world: World, steps: list[Step]) -> None:
    for what, argument in steps:
        if world.finished:
            return
        keys = sorted(world.running)
        if what in {"finish", "fail"} and keys:
            error = {"code": "exit_code", "message": "exit code 1"} if what == "fail" else None
            key = keys[argument % len(keys)]
            said = answer(world, argument) if key[0] < 0 else None
            world.end_agent(key, error=error, outputs=said, context=WRITES[argument % len(WRITES)])
        elif what == "tick":
            world.tick(argument)
        elif what == "operate":
            try:
                world.operate(argument[0], **filled_in(world, *argument))
            except RefusedError:
                continue


@settings(max_examples=200, deadline=None)
@given(plans(), STEPS)
def test_no_phase_starts_before_its_needs_no_limit_is_exceeded_and_every_run_ends(
    plan: Plan, steps: list[Step]
) -> None:
    world = World(plan)
    play(world, steps)
    status = world.drive_to_end()
    assert status in {"completed", "failed", "cancelled"}
    assert all(phase.settled for phase in world.engine.state.phases)
    keys = [message["key"] for message in world.told]
    assert len(keys) == len(set(keys))
    ends = [message for message in world.told if message["kind"] == "notice" and message["body"]["kind"] == status]
    assert len([end for end in ends if "phase" not in end["body"]]) == len(plan.targets)


@settings(max_examples=60, deadline=None)
@given(plans(), STEPS)
def test_the_state_is_the_fold_of_the_facts(plan: Plan, steps: list[Step]) -> None:
    world = World(plan)
    play(world, steps)
    folded = State(plan)
    for fact in world.engine.ledger:
        folded.apply(fact)
    for phase, again in zip(world.engine.state.phases, folded.phases, strict=True):
        assert phase.circuit == again.circuit
        assert (phase.status, phase.epoch, phase.outputs, phase.error) == (
            again.status,
            again.epoch,
            again.outputs,
            again.error,
        )
        assert (phase.base, phase.conflicts, phase.stale) == (again.base, again.conflicts, again.stale)
    assert folded.context.values() == world.engine.state.context.values()
    assert (folded.status, folded.counts, folded.pause) == (
        world.engine.state.status,
        world.engine.state.counts,
        world.engine.state.pause,
    )


@settings(max_examples=60, deadline=None)
@given(plans(), STEPS, STEPS)
def test_a_snapshot_at_any_moment_goes_on_to_an_end_with_nothing_lost(
    plan: Plan, steps: list[Step], more: list[Any]
) -> None:
    world = World(plan)
    play(world, steps)
    if world.finished:
        return
    snapshot = json.loads(json.dumps(snapshots.snapshot(world.engine)))
    told = {(f.phase, f.epoch) for f in world.engine.ledger if f.kind == "phase_settled"}
    # Items that a restore has undone keep their places as if they were cancelled, and no fact says so.
    phases = enumerate(world.engine.state.phases)
    settled = {(i, p.epoch): p.outputs for i, p in phases if p.settled and (i, p.epoch) in told}
    successor = World(plan, engine=snapshots.restore(plan, snapshot, world.now))
    if world.counting or plan.execution.max_workers == 0:
        successor.counting = not world.engine.state.max_workers
    play(successor, more)
    successor.drive_to_end()
    assert not {told["key"] for told in world.told} & {told["key"] for told in successor.told}
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


@settings(max_examples=60, deadline=None)
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


# Where all phases have the same gates, more of them meet at one desk.
REVIEWED_PLANS = st.sampled_from([REVIEWED, REVIEWED[1:2], REVIEWED[2:3]]).flatmap(lambda gates: plans(gates=gates))


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


@settings(max_examples=60, deadline=None)
@given(st.one_of(plans(), REVIEWED_PLANS), STEPS, STEPS, st.integers(1, 60))
def test_after_a_restore_the_run_is_where_its_first_facts_left_it_but_for_what_ran_and_comes_to_an_end(
    plan: Plan, steps: list[Step], more: list[Step], seed: int
) -> None:
    world = reviewed_world(plan, slow=seed % 2 == 0)
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
    check_votes(world)
    assert world.drive_to_end() in {"completed", "failed", "cancelled"}
    again = folded(plan, ledger)
    assert told(again) == told(world.engine.state)


@settings(max_examples=40, deadline=None)
@given(st.one_of(plans(), REVIEWED_PLANS), STEPS, st.integers(0, 60), STEPS)
def test_a_new_run_goes_on_where_another_one_was_at_any_of_its_checkpoints(
    plan: Plan, steps: list[Step], seed: int, more: list[Step]
) -> None:
    world = reviewed_world(plan, slow=seed % 2 == 0)
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


def check_votes(world: World) -> None:
    """Every decision of reviewers rests on one answer of each of them, given for that very epoch and round."""
    opened = {fact.data["number"]: fact.data for fact in world.engine.ledger if fact.kind == "consultation_opened"}
    answers: dict[int, list[str]] = {}
    decided: set[tuple[int | None, int | None, int, int]] = set()
    for fact in world.engine.ledger:
        if fact.kind == "review_settled" and not fact.data.get("cancelled"):
            answers.setdefault(fact.data["number"], []).append(fact.data["reviewer"])
        elif fact.kind == "gate_reviewed":
            about = opened[fact.data["batch"]]
            assert sorted(answers[fact.data["batch"]]) == sorted(about["reviewers"])
            assert (fact.phase, fact.epoch, fact.data["gate"]) in {
                (gate["phase"], gate["epoch"], gate["gate"]) for gate in about["gates"]
            }
            key = (fact.phase, fact.epoch, fact.data["gate"], fact.data["batch"])
            assert key not in decided
            decided.add(key)


def reviewed_world(plan: Plan, *, slow: bool, taken: Json | None = None, at: float = 0.0) -> World:
    """A world whose reviewers say this and that, before or after everybody else."""
    world = World(plan, engine=None if taken is None else snapshots.restore(plan, taken, at))
    world.verdict = lambda world: answer(world, 0)
    world.slow_reviewers = slow
    return world


@settings(max_examples=50, deadline=None)
@given(REVIEWED_PLANS, STEPS, STEPS, st.sampled_from(["soon", "late"]))
def test_reviews_count_once_and_for_their_epoch_survive_a_snapshot_and_never_stop_a_run_for_good(
    plan: Plan, steps: list[Step], more: list[Step], when: str
) -> None:
    world = reviewed_world(plan, slow=when == "late")
    play(world, steps)
    check_votes(world)
    if not world.finished:
        taken = json.loads(json.dumps(snapshots.snapshot(world.engine)))
        successor = reviewed_world(plan, slow=when == "late", taken=taken, at=world.now)
        successor.counting = not world.engine.state.max_workers
        play(successor, more)
        assert successor.drive_to_end() in {"completed", "failed", "cancelled"}
        check_votes(successor)
        for phase in successor.engine.state.phases:
            json.dumps(details(successor.engine, phase))
        folded = State(plan)
        for fact in successor.engine.ledger:
            folded.apply(fact)
        assert folded.reviews == successor.engine.state.reviews
    play(world, more)
    world.drive_to_end()
    check_votes(world)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 20), max_size=40), st.sampled_from([BY_TWO, BY_ONE]), st.integers(1, 6))
def test_every_gate_is_in_one_consultation_per_epoch_listed_in_plan_order_however_they_arrive(
    order: list[int], review: ReviewPlan, workers: int
) -> None:
    gate = GatePlan(id="checked", review=review)
    members = (
        PhasePlan(id=f"p{n}", name=f"P {n}", index=n, agents=(COMMAND,), gates=(gate,), group=0) for n in range(6)
    )
    plan = Plan(id="plan", name="Plan", phases=tuple(members), execution=Execution(max_workers=workers))
    world = reviewed_world(plan, slow=True)
    play(world, [("finish", number) for number in order])
    world.drive_to_end()
    check_votes(world)
    consulted = [fact.data["gates"] for fact in world.engine.ledger if fact.kind == "consultation_opened"]
    assert all(gates == sorted(gates, key=lambda gate: gate["phase"]) for gates in consulted)
    named = [(gate["phase"], gate["epoch"]) for gates in consulted for gate in gates]
    assert len(named) == len(set(named))
    assert {index for index, _ in named} == set(range(6))
    if review.together:
        assert len(consulted[0]) == 6


@settings(max_examples=40, deadline=None)
@given(st.one_of(plans(), REVIEWED_PLANS), STEPS)
def test_metrics_follow_from_the_facts_alone_are_never_negative_and_add_up(plan: Plan, steps: list[Step]) -> None:
    world = reviewed_world(plan, slow=True)
    play(world, steps)
    found = metrics(Spells.of(plan, world.engine.ledger), world.engine.ledger, world.now)
    told = [Fact.from_json(json.loads(json.dumps(fact.to_json()))) for fact in world.engine.ledger]
    assert metrics(Spells.of(plan, told), told, world.now) == found
    waiting = {i for i in world.engine.ready.waiting if world.engine.state.phases[i].status == "pending"}
    if (
        world.engine.state.jump is None and world.engine.state.restoring is None
    ):  # until it is carried out nothing is looked at
        assert queued(world) == waiting
    seconds = found["seconds"]
    assert abs(sum(seconds[name] for name in ("working", "people", "paused", "idle")) - seconds["total"]) < 0.001
    assert abs(sum(row["work_seconds"] for row in found["phases"]) - found["work_seconds"]) < 0.001
    assert all(0 <= row["seconds"] <= seconds["total"] for row in found["phases"])
    for row in found["phases"]:
        assert abs(sum(epoch["seconds"] for epoch in row["epochs"]) - row["seconds"]) < 0.001
    assert numbers(found) >= {0}
    assert min(numbers(found)) >= 0
    assert all(0 <= (found[rate] or 0) <= 1 for rate in ("utilisation", "efficiency"))


def queued(world: World) -> set[int]:
    """The phases that wait for their start, as the facts tell it."""
    spells = Spells.of(world.plan, world.engine.ledger)
    return {i for i in range(len(spells.state.phases)) if any(each.kind == "queue" for each in spells.going_on(i))}


def numbers(value: Any) -> set[float]:
    """Every number in a JSON value."""
    if isinstance(value, dict | list):
        return {0.0}.union(*(numbers(each) for each in (value.values() if isinstance(value, dict) else value)))
    return {value} if isinstance(value, int | float) else set()
