"""Strategies of Hypothesis for plans with all that they may have, and for what happens to their runs."""

from __future__ import annotations

from typing import Any, Literal

from hypothesis import strategies as st

from engine.agents import AgentPlan
from engine.gates.plans import ApprovalPlan, CheckPlan, GatePlan, ReviewPlan
from engine.interventions import KNOWN
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
from tests.engine.world import COMMAND, PERSON

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

# Where all phases have the same gates, more of them meet at one desk.
REVIEWED_PLANS = st.sampled_from([REVIEWED, REVIEWED[1:2], REVIEWED[2:3]]).flatmap(lambda gates: plans(gates=gates))
