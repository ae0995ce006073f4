"""Work that others do on a task queue of their own: what they are sent, and what their answer means."""

from __future__ import annotations

import json
from typing import Any

from engine.agents import AgentPlan
from engine.coding import decode
from engine.errors import PhaseError
from engine.expressions import ExpressionError, coerce, render, render_all, text_of
from engine.plan import Retry
from engine.values import Json

FOREIGN = "activity"
"""The value of `AgentPlan.uses` for any activity type on any task queue."""

ANSWER_LIMIT = 64 * 1024
"""Bytes of JSON that an answer may have: it stays in the history, where a few large ones would end the run."""


def agent_of(task: Json) -> AgentPlan:
    """The agent that a task is for."""
    return decode(AgentPlan, task["agent"])


def retry_of(task: Json) -> Retry:
    """How often the task is tried and how long the pauses are."""
    return decode(Retry, task.get("retry") or {})


def request(task: Json) -> Any:
    """The one argument of the activity: the agent's `input` with its expressions evaluated, else the task itself.

    The task: `{run, phase: {id, name, index}, epoch, key, prompt, inputs, phases, earlier, failures}`, the prompt
    rendered, `phases` with the outputs that the phase may see, `context` with the keys of the shared context that it
    reads; of an item of a phase also `item` and `item_index`, of a reviewer `review`.

    Raises:
        PhaseError: an expression has no value.
    """
    config = agent_of(task).config
    try:
        if "input" in config:
            return render_all(config["input"], task["values"])
        prompt = task.get("prompt")
        edited = (task.get("edits") or {}).get("prompt")
        return {
            **{name: task[name] for name in ("run", "phase", "epoch", "key")},
            "prompt": edited if edited is not None else text_of(render(prompt, task["values"])) if prompt else "",
            **{name: task["values"][name] for name in ("item", "item_index", "review") if name in task["values"]},
            "inputs": task["values"]["inputs"],
            "phases": task["values"]["phases"],
            **({"context": shared} if (shared := task["values"].get("context")) else {}),
            "earlier": task.get("earlier", []),
            "failures": task.get("failures", []),
        }
    except ExpressionError as error:
        raise PhaseError(error.message, code="expression") from None


def outputs(task: Json, answer: Any) -> Json:
    """The outputs that an answer is: an object as it stands, nothing as none, anything else as `result`.

    Raises:
        PhaseError: it is too large, or a declared output is missing or of another type.
    """
    found: Json = {} if answer is None else answer if isinstance(answer, dict) else {"result": answer}
    size = len(json.dumps(found))
    if size > ANSWER_LIMIT:
        raise PhaseError(
            f"the activity returned {size} bytes, over {ANSWER_LIMIT}",
            code="bad_output",
            hint="return a reference to what is large: a path, a URL, a digest",
        )
    typed = dict(found)
    for name, declared in agent_of(task).outputs.items():
        if name not in found and declared.optional:
            typed[name] = declared.default
            continue
        if name not in found:
            raise PhaseError(f"output {name!r} is declared, and the activity did not return it", code="bad_output")
        try:
            typed[name] = coerce(found[name], declared.type)
        except ExpressionError as error:
            raise PhaseError(f"output {name!r}: {error.message}", code="bad_output") from None
    return typed
