"""The activity `run_hook`: real commands, which harm nobody and leave nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from activities.hooks import AT_ONCE, HookActivities
from activities.worker_context import WorkerContext

if TYPE_CHECKING:
    from tests.activities.conftest import Project

Json = dict[str, Any]
BODY: Json = {
    "kind": "failure",
    "run": "wf_test01",
    "definition": "demo",
    "name": "Demo",
    "at": "2024-02-19T10:00:00.000Z",
    "text": "Demo (wf_test01): Build has failed.",
    "commands": [],
    "phase": {"index": 2, "id": "build", "name": "Build It"},
    "epoch": 1,
    "error": {"code": "exit_code", "message": "exit code 1"},
}


async def hook(project: Project, **command: Any) -> Json:
    activities = HookActivities(WorkerContext(project.root, project.settings, project.environ))
    given = {"run": [], "shell": None, "timeout": 120.0, **command}
    message = {"kind": "hook", "key": "wf_test01/4/on_failure", "hook": given, "body": BODY}
    result: Json = await project.env.run(activities.run_hook, message)
    return result


async def script(project: Project, text: str, **command: Any) -> Json:
    return await hook(project, **{"shell": text, **command})


def log(project: Project) -> str:
    return (project.root / ".phaseloom/workflows/wf_test01/logs/hooks.log").read_text(encoding="utf-8")


async def test_a_hook_is_told_what_happened_and_runs_in_the_project(project: Project) -> None:
    text = 'cat "$PHASELOOM_EVENT" > event.json; env > env.txt; pwd > place.txt'
    assert await script(project, text) == {"exit_code": 0}
    event = (project.root / "event.json").read_text(encoding="utf-8")
    assert all(word in event for word in ('"code": "exit_code"', '"key": "wf_test01/4/on_failure"', '"epoch": 1'))
    variables = dict(line.partition("=")[::2] for line in (project.root / "env.txt").read_text().splitlines())
    assert variables["PHASELOOM_HOOK"] == "on_failure"
    assert (variables["PHASELOOM_PHASE"], variables["PHASELOOM_EPOCH"]) == ("build", "1")
    assert variables["PHASELOOM_KEY"] == "wf_test01/4/on_failure"
    assert (project.root / "place.txt").read_text().strip() == str(project.root.resolve())
    assert "[INFO] Hook: on_failure (wf_test01/4/on_failure) - Finished" in log(project)
    assert not list(project.scratch.iterdir())  # the event's file is gone


async def test_a_hook_gets_no_secrets_and_what_it_prints_of_them_is_masked(project: Project) -> None:
    project.environ |= {"TEAM_TOKEN": "hush-hush-hush", "TEMPORAL_API_KEY": "very-secret-key"}
    await script(project, 'test -z "$TEAM_TOKEN$TEMPORAL_API_KEY" && echo none; echo said hush-hush-hush')
    assert "none\nsaid ***\n" in log(project)


async def test_arguments_reach_the_command_as_they_are(project: Project) -> None:
    await hook(project, run=["sh", "-c", 'printf "%s|" "$@"', "sh", "a b", "$HOME; ls"])
    assert "a b|$HOME; ls|" in log(project)


async def test_a_hook_that_fails_hangs_or_does_not_exist_is_logged_and_nothing_else(
    project: Project, processes_of: Callable[[str], list[int]]
) -> None:
    assert await hook(project, run=["sh", "-c", "echo broken >&2; exit 3"]) == {"exit_code": 3}
    assert await script(project, "sleep 61.25 & sleep 61.25", timeout=0.3) == {"exit_code": None}
    assert await hook(project, run=["no-such-program-here"]) == {"exit_code": None}
    said = log(project)
    assert "broken" in said
    assert all(
        f"[ERROR] Hook: on_failure (wf_test01/4/on_failure) - {end}" in said
        for end in ("Failed: exit code 3", "Killed: it did not end within 0.3s", "Not run: the command cannot be")
    )
    assert not processes_of("sleep 61.25")


async def test_a_hook_that_obeys_when_it_is_stopped_has_failed_all_the_same(project: Project) -> None:
    text = "trap 'exit 0' TERM; while :; do sleep 0.02; done"
    assert await script(project, text, timeout=1.0) == {"exit_code": None}
    assert "[ERROR] Hook: on_failure (wf_test01/4/on_failure) - Killed: it did not end within 1s" in log(project)


async def test_a_hook_whose_words_had_no_value_is_not_run(project: Project) -> None:
    activities = HookActivities(WorkerContext(project.root, project.settings, project.environ))
    message = {"kind": "hook", "key": "k", "problem": "outputs.n does not exist", "body": BODY}
    assert await project.env.run(activities.run_hook, message) == {"exit_code": None}
    assert "Not run: outputs.n does not exist" in log(project)


async def test_nothing_is_left_of_a_hook_whose_worker_stops(
    project: Project, processes_of: Callable[[str], list[int]], eventually: Callable[..., Any]
) -> None:
    running = asyncio.create_task(hook(project, run=["sleep", "62.75"]))
    await eventually(lambda: len(processes_of("sleep 62.75")) > 0)
    project.env.cancel()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await eventually(lambda: not processes_of("sleep 62.75"))


async def test_only_so_many_hooks_run_at_once(project: Project) -> None:
    activities = HookActivities(WorkerContext(project.root, project.settings, project.environ))
    text = 'touch "on-$$"; ls -d on-* | wc -l >> counts; sleep 0.1; rm "on-$$"'
    given = {"run": ["sh", "-c", text], "shell": None, "timeout": 120.0}
    message = {"kind": "hook", "key": "k", "hook": given, "body": BODY}
    await asyncio.gather(*(project.env.run(activities.run_hook, message) for _ in range(3 * AT_ONCE)))
    counts = [int(line) for line in (project.root / "counts").read_text(encoding="utf-8").split()]
    assert len(counts) == 3 * AT_ONCE
    assert max(counts) <= AT_ONCE
