"""One inbox over all runs: what waits for somebody, with the command to type about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from cli.api.details import GateDetails
from cli.api.results import PLAIN, Result, one, several

if TYPE_CHECKING:
    from cli.embedded.connect import Connection

Json = dict[str, Any]
Kind = Literal["gate", "decision", "person", "signal", "resume", "more"]


@dataclass(frozen=True, kw_only=True)
class InboxItem(Result):
    """Something that a run waits for. `phase`, `id` and `name` are the phase's, where it is about one.

    `kind` is `gate` (people decide), `decision` (a phase has stopped), `person` (a phase that a person has open; `who`
    are its roles), `signal` (a completion signal), `resume` (somebody has paused the run) or `more` (the run waits for
    more than it tells at once). `mine` is None for a gate of a run that did not answer. `what` is the gate's id, the
    signal, or what is to be done. `answered` is false where no worker answered: then only the list was read.
    """

    kind: Kind
    run: str
    definition: str
    workflow: str
    command: str
    mine: bool | None = True
    answered: bool = True
    phase: int | None = None
    id: str | None = None
    name: str | None = None
    what: str = ""
    who: tuple[str, ...] = field(default=(), metadata=PLAIN)
    since: str | None = None
    deadline: str | None = None
    options: tuple[str, ...] = field(default=(), metadata=PLAIN)
    gate: GateDetails | None = field(default=None, metadata=one(GateDetails))


@dataclass(frozen=True, kw_only=True)
class Inbox(Result):
    """What waits for `actor` at the moment `now`: deadlines first, the soonest at first, then the oldest.

    `for_others` counts the gates that wait for somebody else; they are among the `items` only if that was asked for.
    """

    actor: str
    now: str
    for_others: int
    items: tuple[InboxItem, ...] = field(default=(), metadata=several(InboxItem))

    @property
    def gates(self) -> tuple[InboxItem, ...]:
        """The gates that the actor may decide about."""
        return tuple(item for item in self.items if item.kind == "gate" and item.mine and item.gate is not None)


async def inbox_of(connection: Connection, actor: str, *, every: bool, patience: float | None) -> Inbox:
    """The inbox of somebody; `every`: also gates that wait for others."""
    from cli.reach.inbox import collected  # noqa: PLC0415 - only here

    found = await collected(connection, actor, patience=patience)
    mine = [item for item in found if item["mine"] is not False]
    return _inbox(actor, found if every else mine, for_others=len(found) - len(mine))


def empty(actor: str) -> Inbox:
    """The inbox of somebody where there can be no run."""
    return _inbox(actor, [], for_others=0)


def _inbox(actor: str, items: list[Json], *, for_others: int) -> Inbox:
    from datetime import UTC, datetime  # noqa: PLC0415 - only here

    from engine.moments import iso  # noqa: PLC0415

    now = iso(datetime.now(UTC).timestamp())
    return Inbox.of({"actor": actor, "now": now, "for_others": for_others, "items": items})
