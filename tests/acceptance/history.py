"""What Temporal's history and a run's facts say about the run: folded here anew, with nothing of `engine`.

Whoever shows a run is compared with this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHandle
from temporalio.converter import DataConverter

Json = dict[str, Any]

ENDED = {"completed", "failed", "cancelled"}
CLOSED = {
    EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: "completed",
    EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED: "failed",
    EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: "timed out",
    EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED: "cancelled",
}


@dataclass(kw_only=True)
class Work:
    """One activity: when the workflow asked for it, how it was closed, and when the workflow heard of that."""

    phase: int
    epoch: int
    asked_at: str
    closed: str | None = None
    heard_at: str | None = None
    unwanted: bool = False


@dataclass(kw_only=True)
class Message:
    """An accepted update or a signal."""

    name: str
    payload: Json
    update: bool
    heard_at: str | None = None


@dataclass(kw_only=True)
class History:
    """A run's history. `moving`: a workflow task is under way or waits to be."""

    plan: Json = field(default_factory=dict)
    work: dict[int, Work] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    events: int = 0
    moving: bool = False
    closed: str | None = None
    summary: Json = field(default_factory=dict)

    @property
    def open_work(self) -> list[Work]:
        """The activities that the workflow waits for."""
        return [work for work in self.work.values() if work.closed is None]


def moment(event: HistoryEvent) -> str:
    """The time of an event as a view prints moments."""
    stamp = datetime.fromtimestamp(round(event.event_time.ToNanoseconds() / 1e9, 3), UTC)
    return stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Reader:
    """Reads a history event by event; what comes before a workflow task is heard when that task starts."""

    def __init__(self, converter: DataConverter) -> None:
        self.converter = converter
        self.history = History()
        self._begun: dict[int, str] = {}
        self._asked: dict[int, str] = {}
        self._unheard: list[Work | Message] = []
        self._now = ""

    async def take(self, event: HistoryEvent) -> None:
        """One event further."""
        self.history.events = event.event_id
        if event.event_type in CLOSED:
            self._closed(event)
        elif (take := self._TAKES.get(event.event_type)) is not None:
            await take(self, event)

    def _closed(self, event: HistoryEvent) -> None:
        attributes = getattr(event, event.WhichOneof("attributes") or "")
        work = self.history.work[attributes.scheduled_event_id]
        work.closed = CLOSED[event.event_type]
        self._unheard.append(work)

    async def _values(self, payloads: Any) -> list[Any]:
        return await self.converter.decode(payloads.payloads)

    async def _run_began(self, event: HistoryEvent) -> None:
        given = await self._values(event.workflow_execution_started_event_attributes.input)
        self.history.plan = given[0]["plan"]

    async def _task_wanted(self, _event: HistoryEvent) -> None:
        self.history.moving = True

    async def _task_began(self, event: HistoryEvent) -> None:
        self._now = self._begun[event.event_id] = moment(event)
        for each in self._unheard:
            each.heard_at = self._now
        self._unheard.clear()

    async def _task_done(self, event: HistoryEvent) -> None:
        self.history.moving = False
        self._asked[event.event_id] = self._begun[event.workflow_task_completed_event_attributes.started_event_id]

    async def _asked_for(self, event: HistoryEvent) -> None:
        attributes = event.activity_task_scheduled_event_attributes
        task = (await self._values(attributes.input))[0]
        self.history.work[event.event_id] = Work(
            phase=task["phase"]["index"],
            epoch=task["epoch"],
            asked_at=self._asked[attributes.workflow_task_completed_event_id],
        )

    async def _unwanted(self, event: HistoryEvent) -> None:
        work = self.history.work[event.activity_task_cancel_requested_event_attributes.scheduled_event_id]
        work.unwanted = True

    async def _updated(self, event: HistoryEvent) -> None:
        asked = event.workflow_execution_update_accepted_event_attributes.accepted_request.input
        payload = (await self._values(asked.args))[0]
        self.history.messages.append(Message(name=asked.name, payload=payload, update=True, heard_at=self._now))

    async def _signalled(self, event: HistoryEvent) -> None:
        attributes = event.workflow_execution_signaled_event_attributes
        payload = (await self._values(attributes.input))[0]
        message = Message(name=attributes.signal_name, payload=payload, update=False)
        self.history.messages.append(message)
        self._unheard.append(message)

    async def _completed(self, event: HistoryEvent) -> None:
        self.history.closed = "completed"
        self.history.summary = (await self._values(event.workflow_execution_completed_event_attributes.result))[0]

    async def _failed(self, event: HistoryEvent) -> None:
        self.history.closed = "failed"
        details = event.workflow_execution_failed_event_attributes.failure.application_failure_info.details
        self.history.summary = (await self._values(details))[0]

    _TAKES = {  # noqa: RUF012 - a constant
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: _run_began,
        EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED: _task_wanted,
        EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED: _task_began,
        EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED: _task_done,
        EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: _asked_for,
        EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED: _unwanted,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: _updated,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: _signalled,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: _completed,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: _failed,
    }


async def history_of(handle: WorkflowHandle[Any, Any], converter: DataConverter) -> History:
    """The whole history of a run that has never continued as new."""
    reader = Reader(converter)
    async for event in handle.fetch_history_events():
        await reader.take(event)
    return reader.history


@dataclass(kw_only=True)
class Phase:
    """What the facts say about one phase."""

    plan: Json
    status: str = "pending"
    epoch: int = 0
    started_at: str | None = None
    finished_at: str | None = None
    held: bool = False
    cancelling: bool = False
    reason: str | None = None
    code: str | None = None

    @property
    def index(self) -> int:
        return int(self.plan.get("index", 0))

    @property
    def manual(self) -> bool:
        return all(agent.get("uses", "manual") == "manual" for agent in self.plan.get("agents", []))

    @property
    def settled(self) -> bool:
        return self.status in {*ENDED, "skipped"} and not self.held

    @property
    def done(self) -> bool:
        return self.status == "completed" or (self.status == "skipped" and self.reason != "needs")


@dataclass(kw_only=True)
class Told:
    """A run as its facts tell it."""

    phases: list[Phase]
    status: str = "pending"
    started_at: str | None = None
    ended_at: str | None = None
    stopping: str | None = None
    operator: bool = False
    group: int | None = None
    signals: dict[str, str] = field(default_factory=dict)

    @property
    def undecided(self) -> list[int]:
        return [phase.index for phase in self.phases if phase.status == "paused" or phase.held]

    @property
    def counts(self) -> Counter[str]:
        return Counter(phase.status for phase in self.phases)


def stamp(at: float) -> str:
    """Seconds as a view prints moments."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def told_by(plan: Json, facts: Iterable[Json]) -> Told:
    """The fold of the facts."""
    told = Told(phases=[Phase(plan=phase) for phase in plan["phases"]])
    for number, fact in enumerate(facts, start=1):
        assert fact["n"] == number, "a gap in the ledger"
        if "phase" in fact:
            _about_phase(told.phases[fact["phase"]], fact)
        else:
            _about_run(told, fact)
    return told


def _about_phase(phase: Phase, fact: Json) -> None:
    data, at = fact.get("data", {}), stamp(fact["at"])
    assert fact["epoch"] == phase.epoch, fact
    match fact["kind"]:
        case "phase_started":
            phase.status, phase.started_at, phase.finished_at, phase.code = "in_progress", at, None, None
        case "phase_cancelling":
            phase.cancelling = True
            phase.code = data["error"]["code"] if "error" in data else phase.code
        case "phase_paused":
            phase.status, phase.finished_at, phase.cancelling = "paused", at, False
            phase.code = data["error"]["code"]
        case "phase_settled":
            phase.status, phase.finished_at, phase.cancelling = data["status"], at, False
            phase.held, phase.reason = bool(data.get("held")), data.get("reason")
            phase.code = data["error"]["code"] if "error" in data else phase.code
            phase.code = None if phase.status == "completed" else phase.code
        case "intervened" if data["action"] in {"retry", "retry_with"}:
            phase.status, phase.held, phase.reason = "pending", False, None
            phase.epoch += 1


def _about_run(told: Told, fact: Json) -> None:
    data, at = fact.get("data", {}), stamp(fact["at"])
    match fact["kind"]:
        case "run_started":
            told.status, told.started_at = "running", at
        case "run_paused":
            told.status = "paused"
            told.operator = told.operator or not data.get("auto")
        case "run_resumed":
            told.status = "running"
            if not data.get("auto"):
                told.operator, told.group = False, None
        case "group_cancelled":
            told.group = data["group"]
        case "signal_reported":
            told.signals[data["signal"]] = at
        case "run_stopping":
            told.stopping, told.group = data["then"], None
            told.operator = told.operator and told.stopping != "cancelled"
        case "run_settled":
            told.status, told.ended_at = data["status"], at
