"""Finding what an operator means by a word: a phase by id, name or index, a completion signal by its name."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice
from typing import Any

from engine.errors import RefusedError
from engine.phase_state import PhaseState
from engine.state import State

LISTED = 20
"""Phases that are named one by one."""

ITEMS_NAMED = 100
"""Items of phases that one answer lists."""

SUGGESTED_FROM = 500
"""Phases of a plan up to which a close name is suggested."""


def find_phase(state: State, word: int | str) -> PhaseState:
    """The phase that `word` names: by id, then by name, then by index; refuses unknown and ambiguous words."""
    if isinstance(word, str):
        if (index := state.index_of.get(word)) is not None:
            return state.phases[index]
        folded = word.casefold()
        known = state.index_of.values()  # not items that were made anew since
        named = [p for i in known if (p := state.phases[i]).plan.name == word] or [
            p for i in known if (p := state.phases[i]).plan.name.casefold() == folded
        ]
        if len(named) > 1:
            raise RefusedError(
                f"{word!r} is the name of {len(named)} phases: {listed(named)}", hint="give the id or the index"
            )
        if named:
            return named[0]
    index = _index(word)
    if index is None or not 0 <= index < len(state.phases):
        raise RefusedError(f"there is no phase {word!r}{_meant(str(word), state)}", hint=_choices(state))
    return state.phases[index]


def _index(word: int | str) -> int | None:
    if isinstance(word, int):
        return word
    digits = word.strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def _meant(word: str, state: State) -> str:
    if len(state.plan.phases) > SUGGESTED_FROM:
        return ""  # comparing with thousands of names would hold up the workflow task
    names = [p.plan.id for p in state.planned] + [p.plan.name for p in state.planned]
    close = get_close_matches(word, names, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _choices(state: State) -> str:
    run = f" of {state.run['id']}" if state.run.get("id") else ""
    if len(state.plan.phases) > LISTED:
        return f"indexes{run} go from 0 to {len(state.phases) - 1}"
    return f"phases{run}: {listed(state.planned)}"


def listed(phases: Iterable[PhaseState]) -> str:
    """Phases for a sentence: `Backend Development (index: 1), …`; many are cut short."""
    names = [f"{p.plan.name} (index: {p.plan.index})" for p in phases]
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def named(state: State, indexes: Iterable[int]) -> list[dict[str, Any]]:
    """Phases as answers list them: all of the plan's; of their items only the first, there may be thousands."""
    plans = [state.plans[index] for index in indexes]
    shown = {plan.index for plan in islice((plan for plan in plans if plan.item is not None), ITEMS_NAMED)}
    return [
        {"id": p.id, "name": p.name, "index": p.index, "group": p.group}
        for p in plans
        if p.item is None or p.index in shown
    ]


def find_signal(state: State, word: str) -> str:
    """The completion signal that `word` names, whatever its case and spacing."""
    signals = state.plan.completion_signals
    folded = " ".join(word.casefold().split())
    for signal in signals:
        if " ".join(signal.casefold().split()) == folded:
            return signal
    close = get_close_matches(word, signals, n=1)
    meant = f" (did you mean {close[0]!r}?)" if close else ""
    known = ", ".join(repr(s) for s in signals) or "none"
    raise RefusedError(f"there is no completion signal {word!r}{meant}", hint=f"signals of this run: {known}")
