"""How a measurement is printed: what, the number, the baseline, the budget and whether it holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement. `budget` is the limit for `value`; `floor` means the value must not be below it."""

    what: str
    value: float
    unit: str = ""
    budget: float | None = None
    floor: bool = False
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the budget holds; None where there is none."""
        if self.budget is None:
            return None
        return self.value >= self.budget if self.floor else self.value <= self.budget


def show(rows: list[Row]) -> None:
    """Print rows as they become known."""
    for row in rows:
        sign = ">=" if row.floor else "<="
        budget = "" if row.budget is None else f"{sign} {row.budget:g}{row.unit}"
        verdict = {True: "ok", False: "OVER", None: ""}[row.holds]
        print(f"{row.what:<58} {row.value:>9.3f}{row.unit:<4} {budget:<14} {verdict:<5} {row.note}", flush=True)
