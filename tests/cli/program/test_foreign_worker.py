"""A worker that knows only Temporal, in a process of its own, serves a phase on its own queue."""

from __future__ import annotations

import subprocess
import sys

from tests.cli.program.person import Person, until

DEFINITION = """\
id: greet
inputs: {name: {type: string, default: Ada}}
agents:
  greeter:
    uses: activity
    activity: greet
    task_queue: greeters
    input: {name: "${inputs.name}"}
    outputs: {greeting: {type: string}}
phases:
  - {name: Greet, agents: [greeter]}
  - name: Use
    agents: [shell]
    prompt: "${phases.greet.outputs.greeting}"
"""
PROJECT = """\
agents:
  shell: {uses: command, run: [sh, -c, 'cat "$PHASELOOM_PROMPT_FILE"']}
"""
WORKER = """\
import asyncio, sys
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

@activity.defn(name="greet")
async def greet(given: dict) -> dict:
    return {"greeting": f"Hello, {given['name']}"}

async def main() -> None:
    client = await Client.connect(sys.argv[1], namespace=sys.argv[2])
    async with Worker(client, task_queue="greeters", activities=[greet]):
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def test_a_foreign_worker_serves_a_phase_on_its_own_queue(person: Person) -> None:
    person.write("greet.yaml", DEFINITION)
    person.write("phaseloom.yaml", PROJECT)
    worker_file = person.write("their_worker.py", WORKER)
    assert "not in effect" not in person.types("validate", "greet.yaml").out
    person.types("workflow", "start", "greet.yaml", "--input", "name=Grace")
    phase = person.view()["phases"][0]
    assert phase["status"] == "in_progress"
    server = person.types("doctor", "--json").json
    command = [sys.executable, worker_file, server["address"], server["namespace"]]
    with subprocess.Popen(command, cwd=person.root, stdout=subprocess.PIPE, text=True) as theirs:
        try:
            assert theirs.stdout is not None
            assert theirs.stdout.readline() == "ready\n"
            until(lambda: person.view()["status"] == "completed")
        finally:
            theirs.kill()
    assert "Hello, Grace" in person.types("workflow", "logs", "use").out
