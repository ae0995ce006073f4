"""What a run was at any position of its ledger: its first facts folded here, wherever they come from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from engine import checkpoints
from engine.facts import Fact, of_files
from engine.lineage import segments
from engine.moments import iso
from engine.state import State
from engine.statuses import SHOWN

if TYPE_CHECKING:
    from cli.reach.runs import Run
    from engine.phase_state import PhaseState
    from engine.plan import Plan

Json = dict[str, Any]

FORMAT = 1
UNKNOWN = "unknown"
PAGE = 200
"""Facts in one answer: with outputs of 4 KiB each it stays far below what the server lets through."""


async def past_of(run: Run) -> Past:
    """The whole past of a run, open or ended."""
    facts: list[Fact] = []
    while True:
        found = await run.journal(len(facts), PAGE)
        facts += [Fact.from_json(fact) for fact in found["facts"]]
        if not found["facts"] or len(facts) >= found["total"]:
            return Past(run.id, await run.plan(), facts)


class Past:
    """A run's plan and its facts so far."""

    def __init__(self, run: str, plan: Plan, facts: list[Fact]) -> None:
        self.run = run
        self.plan = plan
        self.facts = facts
        self.now = self.state_at(len(facts))

    def state_at(self, position: int) -> State:
        """The state of the run after so many facts."""
        state = State(self.plan)
        for fact in self.facts[:position]:
            state.apply(fact)
        return state

    def find(self, word: int | str | None, *, start_of: int | str | None = None) -> tuple[int, str]:
        """The position that a checkpoint's name, its number, or a phase (right before its start) means.

        Without a word it is the newest checkpoint. Raises RefusedError when there is no such place.
        """
        if start_of is not None:
            return checkpoints.start_of(self.now, start_of)
        if word == len(self.facts):
            return len(self.facts), "now"
        return checkpoints.find(self.now, checkpoints.LAST if word is None else word)

    def standing(self, position: int) -> Iterator[Fact]:
        """The facts that count at a position, the newest first."""
        for start, end in reversed(segments(self.facts[:position])):
            yield from reversed(self.facts[start:end])

    def git_at(self, position: int) -> Json:
        """What was known of the files then: `{commit, dirty?, tree?}`, or nothing.

        From the newest result of an agent, gate or person that tells it.
        """
        for fact in self.standing(position):
            if (git := (fact.data.get("result") or {}).get("git") or fact.data.get("git")) is not None:
                return dict(git)
        return {}

    def files_at(self, position: int) -> Json:
        """`{git?, files?}`, as the newest result, completion or checkpoint that tells of files has them, or nothing."""
        for fact in self.standing(position):
            if told := of_files(fact.data.get("result") or fact.data):
                return told
        return {}

    def content(self, position: int, name: str) -> Json:
        """All that a checkpoint holds; `name` is what it is called."""
        state = self.state_at(position)
        ran = [phase for phase in state.phases if phase.status != "pending"]
        return {
            "format": FORMAT,
            "run": self.run,
            "definition": self.plan.id,
            "definition_digest": self.plan.digest,
            "checkpoint": name,
            "number": position,
            "at": iso(self.facts[position - 1].at),
            "status": state.status,
            "inputs": state.inputs,
            "completed": [phase.plan.id for phase in state.planned if phase.status == "completed"],
            "counts": {SHOWN[word]: count for word, count in state.counts.items() if count},
            "outputs": {phase.plan.id: phase.outputs for phase in state.planned if phase.outputs},
            "phases": [_phase(phase) for phase in ran],
            "attempts": {phase.plan.id: attempts(phase) for phase in ran},
            "artifacts": artifacts_of(state),
            "gates": [
                {"phase": phase.plan.id, "gate": gate.plan.id, "status": gate.status, "round": gate.round}
                | ({"votes": gate.votes} if gate.votes else {})
                for phase in ran
                for gate in phase.gates
            ],
            "signals": sorted(state.signals),
            "context_version": state.context.version,
            "context": state.context.values(state.context.keys),
            "git_commit": self.git_at(position).get("commit") or UNKNOWN,
        }

    def exported(self, position: int, name: str) -> Json:
        """The content of a checkpoint with the ledger that it rests on: enough to go on from it anywhere."""
        ledger = {
            "format": FORMAT,
            "run": self.run,
            "plan": self.plan.to_json(),
            "facts": [fact.to_json() for fact in self.facts[:position]],
        }
        return {**self.content(position, name), "ledger": ledger}


def _phase(phase: PhaseState) -> Json:
    plan = phase.plan
    return {
        "index": plan.index,
        "id": plan.id,
        "name": plan.name,
        "status": SHOWN[phase.status],
        "epoch": phase.epoch,
        "started_at": iso(phase.started_at),
        "finished_at": iso(phase.finished_at),
    }


def attempts(phase: PhaseState) -> int:
    """How many attempts the agents of a phase made in its epoch; a person makes one."""
    if phase.started_at is None:
        return 0
    return sum(int(result.get("attempts") or 1) for result in phase.results) or 1


def artifacts_of(state: State) -> list[Json]:
    """The artifacts that a state refers to: files of agents, and outputs that are too large to be kept inline."""
    found: list[Json] = []
    for phase in state.phases:
        for result in phase.results:
            for listed in result.get("artifacts") or ():
                if isinstance(listed, dict) and "sha256" in listed:
                    kept = {key: listed[key] for key in ("name", "sha256", "size", "media_type") if key in listed}
                    found.append({"phase": phase.plan.id, **kept})
        for name, value in phase.outputs.items():
            found += [{"phase": phase.plan.id, "name": name, **ref} for ref in _references(value)]
    return found


def context_of(state: State) -> list[Json]:
    """The values of the shared context that are too large to be kept inline: `{what, sha256, size}`."""
    values = state.context.values(state.context.keys)
    return [{"what": f"context.{key}", **ref} for key, value in values.items() for ref in _references(value)]


def _references(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        if "$artifact" in value:
            yield {"sha256": str(value["$artifact"]).removeprefix("sha256:"), "size": value.get("size")}
            return
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
