"""Identifiers: the slug of a name, and what may be written as an id.

Letters with accents lose them (`Überprüfung` is `uberprufung`); `ß`, `æ`, `ø` and their like are spelled out; what is
neither letter nor digit becomes a hyphen. A name that keeps too little that way (another script: `設計`, `Проверка`) is
`phase-` and the first eight hex digits of its sha256: stable, unique, and easy to replace by writing an `id`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

MAX_LENGTH = 80
ID_RULE = "letters, digits, '-' and '_', beginning with a letter, a digit or '_', at most 80 characters"
"""What an id looks like, for messages."""

_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}")
_GAPS = re.compile(r"[^a-z0-9]+")
_SPELLED = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ł": "l",
        "þ": "th",
        "\u0131": "i",
        "'": "",
        "\u2019": "",
    }
)


def is_id(text: str) -> bool:
    """Whether the text may be written as an id."""
    return _ID.fullmatch(text) is not None


def slug(name: str) -> str:
    """The id that stands for a name."""
    if name.isascii():
        text = name.lower().replace("'", "")
        letters = 0
    else:
        folded = unicodedata.normalize("NFKD", name.lower().translate(_SPELLED))
        text = "".join(char for char in folded if not unicodedata.combining(char))
        letters = sum(1 for char in text if char.isalnum() and not char.isascii())
    short = _GAPS.sub("-", text).strip("-")[:MAX_LENGTH].rstrip("-")
    # Keeping only the Latin crumbs of a name in another script would make many names one.
    if not short or letters:
        return (
            "phase-" + hashlib.sha256(unicodedata.normalize("NFC", name).encode(errors="surrogatepass")).hexdigest()[:8]
        )
    return short
