"""The activity `run_hook`: a command of the definition that runs because something has happened to a phase.

It gets the event as JSON and a small environment, and can change nothing: however it ends is only logged, in
`logs/hooks.log` of the run. None of its processes outlives it, or its worker.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from uuid import uuid4

from temporalio import activity

from activities import environment, processes
from activities.beats import beating
from activities.job import SHELL, signal_name
from activities.leftovers import MARKER
from activities.logs import LogFile
from activities.masking import SECRET_NAME, secrets
from activities.output import AttemptLog, Output
from activities.places import run_directory
from activities.processes import Command, Ended
from activities.worker_context import WorkerContext
from engine.plan import Json

LOG_LIMIT = 256 * 1024
"""Bytes of output that one hook may add to the log."""


AT_ONCE = 8
"""Hooks that a worker runs at the same time: a thousand phases may fail together."""


class HookActivities:
    """Hooks, for one worker."""

    def __init__(self, context: WorkerContext) -> None:
        self.context = context
        self.room = asyncio.Semaphore(AT_ONCE)

    @activity.defn(name="run_hook")
    async def run_hook(self, message: Json) -> Json:
        """Run `{key, body, hook | problem}` to its end; `{"exit_code"}`, None where it has none."""
        body = message["body"]
        label = f"Hook: on_{body['kind']} ({message['key']})"
        path = run_directory(self.context.root, body["run"]) / "logs" / "hooks.log"
        async with beating(self.context.settings.beat), self.room, LogFile(path) as log:
            if "problem" in message:
                await log.say("ERROR", f"{label} - Not run: {message['problem']}")
                return {"exit_code": None}
            await log.say("INFO", f"{label} - Started (attempt {activity.info().attempt})")
            ended = await self._run(message, AttemptLog(log, limit=LOG_LIMIT, label=label))
            failed = ended.exit_code != 0
            await log.say("ERROR" if failed else "INFO", f"{label} - {_end(ended, message['hook']['timeout'])}")
            return {"exit_code": ended.exit_code}

    async def _run(self, message: Json, log: AttemptLog) -> Ended:
        body, hook = message["body"], message["hook"]
        argv = list(hook["run"]) or [SHELL, "-c", hook["shell"]]
        if argv[0] == "phaseloom":
            argv[0] = str(environment.bin_directory() / argv[0])
        folder = run_directory(self.context.root, body["run"]) / "scratch"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="hook-", dir=folder) as place:
            event = Path(place) / "event.json"
            event.write_text(json.dumps({**body, "key": message["key"]}, indent=1), encoding="ascii")
            own = self._variables(message, event)
            variables = environment.build(self.context.environ, passed=(), given={}, own=own)
            command = Command(
                argv=argv, env=variables.variables, cwd=self.context.root, grace=self.context.settings.grace
            )
            hidden = secrets({name: value for name, value in self.context.environ.items() if SECRET_NAME.search(name)})
            deadline = asyncio.get_running_loop().time() + hook["timeout"]
            return await processes.run(command, Output(log, hidden), started=_noted, deadline=deadline)

    def _variables(self, message: Json, event: Path) -> dict[str, str]:
        body = message["body"]
        phase = body.get("phase", {})
        return {
            MARKER: uuid4().hex,
            "PHASELOOM_HOOK": f"on_{body['kind']}",
            "PHASELOOM_EVENT": str(event),
            "PHASELOOM_KEY": message["key"],
            "PHASELOOM_RUN": body["run"],
            "PHASELOOM_DEFINITION": body["definition"],
            "PHASELOOM_PHASE": phase.get("id", ""),
            "PHASELOOM_PHASE_NAME": phase.get("name", ""),
            "PHASELOOM_PHASE_INDEX": str(phase.get("index", "")),
            "PHASELOOM_EPOCH": str(body.get("epoch", "")),
            "PHASELOOM_TEXT": body["text"],
            "PHASELOOM_WORKSPACE": str(self.context.root),
        }


async def _noted(_pgid: int) -> None:
    """Nothing is written down: a hook whose worker dies is ended by its keeper, and runs again."""


def _end(ended: Ended, timeout: float) -> str:
    if ended.errno is not None:
        return "Not run: the command cannot be started"
    if ended.timed_out:
        return f"Killed: it did not end within {timeout:g}s"
    if ended.signal is not None:
        return f"Killed by {signal_name(ended.signal)}"
    return "Finished" if ended.exit_code == 0 else f"Failed: exit code {ended.exit_code}"
