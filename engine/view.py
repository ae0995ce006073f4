"""What an operator sees of a run: one JSON object, small whatever the plan's size.

Times are ISO 8601 in UTC. `phases` is one page; `active` and `waiting` list at most `LISTED` phases, `parallel` at
most `PAGE`, `counts` all. Long names and messages are cut, so that a view stays under 128 KiB.
"""

from __future__ import annotations

import contextlib
import json
from heapq import nsmallest
from typing import Any

from engine import breaker_step, expressions
from engine.choices import options
from engine.context import showing
from engine.engine import Engine
from engine.gates.showing import AGENTS_SHOWN, LISTED, NAME_SHOWN, gate_details, gate_row, gates
from engine.interventions import available
from engine.manual import asked_for
from engine.measures import seconds, totals, used
from engine.moments import cut, iso
from engine.parts import doing, parts
from engine.phase_state import PhaseState
from engine.state import State
from engine.statuses import SHOWN
from engine.values import agent_values
from engine.words import failure_in_words, pause_in_words, progress_in_words

Json = dict[str, Any]

PAGE = 100
TOLD = 12
"""Running phases of which parts, and what is asked of people, are told too."""

MESSAGE_SHOWN = 200
TROUBLED_SHOWN = 5
LINKS = ("restarted_from", "restored_from", "forked_from", "checkpoint")
"""Which run this one repeats, or goes on from, and where."""

OUTPUTS_SHOWN = 64 * 1024
ERROR_SHOWN = ("code", "message", "class", "stopped_early", "circuit")
MEMBER = ("index", "id", "name", "status", "epoch", "started_at", "finished_at", "waits_for")


def view(engine: Engine, at: float, *, offset: int = 0, limit: int = PAGE) -> Json:
    """The run at the moment `at`, with the phases from `offset` on, at most `limit` (and never more than `PAGE`)."""
    state = engine.state
    plan = state.plan
    total = len(plan.phases)
    limit = max(0, min(limit, PAGE))
    offset = max(0, min(offset, total))
    done = sum(phase.satisfied for phase in state.planned)
    return {
        "run": state.run.get("id", ""),
        "definition": plan.id,
        "name": plan.name,
        "kind": plan.kind,
        "version": plan.version,
        "digest": plan.digest,
        "status": state.status,
        "stopping": state.stopping if not state.ended else None,
        "pause": _pause(engine),
        "now": iso(at),
        "started_at": iso(state.started_at),
        "ended_at": iso(state.ended_at),
        "counts": {SHOWN[name]: count for name, count in state.counts.items()},
        "progress": {
            "completed": done,
            "total": total,
            "percent": 100 if not total else done * 100 // total,
        },
        "max_workers": state.max_workers,
        "slots_used": engine.ready.slots_used,
        "parallel": parallel(engine),
        "active": [
            (at_work if number < TOLD else row)(engine, state.phases[index])
            for number, index in enumerate(state.in_order(state.running)[:LISTED])
        ],
        "waiting": waiting(engine),
        "gates": gates(engine),
        "phases": [row(engine, phase) for phase in state.phases[offset : min(offset + limit, total)]],
        "page": {"offset": offset, "limit": limit, "total": total},
        **{link: state.run[link] for link in LINKS if state.run.get(link) is not None},
        **({"restoring": _restoring(state.restoring)} if state.restoring is not None else {}),
        "signals": [
            {"name": name, "reported_at": iso(state.signals.get(name, {}).get("at")), "by": _by(state.signals, name)}
            for name in plan.completion_signals
        ],
        "facts": len(engine.ledger),
        "context_version": state.context.version,
        "totals": totals(state) if state.ended else None,
    }


def _restoring(restoring: Json) -> Json:
    """The checkpoint that the run goes back to as soon as its agents are gone."""
    since = iso(restoring["at"])
    return {"checkpoint": restoring["checkpoint"], "number": restoring["to"], "since": since, "by": restoring["by"]}


def _by(signals: dict[str, Json], name: str) -> str | None:
    by = signals.get(name, {}).get("by")
    return None if by is None else str(by)


def row(engine: Engine, phase: PhaseState) -> Json:
    """One phase, without its outputs."""
    plan = phase.plan
    shown: Json = {
        "index": plan.index,
        "id": plan.id,
        "name": cut(plan.name, NAME_SHOWN),
        "status": SHOWN[phase.status],
        "agents": [cut(agent.role, NAME_SHOWN) for agent in plan.agents[:AGENTS_SHOWN]],
        "epoch": phase.epoch,
        "started_at": iso(phase.started_at),
        "finished_at": iso(phase.finished_at),
    }
    if phase.deadline_at is not None:
        shown["deadline"] = iso(phase.deadline_at)
    if plan.group is not None:
        shown["group"] = plan.group
    if plan.item is not None:
        shown["item"] = {"of": plan.item.parent, "number": plan.item.number, "value": _brief(plan.item.value)}
    if plan.index in engine.state.expansions:
        shown["items"] = _items(engine.state, plan.index)
    if (reason := waits_for(engine, phase)) is not None:
        shown["waits_for"] = reason
    if phase.error is not None:
        shown["error"] = {key: phase.error[key] for key in ERROR_SHOWN if key in phase.error}
        shown["error"]["message"] = cut(str(shown["error"].get("message", "")), MESSAGE_SHOWN)
    if (usage := used(_results(engine.state, phase))) is not None:
        shown["usage"] = usage
    if phase.reason is not None:
        shown["reason"] = phase.reason
    if (report := engine.reports.latest(plan.index)) is not None:
        shown["progress"] = cut(progress_in_words(report["progress"]), MESSAGE_SHOWN)
    return shown


def _results(state: State, phase: PhaseState) -> list[Json]:
    """What the agents of a phase reported; in the end also those of its items."""
    expansion = state.expansions.get(phase.plan.index)
    if expansion is None or not state.ended:
        return phase.results
    return [result for index in expansion.phases for result in state.phases[index].results]


def _brief(told: Any) -> str:
    return cut(told if isinstance(told, str) else json.dumps(told), MESSAGE_SHOWN)


def _items(state: State, parent: int) -> Json:
    """How the items of a phase stand: counts by status, and the first of those that did not work out.

    In the end `seconds` is what they took together.
    """
    expansion = state.expansions[parent]
    paused = [i for i in state.in_order(state.paused_phases) if (item := state.plans[i].item) and item.parent == parent]
    taken = sum(seconds(state.phases[index]) or 0.0 for index in expansion.phases) if state.ended else None
    bad = [*paused, *(expansion.phases[number] for number in sorted(expansion.bad))]
    return {
        "total": len(expansion.phases),
        **expansion.counts,
        **({"seconds": round(taken, 3)} if taken is not None else {}),
        "troubled": [
            {
                "index": index,
                "id": state.phases[index].plan.id,
                "status": SHOWN[state.phases[index].status],
                "message": cut(str((state.phases[index].error or {}).get("message", "")), MESSAGE_SHOWN),
            }
            for index in bad[:TROUBLED_SHOWN]
        ],
    }


def at_work(engine: Engine, phase: PhaseState) -> Json:
    """The row of a running phase, with its parts where they say more than its agents: what is done, what is open."""
    shown = row(engine, phase)
    if len(phase.plan.agents) > 1 or any(doing(agent) for agent in phase.plan.agents):
        shown |= {"parts": parts(phase), "turn_at": iso(phase.turn_at)}
    return shown


def waits_for(engine: Engine, phase: PhaseState) -> str | None:
    """In one word what keeps the phase from going on: `person`, `decision`, `worker slot`, `items`, … or None."""
    index = phase.plan.index
    if phase.status == "paused" or phase.held:
        return "decision"
    if phase.cancelling is not None:
        return "cancellation"
    if engine.ready.waits_for_slot(index):
        return _why_not_launched(engine, phase)
    if index in engine.state.expanding:
        return "items"
    if phase.status == "running":
        return "person" if phase.persons else "gate" if phase.at_gate is not None else None
    return "needs" if phase.status == "pending" else None


def _why_not_launched(engine: Engine, phase: PhaseState) -> str:
    if engine.state.pause is not None:
        return "resume"
    if engine.ready.slots_free and engine.next_start_at:
        return "rate limit"
    if not engine.ready.slots_free:
        return "worker slot"
    return "max_parallel" if phase.plan.item is not None and not phase.plan.limits else "step group"


def waiting(engine: Engine) -> list[Json]:
    """What waits for whom, people first: an entry per phase that a person or a place has to come for."""
    state = engine.state
    entries: list[Json] = []
    if state.ended or state.restoring is not None:
        return entries  # a failed run has no use any more for signals that are missing
    for index in state.in_order(state.paused_phases | state.held):
        phase = state.phases[index]
        entries.append(_waits(phase, "decision", phase.finished_at) | {"options": list(available(phase))})
    for index in state.in_order(state.running):
        phase = state.phases[index]
        if phase.persons:
            roles = [phase.plan.agents[p].role for p in phase.persons]
            who = [cut(role, NAME_SHOWN) for role in roles[:AGENTS_SHOWN]]
            asked = _asked(phase) if len(entries) < TOLD else {}
            due: Json = {"deadline": iso(phase.deadline_at)} if phase.deadline_at is not None else {}
            entries.append(_waits(phase, "person", phase.started_at) | {"who": who} | asked | due)
    for index in state.in_order(state.at_gates):
        phase = state.phases[index]
        assert phase.gate is not None
        entries.append(_waits(phase, "gate", phase.gate.waiting_since) | gate_row(phase.gate))
    if not (state.counts["pending"] or state.counts["running"] or state.counts["paused"] or state.held):
        entries.extend({"for": "signal", "signal": signal} for signal in state.missing_signals)
    queued = [state.phases[i] for i in nsmallest(LISTED, engine.ready.waiting, key=state.place)]
    entries.extend(_waits(phase, _why_not_launched(engine, phase), None) for phase in queued)
    return entries[:LISTED]


def _waits(phase: PhaseState, reason: str, since: float | None) -> Json:
    plan = phase.plan
    return {"for": reason, "phase": plan.index, "id": plan.id, "name": cut(plan.name, NAME_SHOWN), "since": iso(since)}


def _asked(phase: PhaseState) -> Json:
    """What a person is asked for: in a line what to do, and the names of the outputs to give."""
    instructions = (str(phase.plan.agents[p].config.get("instructions", "")) for p in phase.persons)
    what = " ".join(next((text for text in instructions if text), phase.plan.description).split())
    names = [cut(name, NAME_SHOWN) for name in asked_for(phase)][:AGENTS_SHOWN]
    more = bool(phase.plan.prompt or len(what) > MESSAGE_SHOWN)
    told: Json = {"what": cut(what, MESSAGE_SHOWN), "more": more, "outputs": names}
    return {key: value for key, value in told.items() if value}


def parallel(engine: Engine) -> Json:
    """A9: the open parallel group, or the last one that was: `{active, phases[], progress: {completed, total}}`."""
    state = engine.state
    open_groups = state.open_groups
    group = open_groups[0] if open_groups else _last_group(engine)
    members = [state.phases[i] for i in state.group_of.get(group, [])] if group is not None else []
    completed = sum(1 for m in members if m.status == "completed")
    return {
        "active": bool(open_groups),
        "group": group,
        "phases": [{key: r[key] for key in MEMBER if key in r} for r in (row(engine, m) for m in members[:PAGE])],
        "progress": {"completed": completed, "total": len(members)},
    }


def _last_group(engine: Engine) -> int | None:
    begun = [
        group
        for group, members in engine.state.group_of.items()
        if len(members) > 1 and any(engine.state.phases[i].started_at is not None for i in members)
    ]
    return max(begun, default=None)


def _pause(engine: Engine) -> Json | None:
    state = engine.state
    if state.ended or state.restoring is not None:
        return None
    undecided = [state.phases[i] for i in state.in_order(state.paused_phases | state.held)]
    if state.status != "paused" and not undecided:
        return None
    code = state.pause["code"] if state.pause is not None else "needs_intervention"
    return {
        "code": code,
        "text": pause_in_words(state.status, state.pause, undecided),
        "by": state.pause.get("by") if state.pause is not None else None,
        "phases": [p.plan.index for p in undecided[:LISTED]],
        "options": options(undecided[0]) if undecided else [{"number": 1, "action": "resume", "text": "Resume"}],
    }


def _work(engine: Engine, phase: PhaseState) -> Json:
    """All that a person needs for an open phase: instructions by role, the prompt, the outputs to give."""
    told = {(agent := phase.plan.agents[p]).role: str(agent.config.get("instructions", "")) for p in phase.persons}
    prompt = phase.plan.prompt or ""
    with contextlib.suppress(expressions.ExpressionError):  # then it is shown as it is written
        prompt = expressions.text_of(expressions.render(prompt, agent_values(engine.state, phase.plan)))
    return {
        "instructions": {role: text for role, text in told.items() if text},
        "prompt": str((phase.edits or {}).get("prompt") or prompt),
        "outputs": {
            name: {"type": output.type, "description": output.description, "optional": output.optional}
            for name, output in asked_for(phase).items()
        },
    }


def details(engine: Engine, phase: PhaseState, *, offset: int = 0, limit: int = PAGE) -> Json:
    """All that is known of one phase: its row, outputs, attempts, failures, tests, needs and what waits for it.

    Of a phase with items also `items_page`: the items' rows from `offset` on, at most `limit` (and `PAGE`). Outputs
    over 64 KiB of JSON, which only many items have, are left out: `outputs_bytes` says how much that is.
    """
    state = engine.state
    plan = phase.plan
    needs = [
        {"phase": n.phase, "id": state.phases[n.phase].plan.id, "kind": n.kind, "implicit": n.implicit}
        for n in plan.needs
    ]
    if plan.after_group is not None:
        needs.extend(
            {"phase": i, "id": state.phases[i].plan.id, "kind": "data", "implicit": True}
            for i in state.group_of.get(plan.after_group, [])[:LISTED]
        )
    report = engine.reports.latest(plan.index)
    return (
        row(engine, phase)
        | _outputs(phase)
        | _items_page(engine, phase, offset, limit)
        | {
            "report": None if report is None else {**report, "at": iso(report["at"])},
            "description": plan.description,
            "parts": parts(phase) if phase.status == "running" else [],
            "turn_at": iso(phase.turn_at),
            "asked_for": _work(engine, phase) if phase.persons else None,
            "error": phase.error,
            "failure": failure_in_words(phase) if phase.error else None,
            "results": phase.results,
            "failures": list(phase.failures),
            "circuit": breaker_step.shown(phase),
            "needs": needs,
            "waits_for_phases": [
                {"phase": i, "id": state.phases[i].plan.id, "status": SHOWN[state.phases[i].status]}
                for i, _ in zip(state.unsettled_needs(phase), range(LISTED), strict=False)
            ]
            if phase.status == "pending"
            else [],
            "actor": phase.actor,
            "options": list(available(phase)),
            "deferred": sorted(plan.deferred),
            "gates": [gate_details(gate) for gate in phase.gates],
            "feedback": list(phase.feedback),
            **({"review_history": phase.review_history} if phase.review_history else {}),
        }
        | showing.of_phase(engine, phase)
    )


def _outputs(phase: PhaseState) -> Json:
    if "items" in phase.outputs and (size := len(json.dumps(phase.outputs))) > OUTPUTS_SHOWN:
        return {"outputs": {}, "outputs_bytes": size}
    return {"outputs": phase.outputs}


def _items_page(engine: Engine, phase: PhaseState, offset: int, limit: int) -> Json:
    expansion = engine.state.expansions.get(phase.plan.index)
    if expansion is None:
        return {}
    offset, limit = max(0, offset), max(0, min(limit, PAGE))
    shown = expansion.phases[offset : offset + limit]
    page = {"offset": offset, "limit": limit, "total": len(expansion.phases)}
    return {"items_page": page | {"rows": [row(engine, engine.state.phases[index]) for index in shown]}}
