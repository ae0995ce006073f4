"""Metrics over many runs: how long phases take as a rule, how often runs succeed and gates pass, and what waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from engine.gate_metrics import SETTLED, pass_rate
from engine.metrics import percentile, spread

Json = dict[str, Any]

RATES = ("utilisation", "efficiency", "speed_up")


def across(runs: Iterable[Json]) -> Json:
    """What these runs have in common; each is what `engine.metrics.metrics` says of an ended run, the newest first.

    `definitions` has the same for each definition, and its phases in the order of the newest run. A phase counts where
    it completed, with all its epochs in a run together. `success_rate` is about runs that completed or failed.
    """
    every = list(runs)
    by_definition: dict[str, list[Json]] = {}
    for run in every:
        by_definition.setdefault(run["definition"], []).append(run)
    return {
        **_summary(every),
        "definitions": [
            {"definition": definition, "name": found[0]["name"], **_summary(found), "phases": _phases(found)}
            for definition, found in by_definition.items()
        ],
    }


def _summary(runs: Sequence[Json]) -> Json:
    statuses = Counter(run["status"] for run in runs)
    ended = statuses["completed"] + statuses["failed"]
    attempts, retries = (sum(run[name] for run in runs) for name in ("attempts", "retries"))
    return {
        "runs": len(runs),
        **{status: statuses[status] for status in ("completed", "failed", "cancelled")},
        "success_rate": round(statuses["completed"] / ended, 4) if ended else None,
        "seconds": spread([run["seconds"]["total"] for run in runs if run["status"] == "completed"]),
        "working": round(sum(run["seconds"]["working"] for run in runs), 3),
        "people": round(sum(run["seconds"]["people"] for run in runs), 3),
        "queue": spread([run["queue"]["seconds"] for run in runs]),
        "attempts": attempts,
        "retries": retries,
        "retry_rate": round(retries / attempts, 4) if attempts else None,
        "failures": dict(sorted(sum((Counter(run["failures"]) for run in runs), Counter()).items())),
        **{name: _middle([run[name] for run in runs if run[name] is not None]) for name in RATES},
        "gates": _gates(runs),
    }


def _middle(values: Sequence[float]) -> Json | None:
    """`{p50, p95}` of rates; None of nothing."""
    return {"p50": percentile(values, 50), "p95": percentile(values, 95)} if values else None


def _gates(runs: Sequence[Json]) -> list[Json]:
    counts: dict[str, Counter[str]] = {}
    waits: dict[str, list[float]] = {}
    for run in runs:
        for gate in run["gates"]:
            counts.setdefault(gate["gate"], Counter()).update({status: gate[status] for status in SETTLED})
            waits.setdefault(gate["gate"], []).append(gate["waiting_seconds"])
    return [
        {
            "gate": name,
            **{status: found[status] for status in SETTLED},
            "pass_rate": pass_rate(found),
            "waiting": spread(waits[name]),
        }
        for name, found in sorted(counts.items())
    ]


def _phases(runs: Sequence[Json]) -> list[Json]:
    rows: dict[str, list[Json]] = {}
    for run in runs:
        for row in run["phases"]:
            rows.setdefault(row["id"], []).append(row)
    return [_phase(identifier, found) for identifier, found in rows.items()]


def _phase(identifier: str, rows: Sequence[Json]) -> Json:
    started = [row for row in rows if row["runs"]]
    return {
        "id": identifier,
        "name": rows[0]["name"],
        "started": len(started),
        "completed": sum(row["status"] == "completed" for row in rows),
        "seconds": spread([row["seconds"] for row in started if row["status"] == "completed"]),
        "queue": spread([row["queue_seconds"] for row in started]),
        "people": spread([row["people_seconds"] for row in started]),
        "attempts": sum(row["attempts"] for row in rows),
        "retries": sum(row["retries"] for row in rows),
        "repeated": sum(row["runs"] - 1 for row in started),
    }
