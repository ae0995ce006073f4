"""Gates in words: what was checked, who decided what, who is asked still, and what to type."""

from __future__ import annotations

from collections import Counter
from typing import Any

from cli.words.durations import counted, since
from cli.words.parallel import started
from cli.words.reviews import reviewing, reviews
from cli.words.table import table

Json = dict[str, Any]

SYMBOLS = {"passed": "✓", "failed": "✗", "error": "!", "skipped": "↷"}
UNKNOWN = [
    "Where a check is an error (!), nobody knows whether it holds. How checks are done is told by pyproject.toml or",
    "package.json of the project ([tool.ruff], [tool.mypy], [tool.coverage], [build-system], scripts), or by `run` in",
    "a copy of the definition under definitions/.",
]
DIGEST_SHOWN = 19
"""Characters of a digest that people are shown and may give: `sha256:` and twelve digits."""


def listing(gates: list[Json], now: str) -> list[str]:
    """The gates that phases stand at, a line each, with what to type about the first that waits."""
    if not gates:
        return ["No gate is open."]
    waiting = [gate for gate in gates if gate["gate_status"] == "waiting"]
    sizes = Counter(gate.get("batch") for gate in waiting)
    several = [name for name, size in sizes.items() if name is not None and size > 1]
    rows = [
        (f"{gate['id']}/{gate['gate']}", standing(gate, now), f"batch {batch}" if batch in several else "")
        for gate in gates
        for batch in [gate.get("batch")]
    ]
    lines = [line.rstrip() for line in table(rows)]
    first = next((gate for gate in gates if gate["gate_status"] in {"waiting", "failed"}), None)
    lines += [f"Look at one with: phaseloom workflow gate show {first['gate']}"] if first else []
    for name in several:
        lines += together([gate for gate in waiting if gate["batch"] == name], None)
    return lines


def standing(gate: Json, now: str) -> str:
    """How a gate stands, as a clause."""
    match gate["gate_status"]:
        case "checking":
            return "is being checked"
        case "reviewing":
            return reviewing(gate)
        case "waiting":
            who = ", ".join(gate["who"]) or "anyone"
            votes = f", {gate['approvals']} of {gate['need']} approved" if gate["need"] > 1 else ""
            deadline = f", until {_moment(gate['deadline'])}" if gate.get("deadline") else ""
            return f"waits for {who}, asked {since(gate['since'], now)}{votes}{deadline}"
        case "failed":
            checks = gate.get("checks") or {}
            bad = checks.get("failed", 0)
            what = f": {bad} of {counted(checks['total'], 'check')} did not pass" if bad else ""
            return f"was not passed{what}"
        case other:
            return str(other)


def details(gate: Json, now: str, *, run: str | None = None, beside: int = 0) -> list[str]:
    """One gate: what it is for, its checks, its decisions, and what can be typed, with `--run` if it is given.

    `beside` is how many other phases stand at a gate of the same name: then commands name the phase too.
    """
    name = f"{gate['id']}/{gate['gate']}" if beside else str(gate["gate"])
    return [*described(gate, now), *_commands({**gate, "gate": name}, run)]


def described(gate: Json, now: str) -> list[str]:
    """What a decision about a gate is to rest on: what it is for, its checks, its decisions, the evidence."""
    lines = [
        f"Gate: {gate['gate']} (after {gate['name']}, index: {gate['phase']})",
        *(gate.get("description") or "").strip().splitlines(),
        f"It {standing(gate, now)}.{_reason(gate)}",
    ]
    if gate.get("results"):
        lines += ["Checks:", *checks(gate["results"])]
        if any(result["status"] == "error" for result in gate["results"]):
            lines += UNKNOWN
    if gate.get("votes"):
        lines += ["Decisions:", *[_vote(vote, now) for vote in gate["votes"]]]
    lines += reviews(gate)
    lines += [f"- {who} may decide for {whom}" for who, whom in (gate.get("delegates") or {}).items()]
    if gate.get("form"):
        fields = ", ".join(f"{name} ({kind})" for name, kind in gate["form"].items())
        lines.append(f"To approve it, fill in: {fields}")
    if gate.get("evidence"):
        lines.append(f"Evidence: {gate['evidence']}")
    return lines


def _reason(gate: Json) -> str:
    """Why it is as it is, unless the lines of its checks say so."""
    told = gate["gate_status"] == "failed" and (gate.get("checks") or {}).get("status") == "failed"
    return f" {gate['reason']}" if gate.get("reason") and not told else ""


def checks(results: list[Json]) -> list[str]:
    """A line per check, and what a failing one printed last."""
    lines = []
    for result in results:
        fixed = " (mended by its fix)" if result.get("fixed") else ""
        why = f": {result['message']}" if result.get("message") else ""
        lines.append(f"  {SYMBOLS[result['status']]} {result['name']} - {result['status']}{fixed}{why}")
        if result["status"] in {"failed", "error"} and result.get("tail"):
            lines += [f"      {line}" for line in result["tail"].strip().splitlines()[-5:]]
    return lines


def _vote(vote: Json, now: str) -> str:
    instead = f" (by {vote['by']})" if vote["by"] != vote["who"] else ""
    comment = f": {vote['comment']}" if vote.get("comment") else ""
    return f"- {vote['who']}{instead}: {vote['decision']}, {since(vote['at'], now)}{comment}"


def _commands(gate: Json, run: str | None) -> list[str]:
    name, of = gate["gate"], f" --run {run}" if run is not None else ""
    start = "phaseloom workflow gate"
    if gate["gate_status"] == "waiting":
        evidence = given(gate)
        form = "".join(f" --form {field}=…" for field in gate.get("form") or {})
        return [
            "Decide with:",
            f"  {start} approve {name}{of}{evidence}{form}",
            f"  {start} request-changes {name}{of}{evidence} --comment '…'",
            f"  {start} reject {name}{of}{evidence} --comment '…'",
        ]
    if gate["gate_status"] == "failed":
        lines = ["After the fix:", f"  {start} retry {name}{of}"]
        if gate.get("skippable", True):
            lines += ["Or, not recommended:", f"  {start} waive {name}{of} --reason '…'"]
        return lines
    return []


def given(gate: Json) -> str:
    """The option that names the evidence of a gate."""
    return f" --evidence {gate['evidence'][:DIGEST_SHOWN]}" if gate.get("evidence") else ""


def together(gates: list[Json], run: str | None) -> list[str]:
    """How to decide about several gates of one batch at once; nothing where there is one."""
    if len(gates) < 2 or not gates[0]:
        return []
    of = f" --run {run}" if run is not None else ""
    named = ", ".join(f"{gate['id']}/{gate['gate']}" for gate in gates)
    digests = "".join(dict.fromkeys(given(gate) for gate in gates))
    return [
        f"Batch {gates[0]['batch']} has {len(gates)} gates: {named}. Decide about all of them with:",
        f"  phaseloom workflow gate approve --batch {gates[0]['batch']}{of}{digests}",
    ]


def batch_answered(answer: Json, view: Json | None) -> list[str]:
    """After a decision about a batch: what became of each gate."""
    lines = []
    for entry in answer["gates"]:
        if "refused" in entry:
            lines.append(f"{entry['gate']}: not decided: {entry['refused']}")
        else:
            alone = {**answer, "gate": entry["gate"], "phase": entry["phase"], "started": []}
            lines.append(f"{entry['phase']['name']}: {answered({**alone, 'run': {'status': ''}}, None)[0]}")
    if answer["run"]["status"] == "completed":
        return [*lines, "The workflow is complete."]
    return [*lines, *(started(answer["started"], [], view) if view is not None and answer["started"] else [])]


def answered(answer: Json, view: Json | None) -> list[str]:
    """After a decision, a retry, a waiver or a delegation."""
    gate, phase = answer["gate"], answer["phase"]
    words = {
        "passed": f"{gate['id']} is passed.",
        "waived": f"{gate['id']} is waived.",
        "failed": f"{gate['id']} is not passed.",
        "checking": f"{gate['id']} is being checked.",
    }
    if gate["status"] == "waiting":
        lines = [f"{gate['id']}: {gate['approvals']} of {gate['need']} approved; it waits on."]
    elif phase["status"] == "pending" or (phase["status"] == "running" and gate["status"] == "pending"):
        lines = [f"{phase['name']} starts again."]
    else:
        lines = [words.get(gate["status"], f"{gate['id']}: {gate['status']}")]
    if answer["run"]["status"] == "completed":
        return [*lines, "The workflow is complete."]
    others = [entry for entry in answer["started"] if entry["index"] != phase["index"]]
    return [*lines, *(started(others, [], view) if view is not None and others else [])]


def _moment(iso: str) -> str:
    return f"{iso[:10]} {iso[11:16]} UTC"
