"""What differs between two positions of a ledger, or between two runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.reach.past import attempts
from engine.statuses import SHOWN

if TYPE_CHECKING:
    from cli.reach.past import Past

Json = dict[str, Any]


def difference(before: Json, after: Json) -> Json:
    """What differs between the contents of two checkpoints.

    `{from, to, phases, outputs, artifacts, context_version, context, git_commit}`.
    """
    return {
        "run": after["run"],
        "from": before["checkpoint"],
        "to": after["checkpoint"],
        "phases": _phases(before, after),
        "outputs": outputs(before["outputs"], after["outputs"]),
        "artifacts": _artifacts(before, after),
        "context_version": [before.get("context_version", 0), after.get("context_version", 0)],
        "context": _context(before.get("context", {}), after.get("context", {})),
        "git_commit": [before["git_commit"], after["git_commit"]],
    }


def _phases(before: Json, after: Json) -> list[Json]:
    none: Json = {"status": "pending", "epoch": 0}
    then, now = ({phase["id"]: phase for phase in side["phases"]} for side in (before, after))
    rows = []
    for name in dict.fromkeys([*then, *now]):
        old, new = then.get(name, none), now.get(name, none)
        if (old["status"], old["epoch"]) != (new["status"], new["epoch"]):
            rows.append({"id": name, "status": [old["status"], new["status"]], "epoch": [old["epoch"], new["epoch"]]})
    return rows


def outputs(before: Json, after: Json) -> list[Json]:
    """Outputs that differ: `{phase, name, then, now}`; a side that has none has no key."""
    return [
        {"phase": phase, "name": name, **sides}
        for phase in dict.fromkeys([*before, *after])
        for name, sides in _sides(before.get(phase, {}), after.get(phase, {}))
    ]


def _context(before: Json, after: Json) -> list[Json]:
    """Keys of the shared context that differ: `{key, then, now}`; a side that has no value has no key."""
    return [{"key": key, **sides} for key, sides in _sides(before, after)]


def _sides(before: Json, after: Json) -> list[tuple[str, Json]]:
    return [
        (name, {side: values[name] for side, values in (("then", before), ("now", after)) if name in values})
        for name in dict.fromkeys([*before, *after])
        if name not in before or name not in after or before[name] != after[name]
    ]


def _artifacts(before: Json, after: Json) -> list[Json]:
    then, now = (
        {(each["phase"], each["name"]): each["sha256"] for each in side["artifacts"]} for side in (before, after)
    )
    changes = []
    for key in dict.fromkeys([*then, *now]):
        if then.get(key) != now.get(key):
            change = "new" if key not in then else "gone" if key not in now else "changed"
            changes.append({"phase": key[0], "name": key[1], "change": change})
    return changes


def compared(one: Past, other: Past) -> Json:
    """Two runs side by side, each as far as it is."""
    pasts = (one, other)
    contents = [past.content(len(past.facts), "now") for past in pasts]
    rows: list[dict[str, Json]] = [_rows(past) for past in pasts]
    names = list(dict.fromkeys([*rows[0], *rows[1]]))
    differing: dict[str, list[Json]] = {}
    for row in outputs(contents[0]["outputs"], contents[1]["outputs"]):
        sides = [{"value": row[side]} if side in row else {} for side in ("then", "now")]
        differing.setdefault(row["phase"], []).append({"name": row["name"], "sides": sides})
    return {
        "runs": [past.run for past in pasts],
        "definitions": [past.plan.id for past in pasts],
        "statuses": [content["status"] for content in contents],
        "seconds": [_length(past.now.started_at, past.now.ended_at) for past in pasts],
        "inputs": [past.now.inputs for past in pasts],
        "phases": [
            {
                "id": name,
                **{key: [side.get(name, {}).get(key) for side in rows] for key in ("status", "seconds", "attempts")},
                "reused_from": [side.get(name, {}).get("reused_from") for side in rows],
                "outputs": differing.get(name, []),
            }
            for name in names
        ],
    }


def _rows(past: Past) -> dict[str, Json]:
    state = past.now
    reused = {
        fact.phase: fact.data["reused_from"]
        for fact in past.standing(len(past.facts))
        if fact.kind == "phase_settled" and "reused_from" in fact.data
    }
    return {
        phase.plan.id: {
            "status": SHOWN[phase.status],
            "seconds": _length(phase.started_at, phase.finished_at),
            "attempts": attempts(phase),
            "reused_from": reused.get(phase.plan.index),
        }
        for phase in state.planned
    }


def _length(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else round(end - start, 3)
