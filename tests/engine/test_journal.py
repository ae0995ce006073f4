"""A line of the log stays a line, whatever words are in it."""

from __future__ import annotations

import pytest

from engine.journal import line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Übergabe 日本 👍", "Übergabe 日本 👍"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("👩\u200d💻 did it", "👩\u200d💻 did it"),
        ("a\n[1970-01-01T00:00:00Z] [INFO] b", "a [1970-01-01T00:00:00Z] [INFO] b"),
        ("a\u2028b\tc\xa0d", "a b c d"),
        ("a\x1b[2Jb\x07", "a\ufffd[2Jb\ufffd"),
        ("evil\u202etxt", "evil\ufffdtxt"),
    ],
)
def test_words_are_kept_and_what_steers_a_terminal_is_not(text: str, shown: str) -> None:
    assert line(0, "INFO", text) == f"[1970-01-01T00:00:00Z] [INFO] {shown}"
