"""What an operator sees of the shared context: keys with their values at a moment, the history, one phase's part."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from engine.context.folding import writer
from engine.errors import RefusedError
from engine.moments import cut, iso

if TYPE_CHECKING:
    from engine.context.records import Entry
    from engine.engine import Engine
    from engine.phase_state import PhaseState
    from engine.state import State

Json = dict[str, Any]

BYTES = 96 * 1024
"""Bytes of JSON of one answer's values; what has no room is left out and said so."""

PAGE = 200
NAME_SHOWN = 100

OPTIONS = {
    "keep_theirs": "Keep what the others have written, drop what {name} wrote",
    "take_mine": "Take what {name} wrote instead",
    "replace_context": "Write other values instead",
}
"""A person's choices about a conflict, in words."""


def answer(engine: Engine, which: object) -> Json:
    """The answer to the query `context`: `history` where `which` says so, else `shown`."""
    asked = which if isinstance(which, dict) else {}
    return history(engine, asked) if asked.get("history") else shown(engine, asked)


def shown(engine: Engine, which: Json) -> Json:
    """The keys and their values: `{version, now, keys: [{key, version, hash, value, by, phase, …}]}`.

    `which`: `key`, only this one; `at`, a version, or `@n`: as it was after the fact with this number. A key that
    nobody has written has version 0 and, if there is one, its default. A value that has no room is left out: `bytes`.
    """
    state = engine.state
    at = _version(state, which.get("at"))
    names = [_key(state, which["key"])] if which.get("key") is not None else list(state.context.keys)
    room = BYTES
    keys = []
    for name in names:
        row = _row(state, name, at)
        if "value" in row:
            size = len(json.dumps(row["value"]))
            if size > room:
                row |= {"bytes": size}
                del row["value"]
            else:
                room -= size
        keys.append(row)
    return {"run": state.run.get("id", ""), "version": at, "now": state.context.version, "keys": keys}


def history(engine: Engine, which: Json) -> Json:
    """All versions after number `since`, at most `limit`: `{version, versions: [{version, at, by, phase, keys}]}`.

    `which["key"]`: only those of this key. Values are not told: `shown` has them.
    """
    state = engine.state
    key = _key(state, which["key"]) if which.get("key") is not None else None
    since, limit = max(0, int(which.get("since", 0))), min(PAGE, max(1, int(which.get("limit", PAGE))))
    found: list[Json] = []
    for number in range(since, state.context.version):
        fact = engine.ledger[state.context.facts[number] - 1]
        writes = fact.data["writes"]
        if key is not None and key not in writes:
            continue
        if len(found) == limit:
            return _page(state, found, more=True)
        assert fact.phase is not None
        row: Json = {
            "version": number + 1,
            "fact": fact.n,
            "at": iso(fact.at),
            "by": writer(fact),
            "phase": state.plans[fact.phase].id,
            "epoch": fact.epoch,
            "base": fact.data["base"],
            "keys": {name: write["hash"] for name, write in writes.items()},
        }
        if "decision" in fact.data:
            row["decided_by"] = fact.actor
        found.append(row | {k: fact.data[k] for k in ("merged", "decision", "over", "in_spite_of") if k in fact.data})
    return _page(state, found, more=False)


def _page(state: State, versions: list[Json], *, more: bool) -> Json:
    version = state.context.version
    following = versions[-1]["version"] if more else version
    return {"run": state.run.get("id", ""), "version": version, "versions": versions, "next": following, "more": more}


def _row(state: State, key: str, version: int) -> Json:
    declared = state.context.keys[key]
    row: Json = {"key": key, "type": declared.type, "version": 0}
    if declared.owner is not None:
        row["owner"] = declared.owner
    if declared.description:
        row["description"] = cut(declared.description, NAME_SHOWN)
    if declared.invariant is not None:
        row["invariant"] = declared.invariant
    if (entry := state.context.newest(key, version)) is not None:
        return row | written(state, entry) | {"value": entry.value}
    return row | ({"value": declared.default} if declared.optional else {})


def written(state: State, entry: Entry) -> Json:
    """Who wrote what when, without the value."""
    return {
        "version": entry.version,
        "hash": entry.hash,
        "by": entry.by,
        "phase": state.plans[entry.phase].id,
        "epoch": entry.epoch,
        "at": iso(entry.at),
    }


def _key(state: State, word: object) -> str:
    if not state.context.keys:
        raise RefusedError("the definition of this run declares no context keys")
    if not isinstance(word, str) or word not in state.context.keys:
        close = get_close_matches(str(word), state.context.keys, n=1)
        meant = f" (did you mean {close[0]!r}?)" if close else ""
        known = ", ".join(list(state.context.keys)[:20])
        raise RefusedError(f"there is no context key {str(word)[:80]!r}{meant}", hint=f"keys: {known}")
    return word


def _version(state: State, word: object) -> int:
    """The version that a word means: a number, or `@n` for what it was after the fact `n`; nothing: the newest."""
    if word is None:
        return state.context.version
    digits = str(word).removeprefix("@")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise RefusedError(f"{str(word)[:40]!r} is no version", hint="write a number, or @ and the number of a fact")
    if str(word).startswith("@"):
        return state.context.version_at(int(digits))
    if int(digits) > state.context.version:
        raise RefusedError(f"there is no version {digits}", hint=f"the newest one is {state.context.version}")
    return int(digits)


def of_phase(engine: Engine, phase: PhaseState) -> Json:
    """A phase's part in the context: what it reads, in which version, what it may write, what waits."""
    state, plan = engine.state, phase.plan
    if not (plan.context_reads or plan.context_writes):
        return {}
    reads: Json = {}
    for key in plan.context_reads:
        entry = state.context.newest(key, phase.base)
        reads[key] = entry.version if entry is not None else 0
    told: Json = {"base": phase.base, "reads": reads, "writes": list(plan.context_writes)}
    if phase.stale:
        told["stale"] = phase.stale
    if phase.conflicts:
        told["waiting"] = [_waiting(state, offer) for offer in phase.conflicts.values()]
    return {"context": told}


def _waiting(state: State, offer: Json) -> Json:
    """Writes that are not in the context: for each key what would be written, and what stands there now."""
    told: Json = {"by": offer["by"], "kind": offer["kind"], "keys": []}
    for key, write in offer["writes"].items():
        theirs = state.context.newest(key)
        mine = {"hash": write["hash"], "value": write["value"]}
        row: Json = {"key": key, "conflict": key in offer["keys"], "mine": mine}
        if theirs is not None:
            row["theirs"] = written(state, theirs) | {"value": theirs.value}
        told["keys"].append(row)
    for name in ("invariants", "unmerged"):
        if name in offer:
            told[name] = offer[name]
    return told
