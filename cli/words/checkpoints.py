"""Checkpoints in words: the list, what one holds, what differs between two, and going back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cli.words.durations import counted, since
from cli.words.table import table

Json = dict[str, Any]

SHOWN = 120
LISTED = 20
NAMED = 5


def listing(found: list[Json], now: str) -> list[str]:
    """A line per checkpoint, the oldest first."""
    if not found:
        return ["There is no checkpoint yet; the start of the run is: beginning"]
    rows = [
        (row["name"], str(row["number"]), since(row["at"], now), _origin(row), "undone" if row["undone"] else "")
        for row in found
    ]
    return table([("CHECKPOINT", "NUMBER", "SAVED", "BY", ""), *rows], numbers=(1,))


def _origin(row: Json) -> str:
    if row["phase"] is not None:
        return "completed phase"
    note = f": {row['note']}" if row["note"] else ""
    return f"{row['by'] or 'somebody'}{note}"


def created(answer: Json) -> list[str]:
    """After `checkpoints create`."""
    return [f"Checkpoint saved: {answer['checkpoint']['name']}"]


def content(told: Json) -> list[str]:
    """What a checkpoint holds."""
    done = told["completed"]
    lines = [
        f"Checkpoint: {told['checkpoint']} (number {told['number']} of {told['run']})",
        f"Workflow: {told['definition']}",
        f"Saved: {told['at']}",
        f"Status: {told['status']}",
        f"Git commit: {'none yet' if _without_commit(told) else told['git_commit']}",
        f"Files: {_files(told.get('files', {}))}",
        f"Completed: {', '.join(done[:LISTED]) or 'none'}{_more(done)}",
    ]
    lines += [f"Output: {text}" for text in _outputs(told)]
    lines += [
        f"Artifact: {each['phase']}/{each['name']} sha256:{each['sha256'][:12]}" for each in told["artifacts"][:LISTED]
    ]
    lines += _context(told)
    lines += [f"Gate: {each['phase']}/{each['gate']} {each['status']}" for each in told["gates"][:LISTED]]
    again = {phase: count for phase, count in told["attempts"].items() if count > 1}
    lines += [f"Attempts: {phase} {count}" for phase, count in list(again.items())[:LISTED]]
    return lines


def _more(names: list[str]) -> str:
    return f" and {len(names) - LISTED} more" if len(names) > LISTED else ""


def _without_commit(told: Json) -> bool:
    return told["git_commit"] == "unknown" and bool(told.get("files", {}).get("git"))


def _files(known: Json) -> str:
    """What is known of the files then."""
    if "unknown" in known or "clean" not in known:
        return f"not known ({known.get('unknown', 'nothing tells of them')})"
    if known["clean"]:
        return "all committed"
    if not known["git"]:
        return f"{counted(known['count'], 'file')}, without git"
    kinds = (f"{kind}: {_some(known[kind])}" for kind in ("changed", "new", "gone") if known[kind])
    return f"{known['count']} not committed; {'; '.join(kinds)}" if known["count"] else "all committed"


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")


def _outputs(told: Json) -> list[str]:
    texts = [
        f"{phase}.{name} = {brief(value)}"
        for phase, outputs in told["outputs"].items()
        for name, value in outputs.items()
    ]
    return texts[:LISTED] + ([f"and {len(texts) - LISTED} more"] if len(texts) > LISTED else [])


def _context(told: Json) -> list[str]:
    """The shared context as it was; nothing where the definition declares none."""
    values = told.get("context", {})
    if not values and not told.get("context_version"):
        return []
    lines = [f"Context: {key} = {brief(value)}" for key, value in list(values.items())[:LISTED]]
    return [f"Context version: {told['context_version']}", *lines]


def brief(value: Any) -> str:
    """A value in a line."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def diff(told: Json) -> list[str]:
    """What is different between two checkpoints."""
    lines = [f"From {told['from']} to {told['to']}:"]
    for row in told["phases"]:
        epochs = f", epoch {row['epoch'][0]} -> {row['epoch'][1]}" if row["epoch"][0] != row["epoch"][1] else ""
        lines.append(f"  {row['id']}: {row['status'][0]} -> {row['status'][1]}{epochs}")
    lines += [f"  {row['phase']}.{row['name']}: {_side(row, 'then')} -> {_side(row, 'now')}" for row in told["outputs"]]
    lines += [f"  artifact {row['phase']}/{row['name']}: {row['change']}" for row in told["artifacts"]]
    lines += [f"  context {row['key']}: {_side(row, 'then')} -> {_side(row, 'now')}" for row in told.get("context", ())]
    if told["git_commit"][0] != told["git_commit"][1]:
        lines.append(f"  git commit: {told['git_commit'][0]} -> {told['git_commit'][1]}")
    lines += _files_between(told.get("files", {}))
    return lines if len(lines) > 1 else [f"Nothing differs between {told['from']} and {told['to']}."]


def _files_between(files: Json) -> list[str]:
    """The files that differ, a line each."""
    if "unknown" in files:
        return [f"  files: not known ({files['unknown']})"]
    named = [f"  file {name}: {kind}" for kind in ("changed", "new", "gone") for name in files.get(kind, ())][:LISTED]
    more = files.get("count", 0) - len(named)
    unread = files.get("unread", [])
    lines = [*named, f"  and {counted(more, 'more file')}"] if more else named
    return [*lines, f"  files that cannot be read: {_some(unread)}"] if unread else lines


def _side(row: Json, side: str) -> str:
    return brief(row[side]) if side in row else "none"


def differences(found: list[Json], checkpoint: str, not_compared: Sequence[Json] = ()) -> list[str]:
    """What is no longer as it was, for somebody about to go back."""
    lines = [f"Since {checkpoint}:", *(f"- {each['text']}" for each in found)] if found else []
    return lines + [each["text"] for each in not_compared]


FILES_STAY = "Files of the project stay as they are: going back changes the run, not the working directory."


def gone_back(told: Json) -> list[str]:
    """After `restore`, and `resume --from`."""
    if told["in_place"]:
        return [f"{told['run']} is back at {told['checkpoint']}.", FILES_STAY]
    return [f"{told['run']} goes on from {told['checkpoint']} of {told['restored_from']}.", FILES_STAY]


def question(told: Json) -> str:
    """What a person at a terminal is asked."""
    agents = f"{counted(told['at_work'], 'agent')} at work will be stopped. " if told["at_work"] else ""
    return f"{agents}Go back to {told['checkpoint']}?"
