"""The activity `python`: a function of the project, in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.python import PythonActivities
from activities.worker_context import WorkerContext
from tests.activities.conftest import LONGER

if TYPE_CHECKING:
    from tests.activities.conftest import Project

Json = dict[str, Any]


async def call(project: Project, source: str, config: Json | None = None, **changes: Any) -> Json:
    (project.root / "work.py").write_text(source)
    activities = PythonActivities(WorkerContext(project.root, project.settings, project.environ))
    task = project.task({"function": "work:go", **(config or {})}, **changes)
    return await project.env.run(activities.python, task)


async def failure(project: Project, source: str, config: Json | None = None, **changes: Any) -> ApplicationError:
    with pytest.raises(ApplicationError) as caught:
        await call(project, source, config, **changes)
    return caught.value


@pytest.mark.parametrize(
    ("body", "outputs"),
    [
        ("return {'a': [1, None], 'b': {'c': 'ü'}}", {"a": [1, None], "b": {"c": "ü"}}),
        ("return None", {}),
        ("return 3", {"result": 3}),
        ("return [1, 2]", {"result": [1, 2]}),
    ],
)
async def test_what_is_returned_is_the_outputs(project: Project, body: str, outputs: Json) -> None:
    assert (await call(project, f"def go():\n    {body}"))["outputs"] == outputs


async def test_an_async_function_is_awaited(project: Project) -> None:
    source = "import asyncio\nasync def go():\n    await asyncio.sleep(0)\n    return 'done'"
    assert (await call(project, source))["outputs"] == {"result": "done"}


async def test_args_are_rendered_and_keep_their_types(project: Project) -> None:
    values = {"inputs": {"n": 3, "list": [1, {"a": True}]}, "phases": {}, "env": {}, "run": {}}
    args = {"n": "${inputs.n}", "all": {"list": "${inputs.list}"}, "text": "n is ${inputs.n}", "plain": 1.5}
    result = await call(project, "def go(**given):\n    return given", {"args": args}, values=values)
    assert result["outputs"] == {"n": 3, "all": {"list": [1, {"a": True}]}, "text": "n is 3", "plain": 1.5}


async def test_declared_outputs_have_their_types(project: Project) -> None:
    source = "def go():\n    print('shown')\n    return {'n': '7'}"
    declared = {"n": {"type": "integer"}, "said": {"value": "stdout"}}
    assert (await call(project, source, outputs=declared))["outputs"] == {"n": 7, "said": "shown"}
    error = await failure(project, "def go(): return {'n': 'x'}", outputs=declared)
    assert (error.type, error.details[0]["class"]) == ("bad_output", "quality")
    assert error.message.startswith("output 'n':")
    error = await failure(project, "def go(): pass", outputs={"m": {}})
    assert error.message.startswith("output 'm' is declared")


async def test_the_projects_modules_win_over_ours_and_ours_are_not_needed(project: Project) -> None:
    for name in ("engine", "activities", "cli"):
        (project.root / f"{name}.py").write_text(f"NAME = 'the {name} of the project'")
    source = (
        "import sys, engine, activities, cli\ndef go(): return [engine.NAME, activities.NAME, cli.NAME, sys.path[0]]"
    )
    found = (await call(project, source))["outputs"]["result"]
    assert found == [
        *(f"the {name} of the project" for name in ("engine", "activities", "cli")),
        str(project.root.resolve()),
    ]
    beside = "import sys\ndef go(): return [name for name in sys.modules if name in ('temporalio', 'definitions')]"
    assert (await call(project, beside))["outputs"] == {"result": []}


async def test_a_function_in_a_package_is_found(project: Project) -> None:
    (project.root / "tools").mkdir()
    (project.root / "tools" / "deep.py").write_text("def go(): return 1")
    assert (await call(project, "", {"function": "tools.deep:go"}))["outputs"] == {"result": 1}


async def test_it_sees_our_variables_and_what_is_passed_and_that_is_masked(project: Project) -> None:
    project.environ["API_TOKEN"] = "hush-hush-hush"
    source = (
        "import os\ndef go():\n    print('token', os.environ['API_TOKEN'])\n"
        "    return {n: os.environ.get(n) for n in ('PHASELOOM_PHASE', 'MODE', 'API_TOKEN', 'SECRETLY')}"
    )
    project.environ["SECRETLY"] = "nobody-asked"
    result = await call(project, source, {"pass_env": ["API_TOKEN"], "env": {"MODE": "x"}})
    assert result["outputs"] == {"PHASELOOM_PHASE": "build", "MODE": "x", "API_TOKEN": "***", "SECRETLY": None}
    assert "token ***" in project.log
    error = await failure(
        project, "import os\ndef go(): raise ValueError(os.environ['API_TOKEN'])", {"pass_env": ["API_TOKEN"]}
    )
    assert error.message == "work:go: ValueError: ***"
    assert "hush-hush-hush" not in project.log + str(error.details)


async def test_an_exception_is_a_failure_that_shows_where(project: Project) -> None:
    error = await failure(project, "def deep():\n    raise KeyError('colour')\ndef go():\n    deep()")
    assert (error.type, error.message) == ("exit_code", "work:go: KeyError: 'colour'")
    tail = error.details[0]["tail"]
    assert 'work.py", line 2, in deep' in tail
    assert "python_child" not in tail
    assert "Traceback (most recent call last)" in project.log


@pytest.mark.parametrize(
    ("leave", "code", "words"),
    [("sys.exit(3)", 3, "called sys.exit(3)"), ("sys.exit('no disk')", 1, "called sys.exit: no disk")],
)
async def test_leaving_by_sys_exit_fails_with_its_code(project: Project, leave: str, code: int, words: str) -> None:
    error = await failure(project, f"import sys\ndef go(): {leave}")
    assert (error.message, error.details[0]["exit_code"]) == (f"work:go: {words}", code)


async def test_leaving_with_75_is_tried_again_and_with_0_is_success(project: Project) -> None:
    assert not (await failure(project, "import sys\ndef go(): sys.exit(75)")).non_retryable
    assert (await call(project, "import sys\ndef go(): sys.exit()"))["outputs"] == {}


async def test_a_process_that_ends_before_the_function_returns_has_failed(project: Project) -> None:
    error = await failure(project, "import os\ndef go(): os._exit(0)")
    assert error.message == "work:go ended its process with 0 before it returned"
    error = await failure(project, "import os\ndef go(): os.kill(os.getpid(), 9)")
    assert (error.type, error.message) == ("signal", "work:go was killed by SIGKILL")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("{'a': {1, 2}}", "returned what is not JSON: a value of type set"),
        ("__import__('pathlib').PurePosixPath('x')", "a value of type pathlib.PurePosixPath"),
        ("float('nan')", "returned what is not JSON"),
        ("{1: 2}", "returned a dict with 1 as a key"),
    ],
)
async def test_what_is_not_json_is_refused_by_the_name_of_its_type(project: Project, value: str, words: str) -> None:
    error = await failure(project, f"def go(): return {value}")
    assert (error.type, error.details[0]["class"]) == ("bad_output", "quality")
    assert words in error.message


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("work:gone", "did you mean 'gone_by'?"),
        ("wrok:gone_by", "did you mean 'work'?"),
        ("work.deeper:go", "'work' is a module, not a package"),
        ("work:NUMBER", "is int, not a function"),
        ("tools.deap:go", "did you mean 'deep'?"),
    ],
)
async def test_a_function_that_does_not_exist_is_not_found(project: Project, function: str, words: str) -> None:
    (project.root / "tools").mkdir()
    (project.root / "tools" / "deep.py").write_text("")
    error = await failure(project, "NUMBER = 1\ndef gone_by(): pass", {"function": function})
    assert (error.type, error.non_retryable) == ("not_found", True)
    assert words in error.message


async def test_where_a_module_was_searched_is_said(project: Project) -> None:
    error = await failure(project, "", {"function": "nowhere:go"})
    assert f"no module 'nowhere' (searched {project.root.resolve()}, " in error.message


async def test_a_module_that_cannot_be_imported_fails_with_its_reason(project: Project) -> None:
    error = await failure(project, "import no_such_package_here\ndef go(): pass")
    assert error.message == "work:go: ModuleNotFoundError: No module named 'no_such_package_here'"
    assert "work.py" in error.details[0]["tail"]
    error = await failure(project, "def go(:")
    assert error.message.startswith("work:go: SyntaxError")


async def test_args_that_do_not_fit_are_named(project: Project) -> None:
    error = await failure(project, "def go(*, name): pass", {"args": {"nmae": "x"}})
    assert (error.type, error.non_retryable) == ("expression", True)
    assert error.message == "the args do not fit work:go: missing a required argument: 'name'"


async def test_a_hung_function_is_killed_at_the_timeout_with_all_it_started(
    project: Project, processes_of: Callable[[str], list[int]]
) -> None:
    source = "import subprocess\ndef go():\n    print('working')\n    subprocess.run(['sleep', '97571'])"
    for seconds in LONGER:
        error = await failure(project, source, timeout=seconds)
        assert (error.type, error.message) == ("timeout", f"work:go did not end within {seconds:g}s and was killed")
        if error.details[0]["tail"]:
            break
    assert error.details[0]["tail"] == "working"
    assert not processes_of("97571")


async def test_a_cancelled_function_is_ended_with_all_it_started(
    project: Project, eventually: Callable[..., Any], processes_of: Callable[[str], list[int]]
) -> None:
    source = "import subprocess\ndef go():\n    subprocess.run(['sh', '-c', 'echo up; sleep 97572'])"
    task = asyncio.ensure_future(call(project, source))
    await eventually(lambda: project.beats and project.beats[-1]["pgid"] and "up" in project.log.splitlines())
    project.env.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not processes_of("97572")


async def test_acceptance_tests_follow_and_nothing_is_left_behind(project: Project) -> None:
    source = "from pathlib import Path\ndef go(): Path('made').touch()"
    result = await call(project, source, acceptance_tests=["test -f made"])
    assert result["tests"]["passed"] == 1
    assert list(project.scratch.iterdir()) == []
