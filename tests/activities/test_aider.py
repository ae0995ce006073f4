"""The activity `aider`, against a script that stands in for the program (a real one asks a model, for money)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from temporalio.exceptions import ApplicationError

if TYPE_CHECKING:
    from tests.activities.conftest import Project

Install = Callable[[str], None]

ANSWERED = """
log = sys.argv[sys.argv.index("--analytics-log") + 1]
open(log, "a").write('not json\\n{"event": "launched"}\\n{"event": "message_send", "properties": {}}\\n')
"""


@pytest.fixture
def aider(project: Project) -> Install:
    def install(body: str) -> None:
        script = project.root / "bin" / "aider"
        script.parent.mkdir(exist_ok=True)
        record = "open(os.environ['PHASELOOM_WORKSPACE'] + '/argv.json', 'w').write(json.dumps(sys.argv[1:]))\n"
        script.write_text(f"#!{sys.executable}\nimport json, os, sys\n{record}{body}")
        script.chmod(0o755)
        project.environ["PATH"] = f"{script.parent}{os.pathsep}{os.environ['PATH']}"

    return install


async def test_aider_gets_the_prompt_the_tasks_and_the_files(project: Project, aider: Install) -> None:
    aider(ANSWERED)
    for name in ("a.py", "b.py", "c.txt"):
        (project.root / name).write_text("x")
    (project.root / "directory").mkdir()
    result = await project.aider(
        {"tasks": ["Add tests for ${inputs.feature}", "Keep it short"], "model": "gpt-x"},
        prompt="Work on ${inputs.feature}",
        files_scope=["*.py", "new.md", "directory"],
        values={"inputs": {"feature": "login"}, "phases": {}, "env": {}, "run": {}},
        acceptance_tests=["test -f argv.json"],
    )
    argv = json.loads((project.root / "argv.json").read_text())
    assert argv[:2] == ["--message", "Work on login\n\nAdd tests for login\n\nKeep it short"]
    assert {"--yes-always", "--no-stream", "--no-pretty", "--analytics-disable", "--no-auto-commits"} < set(argv)
    assert argv[argv.index("--model") + 1] == "gpt-x"
    assert argv[-3:] == ["a.py", "b.py", "new.md"]
    assert result["tests"]["passed"] == 1


async def test_aider_is_told_what_was_wrong_with_the_attempt_before(project: Project, aider: Install) -> None:
    aider(ANSWERED)
    earlier = [{"message": "old", "tail": ""}, {"message": "1 of 1 acceptance tests failed: make", "tail": "E: x"}]
    await project.aider({"tasks": ["Mend it"]}, failures=earlier)
    argv = json.loads((project.root / "argv.json").read_text())
    assert argv[1] == "Mend it\n\nThe attempt before this one failed: 1 of 1 acceptance tests failed: make\nE: x"


async def test_a_very_long_message_travels_in_a_file(project: Project, aider: Install) -> None:
    aider(ANSWERED + "open('said', 'w').write(open(sys.argv[sys.argv.index('--message-file') + 1]).read())")
    await project.aider({"tasks": ["x" * 200_000]})
    assert (project.root / "said").stat().st_size == 200_000


async def test_exit_0_without_an_answer_is_a_failure(project: Project, aider: Install) -> None:
    aider("print('litellm: connection refused')")
    with pytest.raises(ApplicationError) as caught:
        await project.aider({"tasks": ["Add tests"]})
    assert caught.value.type == "exit_code"
    assert caught.value.message == "aider exited with 0, but no model answered it"
    assert caught.value.details[0]["tail"] == "litellm: connection refused"


async def test_another_exit_code_is_a_failure(project: Project, aider: Install) -> None:
    aider(ANSWERED + "sys.exit(2)")
    with pytest.raises(ApplicationError) as caught:
        await project.aider({"tasks": ["Add tests"]})
    assert caught.value.message == "aider exited with 2"


async def test_without_anything_to_say_only_the_tests_run(project: Project, aider: Install) -> None:
    aider("sys.exit(9)")
    result = await project.aider({}, acceptance_tests=["true"])
    assert result["tests"]["passed"] == 1
    assert not (project.root / "argv.json").exists()


async def test_an_aider_that_is_not_installed_is_not_found(project: Project) -> None:
    project.environ["PATH"] = str(project.root)
    with pytest.raises(ApplicationError) as caught:
        await project.aider({"tasks": ["Add tests"]})
    assert (caught.value.type, caught.value.message) == ("not_found", "aider: command not found")
