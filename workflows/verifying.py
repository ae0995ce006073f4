"""Verifying signatures for runs whose decisions are signed: the one place of workflow code that knows the library."""

from __future__ import annotations

from collections.abc import Callable

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from engine.plan import Plan

Verify = Callable[[bytes, bytes, bytes], bool]


class NoLibraryError(RuntimeError):
    """Raised when a worker cannot verify the signatures of a run: its task fails, and is tried again until it can."""


def verifier(plan: Plan) -> Verify | None:
    """What verifies signatures of this plan's people; None where it has no keys.

    A worker without the library must never decide otherwise than one with it, so it decides nothing.
    """
    if not plan.signers:
        return None
    try:
        with workflow.unsafe.imports_passed_through():
            from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - 50 ms that few runs need
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
    except ImportError as error:
        raise NoLibraryError(
            "decisions of this run are signed, and this worker cannot verify them: install phaseloom[encryption]"
        ) from error

    def verify(key: bytes, signature: bytes, text: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, text)
        except (InvalidSignature, ValueError):
            return False
        return True

    return verify
