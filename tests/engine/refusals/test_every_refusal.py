"""No refusal without a test that expects its words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.refusals.words import Refusal, refusals, texts

TESTS = Path(__file__).parents[1]
ENGINE = TESTS.parents[1] / "engine"


def missing(found: list[Refusal], expected: set[str]) -> list[str]:
    """The refusals that nothing expects: no whole sentence, and no part that no other sentence has."""
    sentences = {refusal.parts: refusal for refusal in found}
    alone = {
        text: having[0] for text in expected if len(having := [p for p, r in sentences.items() if r.has(text)]) == 1
    }
    told = set(alone.values())
    return [
        f"{refusal.place}: {refusal.sentence!r}"
        for refusal in found
        if refusal.parts not in told and not any(refusal.is_said_by(text) for text in expected)
    ]


def test_every_refusal_of_the_engine_has_a_test_that_expects_its_words() -> None:
    without = missing(refusals(ENGINE), texts(TESTS, Path(__file__)))
    told = "no test below tests/engine expects these words (tests/engine/refusals shows how):\n  " + "\n  ".join(
        without
    )
    assert not without, told


SOURCE = '''
TABLE = {"a": "is over", "b": "has not begun"}

def stale(name, epoch):
    return f"{name} has been started again since (epoch {epoch})"

def check(x):
    """A docstring."""
    if x == 1:
        raise RefusedError("the run is being stopped")
    if x == 2:
        raise RefusedError(f"{x} {TABLE[x]}", hint="h")
    if x == 3:
        raise RefusedError(stale(x, 1))
    message = f"{x} declares what is missing"
    raise RefusedError(message)
'''


@pytest.fixture
def found(tmp_path: Path) -> list[Refusal]:
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "some.py").write_text(SOURCE, encoding="utf-8")
    return refusals(tmp_path / "engine")


def test_sentences_are_read_from_the_source_however_they_are_made(found: list[Refusal]) -> None:
    assert [(refusal.place, refusal.sentence) for refusal in found] == [
        ("engine/some.py:10", "the run is being stopped"),
        ("engine/some.py:12", "… is over"),
        ("engine/some.py:12", "… has not begun"),
        ("engine/some.py:14", "… has been started again since (epoch …)"),
        ("engine/some.py:16", "… declares what is missing"),
    ]


def test_words_of_one_sentence_alone_stand_for_it_and_shared_or_short_ones_for_none(found: list[Refusal]) -> None:
    assert len(missing(found, set())) == 5
    words = {"Phase 1 is over", "has been started again", "Phase 1 declares what is missing", "the run is", "begun"}
    assert missing(found, words) == [
        "engine/some.py:10: 'the run is being stopped'",
        "engine/some.py:12: '… has not begun'",
    ]


def test_a_sentence_that_is_not_written_where_it_is_raised_is_told(tmp_path: Path) -> None:
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "bad.py").write_text("def f(why):\n    raise RefusedError(why.words)\n", encoding="utf-8")
    with pytest.raises(AssertionError, match=r"engine/bad\.py:2: write the sentence where it is raised"):
        refusals(tmp_path / "engine")
