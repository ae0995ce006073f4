"""A slug is a stable id for any name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from definitions.slugs import is_id, slug


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Design & Contract", "design-contract"),
        ("Phase 1: Index format", "phase-1-index-format"),
        ("  --Build--  ", "build"),
        ("Don't stop", "dont-stop"),
        ("Don\u2019t stop", "dont-stop"),
        ("Überprüfung", "uberprufung"),
        ("Straße", "strasse"),
        ("Café ☕", "cafe"),
        ("Æsir øl", "aesir-ol"),
        ("step_01", "step-01"),
        ("x" * 200, "x" * 80),
    ],
)
def test_slugs(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_names_in_other_scripts_get_a_stable_id_of_their_own() -> None:
    assert slug("設計") == "phase-19f4b272"
    assert slug("Проверка 1") != slug("Проверка 2")
    assert slug("!!!").startswith("phase-")


@given(st.text(max_size=100))
def test_every_slug_is_an_id_and_stays_the_same(name: str) -> None:
    assert is_id(slug(name))
    assert slug(name) == slug(name)
