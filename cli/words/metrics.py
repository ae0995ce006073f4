"""What runs have taken, for reading: one run, and many together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cli.words.bars import Canvas
from cli.words.durations import counted, duration
from cli.words.measures import size
from cli.words.table import table

Json = dict[str, Any]

ROWS = 60
"""Phases that are listed; from more on those that took longest."""

FEW = 10.0
"""Seconds below which tenths are shown."""

WAITS = {"person": "phases of theirs", "gate": "approvals", "decision": "decisions"}


def of_run(found: Json, on: Canvas, *, fits: int | None = None) -> list[str]:
    """The metrics of one run, with tables cut to `fits` cells."""
    lines = _head(found, on)
    for name, words in (("phases", _phases), ("agents", _agents), ("gates", _gates)):
        if block := words(found[name], on, fits):
            lines += ["", *block]
    return lines


def _head(found: Json, on: Canvas) -> list[str]:
    seconds, queue = found["seconds"], found["queue"]
    parts = (("at work", "working"), ("waited for people", "people"), ("paused", "paused"), ("idle", "idle"))
    shares = ", ".join(f"{words} {length(seconds[name])}" for words, name in parts if seconds[name])
    rows = [("Time", f"{length(seconds['total'])}{f' ({shares})' if shares else ''}")]
    if found["utilisation"] is not None:
        rows.append(("Worker slots", f"{percent(found['utilisation'], on)} of {found['max_workers']} used"))
    if found["most_at_once"]:
        once = counted(found["most_at_once"], "phase")
        ratio = f"efficiency {percent(found['efficiency'], on)}, speed-up {found['speed_up']:.2f}"
        rows.append(("Parallel", f"at most {once} at once, {ratio}"))
    if queue["count"]:
        spread = f"p50 {length(queue['p50'])}, p95 {length(queue['p95'])}, longest {length(queue['most'])}"
        rows.append(("Queue wait", f"{length(queue['seconds'])} in all; {spread}"))
    rows.append(("Attempts", f"{found['attempts']}{_retries(found)}"))
    if found["people"]:
        waits = ", ".join(f"{WAITS[kind]} {length(taken)}" for kind, taken in found["people"].items())
        rows.append(("People", waits))
    rows += _usage(found["usage"], on)
    return [f"{found['name']} ({found['run']}): {found['status']}", *table(rows, indent="  ")]


def _retries(found: Json) -> str:
    codes = ", ".join(f"{code} {count}" for code, count in found["failures"].items())
    again = (
        f", {found['retries']} of them {'a retry' if found['retries'] == 1 else 'retries'}" if found["retries"] else ""
    )
    return f"{again}{f'; failures: {codes}' if codes else ''}"


def _usage(usage: Json | None, on: Canvas) -> list[tuple[str, str]]:
    if not usage:
        return []
    told = [f"{usage['calls']} commands"] if "calls" in usage else []
    told += [f"processor {length(usage['cpu_seconds'])}"] if "cpu_seconds" in usage else []
    told += [f"memory peak {size(usage['memory_peak'], on)}"] if "memory_peak" in usage else []
    told += [f"{size(usage['read_bytes'], on)} read"] if "read_bytes" in usage else []
    told += [f"{size(usage['write_bytes'], on)} written"] if "write_bytes" in usage else []
    told += [f"{name.replace('_', ' ')} {usage[name]:g}" for name in ("tokens", "cost") if name in usage]
    return [("Used", ", ".join(told))] if told else []


def _phases(rows: Sequence[Json], on: Canvas, fits: int | None) -> list[str]:
    begun = [row for row in rows if row["runs"]]
    if not begun:
        return []
    shown = begun
    if len(begun) > ROWS:
        longest = {row["index"] for row in sorted(begun, key=lambda row: -row["seconds"])[:ROWS]}
        shown = [row for row in begun if row["index"] in longest]
    lines = [
        (
            row["id"],
            row["status"],
            str(row["runs"]),
            length(row["seconds"]),
            length(row["work_seconds"]),
            length(row["people_seconds"]),
            length(row["queue_seconds"]),
            str(row["attempts"]),
        )
        for row in shown
    ]
    head = ("PHASE", "STATUS", "RUNS", "TIME", "AT WORK", "PEOPLE", "QUEUE", "ATTEMPTS")
    more = [f"  {on.more} and {len(begun) - len(shown)} shorter ones"] if len(shown) < len(begun) else []
    return [*table([head, *lines], indent="  ", numbers=range(2, len(head)), fits=fits), *more]


def _agents(rows: Sequence[Json], on: Canvas, fits: int | None) -> list[str]:
    if not rows:
        return []
    lines = [
        (
            f"{row['role']} (person)" if row["person"] else row["role"],
            str(row["times"]),
            length(row["seconds"]),
            str(row.get("attempts", on.nothing)),
            str(row.get("failed", on.nothing)),
        )
        for row in rows[:ROWS]
    ]
    head = ("AGENT", "TIMES", "TIME", "ATTEMPTS", "FAILED")
    return table([head, *lines], indent="  ", numbers=range(1, len(head)), fits=fits)


def _gates(rows: Sequence[Json], on: Canvas, fits: int | None) -> list[str]:
    if not rows:
        return []
    lines = [
        (
            row["gate"],
            *(str(row[status]) for status in ("passed", "failed", "waived")),
            percent(row["pass_rate"], on),
            length(row["checking_seconds"]),
            length(row["waiting_seconds"]),
        )
        for row in rows
    ]
    head = ("GATE", "PASSED", "FAILED", "WAIVED", "PASS RATE", "CHECKING", "WAITING")
    return table([head, *lines], indent="  ", numbers=range(1, len(head)), fits=fits)


def of_many(found: Json, on: Canvas, *, fits: int | None = None) -> list[str]:
    """The metrics over many runs: a block per definition, with tables cut to `fits` cells."""
    unread = found.get("unread", 0)
    left_out = ["", f"Archives that cannot be read here, and are left out: {unread}"] if unread else []
    if not found["runs"]:
        return ["There are no ended runs to measure in this project.", *left_out]
    lines = [_counts(found, on)] if len(found["definitions"]) > 1 else []
    for definition in found["definitions"]:
        lines += ["", *_definition(definition, on, fits)] if lines else _definition(definition, on, fits)
    return [*lines, *left_out]


def _counts(found: Json, on: Canvas) -> str:
    became = ", ".join(f"{found[status]} {status}" for status in ("completed", "failed", "cancelled") if found[status])
    return f"{counted(found['runs'], 'run')}: {became}; success rate {percent(found['success_rate'], on)}"


def _definition(found: Json, on: Canvas, fits: int | None) -> list[str]:
    rows = []
    if found["seconds"]["count"]:
        rows.append(("Time", f"{_spread(found['seconds'])} (completed runs)"))
    rows += [
        (words, f"p50 {percent(found[name]['p50'], on)}, p95 {percent(found[name]['p95'], on)}")
        for words, name in (("Worker slots used", "utilisation"), ("Parallel efficiency", "efficiency"))
        if found[name] is not None
    ]
    if found["queue"]["seconds"]:
        rows.append(("Queue wait of a run", _spread(found["queue"])))
    codes = ", ".join(f"{code} {count}" for code, count in found["failures"].items())
    tries = f"{found['attempts']}, {percent(found['retry_rate'], on)} of them retries"
    rows.append(("Attempts", f"{tries}{f'; failures: {codes}' if codes else ''}"))
    lines = [f"{found['definition']}: {_counts(found, on)}", *table(rows, indent="  "), ""]
    head = ("PHASE", "STARTED", "DONE", "P50", "P95", "QUEUE", "PEOPLE", "RETRIES", "AGAIN")
    phases = [
        (
            row["id"],
            str(row["started"]),
            str(row["completed"]),
            *(_or_nothing(row["seconds"][name], on) for name in ("p50", "p95")),
            _or_nothing(row["queue"]["p95"], on),
            _or_nothing(row["people"]["p95"], on),
            str(row["retries"]),
            str(row["repeated"]),
        )
        for row in found["phases"][:ROWS]
    ]
    lines += table([head, *phases], indent="  ", numbers=range(1, len(head)), fits=fits)
    if len(found["phases"]) > ROWS:
        lines.append(f"  {on.more} and {len(found['phases']) - ROWS} more (--json has all)")
    return [*lines, *_gates_of_many(found["gates"], on, fits)]


def _gates_of_many(rows: Sequence[Json], on: Canvas, fits: int | None) -> list[str]:
    if not rows:
        return []
    head = ("GATE", "PASSED", "FAILED", "WAIVED", "PASS RATE", "WAITING P50", "WAITING P95")
    lines = [
        (
            row["gate"],
            *(str(row[status]) for status in ("passed", "failed", "waived")),
            percent(row["pass_rate"], on),
            *(_or_nothing(row["waiting"][name], on) for name in ("p50", "p95")),
        )
        for row in rows
    ]
    return ["", *table([head, *lines], indent="  ", numbers=range(1, len(head)), fits=fits)]


def _spread(lengths: Json) -> str:
    return ", ".join(
        f"{words} {length(lengths[name])}" for words, name in (("p50", "p50"), ("p95", "p95"), ("longest", "most"))
    )


def _or_nothing(seconds: float | None, on: Canvas) -> str:
    return on.nothing if seconds is None else length(seconds)


def length(seconds: float) -> str:
    """A length of time; short ones with tenths: `0.4s`, `12s`, `2m 45s`."""
    return f"{seconds:.1f}s" if 0 < seconds < FEW else duration(seconds)


def percent(share: float | None, on: Canvas) -> str:
    """A share as a whole percentage."""
    return on.nothing if share is None else f"{round(share * 100)}%"
