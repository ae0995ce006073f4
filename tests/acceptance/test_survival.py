"""Kill anything at any time: the run goes on, nothing is done twice, no process is left from before."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.acceptance.conftest import Desk, alive

THREE = """\
id: three
agents:
  worker:
    uses: command
    run:
      - sh
      - -c
      - |
        echo $$ >> pids; echo x >> began-$PHASELOOM_PHASE
        until test -e go; do sleep 0.05; done
        echo x >> ended-$PHASELOOM_PHASE
phases:
  - {name: A, agents: [worker], parallel: true}
  - {name: B, agents: [worker], parallel: true}
  - {name: C, agents: [worker], parallel: true}
  - {name: Last, agents: [worker]}
"""
PHASES = ("a", "b", "c")


def settlements(desk: Desk) -> list[str]:
    """The phases in the order in which the ledger of an ended run says that they settled."""
    (journal,) = (desk.root / ".phaseloom" / "workflows").glob("wf_*/journal.jsonl")
    # The worker writes it down a moment after it has decided.
    desk.until(lambda: '"run_settled"' in journal.read_text(encoding="utf-8").rpartition("\n")[0], "the last fact")
    facts = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    return [f"{f['phase']}:{f['data']['status']}" for f in facts if f["kind"] == "phase_settled"]


@pytest.mark.parametrize(
    "victims",
    [("worker",), ("server",), ("supervisor",), ("supervisor", "worker", "server")],
    ids=["worker", "server", "supervisor", "all"],
)
def test_the_run_goes_on_within_seconds_after_sigkill(desk: Desk, victims: tuple[str, ...]) -> None:
    desk.write("three.yaml", THREE)
    desk.type("run", "three.yaml", "--detach")
    desk.until(lambda: all(desk.lines(f"began-{p}") for p in PHASES), "three agents")
    before = [int(pid) for pid in desk.lines("pids")]
    desk.kill(*victims)
    if "supervisor" in victims:
        desk.type("workflow", "status")
    lost = "worker" in victims
    if lost:
        desk.until(desk.has_worker, "a worker")  # how long its start takes says more about the machine
        back = time.monotonic()
        desk.until(lambda: all(len(desk.lines(f"began-{p}")) == 2 for p in PHASES), "the agents to run again")
        # Long before the heartbeat timeout of 30 s; the budget of 5 s for all of it is kept by the bench.
        assert time.monotonic() - back < 20
        assert not any(alive(pid) for pid in before)
    desk.write("go", "")
    desk.type("workflow", "watch")
    assert sorted(settlements(desk)) == ["0:completed", "1:completed", "2:completed", "3:completed"]
    for phase in PHASES:
        assert len(desk.lines(f"began-{phase}")) == (2 if lost else 1)
        assert len(desk.lines(f"ended-{phase}")) == 1


def test_run_in_front_goes_on_printing_after_the_worker_was_killed(desk: Desk) -> None:
    desk.write("three.yaml", THREE)
    running = desk.begin("run", "three.yaml")
    desk.until(lambda: all(desk.lines(f"began-{p}") for p in PHASES), "three agents")
    desk.kill("worker")
    desk.until(lambda: all(len(desk.lines(f"began-{p}")) == 2 for p in PHASES), "the agents to run again")
    desk.write("go", "")
    printed, _ = running.communicate(timeout=120)
    assert running.returncode == 0, printed
    assert "✓ All steps complete" in printed


def says(running: subprocess.Popen[str], words: str) -> None:
    """Read what a command prints until it says these words."""
    assert running.stdout is not None
    while words not in (line := running.stdout.readline()):
        assert line, f"it ended without {words!r}"


def test_ctrl_c_right_after_the_start_cancels_the_run(desk: Desk) -> None:
    desk.write("three.yaml", THREE)
    running = desk.begin("run", "three.yaml")
    says(running, "this run is wf_")
    os.killpg(running.pid, signal.SIGINT)  # it does not follow the run yet
    printed, _ = running.communicate(timeout=120)
    assert running.returncode == 130, printed
    assert '"cancelled"' in desk.type("runs", "--all", "--json")


def test_ctrl_c_cancels_the_run_and_leaves_no_agent(desk: Desk) -> None:
    desk.write("three.yaml", THREE)
    running = desk.begin("run", "three.yaml")
    says(running, "Executing steps")
    desk.until(lambda: all(desk.lines(f"began-{p}") for p in PHASES), "three agents")
    os.killpg(running.pid, signal.SIGINT)
    printed, _ = running.communicate(timeout=120)
    assert running.returncode == 130, printed
    assert not any(alive(int(pid)) for pid in desk.lines("pids"))
    assert not desk.lines("ended-a")
    assert '"cancelled"' in desk.type("runs", "--all", "--json")


def test_cancel_and_down_leave_no_process(desk: Desk) -> None:
    desk.write("three.yaml", THREE)
    desk.type("run", "three.yaml", "--detach")
    desk.until(lambda: all(desk.lines(f"began-{p}") for p in PHASES), "three agents")
    refused = desk.type("down", code=4)
    assert "--force" in refused
    desk.type("workflow", "cancel")
    assert not any(alive(int(pid)) for pid in desk.lines("pids"))
    pids = [desk.record(name)["pid"] for name in ("server", "worker", "supervisor")]
    desk.type("down")
    assert not any(alive(pid) for pid in pids)


def test_down_by_force_stops_agents_and_the_run_goes_on_with_the_next_command(desk: Desk) -> None:
    desk.write("three.yaml", THREE)
    desk.type("run", "three.yaml", "--detach")
    desk.until(lambda: all(desk.lines(f"began-{p}") for p in PHASES), "three agents")
    desk.type("down", "--force")
    assert not any(alive(int(pid)) for pid in desk.lines("pids"))
    desk.write("go", "")
    desk.type("workflow", "watch")
    assert sorted(settlements(desk)) == ["0:completed", "1:completed", "2:completed", "3:completed"]


HANGS = """\
id: hangs
agents:
  hung: {uses: command, run: [sh, -c, 'setsid sleep 600 & (sleep 600 &) ; echo $$ >> pids; sleep 600']}
  fine: {uses: command, run: [sh, -c, 'sleep 3; echo done >> fine']}
phases:
  - {name: Hung, agents: [hung], parallel: true, timeout: 1s, on_failure: isolate}
  - {name: Fine, agents: [fine], parallel: true}
"""


def test_a_hung_agent_with_children_is_killed_at_its_timeout_and_its_sibling_never_notices(desk: Desk) -> None:
    desk.write("hangs.yaml", HANGS)
    printed = desk.type("run", "hangs.yaml", code=1)
    assert "✗ [hung] Failed" in printed
    assert "✓ [fine] Complete" in printed
    assert desk.lines("fine") == ["done"]
    here = str(desk.root)
    left = [p.info for p in psutil.process_iter(["cmdline", "cwd"]) if _sleeps(p, here)]
    assert left == []


def _sleeps(process: psutil.Process, place: str) -> bool:
    return process.info["cwd"] == place and "sleep" in (process.info["cmdline"] or [])


def test_two_commands_back_to_back_find_each_others_run(desk: Desk) -> None:
    desk.type("workflow", "start", "full-stack-parallel")
    assert "Started 2 parallel phases:" in desk.type("workflow", "next")


def test_a_secret_reaches_the_agent_but_neither_history_nor_log(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "tok-very-secret-12345")
    desk.write(
        "secret.yaml",
        "id: secret\n"
        "agents: {a: {uses: command, run: [sh, -c, 'echo got $SHOP_TOKEN; printf %s $SHOP_TOKEN | wc -c > length'],"
        " pass_env: [SHOP_TOKEN]}}\n"
        "phases: [{name: One, agents: [a]}]\n",
    )
    desk.type("run", "secret.yaml")
    assert desk.lines("length")[0].strip() == "21"
    desk.type("down", "--force")
    for path in sorted((desk.root / ".phaseloom").rglob("*")):
        if path.is_file():
            assert b"tok-very-secret" not in path.read_bytes(), path


def test_a_project_with_modules_of_our_names_does_no_harm(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(desk.root))
    for name in ("cli", "engine", "activities", "workflows", "definitions", "worker"):
        desk.write(f"{name}.py", "raise SystemExit('the project\\'s own module was imported')\n")
    desk.write("one.yaml", "id: one\nagents: {a: {uses: command, run: ['true']}}\nphases: [{name: One, agents: [a]}]\n")
    assert "✓ Workflow complete" in desk.type("run", "one.yaml")


def test_nothing_is_written_outside_of_the_projects_folder(desk: Desk) -> None:
    desk.type("workflow", "start", "full-stack-parallel")
    assert [p.name for p in Path(desk.root).iterdir()] == [".phaseloom"]
