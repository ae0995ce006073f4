"""What the facts about the run as a whole change in its state: a function per kind, called by `State.apply`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.facts import Fact
    from engine.state import State


def started(state: State, fact: Fact) -> None:
    """The run begins with its inputs."""
    state.set_run("running")
    state.started_at = fact.at
    state.inputs = fact.data.get("inputs", {})
    state.env = fact.data.get("env", {})
    state.run = fact.data.get("run", {})


def group_cancelled(state: State, fact: Fact) -> None:
    """A parallel group was cancelled; what comes after it waits for somebody."""
    if not _paused_by_operator(state):
        state.pause = {"code": "parallel_cancelled", "by": fact.actor, "group": fact.data["group"]}


def _paused_by_operator(state: State) -> bool:
    return state.pause is not None and state.pause["code"] == "operator"


def signal_reported(state: State, fact: Fact) -> None:
    """A completion signal."""
    state.signals[fact.data["signal"]] = {"at": fact.at, "by": fact.actor}


def message_signed(state: State, fact: Fact) -> None:
    """A signature has been used."""
    state.signed[fact.data["request_id"]] = fact.data["digest"]


def paused(state: State, fact: Fact) -> None:
    """By an operator, or by itself because nothing else can move."""
    if state.status != "paused":
        state.set_run("paused")
    if not fact.data.get("auto"):
        state.pause = {"code": "operator", "by": fact.actor, "note": fact.note}


def resumed(state: State, fact: Fact) -> None:
    """The run goes on."""
    if not fact.data.get("auto"):
        state.pause = None
    if state.status == "paused":
        state.set_run("running")


def stopping(state: State, fact: Fact) -> None:
    """The run is on its way to its end."""
    state.stopping = fact.data["then"]
    state.jump = state.restoring = None
    if state.stopping == "cancelled" or not _paused_by_operator(state):
        state.pause = None


def settled(state: State, fact: Fact) -> None:
    """The run has ended."""
    state.set_run(fact.data["status"])
    state.ended_at = fact.at
    state.pause = None
