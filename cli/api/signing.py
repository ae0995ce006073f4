"""Signing messages to runs whose decisions only count signed, and the keys to do it with.

What is signed is put together here, from the message itself; of the run only where it stands is asked, so nobody signs
what others have written.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.reach.contact import NoWorkerError
from cli.reach.keyfiles import KeyFile, chosen, create, listed, load, public_of
from cli.reach.runs import ServerRun
from engine.errors import RefusedError
from engine.gates.signatures import encoded, signed_text, statement
from engine.requests import AGENT, SIGNABLE

if TYPE_CHECKING:
    from cli.reach.runs import Run

__all__ = ["KeyFile", "create", "listed", "signed", "signed_if_needed"]

Json = dict[str, Any]


async def signed_if_needed(run: Run, message: str, payload: Json, key: Path | None) -> Json:
    """The payload as the run takes it: signed where it has to be. `key` is the file to sign with.

    What an agent runs has no key and is sent as it is; the run refuses it and writes that down. Raises RefusedError
    where there is no key, or it is not one that the run knows of the actor.
    """
    if message not in SIGNABLE or not isinstance(run, ServerRun) or str(payload.get("actor")).startswith(AGENT):
        return payload
    if not await _signers(run):
        return payload
    payload = _with_id(payload)
    asked = await _asked(run, message, payload)
    return await _signed(run, message, payload, asked["target"], key) if asked["needed"] else payload


async def signed(run: Run, message: str, payload: Json, key: Path | None) -> Json:
    """The payload, signed, to be sent by any Temporal client.

    Raises RefusedError where the run takes it without, or would refuse it now.
    """
    if message not in SIGNABLE:
        raise RefusedError(f"{message!r} is never signed", hint=f"signed are: {', '.join(sorted(SIGNABLE))}")
    if not isinstance(run, ServerRun) or not await _signers(run):
        raise RefusedError(f"{run.id} takes decisions without a signature", hint="its project had no keys at its start")
    payload = _with_id(payload)
    asked = await _asked(run, message, payload)
    if asked["target"] is None:
        raise RefusedError(str(asked.get("why") or "the run would refuse this message now"))
    return await _signed(run, message, payload, asked["target"], key)


def _with_id(payload: Json) -> Json:
    return {"request_id": f"cli-{secrets.token_hex(8)}", **payload}


async def _signers(run: ServerRun) -> Mapping[str, list[str]]:
    """The public keys that the run has, by name."""
    keys: Mapping[str, list[str]] = (await run.started())["plan"].get("signers", {})
    return keys


async def _asked(run: ServerRun, message: str, payload: Json) -> Json:
    try:
        return await run.to_sign(message, payload)
    except NoWorkerError as error:
        raise NoWorkerError(
            f"{error.message}: only a worker knows what has to be signed now", hint=error.hint
        ) from error


async def _signed(run: ServerRun, message: str, payload: Json, target: Json, key: Path | None) -> Json:
    actor, signers = str(payload.get("actor")), await _signers(run)
    if actor not in signers:
        raise RefusedError(
            f"decisions of {run.id} are signed, and {actor} has no key in it",
            hint=f"keys are known of: {', '.join(signers)}; say who you are with: --actor NAME",
        )
    file = chosen(actor, key)
    private = load(file)
    if public_of(private) not in signers[actor]:
        raise RefusedError(
            f"'{file}' is not a key that {run.id} knows of {actor}",
            hint="a run keeps the keys that phaseloom.yaml had when it started",
        )
    if target["run"]["id"] != run.id:
        raise RefusedError(f"the worker told of another run than {run.id}: nothing was signed")
    text = signed_text(statement(message, payload, target))
    return {**payload, "signature": encoded(private.sign(text))}
