"""Decisions signed by keys that no agent can read: which messages have to be, what exactly is signed, what counts.

A run has keys where its project had them when it started. The library that verifies is handed in (`Engine.verify`);
what is verified, and what follows from it, is decided here, from the run's facts alone.
"""

from __future__ import annotations

import binascii
import hashlib
import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from engine import going_back
from engine.errors import RefusedError
from engine.gates import deciding, together
from engine.lookup import find_phase
from engine.phase_state import PhaseState
from engine.requests import SIGNABLE, Request

if TYPE_CHECKING:
    from engine.engine import Engine

Json = dict[str, Any]
Verify = Callable[[bytes, bytes, bytes], bool]
"""Whether a signature, the second, of a text, the third, was made with a public key, the first."""

SCHEME = "ed25519:"
KEY_BYTES = 32
SIGNATURE_BYTES = 64

DOMAIN = b"phaseloom-decision-v1\n"
"""What every signed text begins with, so that no signature made for anything else counts here."""

ALWAYS = frozenset({"decide_gate", "delegate_gate", "waive_gate", "restore"})
"""Messages that only count signed where the run has keys; a restore can undo a decision, or bring an old one back."""

ACTIONS_SIGNED = frozenset(
    {"skip", "skip_gate", "replace_output", "go_to", "keep_theirs", "take_mine", "replace_context"}
)
"""Interventions that lead past a gate, or put words into the run."""


def encoded(value: bytes) -> str:
    """A key or a signature as it is written."""
    return SCHEME + binascii.b2a_base64(value, newline=False).decode("ascii")


def decoded(text: str, size: int) -> bytes:
    """The inverse of `encoded`; raises ValueError for anything else, or of another size."""
    if not text.startswith(SCHEME):
        raise ValueError(f"it does not begin with '{SCHEME}'")
    try:
        value = b64decode(text.removeprefix(SCHEME), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("it is not base64") from None
    if len(value) != size or encoded(value) != text:
        raise ValueError(f"it does not hold {size} bytes")
    return value


def canonical(value: object) -> bytes:
    """JSON in one form only: keys sorted, no space, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode("ascii")


def statement(message: str, payload: Mapping[str, Any], target: Json) -> Json:
    """What the sender of a message states: the message with all its fields, and what of the run it is about."""
    fields = {name: value for name, value in payload.items() if name != "signature" and value is not None}
    return {"message": message, "payload": fields, **target}


def signed_text(stated: Json) -> bytes:
    """The bytes that are signed."""
    return DOMAIN + canonical(stated)


def digest(message: str, payload: Mapping[str, Any]) -> str:
    """What tells a message from others, whenever it comes."""
    return hashlib.sha256(canonical([message, statement(message, payload, {})])).hexdigest()


def asked(engine: Engine, name: str, request: Request) -> Json:
    """For whoever signs: whether this message needs a signature now, and what of the run it is about."""
    if name not in SIGNABLE or not engine.plan.signers:
        return {"needed": False, "target": None}
    return {"needed": needed(engine, name, request), "target": target_of(engine, name, request)}


def needed(engine: Engine, name: str, request: Request) -> bool:
    """Whether the run takes this message only with a signature.

    Having work or checks done again is free, unless people have been asked at the gate: then it could undo a rejection.
    Going back always is signed: it could undo what was decided, or bring back what people withdrew.
    """
    if not engine.plan.signers or name not in SIGNABLE:
        return False
    if name in ALWAYS:
        return True
    action = request.fields.get("action")
    if action in ACTIONS_SIGNED:
        return True
    return action != "cancel" and _people_were_asked(_phase(engine, request))


def _people_were_asked(phase: PhaseState) -> bool:
    gate = phase.gate
    if gate is None or gate.approval is None:
        return False
    return gate.checks is not None and gate.checks["status"] == "passed"


def _phase(engine: Engine, request: Request) -> PhaseState:
    if "gate" in request.fields:
        return deciding.find_gate(engine, request)[0]
    return find_phase(engine.state, request.fields["phase"])


def target_of(engine: Engine, name: str, request: Request) -> Json:
    """The run, the phase in its epoch, and the gate in its round with its evidence, that a message is about.

    Of a message about a batch, all gates of it that wait. Of a restore, the place to go back to, and how many signed
    messages have counted: it undoes no decision that its sender did not know of.
    """
    run = {"id": engine.state.run.get("id", ""), "execution": engine.state.run.get("execution", "")}
    if name == "restore":
        number, called = going_back.place(engine, request)
        return {"run": run, "checkpoint": {"number": number, "name": called}, "signed": len(engine.state.signed)}
    if "batch" in request.fields:
        return {"run": run, "batch": [_place(phase) for phase, _ in together.waiting(engine, request)]}
    return {"run": run, **_place(_phase(engine, request))}


def _place(phase: PhaseState) -> Json:
    gate = phase.gate
    at = None if gate is None else {"id": gate.plan.id, "round": gate.round, "evidence": gate.evidence}
    return {"phase": {"id": phase.plan.id, "epoch": phase.epoch}, "gate": at}


def check_again(engine: Engine, name: str, payload: Mapping[str, Any], request: Request) -> None:
    """Refuse a message under the id of another one, where either is signed; the very same one may come again."""
    if not engine.plan.signers or request.request_id is None:
        return
    known = engine.state.signed.get(request.request_id)
    if (known is not None or name in ALWAYS) and known != digest(name, payload):
        raise RefusedError(f"the request {request.request_id!r} was another message", hint="give this one its own id")


def checked(engine: Engine, name: str, payload: Mapping[str, Any], request: Request) -> Json | None:
    """The data of the fact that the message was signed; None where it needs no signature and has none.

    Raises:
        RefusedError: it has to be signed and is not, or not by its actor, or for something else.
    """
    if not engine.plan.signers or name not in SIGNABLE:
        if request.signature is not None:
            raise RefusedError(f"{name} takes no signature in this run", hint="send it without one")
        return None
    if request.signature is None:
        if needed(engine, name, request):
            raise _unsigned(engine, name)
        return None
    keys = _keys_of(engine, request.actor)
    if request.request_id is None:
        raise RefusedError("a signed message needs a request_id", hint="any word that no other message has")
    if request.request_id in engine.state.signed:
        raise RefusedError(f"the signed message {request.request_id!r} has counted already")
    if name == "delegate_gate" and request.fields["to"] not in engine.plan.signers:
        raise RefusedError(f"{request.fields['to']} has no key in this run, and could not decide", hint=_who(engine))
    stated = statement(name, payload, target_of(engine, name, request))
    key = _verified(engine, keys, request, signed_text(stated))
    return {"statement": stated, "key": key, "signature": request.signature, "digest": digest(name, payload)}


def _unsigned(engine: Engine, name: str) -> RefusedError:
    return RefusedError(f"{name} has to be signed here: this run takes decisions by key only", hint=_who(engine))


def _who(engine: Engine) -> str:
    return f"keys in this run: {', '.join(engine.plan.signers)}; docs/how-to/sign-decisions.md"


def _keys_of(engine: Engine, actor: str | None) -> tuple[str, ...]:
    if not actor:
        raise RefusedError("a signed message needs an actor", hint=_who(engine))
    if actor not in engine.plan.signers:
        raise RefusedError(f"{actor} has no key in this run", hint=_who(engine))
    return engine.plan.signers[actor]


def _verified(engine: Engine, keys: tuple[str, ...], request: Request, text: bytes) -> str:
    """Which of the actor's keys the message was signed with."""
    assert engine.verify is not None, "a run with keys needs somebody who verifies"
    assert request.signature is not None
    try:
        signature = decoded(request.signature, SIGNATURE_BYTES)
    except ValueError as error:
        raise RefusedError(f"the signature cannot be read: {error}") from None
    for key in keys:
        if engine.verify(decoded(key, KEY_BYTES), signature, text):
            return key
    raise RefusedError(
        f"the signature is not one of {request.actor} for this message, here and now",
        hint="it counts once, for one run, phase, epoch, gate, round and evidence: look again, and sign anew",
    )
