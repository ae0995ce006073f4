"""What waits for people over all open runs: lists say which runs wait, and only those are asked."""

from __future__ import annotations

import asyncio
import shlex
from typing import TYPE_CHECKING, Any

from cli.exits import NotFoundError
from cli.reach.contact import PATIENCE, NoWorkerError
from cli.reach.listing import listed
from cli.reach.runs import ServerRun
from cli.words.asking import COMPLETE, given
from engine.errors import RefusedError
from engine.gates.showing import LISTED

if TYPE_CHECKING:
    from cli.embedded.connect import Connection

Json = dict[str, Any]

OPEN_RUNS = 10_000
ASKED_AT_ONCE = 8

IMPATIENCE = 1.0
"""Seconds for the answer of a run after another one's worker has not answered."""


async def collected(connection: Connection, me: str, *, patience: float | None = None) -> list[Json]:
    """An item for everything that the project's open runs wait for: those with a deadline first, then the oldest.

    `mine` is false where only others may decide.
    """
    every = await listed(connection, ended_too=False, limit=OPEN_RUNS)
    asking = _Asking(connection, me, PATIENCE if patience is None else patience)
    found = await asyncio.gather(
        *(asking.about(run) for run in every if run["waiting_for"] or run["status"] == "paused")
    )
    return in_order([item for items in found for item in items])


def in_order(items: list[Json]) -> list[Json]:
    """What is due first, then what waits for longest; what nobody knows the age of at the end."""
    far = "~"  # after every moment
    return sorted(items, key=lambda item: (item["deadline"] or far, item["since"] or far, item["run"]))


def waits_for(gate: Json, me: str) -> bool:
    """Whether a gate that waits is open to this person's decision, and they have not decided yet.

    As the engine sees it: who is named, or the delegate of one who is, or anyone; mostly not who did the work.
    """
    people = gate["people"]
    voter = me if not people or me in people else gate["delegates"].get(me)
    if voter is None or voter in {vote["who"] for vote in gate["votes"]}:
        return False
    worker = gate.get("worker")
    return bool(gate["self_approval"]) or worker is None or worker not in {me, voter}


class _Asking:
    """Asks runs, a few at once. Where a worker does not answer, others that have none do not take as long again."""

    def __init__(self, connection: Connection, me: str, patience: float) -> None:
        self._connection = connection
        self._me = me
        self._patience = patience
        self._places = asyncio.Semaphore(ASKED_AT_ONCE)
        self._answers = False
        self._silence = False

    async def about(self, run: Json) -> list[Json]:
        """What the run waits for: as it says, or as the list says where no worker answers."""
        async with self._places:
            if self._silence and not self._answers:
                return from_list(run)
            try:
                return await self._asked(run)
            except NoWorkerError:
                self._silence = True
                return from_list(run)
            except (NotFoundError, RefusedError):
                return []  # it has ended meanwhile

    async def _asked(self, run: Json) -> list[Json]:
        reached = ServerRun(self._connection, run["run"])
        reached.patience = min(self._patience, IMPATIENCE) if self._silence else self._patience
        view = await reached.view(limit=0)
        self._answers = True
        items = from_view(run, view)
        for row in view["gates"]:
            if row["gate_status"] != "waiting":
                continue
            for told in (await reached.phase(row["phase"]))["gates"]:
                if told["gate"] == row["gate"] and told["gate_status"] == "waiting":
                    items.append(of_gate(run, {**row, **told}, self._me))
        return items


def of_gate(run: Json, gate: Json, me: str) -> Json:
    """The item of a gate that waits; `gate` is its row in the view with its details."""
    named = shlex.quote(f"{gate['id']}/{gate['gate']}")
    return _item(
        run,
        "gate",
        f"phaseloom workflow gate show {named}",
        gate,
        mine=waits_for(gate, me),
        what=gate["gate"],
        who=gate["people"],
        deadline=gate["deadline"],
        gate=gate,
    )


def from_view(run: Json, view: Json) -> list[Json]:
    """What a run waits for beside gates, as its view tells it."""
    pause, waiting = view["pause"], view["waiting"]
    items = [_ENTRIES[entry["for"]](run, entry) for entry in waiting if entry["for"] in _ENTRIES]
    if pause is not None and not pause["phases"]:
        items.append(_item(run, "resume", "phaseloom workflow resume", {}, what=pause["text"]))
    elif pause is not None:  # the text is about the first of its phases
        items = [item | {"what": pause["text"]} if item["phase"] == pause["phases"][0] else item for item in items]
    cut = len(waiting) >= LISTED and waiting[-1]["for"] in {*_ENTRIES, "gate"}
    if cut or len(view["gates"]) >= LISTED:
        items.append(_item(run, "more", "phaseloom workflow status --all", {}))
    return items


def _decision(run: Json, entry: Json) -> Json:
    command = f"phaseloom workflow intervene <action> --phase {entry['phase']}"
    return _item(run, "decision", command, entry, options=entry["options"])


def _person(run: Json, entry: Json) -> Json:
    command = f"{COMPLETE} {entry['phase']}{given(entry.get('outputs', ()))}"
    return _item(
        run, "person", command, entry, who=entry["who"], what=entry.get("what", ""), deadline=entry.get("deadline")
    )


def _signal(run: Json, entry: Json) -> Json:
    return _item(run, "signal", f"phaseloom workflow signal {shlex.quote(entry['signal'])}", {}, what=entry["signal"])


_ENTRIES = {"decision": _decision, "person": _person, "signal": _signal}


def from_list(run: Json) -> list[Json]:
    """What a run waits for as far as the list says it, where no worker answers."""
    items = []
    for word in run["waiting_for"]:
        kind, _, rest = word.partition(":")
        phase, _, gate = rest.rpartition("/")
        told: Json = {"mine": None if kind == "gate" else True, "answered": False}
        match kind:
            case "gate":
                told |= {"id": phase, "what": gate}
            case "decision":
                told |= {"id": rest}
            case "person":
                told |= {"who": [rest]}
            case _:
                told |= {"what": rest}
        items.append(_item(run, kind, "phaseloom workflow status", {}, **told))
    return items


def _item(run: Json, kind: str, command: str, entry: Json, **more: Any) -> Json:
    about = {name: entry.get(name) for name in ("phase", "id", "name", "since")}
    return {
        "kind": kind,
        "run": run["run"],
        "definition": run["definition"],
        "workflow": run["name"],
        **about,
        "what": "",
        "who": [],
        "deadline": None,
        "mine": True,
        "answered": True,
        "command": f"{command} --run {run['run']}",
        "options": [],
        "gate": None,
        **more,
    }
