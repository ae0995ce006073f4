"""What expressions and agents may see of a run: only the values that they name, and what they directly need."""

from __future__ import annotations

import json
import re
from typing import Any

from engine import breaker_step
from engine.coding import encode
from engine.gates.plans import GATE
from engine.phase_state import PhaseState
from engine.plan import USUAL, Item, PhasePlan
from engine.state import State

Json = dict[str, Any]

ARTIFACTS = "artifacts"
OF_ITEM = re.compile(r"items/(0|[1-9][0-9]{0,3})/")
"""How the name of a file begins that an item left."""

_FILE = ("sha256", "size", "media_type")

UNNAMED_LIMIT = 64 * 1024
"""Bytes of JSON of needed phases' outputs that an agent gets without naming them; beyond it only named ones."""


def scope(state: State, reads: tuple[str, ...]) -> Json:
    """The values at the dotted paths `reads`, nested as expressions name them; what does not exist is absent."""
    phases: Json = {}
    for path in reads:
        head, _, rest = path.partition(".")
        phase_id, _, attribute = rest.partition(".")
        index = state.index_of.get(phase_id)
        if head == "phases" and index is not None:
            _show(state, phases.setdefault(phase_id, {}), state.phases[index], attribute)
    shared = state.context.read(reads) if state.plan.context else {}
    return {"inputs": state.inputs, "env": state.env, "run": state.run, "phases": phases, "context": shared}


def _show(state: State, shown: Json, phase: PhaseState, attribute: str) -> None:
    """Add what `attribute` (`status`, `outputs`, `outputs.name…` or nothing) names of a phase."""
    shown["status"] = phase.status
    outputs = shown.setdefault("outputs", {})
    head, _, name = attribute.partition(".")
    if head == ARTIFACTS or (head == "" and phase.plan.for_each is None):
        _show_files(shown, artifacts(state, phase, name))
    if head == ARTIFACTS:
        return
    name = name.partition(".")[0]
    if name:
        if name in phase.outputs:
            outputs[name] = phase.outputs[name]
    else:
        outputs.update(phase.outputs)


def _show_files(shown: Json, files: Json) -> None:
    if files:
        shown[ARTIFACTS] = shown.get(ARTIFACTS, {}) | files


def artifacts(state: State, phase: PhaseState, named: str = "") -> Json:
    """The files that the agents of a phase left, `{sha256, size, media_type}` by name.

    Those of its items that completed are called `items/<number>/<name>`; where `named` begins so, only that item's.
    """
    found = _left(phase)
    expansion = state.expansions.get(phase.plan.index)
    if expansion is None or phase.status == "pending":
        return found
    one = OF_ITEM.match(named)
    for number in range(len(expansion.phases)) if one is None else (int(one[1]),):
        item = state.phases[expansion.phases[number]] if number < len(expansion.phases) else None
        if item is not None and item.status == "completed":
            found |= {f"items/{number}/{name}": of for name, of in _left(item).items()}
    return found


def _left(phase: PhaseState) -> Json:
    """What its own agents left; of one name the last one's."""
    if not phase.results:
        return {}
    told = [files for result in phase.results if isinstance(files := result.get(ARTIFACTS), list)]
    listed = (each for files in told for each in files if isinstance(each, dict))
    return {str(each["name"]): {key: each[key] for key in _FILE} for each in listed if each.keys() >= {"name", *_FILE}}


def files_named(reads: tuple[str, ...]) -> dict[str, list[str]]:
    """By phase, what is written after its `artifacts`: the worker brings these files before the agent begins."""
    named: dict[str, list[str]] = {}
    for path in reads:
        head, _, rest = path.partition(".")
        phase_id, _, attribute = rest.partition(".")
        what, _, name = attribute.partition(".")
        if head == "phases" and what == ARTIFACTS:
            named.setdefault(phase_id, []).append(name)
    return named


def agent_values(state: State, phase: PhasePlan) -> Json:
    """What an agent of `phase` gets: what the phase names, and the outputs of the phases it directly needs."""
    if phase.item is not None:
        return _item_values(state, phase, phase.item) | _snapshot(state, phase)
    values = scope(state, phase.reads) | _snapshot(state, phase)
    phases, budget = values["phases"], UNNAMED_LIMIT
    needs = [need.phase for need in phase.needs]
    if phase.after_group is not None:
        needs.extend(state.group_of.get(phase.after_group, ()))
    for index in needs:
        needed = state.phases[index]
        if not needed.settled:
            continue
        outputs, files = needed.outputs, {} if needed.plan.for_each is not None else _left(needed)
        budget -= (len(json.dumps(outputs)) if outputs else 0) + (len(json.dumps(files)) if files else 0)
        if budget < 0:
            break
        shown = phases.setdefault(needed.plan.id, {})
        shown["status"] = needed.status
        _show_files(shown, files)
        shown.setdefault("outputs", {}).update(outputs)
    return values


def _snapshot(state: State, phase: PhasePlan) -> Json:
    """The shared context as the phase reads it: as it was when the turn of its agents began."""
    return {"context": state.context.values(phase.context_reads, state.phases[phase.index].base)}


def _item_values(state: State, phase: PhasePlan, item: Item) -> Json:
    """What an agent of one item gets: the item, and what the phase names.

    Every item has a copy of it, so what only the list comes from, and what nobody names, is left out.
    """
    values = scope(state, phase.reads)
    named = {path.split(".")[1] for path in phase.reads if path.startswith("inputs.")}
    whole = "inputs" in phase.reads
    lists = {path.split(".")[1] for path in phase.list_reads if path.startswith("inputs.")}
    inputs = {name: value for name, value in state.inputs.items() if whole or name in named or name not in lists}
    return {**values, "inputs": inputs, "item": item.value, "item_index": item.number}


def task_head(state: State, phase: PhaseState, position: int, key: str) -> Json:
    """What the input of every activity in the name of a phase begins with; `key` is what tells it from the others."""
    run, plan = state.run.get("id", ""), phase.plan
    return {
        "run": run,
        "definition": state.plan.id,
        "phase": {"id": plan.id, "name": plan.name, "index": plan.index},
        "epoch": phase.epoch,
        "position": position,
        "key": f"{run}/{key}",
    }


def agent_task(state: State, phase: PhaseState, position: int) -> Json:
    """The input of the activity of one agent: an `AgentTask`, without what is empty (it costs bytes in histories)."""
    plan = phase.plan
    agent = plan.agents[position]
    task: Json = {
        **task_head(state, phase, position, f"{_of(state, plan)}/{phase.epoch}/{agent.role}#{position}"),
        "agent": encode(agent),
        "values": agent_values(state, plan),
    }
    earlier = sorted(phase.agent_outputs.items())
    optional: Json = {
        "prompt": plan.prompt,
        "acceptance_tests": list(plan.acceptance_tests) if position == len(plan.agents) - 1 else (),
        "files_scope": [*plan.files_scope, *plan.files_create],
        "timeout": plan.timeout,
        "retry": encode(plan.retry) if plan.retry is not USUAL else None,
        "limits": breaker_step.limits(phase),
        "earlier": [{"agent": plan.agents[p].role, "outputs": outputs} for p, outputs in earlier],
        "failures": phase.failures,
        "feedback": phase.feedback,
        "edits": phase.edits,
        "inline": plan.inline,
        "context": {"version": phase.base, "writes": list(plan.context_writes)} if state.plan.context else {},
        "files": files_named(plan.reads),
    }
    return task | {name: value for name, value in optional.items() if value}


def gate_task(state: State, phase: PhaseState) -> Json:
    """The input of the activity that runs the commands of the gate the phase has come to: an `AgentTask` too."""
    plan, gate = phase.plan, phase.gate
    assert gate is not None
    assert phase.at_gate is not None
    values = scope(state, plan.reads)
    values["phases"].setdefault(plan.id, {}).update({"status": "completed", "outputs": phase.outputs})
    values["context"] = state.context.values(dict.fromkeys((*plan.context_reads, *plan.context_writes)))
    commands = [encode(check) for check in gate.plan.checks if check.expr is None]
    key = f"{plan.id}/{phase.epoch}/gate:{gate.plan.id}#{gate.round}"
    task: Json = {
        **task_head(state, phase, len(plan.agents) + phase.at_gate, key),
        "agent": {"role": f"gate {gate.plan.id}", "uses": GATE, "config": {"checks": commands}},
        "values": values | {"outputs": phase.outputs, "status": "completed"},
    }
    optional: Json = {"timeout": gate.plan.timeout, "files": files_named(plan.reads)}
    return task | {name: value for name, value in optional.items() if value}


def _of(state: State, plan: PhasePlan) -> str:
    """A phase in a key; an item as `phase/number`."""
    return plan.id if plan.item is None else f"{state.plans[plan.item.parent].id}/{plan.item.number}"


def kept(result: Json) -> Json:
    """What the ledger keeps of an agent's result: all but outputs and context, which have their own places."""
    apart = ("outputs", "context")
    return {key: value for key, value in result.items() if key not in apart and value not in (None, [], {})}


def gathered(phase: PhaseState, last: dict[int, Json]) -> Json:
    """The outputs of a phase from those of its agents, `last` being the newest by position.

    Agents in parallel: by role. In turn: merged, later ones win. A default stands in for what none of them yields.
    """
    by_position = sorted({**phase.agent_outputs, **last}.items())
    agents = phase.plan.agents
    if phase.plan.agents_mode == "parallel" and len(agents) > 1:
        by_role: Json = {}
        for position, outputs in by_position:
            role = agents[position].role
            by_role[f"{role}#{position}" if role in by_role else role] = outputs
        return by_role | {name: value for name, value in _defaults(phase).items() if name not in by_role}
    merged = _defaults(phase)
    for _, outputs in by_position:
        merged.update(outputs)
    return merged


def _defaults(phase: PhaseState) -> Json:
    """What the phase's outputs are where no agent yields them."""
    return {name: output.default for name, output in phase.plan.outputs.items() if output.optional}
