"""How long a definition will take by its estimates, and what to do when that is long."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from definitions.advice_subject import Subject
from definitions.findings import Findings

HOUR = 3600.0
LONG = HOUR
"""From here on a run deserves more care: nobody sits in front of it any more."""

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def advise_on_length(subject: Subject, findings: Findings) -> None:
    """Name what helps with a run that is estimated above an hour, unless the definition has it already."""
    estimates = [subject.estimate(index) for index in range(len(subject.phases))]
    known = [(index, estimate) for index, estimate in enumerate(estimates) if estimate is not None]
    ways = _ways(subject)
    if not known or not ways or sum(estimate[1] for _, estimate in known) <= LONG:
        return
    low, high = (_length(subject, [each[end] if each is not None else 0.0 for each in estimates]) for end in (0, 1))
    if high <= LONG:
        return
    longest, most = max(known, key=lambda each: each[1][1])
    part = "" if len(known) == len(estimates) else f" ({len(known)} of {len(estimates)} phases have an estimate)"
    message = (
        f"by its estimates a run takes {in_words(low, high)}{part}; the longest phase is "
        f"{subject.named([longest])} with {in_words(*most)}"
    )
    findings.add("PL507", (subject.key,), message, hint="; ".join(ways), severity="note", on_key=True)


def _ways(subject: Subject) -> list[str]:
    """What could be done and is not."""
    definition, project = subject.definition, subject.project
    ways = []
    checkpoints = definition.checkpoints or any(phase.checkpoints for phase in subject.phases)
    if not checkpoints and not (project is not None and project.checkpoints):
        ways.append("split long phases, so that less is repeated after a failure, and 'checkpoints' help too")
    table = project.notifications if project is not None else None
    if not (definition.notifications or (definition.notifications is None and table is not None and table.send)):
        ways.append("nobody has to watch it: 'phaseloom inbox' shows who is waited for, 'notifications' tell them")
    return ways


def _length(subject: Subject, lengths: Sequence[float]) -> float:
    """How long the run takes if every phase takes its length: started as soon as it can be and a worker is free."""
    order = subject.order
    count = len(lengths)
    followers: dict[int, list[int]] = {}
    waiting = [0] * (count + len(order.members))
    for index in range(len(waiting)):
        before = order.predecessors(index)
        waiting[index] = len(before)
        for other in before:
            followers.setdefault(other, []).append(index)
    ready = [(0.0, index) for index, left in enumerate(waiting) if not left]
    since = [0.0] * len(waiting)
    workers = [0.0] * min(count, subject.workers or count)
    while ready:
        moment, index = heapq.heappop(ready)
        ends = moment
        if index < count:
            ends = max(moment, workers[0]) + lengths[index]
            heapq.heapreplace(workers, ends)
        for other in followers.get(index, ()):
            since[other] = max(since[other], ends)
            waiting[other] -= 1
            if not waiting[other]:
                heapq.heappush(ready, (since[other], other))
    return max(workers, default=0.0)


def together(lengths: Sequence[float], workers: int | None) -> float:
    """How long independent phases take at once: the longest first, each to the worker that is free."""
    free = [0.0] * min(len(lengths), workers or len(lengths))
    for length in sorted(lengths, reverse=True):
        heapq.heapreplace(free, free[0] + length)
    return max(free)


def in_words(low: float, high: float) -> str:
    """A length of time or a range of it: `20m`, `1h 30m`, `5m to 1h`."""
    return _words(high) if _words(low) == _words(high) else f"{_words(low)} to {_words(high)}"


def _words(seconds: float) -> str:
    left = round(seconds)
    parts = []
    for size, unit in _UNITS:
        number, left = divmod(left, size)
        if number:
            parts.append(f"{number}{unit}")
    return " ".join(parts[:2]) or "0s"
