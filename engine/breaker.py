"""The circuit breaker of a tool, for all attempts of all runs that use it: a state machine without clock or I/O.

*Closed*: attempts go on, and failures in a row are counted. *Open*: until `recovery` seconds have passed none does.
*Half-open*: one attempt, the probe, goes on; its success closes the circuit, its failure opens it anew. A probe holds a
lease that it has to renew; of one that is not, its worker has died, and the next attempt becomes the probe.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from engine.failing import ErrorClass

Json = dict[str, Any]

BreakerState = Literal["closed", "open", "half_open"]
Outcome = Literal["ok", "failed", "neutral"]

BY_CLASS: Final[dict[ErrorClass, Outcome]] = {
    "transient": "failed",
    "system": "failed",
    "quality": "ok",
    "deterministic": "neutral",
    "user_input": "neutral",
}
"""What a failure says of the tool: work that is not good enough shows that it works; a plain exit code says nothing."""

REMEMBERED = 100
"""Reports that are known again when they come twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The one attempt that goes on while the circuit is half-open: its lease, whose it is, until when it holds."""

    lease: str
    by: str
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The answer to an attempt. Not granted: it may ask again in `wait` seconds. `era` goes back with its report."""

    granted: bool
    probe: bool = False
    wait: float = 0.0
    era: int = 0
    failures: int = 0


@dataclass(slots=True, kw_only=True)
class Breaker:
    """The breaker of one tool. `era` counts how often it has opened and closed: news of an earlier one is old."""

    failures: int = 0
    opened_at: float | None = None
    recovers_at: float = 0.0
    probe: Probe | None = None
    era: int = 0
    last_error: str = ""
    reported: list[str] = field(default_factory=list)

    def ask(self, lease: str, at: float, *, by: str, lasts: float) -> Admission:
        """Whether an attempt may go on; asking again with the same lease changes nothing but its end."""
        if self.opened_at is None:
            return self._answer(granted=True)
        if self.probe is not None and self.probe.lease != lease and self.probe.until > at:
            return self._answer(granted=False, wait=self.probe.until - at)
        if self.recovers_at > at:
            return self._answer(granted=False, wait=self.recovers_at - at)
        self.probe = Probe(lease=lease, by=by, until=at + lasts)
        return self._answer(granted=True, probe=True)

    def renew(self, lease: str, at: float, *, lasts: float) -> None:
        """The attempt with this lease lives."""
        if self.probe is not None and self.probe.lease == lease:
            self.probe = Probe(lease=lease, by=self.probe.by, until=at + lasts)

    def report(
        self, lease: str, era: int, outcome: Outcome, at: float, *, threshold: int, recovery: float, error: str = ""
    ) -> None:
        """An attempt has ended; what comes twice, or is of an earlier era, changes nothing."""
        if lease in self.reported or era != self.era:
            return
        self.reported = [*self.reported, lease][-REMEMBERED:]
        if outcome == "failed":
            self.last_error = error
        if self.opened_at is None:
            self._counted(outcome, at, threshold, recovery)
        elif self.probe is not None and self.probe.lease == lease:
            self.probe = None
            if outcome == "ok":
                self.reset()
            elif outcome == "failed":
                self.failures += 1
                self.recovers_at = at + recovery

    def reset(self) -> None:
        """Close the circuit and forget what was counted."""
        self.failures = 0
        self.opened_at = self.probe = None
        self.recovers_at = 0.0
        self.era += 1

    def _counted(self, outcome: Outcome, at: float, threshold: int, recovery: float) -> None:
        if outcome == "ok":
            self.failures = 0
        elif outcome == "failed":
            self.failures += 1
            if self.failures >= threshold:
                self.opened_at, self.recovers_at = at, at + recovery
                self.era += 1

    def _answer(self, *, granted: bool, probe: bool = False, wait: float = 0.0) -> Admission:
        return Admission(granted=granted, probe=probe, wait=wait, era=self.era, failures=self.failures)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to remember: it is as a new one would be."""
        return self.opened_at is None and not self.failures

    def state(self, at: float) -> BreakerState:
        """`closed`, `open` or `half_open` at this moment."""
        if self.opened_at is None:
            return "closed"
        return "open" if self.recovers_at > at else "half_open"

    def holder(self, at: float) -> Probe | None:
        """The probe that is under way."""
        return self.probe if self.probe is not None and self.probe.until > at else None

    def to_json(self) -> Json:
        """All of it, for a fresh history."""
        return asdict(self)

    @classmethod
    def from_json(cls, encoded: Json) -> Breaker:
        """The inverse of `to_json`; an empty object is a new breaker."""
        probe = encoded.get("probe")
        return cls(**{**encoded, "probe": None if probe is None else Probe(**probe)})
