"""What every message to a run has in common, and the messages about gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, Unpack

from cli import api  # its names are imported when used: looking at a run needs no class of an answer
from engine.requests import SIGNABLE

if TYPE_CHECKING:
    from cli.api.answers import Answer, Queued
    from cli.reach.runs import Run

Json = dict[str, Any]
Phase = int | str
"""A phase by its index, id or name."""

A = TypeVar("A", bound="Answer")


class About(TypedDict, total=False):
    """What every message may carry: see `docs/reference/messages.md`."""

    actor: str | None
    note: str | None
    request_id: str | None
    expect: Sequence[Mapping[str, Any]]


class Messages:
    """Sends messages to one run in somebody's name."""

    _run: Run
    _actor: str | None
    _key: Path | None

    @property
    def id(self) -> str:
        """The run's id."""
        return self._run.id

    async def _send(self, kind: type[A], name: str, about: About, /, **fields: Any) -> A | Queued:
        """The answer to a message; what is None is left out of it."""
        from cli.reach.place import actor  # noqa: PLC0415 - only for messages

        given: Json = {key: value for key, value in {**fields, **about}.items() if value is not None}
        given["actor"] = actor(about.get("actor") or self._actor)
        if name in SIGNABLE:
            from cli.api.signing import signed_if_needed  # noqa: PLC0415 - only for what may have to be signed

            given = await signed_if_needed(self._run, name, given, self._key)
        answer = await self._run.send(name, given)
        if answer is None:
            return api.Queued.of({"run": {"id": self.id}, "sent_as": "signal", "message": name})
        return kind.of(answer)

    async def sign(self, message: str, payload: Mapping[str, Any]) -> Json:
        """The payload of a decision, signed, for any Temporal client to send; it counts for the run as it is now."""
        from cli.api.signing import signed  # noqa: PLC0415 - only here
        from cli.reach.place import actor  # noqa: PLC0415

        return await signed(
            self._run, message, {**payload, "actor": actor(payload.get("actor") or self._actor)}, self._key
        )


class Gates(Messages):
    """Looking at the gates of a run, and deciding about them."""

    async def gates(self) -> tuple[api.GateDetails, ...]:
        """The gates that phases stand at now, with the results of their checks and what was decided."""
        found = []
        for row in api.View.of(await self._run.view(0, 0)).gates:
            details = (await self._run.phase(row.phase))["gates"]
            told: Json = next((gate for gate in details if gate["gate"] == row.gate), {})
            if order := told.get("form_order"):
                told["form"] = {name: told["form"][name] for name in order}
            found.append(api.GateDetails.of({**row.raw, **told}))
        return tuple(found)

    async def decide_gate(
        self,
        gate: str,
        decision: Literal["approve", "reject", "request_changes"],
        *,
        phase: Phase | None = None,
        evidence: str | None = None,
        comment: str | None = None,
        form: Mapping[str, Any] | None = None,
        **about: Unpack[About],
    ) -> api.GateAnswered | Queued:
        """Decide about an open gate. `evidence` is the digest that the gate had when it was looked at."""
        return await self._send(
            api.GateAnswered,
            "decide_gate",
            about,
            gate=gate,
            decision=decision,
            phase=phase,
            evidence=evidence,
            comment=comment,
            form=form,
        )

    async def decide_batch(
        self,
        batch: str,
        decision: Literal["approve", "reject", "request_changes"],
        *,
        evidence: Mapping[str, str] | None = None,
        comment: str | None = None,
        form: Mapping[str, Any] | None = None,
        **about: Unpack[About],
    ) -> api.BatchAnswered | Queued:
        """Decide about gates of a batch at once: those named in `evidence`, `{"phase/gate": digest}`, or all."""
        given: Json = {"evidence": dict(evidence) if evidence is not None else None, "comment": comment, "form": form}
        return await self._send(api.BatchAnswered, "decide_gate", about, batch=batch, decision=decision, **given)

    async def delegate_gate(
        self, gate: str, to: str, *, phase: Phase | None = None, **about: Unpack[About]
    ) -> api.GateAnswered | Queued:
        """Let somebody else decide in one's name."""
        return await self._send(api.GateAnswered, "delegate_gate", about, gate=gate, to=to, phase=phase)

    async def retry_gate(
        self, gate: str, *, phase: Phase | None = None, **about: Unpack[About]
    ) -> api.GateAnswered | Queued:
        """Check a gate again; what was decided about it is void."""
        return await self._send(api.GateAnswered, "retry_gate", about, gate=gate, phase=phase)

    async def waive_gate(
        self,
        gate: str,
        reason: str,
        *,
        check: str | None = None,
        expires: float | None = None,
        phase: Phase | None = None,
        **about: Unpack[About],
    ) -> api.GateAnswered | Queued:
        """Let one check, or the whole gate, be; `expires` in seconds since 1970."""
        return await self._send(
            api.GateAnswered, "waive_gate", about, gate=gate, reason=reason, check=check, expires=expires, phase=phase
        )
