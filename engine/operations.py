"""What an operator can do to a run, one entry per message: `check` refuses without a change, `act` carries out.

The names and payloads are promises; a signal and an update of the same name come here with the same JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from engine import checkpoints, going_back, progress
from engine.answers import started_since
from engine.engine import Engine
from engine.errors import RefusedError
from engine.gates import deciding, signatures, together
from engine.interventions import act_intervene, check_intervene
from engine.lookup import find_phase, find_signal, listed
from engine.manual import (
    act_complete,
    act_fail,
    act_next,
    check_complete,
    check_fail,
    check_next,
)
from engine.parallel import act_cancel_parallel, act_start_parallel, check_cancel_parallel, check_start_parallel
from engine.progress import act_progress, check_progress
from engine.requests import SIGNABLE, Request, read

Json = dict[str, Any]

ANSWERS_KEPT = 1000
ANSWER_BYTES_KEPT = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One message: its fields, which of them it needs, how it is checked and what it does."""

    check: Callable[[Engine, Request], None]
    act: Callable[[Engine, Request, float], Json]
    fields: dict[str, tuple[type, ...]]
    required: tuple[str, ...] = ()


def _check_pause(engine: Engine, request: Request) -> None:  # noqa: ARG001 - every check has this form
    if engine.state.stopping is not None:
        raise RefusedError("the run is being stopped")
    if engine.state.pause is not None and engine.state.pause["code"] == "operator":
        raise RefusedError("the run is paused already", hint="go on with: phaseloom workflow resume")


def _act_pause(engine: Engine, request: Request, at: float) -> Json:
    engine.record("run_paused", at, actor=request.actor, note=request.note)
    engine.advance(at)
    return {"success": True, "running": len(engine.state.running - engine.state.expanding)}


def _check_resume(engine: Engine, request: Request) -> None:  # noqa: ARG001 - every check has this form
    state = engine.state
    if state.pause is not None and (state.pause["code"] == "operator" or not state.held):
        return
    waiting = [state.phases[i] for i in sorted(state.paused_phases | state.held)]
    if waiting:
        raise RefusedError(
            f"the run waits for a decision on {listed(waiting)}",
            hint="see the options with: phaseloom workflow status",
        )
    raise RefusedError("the run is not paused")


def _act_resume(engine: Engine, request: Request, at: float) -> Json:
    before = len(engine.ledger)
    engine.record("run_resumed", at, actor=request.actor, note=request.note)
    engine.advance(at)
    return {"success": True, "started": started_since(engine, before)}


def _check_cancel(engine: Engine, request: Request) -> None:  # noqa: ARG001 - every check has this form
    if engine.state.stopping == "cancelled":
        raise RefusedError("the run is being cancelled already")


def _act_cancel(engine: Engine, request: Request, at: float) -> Json:
    engine.stop("cancelled", at, actor=request.actor, note=request.note)
    engine.advance(at)
    return {"success": True, "stopping": len(engine.state.running - engine.state.expanding)}


def _check_signal(engine: Engine, request: Request) -> None:
    find_signal(engine.state, request.fields["signal"])


def _act_signal(engine: Engine, request: Request, at: float) -> Json:
    signal = find_signal(engine.state, request.fields["signal"])
    if signal not in engine.state.signals:
        engine.record("signal_reported", at, actor=request.actor, note=request.note, data={"signal": signal})
        engine.advance(at)
    return {"success": True, "signal": signal, "missing": engine.state.missing_signals}


_PHASE: dict[str, tuple[type, ...]] = {"phase": (int, str)}
_FILES: dict[str, tuple[type, ...]] = {"git": (dict,), "files": (dict,)}
_DONE: dict[str, tuple[type, ...]] = {"outputs": (dict,), "artifacts": (list,), "context": (dict,), **_FILES}
_GATE: dict[str, tuple[type, ...]] = {"gate": (str,), "phase": (int, str)}

JOURNALLED = frozenset({"decide_gate", "delegate_gate", "waive_gate"})
"""Messages whose refusal is written down however they come: who tried to decide what, and why it did not count."""


def journalled(engine: Engine, name: str) -> bool:
    """Whether a refusal of this message is written down; in a run with keys also of the others that may need one."""
    return name in JOURNALLED or (bool(engine.plan.signers) and name in SIGNABLE)


OPERATIONS: dict[str, Operation] = {
    "next": Operation(check=check_next, act=act_next, fields=_DONE),
    "complete_phase": Operation(
        check=check_complete,
        act=act_complete,
        fields={**_PHASE, "epoch": (int,), **_DONE},
        required=("phase",),
    ),
    "fail_phase": Operation(
        check=check_fail, act=act_fail, fields={**_PHASE, "epoch": (int,), "error": (str, dict)}, required=("phase",)
    ),
    "report_progress": Operation(
        check=check_progress, act=act_progress, fields=progress.FIELDS, required=progress.REQUIRED
    ),
    "start_parallel": Operation(check=check_start_parallel, act=act_start_parallel, fields=_PHASE, required=("phase",)),
    "cancel_parallel": Operation(check=check_cancel_parallel, act=act_cancel_parallel, fields=_PHASE, required=()),
    "intervene": Operation(
        check=check_intervene,
        act=act_intervene,
        fields={
            **_PHASE,
            "epoch": (int,),
            "action": (str,),
            "reason": (str,),
            "prompt": (str,),
            "outputs": (dict,),
            "to": (int, str),
            "context": (dict,),
        },
        required=("phase", "action"),
    ),
    "decide_gate": Operation(
        check=together.check_decide,
        act=together.act_decide,
        fields={
            **_GATE,
            "batch": (str,),
            "decision": (str,),
            "evidence": (str, dict),
            "comment": (str,),
            "form": (dict,),
        },
        required=("decision",),
    ),
    "delegate_gate": Operation(
        check=deciding.check_delegate,
        act=deciding.act_delegate,
        fields={**_GATE, "to": (str,)},
        required=("gate", "to"),
    ),
    "retry_gate": Operation(
        check=deciding.check_retry, act=deciding.act_retry, fields={**_GATE, "reason": (str,)}, required=("gate",)
    ),
    "waive_gate": Operation(
        check=deciding.check_waive,
        act=deciding.act_waive,
        fields={**_GATE, "check": (str,), "reason": (str,), "expires": (int, float)},
        required=("gate",),
    ),
    "pause": Operation(check=_check_pause, act=_act_pause, fields={}),
    "resume": Operation(check=_check_resume, act=_act_resume, fields={}),
    "cancel": Operation(check=_check_cancel, act=_act_cancel, fields={}),
    "create_checkpoint": Operation(
        check=checkpoints.check_create,
        act=checkpoints.act_create,
        fields={"name": (str,), **_FILES},
        required=("name",),
    ),
    "restore": Operation(
        check=going_back.check_restore, act=going_back.act_restore, fields={"checkpoint": (int, str), **_PHASE}
    ),
    "report_signal": Operation(check=_check_signal, act=_act_signal, fields={"signal": (str,)}, required=("signal",)),
}


def check(engine: Engine, name: str, payload: object, at: float | None = None) -> Request:
    """The request, if the run can carry it out now; raises `RefusedError` and changes nothing otherwise.

    `at` lets a refusal say how long something has been going on.
    """
    operation = OPERATIONS.get(name)
    if operation is None:
        close = get_close_matches(name, OPERATIONS, n=1)
        meant = f" (did you mean {close[0]!r}?)" if close else ""
        raise RefusedError(f"there is no message {name[:80]!r}{meant}", hint=f"messages: {', '.join(OPERATIONS)}")
    request = read(payload, operation.fields, operation.required, at)
    if request.request_id is not None and request.request_id in engine.answers:
        signatures.check_again(engine, name, _fields(payload), request)
        return request
    if engine.state.ended:
        raise RefusedError(f"the run is {engine.state.status}")
    going_back.refuse_while_restoring(engine, name)
    for expected in request.expect:
        phase = find_phase(engine.state, expected["phase"])
        if phase.epoch != expected["epoch"]:
            raise RefusedError(_stale(phase.plan.name, phase.epoch, expected["epoch"]))
    if "phase" in request.fields and "epoch" in request.fields:
        _check_epoch(engine, request)
    operation.check(engine, request)
    signed = signatures.checked(engine, name, _fields(payload), request)
    return request if signed is None else replace(request, signed=signed)


def _fields(payload: object) -> Json:
    return payload if isinstance(payload, dict) else {}


def to_sign(engine: Engine, name: str, payload: object, at: float) -> Json:
    """For whoever signs: `{needed, target}` of a message as the run is now.

    What the run would refuse needs no signature, and has no target; `why` tells the reason.
    """
    try:
        fields = {key: value for key, value in _fields(payload).items() if key != "signature"}
        request = read(fields, OPERATIONS[name].fields, OPERATIONS[name].required, at) if name in OPERATIONS else None
        if request is None or engine.state.ended:
            return {"needed": False, "target": None, "why": "the run takes no such message"}
        OPERATIONS[name].check(engine, request)
    except RefusedError as why:
        return {"needed": False, "target": None, "why": why.message}
    return signatures.asked(engine, name, request)


def act(engine: Engine, name: str, payload: object, at: float) -> Json:
    """Carry out a message and answer it; a repeated `request_id` gets the first answer and changes nothing."""
    request = check(engine, name, payload, at)
    key = request.request_id
    if key is not None and key in engine.answers:
        return engine.answers[key]
    if request.signed is not None:
        engine.record("message_signed", at, actor=request.actor, data={"request_id": key, **request.signed})
    answer = OPERATIONS[name].act(engine, request, at)
    answer["run"] = {"id": engine.state.run.get("id", ""), "status": engine.state.status}
    if key is not None:
        _keep(engine, key, answer)
    return answer


def _keep(engine: Engine, key: str, answer: Json) -> None:
    """Remember the answer to a request; the oldest ones go when there are too many or they take too much room."""
    engine.answers[key] = answer
    engine.answer_bytes += len(json.dumps(answer))
    while len(engine.answers) > ANSWERS_KEPT or (engine.answer_bytes > ANSWER_BYTES_KEPT and len(engine.answers) > 1):
        oldest = engine.answers.pop(next(iter(engine.answers)))
        engine.answer_bytes -= len(json.dumps(oldest))


def refuse(engine: Engine, name: str, why: RefusedError, at: float, actor: str | None = None) -> None:
    """Journal a signal that made no sense; nothing else changes."""
    if not engine.state.ended:
        data = {"message": name[:80], "why": why.message[:500]}
        engine.record("message_refused", at, actor=actor, data=data)


def _check_epoch(engine: Engine, request: Request) -> None:
    phase = find_phase(engine.state, request.fields["phase"])
    given = request.fields.get("epoch")
    if given is not None and given != phase.epoch:
        raise RefusedError(_stale(phase.plan.name, phase.epoch, given))


def _stale(name: str, epoch: int, given: int) -> str:
    return f"{name} has been started again since (epoch {epoch}, the message names epoch {given})"
