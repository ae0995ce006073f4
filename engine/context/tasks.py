"""The activities of a phase: its agents, the commands of its gates, and the merge of what it has written."""

from __future__ import annotations

from typing import Any

from engine.context.folding import merge_place
from engine.context.writes import base_of
from engine.gates.plans import GATE
from engine.phase_state import PhaseState
from engine.state import State
from engine.values import agent_task, gate_task, task_head

Json = dict[str, Any]

MERGE = "merge_context"
"""The activity that merges writes."""

MERGE_TIMEOUT = 60.0


def activity_of(state: State, phase: PhaseState, position: int) -> tuple[str, Json]:
    """The activity at a position of a phase, and its input."""
    if position < len(phase.plan.agents):
        return phase.plan.agents[position].uses, agent_task(state, phase, position)
    if position == merge_place(phase):
        return MERGE, merge_task(state, phase)
    return GATE, gate_task(state, phase)


def merge_task(state: State, phase: PhaseState) -> Json:
    """The input of the activity that merges one agent's writes with what the others have written."""
    position = phase.merging
    assert position is not None
    offer = phase.conflicts[position]
    keys: Json = {}
    theirs: Json = {}
    for key in offer["writes"]:
        newest = state.context.moved(key, base_of(offer, key))
        if newest is None:
            continue
        theirs[key] = newest.version
        keys[key] = {"mine": offer["writes"][key]["value"], "theirs": newest.value}
        before = state.context.values((key,), base_of(offer, key))
        keys[key] |= {"base": before[key]} if key in before else {}
    return {
        **task_head(state, phase, merge_place(phase), f"{phase.plan.id}/{phase.epoch}/context#{position}"),
        "context": keys,
        "theirs": theirs,
        "timeout": MERGE_TIMEOUT,
    }
