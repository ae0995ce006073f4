"""The plan of an audit: findings grouped into pieces of work, ordered by what they are worth and what they cost.

Impact is the root of the summed squares of the findings' weights (high 10, medium 3, low 1), so that one leaked key
outweighs ninety unused imports; it grows by the share of places in files that change often. Effort is places times
minutes. Urgent topics with a high or medium finding come first, and of these leaked credentials, which are out
already; then whatever has high or medium findings; then the rest. Within each, by impact / √hours.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from activities.audit.advice import Topic, topic_of
from activities.audit.finding import SEVERITIES, WEIGHTS, Json, Severity

When = Literal["first", "next", "later"]

HOT_FILES = 20
HOT_COMMITS = 3
"""A file among so many of the most changed ones, changed so often at least, is worked on: its findings cost more."""

_LEAKED = "secrets"
_ORDER: tuple[When, ...] = ("first", "next", "later")


@dataclass(slots=True)
class Work:
    """One item of the plan. `places` are its findings, worst first, as far as they travelled with the outputs."""

    topic: Topic
    areas: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    places: list[Json] = field(default_factory=list)

    @property
    def worth_doing(self) -> tuple[Severity, ...]:
        """The severities that decide: high and medium, or low where there is nothing else."""
        return ("high", "medium") if self.counts["high"] or self.counts["medium"] else ("low",)

    @property
    def now(self) -> int:
        """How many places are worth doing now."""
        return sum(self.counts[severity] for severity in self.worth_doing)

    @property
    def hours(self) -> float:
        """What doing it now costs."""
        return self.now * self.topic.minutes / 60

    @property
    def effort(self) -> str:
        """The cost as a word: small is up to two hours, medium up to two days."""
        return "small" if self.hours <= 2 else "medium" if self.hours <= 16 else "large"

    @property
    def hot_places(self) -> int:
        """How many of the known places worth doing now lie in files that change often."""
        return sum(place["hot"] for place in self.places if place["severity"] in self.worth_doing)

    @property
    def impact(self) -> float:
        """What doing it now is worth."""
        worth = math.sqrt(sum(self.counts[severity] * WEIGHTS[severity] ** 2 for severity in self.worth_doing))
        return worth * (1 + self.hot_places / max(self.now, 1))

    @property
    def when(self) -> When:
        """First, next or later."""
        if self.worth_doing == ("low",):
            return "later"
        return "first" if self.topic.urgent else "next"

    def as_output(self) -> Json:
        """The item as JSON."""
        return {
            "when": self.when,
            "title": self.topic.title,
            "advice": self.topic.advice,
            "areas": sorted(self.areas),
            "places": self.now,
            **{severity: self.counts[severity] for severity in SEVERITIES},
            "hours": round(self.hours, 1),
            "effort": self.effort,
            "impact": round(self.impact, 1),
            "examples": [f"{place['file']}:{place['line']}" for place in self.places[:3]],
        }


def prioritised(stages: dict[str, Json], most_changed: Iterable[Json] = ()) -> list[Work]:
    """The plan from the outputs of the checking stages, by area."""
    hot = {str(row["file"]) for row in [*most_changed][:HOT_FILES] if row["commits"] >= HOT_COMMITS}
    work: dict[str, Work] = {}
    for area, outputs in stages.items():
        for row in outputs.get("by_rule", ()):
            item = _work(work, row)
            item.areas.add(area)
            item.counts.update({severity: row[severity] for severity in SEVERITIES})
        for finding in outputs.get("findings", ()):
            _work(work, finding).places.append(finding | {"hot": finding["file"] in hot})
    for item in work.values():
        item.places.sort(key=lambda f: (SEVERITIES.index(f["severity"]), not f["hot"], f["file"], f["line"]))
    return sorted(
        work.values(),
        key=lambda item: (
            _ORDER.index(item.when),
            item.topic.key != _LEAKED,
            -item.impact / math.sqrt(item.hours + 0.5),
            item.topic.key,
        ),
    )


def _work(work: dict[str, Work], row: Json) -> Work:
    topic = topic_of(row["tool"], row["rule"])
    return work.setdefault(topic.key, Work(topic))
