"""Phases that run one after the other only because of where they stand, and could run at once.

That nothing is read says little about phases of which nothing is said at all. So there has to be a sign that the
author thinks of what phases need: estimates, file scopes, named inputs and outputs, or `independent: true`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from definitions.advice_estimates import in_words, together
from definitions.advice_subject import SHIPPING, Subject
from definitions.findings import Findings
from definitions.schema.phases import Phase
from definitions.scopes import overlap, segments_of

MOST = 20
"""The most phases of one piece of advice; a longer row is told in pieces."""

MOST_ROWS = 10
"""The most pieces of advice for one file: the rest says the same again."""

MOST_PATTERNS = 50
"""A phase with more file patterns is not compared."""

_FIRST = """
    prepare preparation prerequisites setup set design plan planning contract analyse analyze analysis research
    inventory init initialise initialize checkout clone fetch download collect gather scaffold brief requirements
    specify specification start provision
"""
_LAST = """
    review report summary summarise summarize integrate integration verify verification validate validation check
    final finish merge cleanup clean teardown notify announce rollout roll ship launch import apply use upload index
    ranking fix polish combine aggregate compare evaluate load transform send submit
"""
_BEGINNINGS, _ENDINGS = frozenset(_FIRST.split()), frozenset(_LAST.split())
"""Words of names that tell an order by themselves: what has one of the first is followed, what has one of the last
follows. They err on the side of no advice."""


def advise_on_sequence(subject: Subject, findings: Findings) -> None:
    """Name every row of adjacent phases that need nothing of each other, with the time that is saved."""
    for row in islice(_rows(subject), MOST_ROWS):
        message = f"{subject.named(row)} run one after the other and need nothing of each other{_saved(subject, row)}"
        hint = "write 'parallel: true' on each of them, or 'depends_on' where one needs the other"
        findings.add("PL506", (subject.key, row[1]), message, hint=hint, severity="note")


def _rows(subject: Subject) -> Iterator[list[int]]:
    row: list[int] = []
    for index in range(len(subject.phases)):
        candidate = _is_candidate(subject, index)
        if candidate and _joins(subject, row, index):
            row.append(index)
            continue
        if len(row) > 1:
            yield row
        row = [index] if candidate else []
    if len(row) > 1:
        yield row


def _joins(subject: Subject, row: list[int], index: int) -> bool:
    if not 0 < len(row) < MOST or not _only_by_place(subject, index):
        return False
    return all(_are_independent(subject, other, index) for other in row)


def _is_candidate(subject: Subject, index: int) -> bool:
    phase = subject.phases[index]
    if subject.order.groups[index] is not None or phase.on_jump or phase.next or phase.always:
        return False
    return not subject.is_migration(index) and not subject.is_approval(index)


def _only_by_place(subject: Subject, index: int) -> bool:
    """Whether a phase waits for the one before it because of the rule, and not because somebody wrote it."""
    needs = subject.order.needs[index]
    return len(needs) == 1 and needs[0].implicit and needs[0].phase == index - 1


def _are_independent(subject: Subject, earlier: int, later: int) -> bool:
    one, other = subject.phases[earlier], subject.phases[later]
    read = earlier in subject.sources(later) or later in subject.sources(earlier)
    if read or subject.share(earlier, later):
        return False
    if _by_one_person(subject, earlier, later) or _files_meet(one, other):
        return False
    if one.independent and other.independent:
        return True
    return _is_thought_of(subject, earlier, later) and not _follows_by_nature(subject, earlier, later)


def _is_thought_of(subject: Subject, earlier: int, later: int) -> bool:
    one, other = subject.phases[earlier], subject.phases[later]
    if subject.estimate(earlier) is not None and subject.estimate(later) is not None:
        return True
    if _files(one) and _files(other):
        return True
    return bool(subject.sources(earlier) and subject.sources(later))


def _follows_by_nature(subject: Subject, earlier: int, later: int) -> bool:
    """Whether the names already tell an order: a beginning, an end, links of a build chain, a thing and its test."""
    before, after = set(subject.words(earlier)), set(subject.words(later))
    if (before & _BEGINNINGS) - after or (after & _ENDINGS) - before:
        return True
    first, second = subject.stage(earlier), subject.stage(later)
    if second is not None and second[0] == SHIPPING:
        return True
    if first is not None and second is not None:
        return first[0] != second[0]
    # `Parser` and then `Test parser`: a link of a chain after the thing it is about.
    return second is not None and (not second[1] or bool(second[1] & before))


def _by_one_person(subject: Subject, earlier: int, later: int) -> bool:
    """Whether one role that a person fills has both: nobody does two things at once."""
    one, other = subject.roles(earlier), subject.roles(later)
    if not one and not other and not subject.phases[earlier].tasks and not subject.phases[later].tasks:
        return True
    return any(_is_person(subject, role) for role in one & other)


def _is_person(subject: Subject, role: str) -> bool:
    agent = subject.bound.get(role)
    return role not in {"sh", "aider"} if agent is None else agent.uses == "manual"


def _files(phase: Phase) -> list[str]:
    return [*phase.files_scope, *phase.files_create]


def _files_meet(one: Phase, other: Phase) -> bool:
    """Whether both write to the same files, or one's commands name what the other writes."""
    mine, theirs = _files(one), _files(other)
    if len(mine) + len(theirs) > MOST_PATTERNS:
        return True
    if any(overlap(a, b) for left in mine for a in segments_of(left) for right in theirs for b in segments_of(right)):
        return True
    return _names_any(other, mine) or _names_any(one, theirs)


def _names_any(phase: Phase, patterns: list[str]) -> bool:
    text = "\n".join((*phase.tasks, *phase.acceptance_tests, phase.prompt or "", phase.description))
    stems = (pattern.split("*")[0].rstrip("/").removeprefix("./") for pattern in patterns)
    return any(stem in text for stem in stems if len(stem) > 1) if text.strip() else False


def _saved(subject: Subject, row: list[int]) -> str:
    estimates = [subject.estimate(index) for index in row]
    known = [estimate for estimate in estimates if estimate is not None]
    if len(known) < len(estimates):
        return ""
    ends = [[estimate[end] for estimate in known] for end in (0, 1)]
    apart = [sum(lengths) for lengths in ends]
    at_once = [together(lengths, subject.workers) for lengths in ends]
    saved = [before - after for before, after in zip(apart, at_once, strict=True)]
    return f": at once they take {in_words(*at_once)} instead of {in_words(*apart)}, {in_words(*saved)} less"
