"""Steps played in a world, and what must hold of the facts and states that they leave."""

from __future__ import annotations

from typing import Any

from engine import snapshots
from engine.errors import RefusedError
from engine.facts import Fact
from engine.plan import Plan
from engine.state import State
from tests.engine.strategies import Json, Step
from tests.engine.world import World

WRITES: list[dict[str, Any] | None] = [
    None,
    {"a": 1},
    {"a": {"x": 1}, "b": ["x"]},
    {"a": {"y": 2}, "b": ["y"]},
    {"b": ["x", "y"], "c": 2},
    {"c": 5},
    {"d": 1},
]


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


def reviewed_world(plan: Plan, *, slow: bool, taken: Json | None = None, at: float = 0.0) -> World:
    """A world whose reviewers say this and that, before or after everybody else."""
    world = World(plan, engine=None if taken is None else snapshots.restore(plan, taken, at))
    world.verdict = lambda world: answer(world, 0)
    world.slow_reviewers = slow
    return world


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


def numbers(value: Any) -> set[float]:
    """Every number in a JSON value."""
    if isinstance(value, dict | list):
        return {0.0}.union(*(numbers(each) for each in (value.values() if isinstance(value, dict) else value)))
    return {value} if isinstance(value, int | float) else set()
