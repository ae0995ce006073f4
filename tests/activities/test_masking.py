"""Secrets are hidden wherever the chunks of a stream are cut."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from activities.masking import Masker, mask_bytes, mask_json, secrets

letters = st.text("abc", max_size=30).map(str.encode)
words = st.lists(st.text("ab", min_size=1, max_size=5).map(str.encode), min_size=1, max_size=3, unique=True)


def covered(text: bytes, hidden: list[bytes]) -> bytes:
    """The text with one star for every run of bytes that belong to a secret, found the slow way."""
    secret = [
        any(text.startswith(s, i) and i <= at < i + len(s) for s in hidden for i in range(at + 1))
        for at in range(len(text))
    ]
    shown = bytes(ord("*") if hide else byte for byte, hide in zip(text, secret, strict=True))
    return re.sub(rb"\*+", b"*", shown)


@given(letters, words, st.lists(st.integers(0, 7), max_size=12))
@example(b"aaaaaaa", [b"aa"], [1] * 7)
@example(b"abab", [b"aba", b"bab"], [3])
def test_every_cut_gives_the_same_masked_text(text: bytes, hidden: list[bytes], cuts: list[int]) -> None:
    masker, out, at = Masker(hidden), b"", 0
    for length in [*cuts, len(text)]:
        out += masker.feed(text[at : at + length])
        at += length
    out += masker.end()
    assert re.sub(rb"\*+", b"*", out) == covered(text, hidden)


def test_nothing_is_held_back_longer_than_it_can_matter() -> None:
    masker = Masker([b"secret"])
    assert masker.feed(b"a sec") == b"a "
    assert masker.feed(b"ond") == b"second"
    assert masker.feed(b"secretsecret!") == b"***!"
    assert len(masker.held) == 0


def test_a_value_is_also_hidden_as_json_and_line_by_line() -> None:
    hidden = secrets({"PRIVATE_KEY": 'first "line" here\nsecond line here\n'})
    assert mask_bytes(b"x second line here y", hidden) == b"x *** y"
    assert mask_bytes(rb'"first \"line\" here\nsecond line here"', hidden) == b'"***"'


def test_short_and_harmless_values_are_left() -> None:
    assert secrets({"MODE": "test", "API_KEY": "abc", "EMPTY_TOKEN": ""}) == ()
    assert secrets({"API_KEY": "abcd"}) == (b"abcd",)
    assert secrets({"MODE": "long-enough"}) == (b"long-enough",)


def test_json_values_are_masked_at_every_depth() -> None:
    assert mask_json({"my-hidden": [1, "a hidden b", None]}, (b"hidden",)) == {"my-***": [1, "a *** b", None]}
