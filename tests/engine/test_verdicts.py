"""What a reviewer said: which words are a verdict, and what the verdicts of all come to."""

from __future__ import annotations

import pytest

from engine.gates import verdicts
from engine.gates.plans import ReviewPlan
from engine.view import view
from tests.engine.reviewing import CRITIC, at_review, reviewed, reviewers, says
from tests.engine.world import Json


@pytest.mark.parametrize(
    "answer",
    [
        {"verdict": "LGTM"},
        {"verdict": "approve"},
        {"verdict": True},
        {},
        {"verdicts": {"p9": "APPROVE"}},
        {"verdicts": "APPROVE"},
    ],
)
def test_what_is_no_exact_verdict_is_an_error_and_a_person_decides(answer: Json) -> None:
    world = at_review(reviewed())
    says(world, "second", "APPROVE")
    world.end_agent(reviewers(world)["critic"], outputs=answer)
    (row,) = view(world.engine, world.now)["gates"]
    assert (row["gate_status"], row["review"]["outcome"]) == ("waiting", "error")
    assert [r["verdict"] for r in row["reviews"]] == [None, "APPROVE"]


@pytest.mark.parametrize(
    ("need", "said", "outcome"),
    [
        (0, ["APPROVE", "COMMENT", "COMMENT"], "approved"),
        (0, ["APPROVE", "APPROVE", "REQUEST_CHANGES"], "changes"),
        (0, ["APPROVE", None, "REQUEST_CHANGES"], "error"),
        (0, ["COMMENT", "COMMENT", "COMMENT"], "undecided"),
        (1, ["APPROVE", None, "REQUEST_CHANGES"], "approved"),
        (2, ["APPROVE", "COMMENT", "REQUEST_CHANGES"], "changes"),
        (2, ["APPROVE", "APPROVE", "REQUEST_CHANGES"], "approved"),
        (2, ["APPROVE", "COMMENT", "COMMENT"], "undecided"),
        (2, ["APPROVE", "COMMENT", None], "error"),
    ],
)
def test_what_decides_is_what_the_gate_says(need: int, said: list[str | None], outcome: str) -> None:
    reviews: list[Json] = [
        {"reviewer": f"r{n}", "verdict": word} if word else {"reviewer": f"r{n}", "error": {"message": "gone"}}
        for n, word in enumerate(said)
    ]
    assert verdicts.outcome(reviews, ReviewPlan(reviewers=(CRITIC,) * 3, need=need))[0] == outcome


@pytest.mark.parametrize(
    ("said", "verdict", "comment"),
    [
        ("APPROVE", "APPROVE", ""),
        ("  REQUEST_CHANGES: rename it\nplease\n", "REQUEST_CHANGES", "rename it\nplease"),
        ("COMMENT - nice", "COMMENT", "nice"),
        ("APPROVED", None, ""),
        ("I APPROVE", None, ""),
        ("approve", None, ""),
        ("", None, ""),
    ],
)
def test_the_first_word_of_what_was_printed_is_a_verdict_only_if_it_is_one(
    said: str, verdict: str | None, comment: str
) -> None:
    (told,) = verdicts.read({"said": said, "outputs": {}}, [("p0", "look")])
    assert told.get("verdict") == verdict
    assert told.get("comment", "") == comment
    assert ("error" in told) == (verdict is None)


@pytest.mark.parametrize(
    ("outputs", "verdict"),
    [
        ({"status": 200, "json": {"verdict": "COMMENT", "comment": "nice"}}, "COMMENT"),
        ({"status": 200, "json": {"verdicts": {"look": "APPROVE nice"}}}, "APPROVE"),
        ({"status": 200, "body": "REQUEST_CHANGES: nice"}, "REQUEST_CHANGES"),
        ({"text": "APPROVE: nice"}, "APPROVE"),
        ({"status": 200}, None),
    ],
)
def test_what_a_server_answers_is_a_verdict_without_declared_outputs(outputs: Json, verdict: str | None) -> None:
    (told,) = verdicts.read({"outputs": outputs}, [("p0", "look")])
    assert (told.get("verdict"), told.get("comment")) == (verdict, "nice" if verdict else None)
