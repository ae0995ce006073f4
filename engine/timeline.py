"""A run through time: lanes of spells, and what changed at each moment, so that any moment can be shown.

A projection of the facts, as JSON. Times are seconds from the start of the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from engine.facts import Fact
from engine.journal import lines
from engine.metrics import tries
from engine.moments import cut, iso
from engine.plan import Plan
from engine.spells import Spell, Spells
from engine.statuses import SHOWN

Json = dict[str, Any]

SHOWN_LENGTH = 200
NAMED = 3
"""People, or roles, that are named of those who are waited for."""


def timeline(plan: Plan, facts: Sequence[Fact], at: float, *, run: str = "") -> Json:
    """The run with these facts up to the moment `at`; one that has ended goes up to its end.

    `{run, definition, name, status, began, length, ended, lanes, moments}`. A lane is `{index, id, name, item,
    spells}`; behind one that runs once per item come its items, with `item` true. A spell is `{kind, who, epoch, start,
    end, outcome, attempts?, last?, open?}`; at `last` the last of several attempts began. A moment is `{t, n, run, set,
    lines}`: at `t` the fact number `n` made the run's status `run`, and `set` holds `[lane, status, words]` of each
    lane that is another since; `words` say what a phase waits for, or who is at work.
    """
    spells = Spells(plan)
    began = next((fact.at for fact in reversed(facts) if fact.kind == "run_seeded"), facts[0].at if facts else at)
    told: dict[int, tuple[str, str]] = {}
    moments: list[Json] = []
    for fact in facts:
        touched = spells.take(fact)
        moments.append(
            {
                "t": round(max(0.0, fact.at - began), 3),
                "n": fact.n,
                "run": _of_run(spells),
                "set": [[index, *told[index]] for index in sorted(touched) if _changed(spells, index, told)],
                "lines": [cut(line, SHOWN_LENGTH * 2) for line in lines(spells.state.plans, run, [fact])],
            }
        )
    state = spells.state
    end = max(began, state.ended_at if state.ended_at is not None else at)
    lanes = state.in_order(range(len(state.phases)))
    place = {index: number for number, index in enumerate(lanes)}
    by_lane: dict[int, list[Json]] = {}
    for spell in spells.all():
        by_lane.setdefault(spell.phase, []).append(_spell(spell, began, end))
    for moment in moments:
        moment["set"] = [[place[index], status, words] for index, status, words in moment["set"]]
    return {
        "run": run,
        "definition": plan.id,
        "name": plan.name,
        "status": state.status,
        "began": iso(began),
        "ended": iso(state.ended_at),
        "length": round(end - began, 3),
        "lanes": [
            {
                "index": index,
                "id": state.plans[index].id,
                "name": cut(state.plans[index].name, SHOWN_LENGTH),
                "item": state.plans[index].item is not None,
                "spells": by_lane.get(index, []),
            }
            for index in lanes
        ],
        "moments": moments,
    }


def standing(shown: Json, t: float) -> Json:
    """How the run of a timeline stood `t` seconds after its start: `{n, run, lanes: [[status, words]], lines}`.

    `lines` are all lines of the journal up to then.
    """
    lanes = [["pending", ""] for _ in shown["lanes"]]
    found: Json = {"n": 0, "run": "pending", "lanes": lanes, "lines": []}
    for moment in shown["moments"]:
        if moment["t"] > t:
            break
        found |= {"n": moment["n"], "run": moment["run"]}
        for lane, status, words in moment["set"]:
            lanes[lane] = [status, words]
        found["lines"] += moment["lines"]
    return found


def _spell(spell: Spell, began: float, end: float) -> Json:
    encoded: Json = {
        "kind": spell.kind,
        "who": cut(spell.who, SHOWN_LENGTH),
        "epoch": spell.epoch,
        "start": round(spell.start - began, 3),
        "end": round((end if spell.end is None else spell.end) - began, 3),
        "outcome": spell.outcome,
    }
    if spell.end is None:
        encoded["open"] = True
    elif spell.kind == "agent":
        encoded["attempts"] = tries(spell)
        if encoded["attempts"] > 1 and (last := _last_attempt(spell)) is not None:
            encoded["last"] = round(last - began, 3)
    return encoded


def _last_attempt(spell: Spell) -> float | None:
    """When the attempt began that completed; of one that failed nobody has told it."""
    try:
        at = datetime.fromisoformat(str((spell.told or {})["started_at"])).timestamp()
    except (KeyError, ValueError):
        return None
    return at if spell.start < at <= (spell.end or at) else None  # the clocks of hosts differ


def _of_run(spells: Spells) -> str:
    """The run's status, with who paused it, or what it is about to become."""
    state = spells.state
    if state.ended:
        return str(state.status)
    if state.stopping is not None:
        return f"{state.status} (stopping: {state.stopping})"
    by = (state.pause or {}).get("by")
    return f"paused by {cut(str(by), SHOWN_LENGTH)}" if by else str(state.status)


def _changed(spells: Spells, index: int, told: dict[int, tuple[str, str]]) -> bool:
    """Whether a phase stands otherwise than it was told last; it is told then."""
    now = SHOWN[spells.state.phases[index].status], _words(spells, index)
    if told.get(index, ("pending", "")) == now:
        return False
    told[index] = now
    return True


def _words(spells: Spells, index: int) -> str:
    """Who is at work on a phase, or what it waits for."""
    going_on = spells.going_on(index)
    words = []
    if at_work := _named([spell.who for spell in going_on if spell.kind == "agent"]):
        words.append(f"{at_work} at work")
    words += [f"reviewers of {cut(spell.who, SHOWN_LENGTH)}" for spell in going_on if spell.kind == "review"]
    words += [f"checks of {cut(spell.who, SHOWN_LENGTH)}" for spell in going_on if spell.kind == "checks"]
    if people := _named([spell.who for spell in going_on if spell.kind == "person"]):
        words.append(f"waits for {people}")
    for spell in going_on:
        match spell.kind:
            case "gate":
                gate = spells.state.phases[index].gate
                people = _named(list(gate.people) if gate is not None else [])
                words.append(f"waits for {people or 'somebody'} at the gate {cut(spell.who, SHOWN_LENGTH)}")
            case "decision":
                words.append("waits for a decision")
            case "items":
                words.append("waits for its items")
            case "queue":
                paused = spells.state.pause is not None
                words.append("waits until the run goes on" if paused else "waits for its start")
            case _:
                pass
    return ", ".join(words)


def _named(names: Sequence[str]) -> str:
    distinct = [cut(name, SHOWN_LENGTH) for name in dict.fromkeys(names)]
    more = f" and {len(distinct) - NAMED} more" if len(distinct) > NAMED else ""
    return f"{', '.join(distinct[:NAMED])}{more}"
