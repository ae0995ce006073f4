"""What reviewers said of a gate, in words."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def reviewing(gate: Json) -> str:
    """That reviewers are at work on a gate, or that it waits for them, as a clause."""
    by = ", ".join(gate.get("reviewers", ()))
    return f"is reviewed by {by}" if gate.get("batch") else f"waits for its reviewers: {by}"


def reviews(gate: Json) -> list[str]:
    """What the reviewers of a gate said, a line each, and what it came to."""
    lines = [review_line(said) for said in gate.get("reviews") or ()]
    if (review := gate.get("review")) is not None:
        if review["outcome"] == "error":
            lines.append("Not every reviewer could be asked: decide, or have them asked again with gate retry.")
        elif review["outcome"] != "approved":
            lines.append(f"Reviewers did not approve: {review['reason']}.")
    return lines


def review_line(said: Json) -> str:
    """`reviewed by critic: REQUEST_CHANGES: rename it`; an error where there is no verdict."""
    verdict = said["verdict"] or "no verdict"
    return f"- reviewed by {said['reviewer']}: {verdict}{': ' + said['comment'] if said['comment'] else ''}"
