"""How tests of refusals ask: the whole sentence is expected, and nothing may have changed."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from engine import operations
from engine.errors import RefusedError
from engine.snapshots import snapshot
from engine.view import details, view
from tests.engine.world import World

Json = dict[str, Any]


def everything(world: World) -> str:
    """All that a run is, as text: its facts and what goes with them, what is seen of it, what has not been done yet."""
    engine = world.engine
    shown = [view(engine, world.now), *(details(engine, phase) for phase in engine.state.phases)]
    return json.dumps([snapshot(engine), shown, len(engine.effects), sorted(engine.state.signed.items())])


def refuses(world: World, words: str, message: str, payload: object = None, **fields: Any) -> None:
    """The run refuses a message with exactly these words, and stays what it was."""
    payload = fields if payload is None else payload
    before, sent = everything(world), copy.deepcopy(payload)
    with pytest.raises(RefusedError) as why:
        operations.act(world.engine, message, payload, world.now)
    assert why.value.message == words
    assert everything(world) == before
    assert payload == sent or payload != payload  # noqa: PLR0124 - a number that JSON does not have is not itself
