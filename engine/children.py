"""Phases that are runs themselves: how a child is named and started, and what its end means to its parent."""

from __future__ import annotations

import json
from typing import Any

from engine.errors import PhaseError
from engine.expressions import ExpressionError, render_all
from engine.state import State

Json = dict[str, Any]

CHILD = "workflow"
"""The value of `AgentPlan.uses` for another definition, run as a child."""

OUTPUTS_LIMIT = 64 * 1024
"""Bytes of JSON that a child's outputs may have: they stay in two histories."""


def child_id(task: Json) -> str:
    """The id of the child's run: its parent's, the phase's, and what tells its repetitions and siblings apart."""
    name = f"{task['run']}.{task['phase']['id']}"
    if task["position"]:
        name += f".{task['position'] + 1}"
    return f"{name}.again{task['epoch']}" if task["epoch"] else name


def child_start(task: Json, parent: Json) -> Json:
    """What the child is started with; `parent` is what its parent was started with.

    Raises:
        PhaseError: an input has no value, or a required one is missing.
    """
    config = task["agent"]["config"]
    plan = config["plan"]
    try:
        inputs = render_all(config.get("inputs", {}), task["values"])
    except ExpressionError as error:
        raise PhaseError(error.message, code="expression") from None
    missing = [n for n, declared in plan.get("inputs", {}).items() if declared.get("required") and n not in inputs]
    if missing:
        raise PhaseError(f"{plan['id']} needs the input {missing[0]!r}", code="expression")
    name = child_id(task)
    return {
        "plan": plan,
        "inputs": inputs,
        "env": config.get("env", {}),
        "actor": parent.get("actor"),
        "run": {"id": name, "definition": plan["id"], "name": plan["name"], "parent": task["run"]},
        "parent": task["run"],
        "search_attributes": parent.get("search_attributes", False),
    }


def outputs_of(state: State) -> Json:
    """What a child gives to its parent: the outputs of its phases, by id.

    Raises:
        PhaseError: they are too large.
    """
    found = {phase.plan.id: phase.outputs for phase in state.planned if phase.outputs}
    size = len(json.dumps(found))
    if size > OUTPUTS_LIMIT:
        raise PhaseError(
            f"the child's outputs have {size} bytes, over {OUTPUTS_LIMIT}",
            code="bad_output",
            hint="write large ones to files",
        )
    return found


def ended(task: Json, summary: Json) -> Json:
    """The outputs of a child that has completed.

    Raises:
        PhaseError: it has not.
    """
    if summary["status"] == "completed":
        if "problem" in summary:
            raise PhaseError(summary["problem"], code="bad_output")
        outputs: Json = summary.get("outputs", {})
        return outputs
    name = child_id(task)
    raise PhaseError(
        f"the run {name} {_ended_as(summary['status'])}", code="child", hint=f"phaseloom workflow status --run {name}"
    )


def _ended_as(status: str) -> str:
    return "was cancelled" if status == "cancelled" else status
