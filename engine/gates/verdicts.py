"""Verdicts: what a reviewer's answer says about each gate of its consultation, and what all of them come to."""

from __future__ import annotations

import re
from typing import Any

from engine.gates.plans import ReviewPlan

Json = dict[str, Any]

APPROVE, REQUEST_CHANGES, COMMENT = "APPROVE", "REQUEST_CHANGES", "COMMENT"
VERDICTS = (APPROVE, REQUEST_CHANGES, COMMENT)

COMMENT_KEPT = 4000
"""Characters of a reviewer's comment."""

SHOWN = 80

_SPOKEN = re.compile(rf"\s*({'|'.join(VERDICTS)})(?=[\s:.,;!—-]|$)[\s:.,;!—-]*(.*)", re.DOTALL)


def read(result: Json, gates: list[tuple[str, str]]) -> list[Json]:
    """One `{verdict, comment}` or `{error}` per gate, given as (phase, gate), from an agent's result.

    The output `verdicts` answers by `PHASE/GATE`, `PHASE` or `GATE`; else the output `verdict`, else the first word of
    what was printed, holds for all of them. Only the exact words are verdicts.
    """
    outputs = result.get("outputs") or {}
    said = str(result.get("said") or "")
    if not {"verdicts", "verdict"} & outputs.keys():  # what a server answered, where no output is declared
        said = outputs["body"] if isinstance(outputs.get("body"), str) else said
        outputs = outputs["json"] if isinstance(outputs.get("json"), dict) else outputs
    if "verdicts" not in outputs:
        return [_one(outputs, said)] * len(gates)
    told = outputs["verdicts"]
    if not isinstance(told, dict):
        return [_error("its 'verdicts' are no object")] * len(gates)
    return [_named(told, phase, gate) for phase, gate in gates]


def _named(told: Json, phase: str, gate: str) -> Json:
    for name in (f"{phase}/{gate}", phase, gate):
        if name in told:
            answer = told[name]
            return _one(answer, "") if isinstance(answer, dict) else _spoken(answer)
    return _error(f"it said nothing about {phase}/{gate}")


def _one(answer: Json, said: str) -> Json:
    if "verdict" not in answer:
        return _spoken(answer.get("text", said))
    word = answer["verdict"]
    if not isinstance(word, str) or word.strip() not in VERDICTS:
        return _error(f"{_shown(word)} is no verdict")
    comment = answer.get("comment")
    return {"verdict": word.strip(), "comment": _cut("" if comment is None else str(comment))}


def _spoken(text: object) -> Json:
    found = _SPOKEN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return _error(f"{_shown(text)} begins with no verdict" if text else "it gave no verdict")
    return {"verdict": found[1], "comment": _cut(found[2])}


def _error(message: str) -> Json:
    return {"error": {"code": "no_verdict", "message": message}}


def _cut(text: str) -> str:
    text = text.strip()
    return text if len(text) <= COMMENT_KEPT else f"{text[: COMMENT_KEPT - 1]}…"


def _shown(value: object) -> str:
    text = " ".join(str(value).split())
    return f"'{text if len(text) <= SHOWN else text[:SHOWN] + '…'}'"


def outcome(reviews: list[Json], review: ReviewPlan) -> tuple[str, str]:
    """What the answers of all reviewers come to, with the reason in words.

    `approved`, `changes`, `error` (somebody could not be asked, and without them it is open) or `undecided`.
    """
    by = {word: [r["reviewer"] for r in reviews if r.get("verdict") == word] for word in VERDICTS}
    errors = [r for r in reviews if "error" in r]
    approved = f"approved by {', '.join(by[APPROVE])}"
    if review.need and len(by[APPROVE]) >= review.need:
        return "approved", approved
    if errors:
        told = "; ".join(f"{r['reviewer']}: {r['error'].get('message') or r['error'].get('code')}" for r in errors)
        return "error", f"no verdict from {told}"
    if by[REQUEST_CHANGES]:
        return "changes", f"{', '.join(by[REQUEST_CHANGES])} requested changes"
    if by[APPROVE] and not review.need:
        return "approved", approved
    return "undecided", f"{len(by[APPROVE])} of {review.need or 1} approved, the others only commented"
