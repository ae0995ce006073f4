"""Which definitions fit a task that somebody describes in their own words.

Words are compared by their stem and by the field's synonyms. A word that few definitions have says more than one that
many have, and a word of the name says more than one of the description or of a phase.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

WEIGHTS = (3.0, 2.0, 1.5)
"""What a word counts in the name or id, in the description, in the name of a phase."""

ENOUGH = 0.2
"""The share of the task, by weight of its words, that a definition has to cover to be suggested."""

BESIDE_THE_BEST = 0.5
"""The share of the best definition's score that another needs to be suggested beside it."""

_TELLING_NOTHING = """
    a about above after all also an and any anything are as at be been before beside build but by can code could create
    do does each every existing find for from get give go good has have help how i if in into is it its just let like
    make makes making me my need needs new not of off on one only or our out over please project run should so some
    something task than that the their them then there these they thing things this those through to under up us use
    first next plan same set start time using very want was way we well were what when where which while who why will
    with without work would write you your
"""
_STOP = frozenset(_TELLING_NOTHING.split())
"""Words that tell nothing of what a definition is for; nearly every task in this field may have them."""

_SYNONYMS = (
    "audit review inspect inspection assess assessment examine scan analyse analyze analysis check",
    "security secure vulnerability vulnerable exploit cve credential secret hardening pentest",
    "performance speed slow fast latency bottleneck profile optimise optimize optimization",
    "backend server api service rest endpoint",
    "frontend ui ux client react interface browser webpage",
    "test testing qa tests pytest coverage",
    "deploy deployment release ship rollout delivery devops",
    "document documentation docs readme doc",
    "database db sql schema postgres",
    "migrate migration port upgrade",
    "refactor refactoring cleanup restructure tidy",
    "utility utilities helper library module function functions",
    "quality lint smell maintainability complexity",
    "parallel concurrent simultaneous together",
    "design architecture architect contract",
    "debug bug fix defect",
    "web website webapp app application fullstack stack",
)
"""Each line is one notion."""

_ENDINGS = """
    ations ation ating ators ator ated ates ate ments ment ings ing ities ity ables able ers er ies ed es s e y
"""
_SUFFIXES = tuple(_ENDINGS.split())
_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A definition as far as suggesting goes."""

    id: str
    name: str
    description: str = ""
    phases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A definition that fits. `score`: the share of the task it covers, 0 to 1.

    `reasons` are (word of the task, word of the definition, where: `name`, `description` or the phase's name).
    """

    id: str
    score: float
    reasons: tuple[tuple[str, str, str], ...]


def suggestions(task: str, candidates: Sequence[Candidate]) -> tuple[Suggestion, ...]:
    """The definitions that fit the task, the best first; none when nothing fits."""
    wanted = _notions(task)
    if not wanted:
        return ()
    indexed = [_index(candidate) for candidate in candidates]
    found = [
        suggestion
        for candidate, index in zip(candidates, indexed, strict=True)
        if (suggestion := _suggestion(candidate, index, wanted, indexed)).score >= ENOUGH
    ]
    least = BESIDE_THE_BEST * max((suggestion.score for suggestion in found), default=0.0)
    near = [suggestion for suggestion in found if suggestion.score >= least]
    return tuple(sorted(near, key=lambda suggestion: (-suggestion.score, suggestion.id)))


Index = dict[str, tuple[float, str, str]]
"""By notion: its weight where it counts most, the word, and the place."""


def _suggestion(candidate: Candidate, index: Index, wanted: dict[str, str], indexed: Sequence[Index]) -> Suggestion:
    whole = covered = 0.0
    reasons: list[tuple[float, tuple[str, str, str]]] = []
    for notion, word in wanted.items():
        having = sum(notion in other for other in indexed)
        rare = 1.0 + log((1 + len(indexed)) / (1 + having))
        whole += rare * WEIGHTS[0]
        if (hit := index.get(notion)) is not None:
            weight, theirs, place = hit
            covered += rare * weight
            reasons.append((-rare * weight, (word, theirs, place)))
    score = round(covered / whole, 3)
    return Suggestion(id=candidate.id, score=score, reasons=tuple(reason for _, reason in sorted(reasons)))


def _index(candidate: Candidate) -> Index:
    found: Index = {}
    places = [
        (WEIGHTS[0], candidate.name, "name"),
        (WEIGHTS[0], candidate.id, "name"),
        (WEIGHTS[1], candidate.description, "description"),
        *((WEIGHTS[2], phase, phase) for phase in candidate.phases),
    ]
    for weight, text, place in places:
        for notion, word in _notions(text).items():
            found.setdefault(notion, (weight, word, place))
    return found


def _notions(text: str) -> dict[str, str]:
    """The notions of a text, in its order, each with the word that stands for it first."""
    found: dict[str, str] = {}
    for word in _WORD.findall(text.lower().replace("'s", "")):
        if word not in _STOP:
            stem = _stem(word)
            found.setdefault(_NOTIONS.get(stem, stem), word)
    return found


def _stem(word: str) -> str:
    """The word without the endings that only bend it; never shorter than three letters."""
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            return word[: -len(suffix)]
    return word


_NOTIONS = {_stem(word): f"={line.split()[0]}" for line in _SYNONYMS for word in line.split()}
