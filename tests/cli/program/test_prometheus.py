"""Prometheus asks a worker for its metrics while it works."""

from __future__ import annotations

import re
import signal
import socket
from urllib.request import urlopen

import pytest

from tests.cli.program.person import SECONDS, Person, interrupt, until
from tests.ports import free_port

DEFINITION = """
name: Counted
agents:
  builder: {uses: command, run: [sh, -c, "while ! test -e go; do sleep 0.05; done"]}
  broken: {uses: command, run: ["false"]}
phases:
  - name: Build
    agents: [builder]
    gates: [ready]
  - {name: Break, agents: [broken], on_failure: isolate}
gates:
  ready: {checks: [{name: holds, expr: "${1 < 2}"}]}
"""


@pytest.fixture
def port() -> int:
    return free_port()


def scraped(port: int) -> dict[str, float]:
    """The samples, by name and labels without Temporal's own."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=SECONDS) as answer:
        text = answer.read().decode()
    found = re.findall(r"^(\w+)(?:\{(.*)\})? (\S+)$", text, re.MULTILINE)
    return {f"{name}{{{labels}}}" if labels else name: float(value) for name, labels, value in found}


def test_the_worker_of_the_project_tells_what_it_runs_and_what_became_of_it(alone: Person, port: int) -> None:
    alone.write("phaseloom.yaml", f"metrics: {port}\n")
    alone.write("counted.yaml", DEFINITION)
    alone.types("workflow", "start", "counted.yaml")
    until(alone.has_worker)
    until(lambda: scraped(port).get('phaseloom_agents_running{executor="command"}') == 1)
    alone.write("go", "")
    until(lambda: alone.view()["ended_at"] is not None)
    found = scraped(port)
    assert found['phaseloom_agents_running{executor="command"}'] == 0
    assert found['phaseloom_attempts_total{definition="counted",executor="command",outcome="completed"}'] == 1
    assert found['phaseloom_attempts_total{definition="counted",executor="command",outcome="failed"}'] >= 1
    assert found['phaseloom_phases_total{definition="counted",status="completed"}'] == 1
    assert found['phaseloom_phases_total{definition="counted",status="failed"}'] == 1
    assert found['phaseloom_gates_total{definition="counted",gate="ready",status="passed"}'] == 1
    assert found['phaseloom_runs_total{definition="counted",status="failed"}'] == 1
    assert found['phaseloom_phase_seconds_count{definition="counted",status="completed"}'] == 1
    bounds = 'phaseloom_phase_seconds_bucket{definition="counted",status="completed",le="86400"}'
    assert found[bounds] == 1, "long phases are told apart"
    assert any(name.startswith("temporal_") for name in found), "Temporal's own are there too"


def test_a_worker_on_a_shared_server_listens_where_it_is_told_and_nowhere_else(person: Person, port: int) -> None:
    address = person.types("doctor", "--json").json["address"]
    refused = person.tries("worker", "--address", address, "--metrics", f":{port}")
    assert refused.code == 2
    assert "names no interface" in refused.err
    with socket.create_server(("127.0.0.1", port)):
        taken = person.tries("worker", "--address", address, "--metrics", str(port))
    assert (taken.code, taken.err.splitlines()[0].startswith("error: metrics cannot be served at")) == (5, True)
    worker = person.begins("worker", "--address", address, "--metrics", str(port))
    assert worker.stdout is not None
    assert worker.stdout.readline().startswith("Working for")
    assert worker.stdout.readline() == f"Metrics at http://127.0.0.1:{port}/metrics\n"
    assert any(name.startswith("temporal_") for name in scraped(port))
    assert interrupt(worker, signal.SIGTERM).code == 0


def test_up_takes_a_worker_that_tells_nothing_and_lets_it_tell(alone: Person, port: int) -> None:
    alone.types("runs")
    until(alone.has_worker)
    process = alone.begins("up", "--metrics", str(port))
    assert process.stdout is not None
    said = iter(process.stdout.readline, "")
    assert f"Metrics of its worker at http://127.0.0.1:{port}/metrics\n" in said
    until(lambda: alone.has_worker() and alone.record("worker").get("metrics") == f"127.0.0.1:{port}")
    assert scraped(port)
    assert interrupt(process).code == 0


def test_a_port_that_is_taken_does_not_keep_the_projects_worker_from_its_work(alone: Person, port: int) -> None:
    alone.write("phaseloom.yaml", f"metrics: {port}\n")
    alone.write("quick.yaml", "name: Quick\nphases: [{name: One, tool: sh, tasks: ['true']}]\n")
    with socket.create_server(("127.0.0.1", port)):
        assert alone.types("run", "quick.yaml").lines[-1].startswith("✓ Workflow complete")
    assert "metrics cannot be served" in (alone.root / ".phaseloom" / "worker.log").read_text(encoding="utf-8")
