"""Hides secret values in a stream of bytes, wherever its chunks happen to be cut."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

MASK = b"***"

SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|AUTH", re.IGNORECASE)
"""Names whose values are secret however short they are (from four bytes on)."""


def secrets(passed: Mapping[str, str]) -> tuple[bytes, ...]:
    """What has to be hidden of the variables handed to a command, each value also as JSON writes it, and line by line.

    Values of fewer than four bytes, and of fewer than eight under a name that says nothing of secrecy (`MODE=test`),
    are left: hiding them would spoil the text and protect nothing.
    """
    found: set[bytes] = set()
    for name, value in passed.items():
        least = 4 if SECRET_NAME.search(name) else 8
        text = value.strip()
        lines = text.splitlines()
        spellings = {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
        spellings.update(line.strip() for line in lines if len(lines) > 1 and len(line.strip()) >= 8)
        encoded = (spelling.encode(errors="surrogateescape") for spelling in spellings)
        found.update(secret for secret in encoded if len(secret) >= least)
    return tuple(sorted(found, key=lambda secret: (-len(secret), secret)))


class Masker:
    """Masks one stream. What `feed` returns is final; what could still become part of a secret is held back."""

    def __init__(self, hidden: Iterable[bytes]) -> None:
        self.secrets = tuple(hidden)
        self.longest = max(map(len, self.secrets), default=0)
        self.held = b""
        self.covered = 0
        """How many of the first held bytes belong to a secret whose mask has been put out already."""

    def feed(self, data: bytes) -> bytes:
        """The masked form of all that is certain by now."""
        if not self.secrets:
            return data
        text = self.held + data
        return self._put_out(text, len(text) - self._undecided(text))

    def end(self) -> bytes:
        """The masked form of what is left at the end of the stream."""
        return self._put_out(self.held, len(self.held))

    def _undecided(self, text: bytes) -> int:
        """Length of the longest end of `text` that begins a secret without completing it."""
        for length in range(min(self.longest - 1, len(text)), 0, -1):
            tail = text[-length:]
            if any(len(secret) > length and secret.startswith(tail) for secret in self.secrets):
                return length
        return 0

    def _put_out(self, text: bytes, end: int) -> bytes:
        out: list[bytes] = []
        at = self.covered
        for start, stop in self._spans(text):
            if start >= end:
                break
            if start > at:
                out += (text[at:start], MASK)
            elif stop > at and not at:
                out.append(MASK)
            at = max(at, stop)
        if at < end:
            out.append(text[at:end])
        self.held = text[end:]
        self.covered = max(at - end, 0)
        return b"".join(out)

    def _spans(self, text: bytes) -> list[tuple[int, int]]:
        """Where the secrets are, in order; those that touch or overlap are one."""
        spans: list[tuple[int, int]] = []
        for start, stop in sorted(place for secret in self.secrets for place in _places(text, secret)):
            if spans and start <= spans[-1][1]:
                spans[-1] = (spans[-1][0], max(stop, spans[-1][1]))
            else:
                spans.append((start, stop))
        return spans


def _places(text: bytes, secret: bytes) -> Iterator[tuple[int, int]]:
    start = text.find(secret)
    while start >= 0:
        yield start, start + len(secret)
        start = text.find(secret, start + 1)


def mask_bytes(data: bytes, hidden: Iterable[bytes]) -> bytes:
    """`data` with every secret hidden."""
    masker = Masker(hidden)
    return masker.feed(data) + masker.end()


def mask_json(value: Any, hidden: tuple[bytes, ...]) -> Any:
    """A JSON value with the secrets in its strings, keys included, hidden."""
    if not hidden:
        return value
    if isinstance(value, str):
        return mask_bytes(value.encode(errors="surrogatepass"), hidden).decode(errors="replace")
    if isinstance(value, list):
        return [mask_json(item, hidden) for item in value]
    if isinstance(value, dict):
        return {mask_json(key, hidden): mask_json(item, hidden) for key, item in value.items()}
    return value
