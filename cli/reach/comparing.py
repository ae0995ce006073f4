"""What differs between two positions of a ledger, or between two runs."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def difference(before: Json, after: Json) -> Json:
    """What differs between the contents of two checkpoints: `{from, to, phases, outputs, artifacts, git_commit}`."""
    return {
        "run": after["run"],
        "from": before["checkpoint"],
        "to": after["checkpoint"],
        "phases": _phases(before, after),
        "outputs": outputs(before["outputs"], after["outputs"]),
        "artifacts": _artifacts(before, after),
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
    rows: list[Json] = []
    for phase in dict.fromkeys([*before, *after]):
        old, new = before.get(phase, {}), after.get(phase, {})
        for name in dict.fromkeys([*old, *new]):
            if name in old and name in new and old[name] == new[name]:
                continue
            sides = {side: values[name] for side, values in (("then", old), ("now", new)) if name in values}
            rows.append({"phase": phase, "name": name, **sides})
    return rows


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
