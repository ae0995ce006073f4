"""Keys for the tests: people who sign, and a world that verifies."""

from __future__ import annotations

import itertools
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from engine import operations
from engine.engine import Engine
from engine.gates.signatures import encoded, signed_text, statement
from engine.plan import Plan
from tests.engine.world import World
from workflows.verifying import verifier

Json = dict[str, Any]

PEOPLE = ("ana", "bo", "cy", "dee", "voter 0", "voter 1")
KEYS = {name: Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b".")) for name in (*PEOPLE, "eve")}
PUBLIC = {name: encoded(key.public_key().public_bytes_raw()) for name, key in KEYS.items()}
SIGNERS: dict[str, tuple[str, ...]] = {name: (PUBLIC[name],) for name in ("ana", "bo")}
"""Eve has a key that no run knows."""

ALL_SIGNERS: dict[str, tuple[str, ...]] = {name: (PUBLIC[name],) for name in PEOPLE}

_numbers = itertools.count(1)


def signed_by(key: str, name: str, target: Json, **payload: Any) -> Json:
    """A message signed by the key of somebody, as of a moment when it was about `target`."""
    payload = {"actor": key, "request_id": f"r{next(_numbers)}", **payload}
    signature = KEYS[key].sign(signed_text(statement(name, payload, target)))
    return {**payload, "signature": encoded(signature)}


def target(world: World, name: str, **payload: Any) -> Json:
    """What of the run a message is about now."""
    found: Json = operations.to_sign(world.engine, name, payload, world.now)["target"]
    return found


def signed(world: World, name: str, actor: str, **payload: Any) -> Json:
    """A message that somebody signs with their key, for the run as it is now."""
    return signed_by(actor, name, target(world, name, actor=actor, **payload), **payload)


def keyed(plan: Plan, run: str = "wf_test00") -> World:
    """A run whose plan has keys."""
    engine = Engine(plan, verify=verifier(plan))
    world = World(plan, engine=engine)
    engine.start(world.now, inputs={}, env={}, run={"id": run, "execution": f"execution of {run}"})
    world.perform(engine.flush())
    return world


class SigningWorld(World):
    """A world whose people sign what has to be signed."""

    def operate(self, name: str, /, **payload: Any) -> Json:
        asked = operations.to_sign(self.engine, name, {"actor": "ana", **payload}, self.now)
        if asked["needed"]:
            payload = {"actor": "ana", **payload}
            if payload["actor"] in KEYS:
                payload = signed_by(payload["actor"], name, asked["target"], **payload)
        return super().operate(name, **payload)


def signing(plan: Plan) -> SigningWorld:
    """A run with keys, whose people use them."""
    engine = Engine(plan, verify=verifier(plan))
    engine.start(1_000_000.0, inputs={}, env={}, run={"id": "wf_test00"})
    return SigningWorld(plan, engine=engine)
