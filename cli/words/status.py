"""The state of a run for somebody woken at 3 a.m.: what has stopped and what to do first, then the phases."""

from __future__ import annotations

from typing import Any

from cli.words.asking import INDENT, way
from cli.words.bars import Canvas
from cli.words.durations import between, counted, due, duration, since
from cli.words.measures import summary
from cli.words.options import options
from cli.words.parallel import QUEUES, named
from cli.words.parts import parts
from cli.words.reviews import review_line, reviewing
from cli.words.symbols import SYMBOLS
from cli.words.table import table

Json = dict[str, Any]

SLACK_SHOWN = 3
LEAST_SLACK = 1.0
"""Seconds under which there is nothing to be had."""

ITEMS_SHOWN = 5

MANY, SHOWN = 40, 20
"""From so many phases on only those are shown that somebody could ask about, and at most so many."""


def status(
    view: Json, *, complete: bool = False, on: Canvas | None = None, measured: bool = True, fits: int | None = None
) -> list[str]:
    """All of it; `complete`: every phase of a large plan too.

    The view's `eta` says when the run will end. An ended run is told with its table and bars, if `measured`. Lines of
    phases are cut to `fits` cells.
    """
    on = on or Canvas()
    measures = summary(view, on) if measured else []
    return [
        *heading(view, eta=(view.get("eta") or {}).get("text")),
        *(critical_path(view["eta"], arrow="→" if on.unicode else "->") if view.get("eta") else []),
        *trouble(view),
        *waiting(view),
        "",
        *phases(view, complete=complete, fits=fits),
        *(["", *measures] if measures else []),
    ]


def heading(view: Json, *, eta: str | None = None) -> list[str]:
    """Which run this is and how far it has come."""
    progress = view["progress"]
    stopping = {"cancelled": ", being cancelled", "failed": ", being stopped"}.get(view["stopping"] or "", "")
    if "restoring" in view:
        stopping = f", going back to {view['restoring']['checkpoint']}"
    if view["ended_at"] is not None:
        when = f"{since(view['ended_at'], view['now'])}, after {between(view['started_at'], view['ended_at'])}"
    else:
        when = f"started {since(view['started_at'], view['now'])}"
    return [
        f"Run: {view['run']}",
        f"Workflow: {view['definition']} ({view['name']})",
        *links(view),
        f"Status: {view['status']}{stopping} ({when})",
        f"Progress: {progress['completed']}/{progress['total']} ({progress['percent']}%){f', {eta}' if eta else ''}",
        *(lost(view) if view["status"] == "lost" else []),
    ]


def lost(view: Json) -> list[str]:
    """What became of a run that the server has no record of, and what can be done."""
    said = ["The server has no record of this run: its database was lost, or this is another server."]
    way = f"phaseloom workflow resume --from last-checkpoint --run {view['run']}"
    return [*said, f"Go on as a new run with: {way} (or --from beginning)"]


def links(view: Json) -> list[str]:
    """Which run this one goes on from, and which go on from it."""
    words = {"restored_from": "Restored from", "forked_from": "Forked from"}
    before = [f"{said}: {view[key]} at {view['checkpoint']}" for key, said in words.items() if key in view]
    later = view.get("followed_by", ())
    after = [f"{each['how'].capitalize()} as: {each['run']} from {each['checkpoint']}" for each in later]
    return [*before, *after]


def critical_path(eta: Json, *, arrow: str = "→") -> list[str]:
    """The chain of phases that decides when the run ends, and which phases have time to spare."""
    lines = []
    if len(eta["critical_path"]) > 1 and eta["high"] > 0:
        lines.append(f"Critical path: {f' {arrow} '.join(eta['critical_path'])}")
    spare = sorted(((seconds, name) for name, seconds in eta["slack"].items() if seconds >= LEAST_SLACK), reverse=True)
    if spare:
        more = f" and {len(spare) - SLACK_SHOWN} more" if len(spare) > SLACK_SHOWN else ""
        each = ", ".join(f"{name} {duration(seconds)}" for seconds, name in spare[:SLACK_SHOWN])
        lines.append(f"Slack: {each}{more}")
    return lines


def trouble(view: Json) -> list[str]:
    """Why the run, or a phase of it, has stopped, and the numbered choices."""
    pause = view["pause"]
    if pause is None:
        return []
    lines = ["", pause["text"]]
    first = next(iter(pause["phases"]), None)
    stopped = (gate for gate in view["gates"] if gate["phase"] == first and gate["gate_status"] == "failed")
    lines += [f"What was found: phaseloom workflow gate show {gate['gate']}" for gate in stopped]
    lines.append("Options:")
    possible = options(view)
    lines.extend(f"  {option.number}. {option.text}" for option in possible)
    lines.append("Choose with: phaseloom workflow intervene <number>")
    beside = [f"{option.number} {option.written}" for option in possible if option.fields]
    if beside:
        lines.append(f"Some need more: {', '.join(beside)}")
    if len(pause["phases"]) > 1:
        lines.append(f"Decide about one of the {len(pause['phases'])} phases by adding: --phase <index>")
    return lines


def waiting(view: Json) -> list[str]:
    """What waits for whom: people first, each with the command to type, then queues."""
    lines: list[str] = []
    queues: dict[str, int] = {}
    for entry in view["waiting"]:
        match entry["for"]:
            case "decision" if len((view["pause"] or {}).get("phases", [])) == 1:
                pass  # the options above are about it
            case "decision":
                lines.append(f"- a decision on {named(_phase(entry))}, stopped {since(entry['since'], view['now'])}")
            case "person":
                lines.append(
                    f"- {', '.join(entry['who'])}: {named(_phase(entry))}, started {since(entry['since'], view['now'])}"
                )
                if entry.get("what"):
                    lines.append(f"{INDENT}{entry['what']}")
                if entry.get("more"):
                    lines.append(f"{INDENT}phaseloom workflow why {entry['phase']}   says all that is asked")
                lines.append(f"{INDENT}{way(entry['phase'], view)}")
            case "gate":
                asked = ", ".join(entry.get("who") or ["anyone"])
                votes = f" ({entry['approvals']} of {entry['need']})" if entry.get("need", 1) > 1 else ""
                deadline = f", until {entry['deadline'][:16].replace('T', ' ')} UTC" if entry.get("deadline") else ""
                lines.append(
                    f"- {asked} to decide about {entry['gate']}{votes}: {named(_phase(entry))}, "
                    f"asked {since(entry['since'], view['now'])}{deadline}"
                )
                lines += [f"{INDENT}{review_line(said)[2:]}" for said in entry.get("reviews") or ()]
                same = sum(row["gate"] == entry["gate"] for row in view["gates"])
                gate = f"{entry['id']}/{entry['gate']}" if same > 1 else entry["gate"]
                lines.append(f"{INDENT}phaseloom workflow gate show {gate}")
            case "signal":
                lines.append(f"- the report that: {entry['signal']}")
                lines.append(f'    phaseloom workflow signal "{entry["signal"]}"')
            case reason:
                queues[reason] = queues.get(reason, 0) + 1
    for reason, count in queues.items():
        slots = f" ({view['slots_used']} of {view['max_workers']} in use)" if reason == "worker slot" else ""
        lines.append(f"- {QUEUES.get(reason, reason)}{slots}: {counted(count, 'phase')}")
    return ["", "Waiting for:", *lines] if lines else []


def _phase(entry: Json) -> Json:
    return {"name": entry["name"], "index": entry["phase"]}


def phases(view: Json, *, complete: bool = False, fits: int | None = None) -> list[str]:
    """A line per phase; of a large plan only the ones that somebody could ask about."""
    rows = view["phases"]
    left_out = 0
    if view["page"]["total"] > MANY and not complete:
        told = [row for row in rows if row["status"] in {"paused", "failed", "cancelled"}]
        active = [row for row in view["active"] if "item" not in row]
        shown = {row["index"]: row for row in (*told, *active)}
        rows = [shown[index] for index in sorted(shown)][:SHOWN]
        left_out = view["page"]["total"] - len(rows)
    digits = len(str(view["page"]["total"] - 1))
    cells, of = [], []
    for row in rows:
        symbol = f"{SYMBOLS[row['status']]} {row['index']:>{digits}}"
        told = [(symbol, row["name"], f"{row['status']}{_more(row, view)}"), *_items(row, view)]
        cells += told
        of += [row["index"], *[None] * (len(told) - 1)]
    lines = ["Phases:"]
    working = {row["index"]: row for row in view["active"]}
    for index, line in zip(of, table(cells, indent="  ", fits=fits), strict=True):
        lines += [line, *parts(working.get(index, {}), view["now"], indent=" " * (digits + 6))]
    if left_out:
        counts = ", ".join(f"{count} {status}" for status, count in view["counts"].items() if count)
        lines.append(f"  … {left_out} more ({counts}); all of them: phaseloom workflow status --all")
    return lines


def _items(row: Json, view: Json) -> list[tuple[str, str, str]]:
    """Of a phase's items the first that are at work, and the first that did not work out."""
    if "items" not in row:
        return []
    working = [each for each in view["active"] if each.get("item", {}).get("of") == row["index"]][:ITEMS_SHOWN]
    told = [
        (each["status"], each["id"], f": {_first_line(each['message'])}" if each["message"].strip() else "")
        for each in row["items"]["troubled"]
    ]
    told += [(each["status"], each["id"], _more(each, view)) for each in working]
    return [("", f"  {SYMBOLS[status]} {name}", f"{status}{more}") for status, name, more in told]


def _whose(row: Json, view: Json) -> list[str]:
    """The people whose parts are open."""
    whose = (entry for entry in view["waiting"] if entry["for"] == "person" and entry["phase"] == row["index"])
    return [str(role) for role in next(whose, {"who": row["agents"]})["who"]]


def _more(row: Json, view: Json) -> str:
    status, waits, now = row["status"], row.get("waits_for"), view["now"]
    if waits == "items":
        open_ones = sum(row["items"][each] for each in ("pending", "running", "paused"))
        done = f"{row['items']['total'] - open_ones}/{row['items']['total']} items"
        return f" ({done}, started {since(row['started_at'], now)}{due(row, now)})"
    if status == "in_progress":
        who = f", waits for {', '.join(_whose(row, view))}" if waits == "person" else ""
        queue = f", waits for {QUEUES[waits]}" if waits in QUEUES else ""
        queue = _at_a_gate(row, view) if waits in {"gate", None} else queue
        stopping = ", stopping" if waits == "cancellation" else ""
        progress = f", {row['progress']}" if "progress" in row else ""
        return f" (started {since(row['started_at'], now)}{who}{queue}{stopping}{progress}{due(row, now)})"
    if status == "completed":
        took = between(row["started_at"], row["finished_at"])
        parts = [f"{row['items']['total']} items"] if "items" in row else []
        parts += [took] if took else []
        return f" ({', '.join(parts)})" if parts else ""
    if status in {"failed", "paused"} and "error" in row:
        return f": {_first_line(row['error']['message'])}"
    if status == "skipped":
        return {
            "if": ": its condition is false",
            "needs": ": a phase it needs did not complete",
            "on_jump": ": it runs only when control is sent to it",
            "jump": ": control went past it",
        }.get(row.get("reason", ""), "")
    return f" (waits for {QUEUES[waits]})" if waits in QUEUES else ""


def _at_a_gate(row: Json, view: Json) -> str:
    """At which gate a phase stands whose work is done."""
    for gate in view["gates"]:
        if gate["phase"] == row["index"]:
            doing = {"checking": ", being checked", "reviewing": f", which {reviewing(gate)}"}
            return f", at the gate {gate['gate']}{doing.get(gate['gate_status'], '')}"
    return ""


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else ""
