"""A run that has ended, read from its archive: no server and no worker are needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.reach.store import project_store
from engine.errors import PhaseloomError, RefusedError

if TYPE_CHECKING:
    from engine.plan import Plan

Json = dict[str, Any]

LOST = "lost"
"""The status of a run that has not ended, and that the server has no record of."""

EXPORTED = "exported"
"""The status of a run as a checkpoint tells it that was exported: it shows what was so then."""


class EndedRun:
    """An ended run: its ledger folded again, and the same questions as to an open one."""

    def __init__(self, run: str, ledger: Json, *, closed: str | None = None) -> None:
        """`closed` is how it ended for the server, where it could not say so itself."""
        from engine.engine import Engine  # noqa: PLC0415 - only where a run has ended
        from engine.facts import Fact  # noqa: PLC0415
        from engine.plan import Plan  # noqa: PLC0415

        self.id = run
        self._engine = Engine(Plan.from_json(ledger["plan"]))
        for encoded in ledger["facts"]:
            fact = Fact.from_json(encoded)
            self._engine.state.apply(fact)
        self._closed = None if self._engine.state.ended else closed

    @property
    def ended(self) -> str:
        """The status it ended with."""
        return self._closed or str(self._engine.state.status)

    async def plan(self) -> Plan:
        """Its plan."""
        return self._engine.plan

    async def started(self) -> Json:
        """What it was started with: `{plan, inputs, env, run}`; inputs that have their defaults are left out."""
        plan, given = self._engine.plan, self._engine.ledger[0].data
        inputs = {
            name: value
            for name, value in given.get("inputs", {}).items()
            if name not in plan.inputs or plan.inputs[name].required or plan.inputs[name].default != value
        }
        return {"plan": plan.to_json(), "inputs": inputs, "env": given.get("env", {}), "run": given.get("run", {})}

    async def view(self, offset: int = 0, limit: int = 100) -> Json:
        """`engine.view.view` as of now."""
        from datetime import UTC, datetime  # noqa: PLC0415

        from engine.view import view  # noqa: PLC0415

        found = view(self._engine, datetime.now(UTC).timestamp(), offset=offset, limit=limit)
        if self._closed is None:
            return found
        told = {**found, "status": self._closed}
        # Nobody waits, and nothing can be decided, in a run that has been cut off.
        return told if self._closed == EXPORTED else {**told, "pause": None, "waiting": []}

    async def phase(self, word: int | str) -> Json:
        """`engine.view.details` of one phase."""
        from engine.lookup import find_phase  # noqa: PLC0415
        from engine.view import details  # noqa: PLC0415

        return details(self._engine, find_phase(self._engine.state, word))

    async def context(self, which: Json) -> Json:
        """`engine.context.showing.answer`."""
        from engine.context.showing import answer  # noqa: PLC0415

        return answer(self._engine, which)

    async def journal(self, since: int, limit: int = 500) -> Json:
        """Facts after number `since`, and their log lines."""
        from engine.journal import lines  # noqa: PLC0415

        facts = self._engine.ledger[since : since + limit]
        return {
            "facts": [fact.to_json() for fact in facts],
            "next": since + len(facts),
            "total": len(self._engine.ledger),
            "lines": list(lines(self._engine.state.plans, self.id, facts)),
        }

    async def checkpoints(self, offset: int, limit: int) -> Json:
        """A page of its checkpoints."""
        from engine.checkpoints import page  # noqa: PLC0415

        return page(self._engine.state, offset=offset, limit=limit)

    async def metrics(self) -> Json:
        """`engine.metrics.metrics` of all its phases."""
        from engine.metrics import metrics  # noqa: PLC0415
        from engine.spells import Spells  # noqa: PLC0415

        facts = self._engine.ledger
        return metrics(Spells.of(self._engine.plan, facts), facts, facts[-1].at)

    async def send(self, name: str, payload: Json) -> Json | None:
        """Refused: an ended run takes no messages."""
        del name, payload
        raise RefusedError(f"the run is {self.ended}", hint="phaseloom runs lists the open ones")


def again(run: str) -> str:
    """How one goes on from a lost run."""
    return f"go on as a new run with: phaseloom workflow resume --from last-checkpoint --run {run}"


def archived(root: Path, run: str) -> EndedRun | None:
    """The run from its archive in this project; None when there is none here that can be read."""
    from activities.places import run_directory  # noqa: PLC0415

    try:
        pointer = json.loads((run_directory(root, run) / "archive.json").read_bytes())
        content = json.loads(project_store(root).get_bytes(pointer["sha256"]))
        return EndedRun(run, content.get("ledger", content))
    except (OSError, ValueError, KeyError, TypeError, PhaseloomError):
        return None


def left_behind(root: Path, run: str) -> EndedRun | None:
    """A run that only its worker's files tell of: the server's database was lost, or another took its place.

    None when there are no such files, or they do not belong together. What a killed worker has not finished writing is
    left out.
    """
    from activities.places import run_directory  # noqa: PLC0415 - only where a run is gone

    facts: list[Json] = []
    plan: Json = {}
    try:
        folder = run_directory(root, run)
        plan = json.loads((folder / "plan.json").read_bytes())
        for line in (folder / "journal.jsonl").read_bytes().splitlines():
            fact = json.loads(line)
            if fact["n"] != len(facts) + 1:
                break
            facts.append(fact)
    except (OSError, ValueError, KeyError, TypeError, PhaseloomError):
        pass
    try:
        return EndedRun(run, {"plan": plan, "facts": facts}, closed=LOST) if facts else None
    except (ValueError, KeyError, TypeError, AssertionError):
        return None
