"""The activity `command`: an agent that is a program, or a few shell scripts, or nothing but acceptance tests."""

from __future__ import annotations

from temporalio import activity

from activities.environment import bin_directory
from activities.execution import perform
from activities.job import SHELL, Job
from activities.worker_context import WorkerContext
from engine.plan import Json


class CommandActivities:
    """Agents with `uses: command`, for one worker."""

    def __init__(self, context: WorkerContext) -> None:
        self.context = context

    @activity.defn(name="command")
    async def command(self, task: Json) -> Json:
        """Do an agent's task (`AgentTask`) by running its command; the result is an `AgentResult`."""
        return await perform(self.context, task, run_command)


async def run_command(job: Job) -> None:
    """Run what the agent's configuration says: `run`, an argument list of templates, or `tasks`, literal scripts."""
    config = job.task.config
    ok = config.get("ok_exit_codes") or (0,)
    if config.get("run"):
        argv = [job.text(item) for item in config["run"]]
        title = argv[0]
        if title == "phaseloom":
            argv[0] = str(bin_directory() / title)
        await job.run(argv, title=title, ok=ok)
        return
    tasks = config.get("tasks") or ()
    for number, script in enumerate(tasks, 1):
        title = f"task {number} of {len(tasks)} ({_first_line(script)})"
        await job.run([SHELL, "-c", script], title=title, ok=ok)


def _first_line(script: str) -> str:
    line = script.strip().partition("\n")[0]
    return line if len(line) <= 60 else f"{line[:57]}..."
