"""The checkpoints of a run by name, as lists show them, and making one by hand.

A checkpoint has the slug of the phase after which it stands, or the name that somebody gave it, and a number: its
position in the ledger. Of several with one name the newest is meant; `name@2` is the second of them.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any

from engine.engine import Engine
from engine.errors import RefusedError
from engine.facts import Fact, of_files
from engine.lineage import segments
from engine.lookup import find_phase
from engine.moments import iso
from engine.requests import Request
from engine.saved import CREATED
from engine.state import State

Json = dict[str, Any]

BEGINNING = "beginning"
LAST = "last-checkpoint"
WORDS = (BEGINNING, LAST)
"""Names that every run knows: before its first phase, and its newest checkpoint."""

PAGE = 500
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,79}")


def name_of(state: State, fact: Fact) -> str:
    """The name of the checkpoint that a fact is."""
    return str(fact.data["name"]) if fact.kind == CREATED else state.plans[fact.phase or 0].id


def row(state: State, position: int, standing: list[tuple[int, int]]) -> Json:
    """One checkpoint: `{name, number, at, phase, index, by, note, undone}`.

    `undone`: a restore has gone back behind it since; it can be restored all the same.
    """
    fact = state.facts[position - 1]
    phase = state.plans[fact.phase] if fact.phase is not None else None
    return {
        "name": name_of(state, fact),
        "number": position,
        "at": iso(fact.at),
        "phase": phase.id if phase is not None else None,
        "index": phase.index if phase is not None else None,
        "by": fact.actor,
        "note": fact.note,
        "undone": not _within(position, standing),
    }


def page(state: State, *, offset: int = 0, limit: int = PAGE) -> Json:
    """Checkpoints in order, from `offset` on (negative: so many from the end), at most `limit` and `PAGE`."""
    total = len(state.saved.positions)
    first = max(0, total + offset) if offset < 0 else min(offset, total)
    limit = max(0, min(limit, PAGE))
    standing = segments(state.facts)
    shown = [row(state, position, standing) for position in state.saved.positions[first : first + limit]]
    return {"checkpoints": shown, "total": total, "offset": first}


def _within(position: int, standing: list[tuple[int, int]]) -> bool:
    return any(start < position <= end for start, end in standing)


def find(state: State, word: int | str) -> tuple[int, str]:
    """The position that a word means, and its name; refuses what is no checkpoint of the run."""
    text = str(word).strip()
    if text == BEGINNING:
        return 1, BEGINNING
    named, _, ordinal = text.partition("@")
    if named == LAST and not ordinal:
        return _newest(state)
    found = [n for n in state.saved.positions if name_of(state, state.facts[n - 1]) == named]
    if ordinal.isascii() and ordinal.isdigit() and 1 <= int(ordinal) <= len(found):
        return found[int(ordinal) - 1], text
    if found and not ordinal:
        standing = segments(state.facts)
        return next((n for n in reversed(found) if _within(n, standing)), found[-1]), named
    if text.isascii() and text.isdigit() and len(text) < 10 and int(text) in state.saved:
        return int(text), name_of(state, state.facts[int(text) - 1])
    raise _unknown(state, text, len(found))


def _newest(state: State) -> tuple[int, str]:
    standing = segments(state.facts)
    for position in reversed(state.saved.positions):
        if _within(position, standing):
            return position, name_of(state, state.facts[position - 1])
    raise RefusedError("the run has no checkpoint yet", hint=f"go back to its start with: {BEGINNING}")


def _unknown(state: State, text: str, alike: int) -> RefusedError:
    names = list(dict.fromkeys(name_of(state, state.facts[n - 1]) for n in reversed(state.saved.positions)))[:20]
    if alike:
        return RefusedError(f"there is no checkpoint {text[:80]!r}: of that name there are {alike}")
    close = get_close_matches(text, names, n=1)
    meant = f" (did you mean {close[0]!r}?)" if close else ""
    known = (
        f"the newest are {', '.join(names)}; the start of the run is {BEGINNING}"
        if names
        else f"there is none yet but {BEGINNING!r}"
    )
    return RefusedError(f"there is no checkpoint {text[:80]!r}{meant}", hint=known)


def start_of(state: State, word: int | str) -> tuple[int, str]:
    """The position right before a phase began the last time, and a name for it; refuses one that has not begun."""
    plan = find_phase(state, word).plan
    for start, end in reversed(segments(state.facts)):
        for position in range(end, start, -1):
            fact = state.facts[position - 1]
            if fact.kind == "phase_started" and fact.phase == plan.index:
                return position - 1, f"start of {plan.id}"
    raise RefusedError(f"{plan.name} (index: {plan.index}) has not begun", hint="there is nothing to go back to")


def check_create(engine: Engine, request: Request) -> None:
    """Refuse a name that means something else already, and a run that is being stopped."""
    name = request.fields["name"]
    if engine.state.stopping is not None:
        raise RefusedError("the run is being stopped; from here it could only stop again")
    if not _NAME.fullmatch(name):
        raise RefusedError(
            f"a checkpoint cannot be called {name[:80]!r}", hint="use letters, digits, '.', '_' and '-', 80 at most"
        )
    if name in WORDS or name in engine.state.index_of:
        what = "the checkpoint after that phase" if name in engine.state.index_of else "a place of every run"
        raise RefusedError(f"{name!r} is the name of {what}", hint="choose another name")


def act_create(engine: Engine, request: Request, at: float) -> Json:
    """Remember this moment under a name."""
    data: Json = {"name": request.fields["name"], **of_files(request.fields)}
    fact = engine.record(CREATED, at, actor=request.actor, note=request.note, data=data)
    return {"success": True, "checkpoint": row(engine.state, fact.n, segments(engine.state.facts))}
