"""The activity `python`: an agent that is a function of the project, called in a process of its own.

A thread could not be killed, and the project's modules may have the names of ours; so `python_child.py` calls it, and
the process is kept, timed and ended as a command is.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from temporalio import activity

from activities.execution import perform
from activities.failures import AttemptError
from activities.job import Job
from activities.worker_context import WorkerContext
from engine.expressions import render_all
from engine.plan import Json

CHILD = Path(__file__).with_name("python_child.py")


class PythonActivities:
    """Agents with `uses: python`, for one worker."""

    def __init__(self, context: WorkerContext) -> None:
        self.context = context

    @activity.defn(name="python")
    async def python(self, task: Json) -> Json:
        """Do an agent's task (`AgentTask`) by calling its function; the result is an `AgentResult`."""
        return await perform(self.context, task, run_function)


async def run_function(job: Job) -> None:
    """Call the function that the agent's configuration names, with its `args`, their types kept."""
    function = job.task.config["function"]
    arguments = job.scratch.directory / "args.json"
    report = job.scratch.directory / "report.json"
    given = render_all(job.task.config.get("args") or {}, job.scope)
    await asyncio.to_thread(arguments.write_text, json.dumps(given), encoding="ascii")
    # -P: no directory of ours on the path. -u: what it prints is in the log at once.
    argv = [
        sys.executable,
        "-P",
        "-u",
        str(CHILD),
        str(job.context.root.resolve()),
        function,
        str(arguments),
        str(report),
    ]
    try:
        await job.run(argv, title=function)
    except AttemptError as error:
        if error.kind != "exit_code":
            raise
        raise _told(error, await asyncio.to_thread(_report, report), function) from None
    if await asyncio.to_thread(_report, report) is None:
        message = f"{function} ended its process with 0 before it returned"
        raise AttemptError("exit_code", message, exit_code=0, tail=job.tail)


def _told(error: AttemptError, report: Json | None, function: str) -> AttemptError:
    """The failure in the words of the process, as far as it could say any."""
    if report is None or report.get("code") is None:
        return error
    code, message = report["code"], report["message"]
    if code == "exit_code":
        return AttemptError(code, f"{function}: {message}", exit_code=error.exit_code, tail=error.tail)
    return AttemptError(code, message, tail=error.tail)


def _report(path: Path) -> Json | None:
    """What the process said of its end; None where it did not get as far."""
    try:
        report = json.loads(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return report if isinstance(report, dict) else None
