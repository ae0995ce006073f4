"""How gates went: how often they were checked, passed, failed and waived, and how long people were waited for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

from engine.facts import Fact
from engine.spells import Spell

Json = dict[str, Any]

SETTLED = ("passed", "failed", "waived")


class GateTally:
    """Takes facts in order; gates of the same name are one, whatever phase they come after."""

    def __init__(self) -> None:
        self._settled: dict[str, Counter[str]] = {}
        self._checks: dict[str, dict[str, Counter[str]]] = {}
        self._decided: dict[str, Counter[str]] = {}

    def take(self, fact: Fact) -> None:
        """Take in the next fact."""
        name = fact.data.get("name", "")
        match fact.kind:
            case "gate_opened":
                self._settled.setdefault(name, Counter())["opened"] += 1
            case "gate_settled":
                self._settled.setdefault(name, Counter())[str(fact.data["status"])] += 1
            case "gate_checked":
                checks = self._checks.setdefault(name, {})
                for result in fact.data["results"]:
                    checks.setdefault(str(result["name"]), Counter())[str(result["status"])] += 1
            case "gate_decided":
                self._decided.setdefault(name, Counter())[str(fact.data["decision"])] += 1
            case _:
                pass

    def to_json(self, spells: Iterable[Spell], at: float) -> list[Json]:
        """A row per gate, by name. `pass_rate`: of the times it was settled without being waived."""
        waits: dict[str, list[float]] = {}
        checking: dict[str, list[float]] = {}
        for spell in spells:
            if spell.kind in {"gate", "checks"}:
                (waits if spell.kind == "gate" else checking).setdefault(spell.who, []).append(spell.seconds(at))
        return [
            {
                "gate": name,
                "opened": counts["opened"],
                **{status: counts[status] for status in SETTLED},
                "pass_rate": pass_rate(counts),
                "checks": [
                    {"name": check, **dict(sorted(found.items())), "pass_rate": _check_rate(found)}
                    for check, found in self._checks.get(name, {}).items()
                ],
                **({"decisions": dict(sorted(self._decided[name].items()))} if name in self._decided else {}),
                "checking_seconds": round(math.fsum(checking.get(name, ())), 3),
                "waiting_seconds": round(math.fsum(waits.get(name, ())), 3),
            }
            for name, counts in sorted(self._settled.items())
        ]


def pass_rate(counts: Json | Counter[str]) -> float | None:
    """What part of `passed` and `failed` is the first; None of nothing."""
    settled = counts["passed"] + counts["failed"]
    return round(counts["passed"] / settled, 4) if settled else None


def _check_rate(counts: Counter[str]) -> float | None:
    """What could not be run has not passed."""
    bad = counts["failed"] + counts["error"]
    return pass_rate(Counter(passed=counts["passed"], failed=bad))
