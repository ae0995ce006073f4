"""What the report is made from: the outputs of the earlier stages, or why one has none."""

from __future__ import annotations

from dataclasses import dataclass, field

from activities.audit.finding import SEVERITIES, Json, weight

AREAS = {"security": "Security", "performance": "Performance", "quality": "Code quality"}
"""The checking stages, with the names that readers see."""


@dataclass(slots=True)
class Results:
    """Outputs by stage; `missing` says of a stage without usable outputs why."""

    stages: dict[str, Json] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def preparation(self) -> Json:
        """The inventory; empty where it is missing."""
        return self.stages.get("preparation", {})

    @property
    def checks(self) -> dict[str, Json]:
        """The outputs of the checking stages that there are."""
        return {area: self.stages[area] for area in AREAS if area in self.stages}

    @property
    def has_python(self) -> bool:
        """Whether there is Python to speak of; without an inventory, the checks decide."""
        if self.preparation:
            return bool(self.preparation.get("python_files"))
        return any(outputs.get("functions") or outputs.get("code_lines") for outputs in self.checks.values())

    @property
    def not_run(self) -> list[tuple[str, str]]:
        """(area, what did not run and why), for everything that was not looked at in whole or in part."""
        absent = [(AREAS.get(stage, "Preparation"), f"not run: {reason}") for stage, reason in self.missing.items()]
        return absent + [
            (AREAS[area], str(line)) for area, outputs in self.checks.items() for line in outputs.get("not_run", ())
        ]

    @property
    def commits_of(self) -> dict[str, int]:
        """Commits per file, of the most changed files."""
        rows = self.preparation.get("history", {}).get("most_changed", ())
        return {str(row["file"]): int(row["commits"]) for row in rows}

    def total(self, severity: str = "total") -> int:
        """The findings of all areas, of one severity or all."""
        return sum(int(outputs.get(severity, 0)) for outputs in self.checks.values())

    def worst_files(self) -> list[Json]:
        """Counts by file over all areas, worst first."""
        rows: dict[str, Json] = {}
        for area, outputs in self.checks.items():
            for row in outputs.get("by_file", ()):
                total = rows.setdefault(row["file"], {"file": row["file"], "areas": [], **dict.fromkeys(SEVERITIES, 0)})
                total["areas"].append(AREAS[area])
                for severity in SEVERITIES:
                    total[severity] += row[severity]
        return sorted(rows.values(), key=lambda row: (-weight(row), row["file"]))


def collect(phases: Json, stage_of: dict[str, str]) -> Results:
    """The results in what `$PHASELOOM_INPUT` says of the phases; `stage_of` maps a phase's id to its stage."""
    results = Results()
    for stage in ("preparation", *AREAS):
        found = [phase for name, phase in phases.items() if stage_of.get(name) == stage and isinstance(phase, dict)]
        outputs = found[-1].get("outputs") if found else None
        if not found:
            results.missing[stage] = "no phase delivered it"
        elif found[-1].get("status", "completed") != "completed":
            results.missing[stage] = f"its phase is {found[-1]['status']}"
        elif not isinstance(outputs, dict) or not _usable(stage, outputs):
            results.missing[stage] = "its phase delivered no results"
        else:
            results.stages[stage] = outputs
    return results


def _usable(stage: str, outputs: Json) -> bool:
    if stage == "preparation":
        return isinstance(outputs.get("languages"), dict)
    return all(isinstance(outputs.get(name), list) for name in ("findings", "by_rule", "by_file"))
