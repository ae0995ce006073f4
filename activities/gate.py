"""The activity `gate`: the commands of a gate's checks, one after another, and the files that they were run on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

from temporalio import activity

from activities import environment
from activities.detection import Detected, detect
from activities.execution import perform
from activities.failures import AttemptError
from activities.job import SHELL, Job, rendered
from activities.masking import mask_json
from activities.processes import Ended
from activities.worker_context import WorkerContext
from activities.workspace import tree_digest
from engine.coding import decode
from engine.expressions import ExpressionError
from engine.gates.plans import CheckPlan
from engine.plan import Json

TAIL = 500
"""Characters of what a failing check printed last that its result keeps."""

CANNOT_RUN = {126: "a command cannot be executed", 127: "a command was not found"}
"""What a shell answers with when there is no such program."""


class GateActivities:
    """Checks of gates, for one worker."""

    def __init__(self, context: WorkerContext) -> None:
        self.context = context

    @activity.defn(name="gate")
    async def gate(self, task: Json) -> Json:
        """Run the checks of a gate (`engine.values.gate_task`); the result has them under `gate`."""
        return await perform(self.context, task, run_checks)


async def run_checks(job: Job) -> None:
    """Run every check, whatever the others come to; where one fails and declares a fix, fix and check again."""
    checks = [decode(CheckPlan, check) for check in job.task.config.get("checks", ())]
    results = []
    for check in checks:
        began = time.monotonic()
        result = await _checked(job, check)
        result["seconds"] = round(time.monotonic() - began, 3)
        results.append({"name": check.name, "gate": check.gate, **result})
        why = f": {result['message']}" if result.get("message") else ""
        passed = result["status"] == "passed"
        await job.log.log.say(
            "INFO" if passed else "ERROR", f"Check: {check.name} - {result['status'].capitalize()}{why}"
        )
    job.verdict = {"gate": {"results": results, "tree": await tree_digest(job.context.root)}}


async def _checked(job: Job, check: CheckPlan) -> Json:
    try:
        own = _job(job, check)
        result: Json = {}
        for command in _commands(own, check):
            result = await _with_fix(own, check, command)
            if result["status"] != "passed":
                break
    except (AttemptError, ExpressionError) as error:
        return {"status": "error", "message": error.message}
    masked = mask_json(result, own.environment.secrets)
    assert isinstance(masked, dict)
    return {name: value for name, value in masked.items() if value not in ("", None)}


async def _with_fix(job: Job, check: CheckPlan, command: Detected) -> Json:
    result = await _looked(job, check, command)
    if result["status"] != "failed" or not command.fix:
        return result
    fixing = await _tried(job, check, command.fix)
    again = await _looked(job, check, command)
    if again["status"] == "passed":
        return {**again, "fixed": True}
    return {**again, "message": f"{again['message']}; its fix {_fixed(fixing)}"}


async def _looked(job: Job, check: CheckPlan, command: Detected) -> Json:
    """What the command says; an error where it tells that it could not look."""
    result = await _tried(job, check, command.run)
    trouble = command.trouble(result.get("tail", "")) if result["status"] == "failed" else ""
    if not trouble:
        return result
    told = {name: value for name, value in result.items() if name != "value"}
    return {**told, "status": "error", "message": f"{' '.join(command.run[:2])} could not look: {trouble}"}


def _fixed(fixing: Json) -> str:
    return "did not help" if fixing["status"] == "passed" else f"did not work: {fixing['message']}"


def _job(job: Job, check: CheckPlan) -> Job:
    """The job with the check's own environment and its own time."""
    names = {key: value for key, value in job.environment.variables.items() if key.startswith("PHASELOOM_")}
    variables = environment.build(
        job.context.environ,
        passed=check.pass_env,
        given={name: rendered(text, job.scope) for name, text in check.env.items()},
        own=names,
    )
    deadline = job.deadline
    if check.timeout is not None:
        own = asyncio.get_running_loop().time() + check.timeout
        deadline = own if deadline is None else min(own, deadline)
    return replace(job, environment=variables, deadline=deadline)


def _commands(job: Job, check: CheckPlan) -> tuple[Detected, ...]:
    """What to run, one after the other; only a check that is found out from the project may be several."""
    fix = tuple(job.text(word) for word in check.fix)
    if check.detect is not None:
        found = detect(check.detect, job.directory(), job.environment.variables.get("PATH", ""))
        return tuple(replace(one, fix=fix or one.fix) for one in found)
    if check.shell is not None:
        return (Detected(run=(SHELL, "-c", check.shell), fix=fix),)
    argv = [job.text(word) for word in check.run]
    if argv[0] == "phaseloom":
        argv[0] = str(environment.bin_directory() / argv[0])
    return (Detected(run=tuple(argv), fix=fix),)


async def _tried(job: Job, check: CheckPlan, argv: Sequence[str]) -> Json:
    ended, output = await job.try_out(argv)
    tail = output.tail()[-TAIL:]
    code = ended.exit_code
    if (problem := _problem(job, check, ended, argv[0])) is not None:
        return {"status": "error", "message": problem, "exit_code": code, "tail": tail}
    if code in check.ok_exit_codes:
        return {"status": "passed", "exit_code": code, "value": code}
    return {"status": "failed", "message": f"exit code {code}", "exit_code": code, "value": code, "tail": tail}


def _problem(job: Job, check: CheckPlan, ended: Ended, title: str) -> str | None:
    """Why nobody knows what the check would have said; None when it has spoken."""
    if ended.timed_out:
        # The time is the check's own, the gate's for all of its checks, or both.
        limit = min(given for given in (check.timeout, job.task.timeout) if given is not None)
        return f"{title} did not end within {limit:g}s and was killed"
    try:
        job.require_end(ended, title, "")
    except AttemptError as error:
        return error.message
    if ended.exit_code in CANNOT_RUN and ended.exit_code not in check.ok_exit_codes:
        return f"{title}: {CANNOT_RUN[ended.exit_code]} (exit code {ended.exit_code})"
    return None
