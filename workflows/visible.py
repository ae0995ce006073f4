"""What lists show of a run without asking it: search attributes that every server can hold."""

from __future__ import annotations

import json

from temporalio.common import SearchAttributeKey

STATUS = SearchAttributeKey.for_keyword("PhaseloomStatus")
WAITING_FOR = SearchAttributeKey.for_keyword_list("PhaseloomWaitingFor")

WAITING_SHOWN = 20
WAITING_BYTES = 1900
WORD_BYTES = 240


def fitting(words: list[str]) -> tuple[str, ...]:
    """As many of the words as a search attribute can hold: a server ends a run that sends it more than 2,048 bytes."""
    kept: list[str] = []
    room = WAITING_BYTES
    for word in words[:WAITING_SHOWN]:
        short = word
        while len(json.dumps(short)) > WORD_BYTES:
            short = short[: len(short) * 3 // 4]
        room -= len(json.dumps(short)) + 2
        if room < 0:
            break
        kept.append(short)
    return tuple(kept)
