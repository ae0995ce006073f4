"""The shared context in words: keys, versions, what changed, and what waits for a decision."""

from __future__ import annotations

import json
from typing import Any

from cli.words.durations import since
from cli.words.table import shortened, table

Json = dict[str, Any]

VALUE_SHOWN = 60
DIGEST_SHOWN = 19
"""Characters of a content hash: `sha256:` and twelve digits."""

NONE = "The definition of this run declares no context keys."


def keys(found: Json, now: str) -> list[str]:
    """All keys, a line each."""
    if not found["keys"]:
        return [NONE]
    rows = [(row["key"], str(row["version"] or "-"), _by(row, now), brief(row)) for row in found["keys"]]
    newer = f"; the newest is {found['now']}" if found["version"] < found["now"] else ""
    return [f"Version: {found['version']}{newer}", *table([("KEY", "VERSION", "BY", "VALUE"), *rows])]


def _by(row: Json, now: str) -> str:
    if not row["version"]:
        return "default" if "value" in row else "-"
    return f"{row['by']} in {row['phase']}, {since(row['at'], now)}"


def brief(row: Json) -> str:
    """A value in a line."""
    if "bytes" in row:
        return f"({row['bytes']} bytes)"
    if "value" not in row:
        return "(nothing)"
    return _value(row["value"])


def one(row: Json, now: str) -> list[str]:
    """One key with the whole of its value."""
    facts = [f"Key: {row['key']} ({row['type']}{', of ' + row['owner'] if row.get('owner') else ''})"]
    if row.get("description"):
        facts.append(row["description"])
    if row.get("invariant"):
        facts.append(f"Must hold: {row['invariant']}")
    if row["version"]:
        facts.append(f"Version: {row['version']}, by {_by(row, now)}, {row['hash'][:DIGEST_SHOWN]}")
    elif "value" in row:
        facts.append("Nobody has written it; this is its default:")
    if "value" not in row:
        return [*facts, "It has no value."]
    value = row["value"]
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    return [*facts, *text.splitlines()]


def history(versions: list[Json], now: str) -> list[str]:
    """A line per version."""
    if not versions:
        return ["Nothing has been written yet."]
    rows = [
        (str(v["version"]), f"@{v['fact']}", f"{v['by']} in {v['phase']}", since(v["at"], now), _written(v))
        for v in versions
    ]
    return table([("VERSION", "FACT", "BY", "WHEN", "KEYS"), *rows])


def _written(version: Json) -> str:
    names = ", ".join(f"{key} {digest[:DIGEST_SHOWN]}" for key, digest in version["keys"].items())
    if version.get("decision"):
        by = f" by {version['decided_by']}" if version.get("decided_by") else ""
        return f"{names} ({version['decision']}{by})"
    return f"{names} (merged)" if version.get("merged") else names


def changes(told: Json) -> list[str]:
    """What changed between two versions."""
    if not told["keys"]:
        return [f"Nothing changed between version {told['from']} and version {told['to']}."]
    lines = [f"From version {told['from']} to version {told['to']}:"]
    for key in told["keys"]:
        lines.append(f"{key['key']} (version {key['from']} to {key['to']}, by {key['by']} in {key['phase']})")
        lines += [f"  {line}" for change in key["changes"] for line in _change(change)]
    return lines


def _change(change: Json) -> list[str]:
    path = f"{change['path']}: " if change["path"] else ""
    match change["change"]:
        case "add":
            return [f"+ {path}{_value(change['new'])}"]
        case "remove":
            return [f"- {path}{_value(change['old'])}"]
        case _ if "lines" in change:
            return [f"~ {path}".rstrip(" :"), *change["lines"]]
        case _:
            return [f"~ {path}{_value(change['old'])} -> {_value(change['new'])}"]


def _value(value: Any) -> str:
    # Cut before it is measured: values may be long.
    return shortened(json.dumps(value, ensure_ascii=False)[: VALUE_SHOWN + 1], VALUE_SHOWN)


def waiting(offers: list[Json]) -> list[str]:
    """Writes that are not in the context, each beside what is there."""
    lines = []
    for offer in offers:
        lines.append(f"Not in the shared context: what {offer['by']} wrote.")
        for row in offer["keys"]:
            if not row["conflict"] and offer["kind"] == "write_write":
                continue
            theirs = row.get("theirs")
            lines.append(f"  {row['key']}:")
            lines.append(f"    mine    {row['mine']['hash'][:DIGEST_SHOWN]}  {_value(row['mine']['value'])}")
            if theirs is not None:
                who = f"{theirs['by']} in {theirs['phase']}, version {theirs['version']}"
                lines.append(f"    theirs  {theirs['hash'][:DIGEST_SHOWN]}  {_value(theirs['value'])}  ({who})")
        lines += [f"  Must hold ({broken['key']}): {broken['message']}" for broken in offer.get("invariants", ())]
    if offers:
        lines.append("See: phaseloom workflow context show")
    return lines
