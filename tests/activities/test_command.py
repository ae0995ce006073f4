"""The activity `command`: what a command gets, and how it fails."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from temporalio.exceptions import ApplicationError

from activities.artifacts import ArtifactStore, Ref
from tests.activities.showing import python

if TYPE_CHECKING:
    from tests.activities.conftest import Project


async def test_arguments_are_rendered_one_by_one_and_never_split(project: Project) -> None:
    values = {
        "inputs": {"name": "a b; echo c", "n": 3, "flag": True, "list": [1, 2]},
        "phases": {},
        "env": {},
        "run": {},
    }
    command = python("sys.argv[2:]")
    command["run"] += ["${inputs.name}", "n=${inputs.n}", "${inputs.n}", "${inputs.flag}", "${inputs.list}"]
    result = await project.command(command, values=values)
    assert result["outputs"]["got"] == ["a b; echo c", "n=3", "3", "true", "[1, 2]"]


async def test_the_result_has_every_field_of_the_contract(project: Project) -> None:
    result = await project.command({"run": ["true"]})
    assert result.keys() == {
        "outputs", "exit_code", "started_at", "duration", "attempts", "failures", "tests", "artifacts", "git",
        "usage", "files",
    }  # fmt: skip
    assert result["exit_code"] == 0
    assert result["attempts"] == 1
    assert result["started_at"].endswith("Z")
    assert result["tests"] == {"passed": 0, "failed": 0, "total": 0, "results": []}


async def test_a_command_sees_its_variables_and_files(project: Project) -> None:
    names = ["RUN", "DEFINITION", "PHASE", "PHASE_NAME", "PHASE_INDEX", "EPOCH", "ATTEMPT", "AGENT", "KEY", "WORKSPACE"]
    command = python(f"{{n: os.environ['PHASELOOM_' + n] for n in {names!r}}}")
    result = await project.command(command)
    assert result["outputs"]["got"] == {
        "RUN": "wf_test01", "DEFINITION": "demo", "PHASE": "build", "PHASE_NAME": "Build It", "PHASE_INDEX": "2",
        "EPOCH": "0", "ATTEMPT": "1", "AGENT": "builder", "KEY": "wf_test01/build/0/builder#0",
        "WORKSPACE": str(project.root),
    }  # fmt: skip


async def test_the_input_file_holds_values_with_references_resolved(project: Project) -> None:
    large = {"text": "x" * 9000}
    ref = ArtifactStore(project.root).put_json(large)
    result = await project.command(
        {"run": ["sh", "-c", 'cp "$PHASELOOM_INPUT" "$PHASELOOM_ARTIFACTS/input.json"']},
        values={
            "inputs": {"feature": "login"},
            "phases": {"design": {"status": "completed", "outputs": {"contract": ref.to_json()}}},
            "env": {},
            "run": {},
        },
        earlier=[{"agent": "first", "outputs": {"n": 1}}],
        failures=[{"code": "exit_code", "message": "before"}],
    )
    given = ArtifactStore(project.root).get_json(result["artifacts"][0]["sha256"])
    assert given["inputs"] == {"feature": "login"}
    assert given["phases"]["design"]["outputs"]["contract"] == large
    assert given["earlier"] == [{"agent": "first", "outputs": {"n": 1}}]
    assert given["failures"] == [{"code": "exit_code", "message": "before"}]
    assert given["phase"] == {"id": "build", "name": "Build It", "index": 2}


async def test_the_prompt_is_rendered_into_a_file_whether_or_not_it_is_named(project: Project) -> None:
    values = {"inputs": {"feature": "login"}, "phases": {}, "env": {}, "run": {}}
    named = await project.command(
        {"run": ["cat", "${prompt_file}"]},
        prompt="Build ${inputs.feature}",
        values=values,
        outputs={"said": {"value": "stdout"}},
    )
    assert named["outputs"] == {"said": "Build login"}
    unnamed = await project.command(
        {"run": ["sh", "-c", 'cat "$PHASELOOM_PROMPT_FILE"']},
        prompt="Build ${inputs.feature}",
        edits={"prompt": "No, build ${inputs.feature} twice"},
        values=values,
        outputs={"said": {"value": "stdout"}},
    )
    assert unnamed["outputs"] == {"said": "No, build login twice"}


async def test_a_command_sees_the_item_that_it_runs_for(project: Project) -> None:
    values = {"inputs": {}, "phases": {}, "env": {}, "run": {}, "item": {"dir": "api"}, "item_index": 3}
    result = await project.command(
        {
            "run": ["sh", "-c", 'echo "$PHASELOOM_ITEM $PHASELOOM_ITEM_INDEX $DIR"'],
            "env": {"DIR": "${item.dir} of ${item_index}"},
        },
        values=values,
        outputs={"said": {"value": "stdout"}},
    )
    assert result["outputs"] == {"said": '{"dir": "api"} 3 api of 3'}
    plain = await project.command(
        {"run": ["sh", "-c", 'echo "$${PHASELOOM_ITEM-none}"']}, outputs={"said": {"value": "stdout"}}
    )
    assert plain["outputs"] == {"said": "none"}


async def test_only_asked_for_variables_reach_a_command(project: Project) -> None:
    project.environ |= {
        "OPENAI_API_KEY": "sk-verysecret", "AWS_SECRET": "other", "TEMPORAL_API_KEY": "nope", "LC_TIME": "C",
        "PHASELOOM_EVIL": "x",
    }  # fmt: skip
    command = python("{k: v for k, v in os.environ.items()}")
    command |= {
        "pass_env": ["OPENAI_API_KEY", "TEMPORAL_API_KEY", "UNSET"],
        "env": {"A": "${inputs.a}-1", "PHASELOOM_RUN": "evil"},
    }
    values = {"inputs": {"a": 5}, "phases": {}, "env": {}, "run": {}}
    got = (await project.command(command, values=values))["outputs"]["got"]
    assert got["A"] == "5-1"
    assert got["OPENAI_API_KEY"] == "***", "passed, and masked on its way out"
    assert got["PHASELOOM_RUN"] == "wf_test01"
    assert got["LC_TIME"] == "C"
    assert not got.keys() & {"AWS_SECRET", "TEMPORAL_API_KEY", "UNSET", "PHASELOOM_EVIL"}
    assert got["PATH"].endswith(str(Path(sys.executable).parent))
    assert "pass_env: TEMPORAL_API_KEY is never passed" in project.log
    assert "pass_env: UNSET is not set" in project.log


async def test_secrets_are_masked_in_log_outputs_and_failures(project: Project) -> None:
    project.environ["MY_TOKEN"] = "s3cr3t-value"
    script = 'printf "a s3cr3t"; sleep 0.05; printf -- "-value b\\n"; echo "$MY_TOKEN" >&2; exit 1'
    with pytest.raises(ApplicationError) as caught:
        await project.command({"run": ["sh", "-c", script], "pass_env": ["MY_TOKEN"]})
    assert "a *** b\n" in project.log
    assert "s3cr3t" not in project.log
    assert "s3cr3t" not in json.dumps(caught.value.details)
    assert "s3cr3t" not in json.dumps(project.beats)


async def test_tasks_run_in_order_and_stop_at_the_first_that_fails(project: Project) -> None:
    with pytest.raises(ApplicationError) as caught:
        await project.command({"tasks": ["echo one >> f", "echo ${HOME:+two} >> f; exit 4", "echo three >> f"]})
    assert caught.value.type == "exit_code"
    assert caught.value.message.startswith("task 2 of 3 (echo ${HOME:+two} >> f; exit 4) exited with 4")
    assert (project.root / "f").read_text() == "one\ntwo\n"


async def test_the_stdout_of_all_tasks_is_one(project: Project) -> None:
    result = await project.command({"tasks": ["echo a", "echo b"]}, outputs={"all": {"value": "stdout"}})
    assert result["outputs"] == {"all": "a\nb"}


async def test_acceptance_tests_are_part_of_the_attempt(project: Project) -> None:
    result = await project.command({"tasks": ["echo hi > f"]}, acceptance_tests=["grep -q hi f", "test -f f"])
    assert result["tests"]["passed"] == result["tests"]["total"] == 2
    with pytest.raises(ApplicationError) as caught:
        await project.command({"tasks": ["true"]}, acceptance_tests=["echo bad news; exit 3", "true"])
    failure = caught.value.details[0]
    assert (failure["code"], failure["exit_code"], failure["tail"]) == ("tests_failed", 3, "bad news")
    assert failure["tests"]["results"][0] == {
        "test": "echo bad news; exit 3", "passed": False, "exit_code": 3, "tail": "bad news",
    }  # fmt: skip
    assert failure["tests"]["results"][1]["passed"]


async def test_an_agent_may_be_nothing_but_tests(project: Project) -> None:
    result = await project.command({}, acceptance_tests=["true"])
    assert result["tests"] == {
        "passed": 1, "failed": 0, "total": 1,
        "results": [{"test": "true", "passed": True, "exit_code": 0, "tail": ""}],
    }  # fmt: skip


async def test_other_exit_codes_can_be_fine(project: Project) -> None:
    result = await project.command({"run": ["sh", "-c", "exit 3"], "ok_exit_codes": [0, 3]})
    assert result["exit_code"] == 3


async def test_a_missing_command_is_not_found(project: Project) -> None:
    with pytest.raises(ApplicationError) as caught:
        await project.command({"run": ["no-such-command-here"]}, retry={"every_failure": True})
    assert (caught.value.type, caught.value.non_retryable) == ("not_found", True)
    assert caught.value.message == "no-such-command-here: command not found"


async def test_an_undefined_value_is_an_expression_failure(project: Project) -> None:
    with pytest.raises(ApplicationError) as caught:
        await project.command({"run": ["echo", "${inputs.nothing}"]}, retry={"every_failure": True})
    assert (caught.value.type, caught.value.non_retryable) == ("expression", True)
    assert "inputs.nothing" in caught.value.message


async def test_a_directory_outside_of_the_project_is_refused(project: Project) -> None:
    (project.root / "sub").mkdir()
    result = await project.command({"run": ["pwd"], "cwd": "sub"}, outputs={"at": {"value": "stdout"}})
    assert result["outputs"]["at"] == str(project.root / "sub")
    for bad in ("..", "nowhere", "/"):
        with pytest.raises(ApplicationError) as caught:
            await project.command({"run": ["pwd"], "cwd": bad})
        assert caught.value.type == "workspace"


async def test_stdin_is_empty_and_the_group_is_the_keepers(project: Project) -> None:
    result = await project.command(
        python("[sys.stdin.read(), os.getpgid(0) == os.getppid(), os.getsid(0) == os.getppid()]")
    )
    assert result["outputs"]["got"] == ["", True, True]


async def test_scratch_files_go_on_success_and_stay_on_failure(project: Project) -> None:
    await project.command({"run": ["true"]})
    assert list(project.scratch.iterdir()) == []
    with pytest.raises(ApplicationError):
        await project.command({"run": ["false"]}, prompt="try")
    assert (project.scratch / "build-0-0-1" / "prompt.md").read_text() == "try"


async def test_a_success_removes_the_files_of_failed_attempts_too(project: Project) -> None:
    with pytest.raises(ApplicationError):
        await project.command({"run": ["false"]})
    project.next_attempt(2)
    await project.command({"run": ["true"]})
    assert list(project.scratch.iterdir()) == []


async def test_many_long_arguments_arrive_and_too_long_ones_fail_for_good(project: Project) -> None:
    words = ["${inputs.word}"] * 12
    values = {"inputs": {"word": "w" * 60_000}, "phases": {}, "env": {}, "run": {}}
    command = python("sum(map(len, sys.argv[2:]))")
    command["run"] += words
    assert (await project.command(command, values=values))["outputs"]["got"] == 720_000
    with pytest.raises(ApplicationError) as caught:
        await project.command({"run": ["echo", "x" * 200_000]}, retry={"every_failure": True})
    assert (caught.value.type, caught.value.non_retryable) == ("expression", True)


async def test_a_reference_to_a_missing_artifact_is_a_workspace_failure(project: Project) -> None:
    lost = Ref(sha256="0" * 64, size=5000, media_type="application/json").to_json()
    values = {"inputs": {}, "phases": {"a": {"status": "completed", "outputs": {"x": lost}}}, "env": {}, "run": {}}
    with pytest.raises(ApplicationError) as caught:
        await project.command({"run": ["true"]}, values=values)
    assert caught.value.type == "workspace"
    assert "[ERROR] Agent: builder - Failed (attempt 1): artifact sha256:000" in project.log


async def test_what_was_left_behind_is_told_in_the_log(project: Project) -> None:
    await project.command({"run": ["sh", "-c", "setsid sleep 97573 & "]})
    assert "Agent: builder - Ended what it left behind: 1 process" in project.log


async def test_the_log_tells_of_the_agent_and_shows_its_lines(project: Project) -> None:
    await project.command({"run": ["sh", "-c", "echo out; echo err >&2; printf open"]})
    lines = project.log.splitlines()
    assert lines[0].endswith("Z] [INFO] Agent: builder - Invoked (attempt 1)")
    assert sorted(lines[1:4]) == ["err", "open", "out"]
    assert "] [INFO] Agent: builder - Completed (" in lines[4]


async def test_the_state_of_git_is_recorded(project: Project) -> None:
    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        command = ["git", "-C", str(project.root), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    (project.root / ".gitignore").write_text(".phaseloom/\n")
    assert (await project.command({"run": ["true"]}))["git"]["commit"] is None
    git("add", ".")
    git("commit", "-q", "-m", "one")
    assert (await project.command({"run": ["true"]}))["git"] == {"commit": git("rev-parse", "HEAD"), "dirty": None}
    state = (await project.command({"run": ["sh", "-c", "echo x > new"]}))["git"]
    assert len(state["dirty"]) == 64


async def test_without_git_there_is_no_state(project: Project) -> None:
    assert (await project.command({"run": ["true"]}))["git"] is None


async def test_the_own_executable_is_found_without_a_path(project: Project) -> None:
    project.environ["PATH"] = "/usr/bin:/bin"
    with pytest.raises(ApplicationError) as caught:
        await project.command({"run": ["phaseloom", "--no-such-option"]})
    assert caught.value.type in {"exit_code", "not_found"}  # not_found: where the console script is not installed
    assert caught.value.message.startswith("phaseloom:") or caught.value.message.endswith("phaseloom exited with 2")


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo a >&2; echo 'make: *** no rule' >&2; echo; exit 2", "make: *** no rule; sh exited with 2"),
        ("echo only stdout; exit 3", "sh exited with 3"),
        ("printf 'x%.0s' $(seq 300) >&2; exit 1", f"{'x' * 159}…; sh exited with 1"),
    ],
)
async def test_a_failure_says_the_last_line_of_stderr_first(project: Project, script: str, message: str) -> None:
    with pytest.raises(ApplicationError) as caught:
        await project.command({"run": ["sh", "-c", script]})
    assert caught.value.message == message


async def test_the_line_that_a_failure_begins_with_holds_no_secret(project: Project) -> None:
    project.environ["MY_TOKEN"] = "s3cr3t-value"
    with pytest.raises(ApplicationError) as caught:
        await project.command({"run": ["sh", "-c", 'echo "no $MY_TOKEN" >&2; exit 1'], "pass_env": ["MY_TOKEN"]})
    assert caught.value.message == "no ***; sh exited with 1"


async def test_what_cannot_be_passed_is_told_at_the_first_attempt_only(project: Project) -> None:
    config = {"run": ["sh", "-c", "exit 1"], "pass_env": ["GONE_TOKEN"]}
    for attempt in (1, 2):
        project.next_attempt(attempt)
        with pytest.raises(ApplicationError):
            await project.command(config)
    assert project.log.count("Invoked (attempt") == 2
    assert project.log.count("GONE_TOKEN is not set") == 1


async def test_changes_that_were_asked_for_reach_the_next_attempt(project: Project) -> None:
    asked = {"by": "ana", "comment": "rename it", "gate": "go", "epoch": 0}
    result = await project.command(
        {"run": ["sh", "-c", 'cp "$PHASELOOM_INPUT" "$PHASELOOM_ARTIFACTS/input.json"']}, feedback=[asked]
    )
    given = ArtifactStore(project.root).get_json(result["artifacts"][0]["sha256"])
    assert given["feedback"] == [asked]
