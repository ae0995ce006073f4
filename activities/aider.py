"""The activity `aider`: an agent that is the aider coding assistant.

aider exits with 0 even when no model answered; whether one did shows only in its analytics log, which has a
`message_send` event then.
"""

from __future__ import annotations

import asyncio
import glob
import json
from pathlib import Path

from temporalio import activity

from activities.execution import perform
from activities.failures import AttemptError
from activities.job import Job
from activities.worker_context import WorkerContext
from engine.plan import Json

ONE_ARGUMENT = 100 * 1024
"""Bytes up to which a message is an argument; Linux refuses one of 128 KiB."""

FIXED = (
    "--yes-always",
    "--no-stream",
    "--no-pretty",
    "--no-check-update",
    "--analytics-disable",
    "--no-auto-commits",
)  # fmt: skip


class AiderActivities:
    """Agents with `uses: aider`, for one worker."""

    def __init__(self, context: WorkerContext) -> None:
        self.context = context

    @activity.defn(name="aider")
    async def aider(self, task: Json) -> Json:
        """Do an agent's task (`AgentTask`) with aider; the result is an `AgentResult`."""
        return await perform(self.context, task, run_aider)


async def run_aider(job: Job) -> None:
    """Give aider the prompt, the tasks and the files of the task's scope, unless there is nothing to say to it."""
    message = await asyncio.to_thread(_message, job)
    if not message:
        return
    analytics = job.scratch.directory / "analytics.jsonl"
    files = await asyncio.to_thread(_files, job.directory(), job.task.files_scope)
    model = job.task.config.get("model")
    argv = [
        "aider",
        *_said(job, message),
        *FIXED,
        "--analytics-log",
        str(analytics),
        *(("--model", job.text(model)) if model else ()),
        *files,
    ]
    await job.run(argv, title="aider")
    if not await asyncio.to_thread(_was_answered, analytics):
        raise AttemptError(
            "exit_code",
            "aider exited with 0, but no model answered it",
            exit_code=0,
            tail=job.tail,
            error_class="system",
        )


def _message(job: Job) -> str:
    prompt = job.scratch.prompt.read_text(encoding="utf-8").strip()
    tasks = (job.text(task).strip() for task in job.task.config.get("tasks") or ())
    message = "\n\n".join(filter(None, (prompt, *tasks)))
    return f"{message}\n\n{_before(job)}".strip() if message else ""


def _before(job: Job) -> str:
    """What was wrong with the attempt before this one, where there was one."""
    failures = [*job.task.failures, *job.history.failures]
    if not failures:
        return ""
    last = failures[-1]
    return "\n".join(filter(None, (f"The attempt before this one failed: {last.get('message', '')}", last.get("tail"))))


def _said(job: Job, message: str) -> tuple[str, str]:
    if len(message.encode(errors="replace")) <= ONE_ARGUMENT:
        return "--message", message
    job.scratch.prompt.write_text(message, encoding="utf-8", errors="replace")
    return "--message-file", str(job.scratch.prompt)


def _files(directory: Path, scope: tuple[str, ...]) -> list[str]:
    """The files of a scope: patterns become what they match; a file that does not exist yet is aider's to make."""
    found: dict[str, None] = {}
    for name in scope:
        if glob.has_magic(name):
            matches = sorted(glob.glob(name, root_dir=directory, recursive=True))  # noqa: PTH207 - takes any pattern
            found.update(dict.fromkeys(match for match in matches if (directory / match).is_file()))
        elif not (directory / name).is_dir():
            found[name] = None
    return list(found)


def _was_answered(analytics: Path) -> bool:
    try:
        with analytics.open(encoding="utf-8", errors="replace") as lines:
            return any(_event(line) == "message_send" for line in lines)
    except OSError:
        return False


def _event(line: str) -> object:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry.get("event") if isinstance(entry, dict) else None
