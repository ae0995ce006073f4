"""A run told as it happens: the lines of `run` and `watch`, made from the plan and the run's facts, in order.

The words `Loading`, `Starting...`, `Complete`, `All steps complete` and their neighbours are promises: scripts read
them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from cli.words.closing import closing, skipped_because
from cli.words.durations import counted, duration
from cli.words.passage import GATES, answered, consulted
from engine.agents import MANUAL
from engine.expansion import PhasePlans
from engine.facts import Fact
from engine.lineage import segments
from engine.plan import PhasePlan, Plan
from engine.statuses import is_done

Json = dict[str, Any]

DONE, FAILED, SKIPPED, CANCELLED, WORKING, NEXT, PAUSED, RESUMED = "✓", "✗", "↷", "⊘", "⟳", "→", "‖", "▶"

LAST_WORDS = 5
"""Lines of a failed step's output that are shown at once."""


def loading(plan: Plan) -> str:
    """The first line, once the definition is read."""
    return f"{DONE} Loading {plan.kind}: {plan.id}"


def graph(plan: Plan) -> str:
    """How many steps there are, and how many of them wait for how many others: written, or by the file's order."""
    members = Counter(phase.group for phase in plan.phases)
    edges = sum(len(phase.needs) for phase in plan.phases)
    edges += sum(members[phase.after_group] for phase in plan.phases if phase.after_group is not None)
    return f"{DONE} Building dependency graph ({counted(len(plan.phases), 'step')}, {counted(edges, 'dependency')})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How one phase stands: its status as it is shown, and when it began and ended (seconds since 1970).

    `items` says of a phase that runs once per item how many of how many have settled; `gate` is the gate it stands
    at, and `asked` whether that waits for people. `done`: it counts as progress, as in `status`.
    """

    status: str = "pending"
    began: float | None = None
    ended: float | None = None
    items: tuple[int, int] | None = None
    gate: str | None = None
    asked: bool = False
    done: bool = False


class Narration:
    """Tells a run; `feed` takes its facts in order and returns the lines that each of them adds.

    `running` holds the phases that are at work and when they began (seconds since 1970); `stand` how every phase of
    the plan stands, for a live display. Items are told as phases are; one that has them is not at work itself.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._plans = PhasePlans(plan)
        self.facts: list[Fact] = []
        self.running: dict[int, float] = {}
        self.status: str | None = None
        self.stand: dict[int, Stand] = {}
        self.workers: int | None = None
        self._began: dict[int, float] = {}
        self._tell: dict[str, Callable[[Fact], list[str]]] = {
            "run_started": self._run_started,
            "workers_counted": self._workers_counted,
            "phase_started": self._phase_started,
            "phase_expanded": self._phase_expanded,
            "turn_started": self._turn_started,
            "phase_paused": self._phase_paused,
            "phase_cancelling": lambda fact: [f"  {CANCELLED} [{self._id(fact)}] Stopping..."],
            "phase_settled": self._phase_settled,
            "phase_reminded": lambda fact: [
                f"  ! [{self._id(fact)}] Not done yet: phaseloom workflow why {self._id(fact)}"
            ],
            "notice_undelivered": lambda fact: [f"  ! Notice to {fact.data['to']} not delivered: {fact.data['why']}"],
            "intervened": self._intervened,
            "jump_begun": self._jump_begun,
            "checkpoint_created": lambda fact: [f"{DONE} Checkpoint saved{_who(fact)}: {fact.data['name']}"],
            "restoring": lambda fact: [f"{CANCELLED} Going back{_who(fact)} to {fact.data['checkpoint']}..."],
            "agent_abandoned": lambda fact: [f"  ! [{self._id(fact)}] An agent does not end; it counts no more"],
            "reviewers_abandoned": lambda fact: [
                f"  ! {', '.join(fact.data['reviewers'])} do not end their review; it counts no more"
            ],
            "restored": self._restored,
            "run_seeded": self._run_seeded,
            "consultation_opened": consulted,
            "review_settled": answered,
            "group_cancelled": lambda fact: [f"{CANCELLED} Parallel execution cancelled{_who(fact)}"],
            "signal_reported": lambda fact: [f"{DONE} Reported{_who(fact)}: {fact.data['signal']}"],
            "run_paused": self._run_paused,
            "run_resumed": self._run_resumed,
            "run_stopping": self._run_stopping,
            "message_refused": lambda fact: [f"  ! Message {fact.data['message']} refused: {fact.data['why']}"],
            "run_settled": self._run_settled,
        }

    def feed(self, fact: Fact) -> list[str]:
        """The lines that a fact adds."""
        self.facts.append(fact)
        self._plans.follow(fact)
        self._follow(fact)
        if fact.kind in GATES:
            self._follow_gate(fact)
            return GATES[fact.kind](self._phase(fact), fact)
        tell = self._tell.get(fact.kind)
        return tell(fact) if tell is not None else []

    def _follow(self, fact: Fact) -> None:
        if fact.phase is None:
            return
        if (item := self._plans[fact.phase].item) is not None:
            self._follow_item(fact, item.parent)
            return
        before = self.stand.get(fact.phase, Stand())
        began, items = before.began, before.items
        match fact.kind:
            case "phase_started":
                self.stand[fact.phase] = Stand(status="in_progress", began=fact.at)
            case "phase_expanded":
                total = len(fact.data["items"])
                kept = total - len(fact.data["new"]) if "new" in fact.data else 0
                self.stand[fact.phase] = replace(before, items=(kept, total))
            case "phase_paused":
                self.stand[fact.phase] = Stand(status="paused", began=began, ended=fact.at, items=items)
            case "phase_settled":
                status = "paused" if fact.data.get("held") else str(fact.data["status"])
                done = is_done(status, fact.data.get("reason"))
                self.stand[fact.phase] = Stand(status=status, began=began, ended=fact.at, items=items, done=done)
            case "intervened" if fact.data["action"] in {"retry", "retry_with"}:
                self.stand.pop(fact.phase, None)
            case "jumped":
                for index in fact.data["reset"]:
                    self.stand.pop(index, None)
            case _:
                pass

    def _follow_item(self, fact: Fact, parent: int) -> None:
        before = self.stand.get(parent, Stand())
        if fact.kind == "phase_settled" and before.items is not None:
            done, total = before.items
            self.stand[parent] = replace(before, items=(done + 1, total))

    def _follow_gate(self, fact: Fact) -> None:
        index = self._phase(fact).index
        before = self.stand.get(index, Stand())
        match fact.kind:
            case "gate_opened":
                at = replace(before, status="in_progress", ended=None, gate=fact.data["name"], asked=False)
                self.stand[index] = at
            case "gate_checked" if fact.data["status"] == "passed":
                self.stand[index] = replace(before, asked=True)  # where nobody is asked it is settled at once
            case "gate_settled":
                self.stand[index] = replace(before, gate=None, asked=False)
            case _:
                pass

    def _run_started(self, fact: Fact) -> list[str]:  # noqa: ARG002 - every teller has this form
        workers = self.plan.execution.max_workers
        return self._pool(workers) if workers else []

    def _workers_counted(self, fact: Fact) -> list[str]:
        self.workers = int(fact.data["count"])
        return self._pool(self.workers)

    def _pool(self, workers: int) -> list[str]:
        way = "in parallel" if self.plan.execution.parallel else "one by one"
        return [f"{DONE} Initializing worker pool (max_workers={workers})", f"{WORKING} Executing steps {way}:"]

    def _phase_started(self, fact: Fact) -> list[str]:
        phase = self._phase(fact)
        self._began[phase.index] = fact.at
        if phase.for_each is not None:
            return [f"  {NEXT} [{phase.id}] Starting..."]
        self.running[phase.index] = fact.at
        return [f"  {NEXT} [{phase.id}] Starting...", *self._people(phase, 0)]

    def _phase_expanded(self, fact: Fact) -> list[str]:
        total = len(fact.data["items"])
        kept = total - len(fact.data["new"]) if "new" in fact.data else 0
        return [f"    {counted(total, 'item')}{f', {kept} of them done already' if kept else ''}"]

    def _turn_started(self, fact: Fact) -> list[str]:
        phase = self._phase(fact)
        turn = int(fact.data["turn"])
        people = self._people(phase, turn)
        roles = ", ".join(phase.agents[position].role for position in phase.turns[turn])
        return people or [f"  {NEXT} [{phase.id}] Continuing with {roles}..."]

    def _people(self, phase: PhasePlan, turn: int) -> list[str]:
        positions = phase.turns[turn] if turn < len(phase.turns) else ()
        roles = [phase.agents[p].role for p in positions if phase.agents[p].uses == MANUAL]
        if not roles:
            return []
        return [f"    waits for {', '.join(roles)}: phaseloom workflow complete-phase {phase.index}"]

    def _phase_paused(self, fact: Fact) -> list[str]:
        phase = self._phase(fact)
        self.running.pop(phase.index, None)
        return [*self._failed(fact), "    waits for a decision: phaseloom workflow status"]

    def _phase_settled(self, fact: Fact) -> list[str]:
        phase = self._phase(fact)
        self.running.pop(phase.index, None)
        match fact.data["status"]:
            case "completed" if "reused_from" in fact.data:
                return [f"{DONE} [{phase.id}] Reused from {fact.data['reused_from']}"]
            case "completed":
                return [f"{DONE} [{phase.id}] Complete{self._took(fact)}"]
            case "failed":
                return self._failed(fact)
            case "skipped":
                return [f"{SKIPPED} [{phase.id}] Skipped: {skipped_because(fact)}"]
            case _:
                # What has not begun is counted at the end.
                return [f"{CANCELLED} [{phase.id}] Cancelled"] if phase.index in self._began else []

    def _failed(self, fact: Fact) -> list[str]:
        """That a step failed and why, with the end of its output where it has written something."""
        phase = self._phase(fact)
        lines = [f"{FAILED} [{phase.id}] Failed{self._took(fact)}{_because(fact)}"]
        written = str((fact.data.get("error") or {}).get("tail") or "").strip().splitlines()
        if written:
            lines += [f"    | {line}" for line in written[-LAST_WORDS:]]
            lines.append(f"    all of it: phaseloom workflow logs {phase.id}")
        return lines

    def _took(self, fact: Fact) -> str:
        seconds = fact.data.get("seconds")
        if seconds is None and fact.kind == "phase_paused" and fact.phase in self._began:
            seconds = fact.at - self._began[fact.phase]
        return f" ({duration(seconds)})" if seconds is not None else ""

    def _intervened(self, fact: Fact) -> list[str]:
        words = str(fact.data["action"]).replace("_", " ")
        note = f": {fact.note}" if fact.note else ""
        return [f"  {NEXT} [{self._id(fact)}] Decided{_who(fact)}: {words}{note}"]

    def _jump_begun(self, fact: Fact) -> list[str]:
        return [f"  {NEXT} [{self._id(fact)}] Control goes to {self._plans[fact.data['to']].id}{_who(fact)}"]

    def _run_paused(self, fact: Fact) -> list[str]:
        if fact.data.get("auto"):
            return []  # the phase's own line has said why
        note = f": {fact.note}" if fact.note else ""
        return [f"{PAUSED} Paused{_who(fact)}{note}"]

    def _run_resumed(self, fact: Fact) -> list[str]:
        return [] if fact.data.get("auto") else [f"{RESUMED} Resumed{_who(fact)}"]

    def _run_stopping(self, fact: Fact) -> list[str]:
        if fact.data["then"] == "cancelled":
            return [f"{CANCELLED} Cancelling{_who(fact)}..."]
        return [f"{FAILED} Stopping: a step failed and on_failure is fail_fast"]

    def _run_settled(self, fact: Fact) -> list[str]:
        self.status = str(fact.data["status"])
        return closing(self.plan, [fact for start, end in segments(self.facts) for fact in self.facts[start:end]])

    def _restored(self, fact: Fact) -> list[str]:
        self.stand, self.running = {}, {}
        for start, end in segments(self.facts[: fact.data["to"]]):
            self._begin_again()
            for each in self.facts[start:end]:
                self._follow(each)
                if each.kind in GATES:
                    self._follow_gate(each)
        self._begin_again()
        return [f"{RESUMED} Back at {fact.data['checkpoint']}"]

    def _run_seeded(self, fact: Fact) -> list[str]:
        self._begin_again()
        self.running = {}
        return [f"{RESUMED} Going on from {fact.data['checkpoint']} of {fact.data['from']}"]

    def _begin_again(self) -> None:
        """What was at work starts again."""
        self.stand = {index: stand for index, stand in self.stand.items() if stand.status != "in_progress"}

    def _phase(self, fact: Fact) -> PhasePlan:
        assert fact.phase is not None
        return self._plans[fact.phase]

    def _id(self, fact: Fact) -> str:
        return self._phase(fact).id


def _who(fact: Fact) -> str:
    return f" by {fact.actor}" if fact.actor else ""


def _because(fact: Fact) -> str:
    error = fact.data.get("error") or {}
    text = str(error.get("message") or error.get("code") or "").strip()
    return f": {text.splitlines()[0]}" if text else ""
