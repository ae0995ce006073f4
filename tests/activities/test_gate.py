"""The activity `gate`: what the commands of checks come to, what mends them, and which files they were run on."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from activities.gate import TAIL
from activities.workspace import tree_digest

if TYPE_CHECKING:
    from tests.activities.conftest import Project

Json = dict[str, Any]


async def only(project: Project, **check: Any) -> Json:
    """The result of the one check."""
    (result,) = (await project.gate({"name": "it", **check}))["results"]
    assert result.pop("seconds") >= 0
    assert (result.pop("name"), result.pop("gate")) == ("it", "pre-push")
    return dict(result)


async def test_a_check_passes_by_its_exit_code(project: Project) -> None:
    assert await only(project, run=["true"]) == {"status": "passed", "exit_code": 0, "value": 0}
    assert (await only(project, run=["sh", "-c", "exit 3"], ok_exit_codes=[0, 3]))["status"] == "passed"
    assert "Check: it - Passed" in project.log


async def test_a_check_that_fails_says_how_and_keeps_the_end_of_what_it_printed(project: Project) -> None:
    result = await only(project, run=["sh", "-c", "seq 1000; echo the last line; exit 7"])
    tail = result.pop("tail")
    assert result == {"status": "failed", "message": "exit code 7", "exit_code": 7, "value": 7}
    assert tail.endswith("1000\nthe last line")
    assert len(tail) <= TAIL
    assert "Check: it - Failed: exit code 7" in project.log


async def test_every_check_is_run_whatever_the_others_come_to(project: Project) -> None:
    said = await project.gate({"name": "a", "run": ["false"]}, {"name": "b", "run": ["true"], "gate": "other"})
    assert [(r["gate"], r["name"], r["status"]) for r in said["results"]] == [
        ("pre-push", "a", "failed"),
        ("other", "b", "passed"),
    ]


async def test_arguments_and_variables_are_rendered_and_a_script_stands_as_it_is(project: Project) -> None:
    values = {"inputs": {"name": "a b"}, "phases": {}, "env": {}, "run": {}}
    (project.root / "a b").touch()
    said = await project.gate(
        {"name": "run", "run": ["test", "-e", "${inputs.name}"]},
        {"name": "shell", "shell": 'test -e "$NAME"', "env": {"NAME": "${inputs.name}"}},
        values=values,
    )
    assert [result["status"] for result in said["results"]] == ["passed", "passed"]


async def test_a_fix_mends_and_the_check_is_run_again(project: Project) -> None:
    result = await only(project, run=["test", "-e", "notes"], fix=["touch", "notes"])
    assert result == {"status": "passed", "exit_code": 0, "value": 0, "fixed": True}
    assert "fixed" not in await only(project, run=["test", "-e", "notes"], fix=["rm", "notes"])
    assert (project.root / "notes").exists(), "a fix runs only where its check has failed"


@pytest.mark.parametrize(
    ("fix", "why"),
    [
        (["true"], "exit code 1; its fix did not help"),
        (["false"], "exit code 1; its fix did not work: exit code 1"),
        (["no-such-tool"], "exit code 1; its fix did not work: no-such-tool: command not found"),
    ],
)
async def test_a_fix_that_does_not_help_is_told(project: Project, fix: list[str], why: str) -> None:
    result = await only(project, run=["test", "-e", "notes"], fix=fix)
    assert (result["status"], result["message"]) == ("failed", why)


@pytest.mark.parametrize(
    ("check", "why"),
    [
        ({"run": ["no-such-tool", "--check"]}, "no-such-tool: command not found"),
        ({"run": ["./plain"]}, "./plain: permission denied"),
        ({"shell": "no-such-tool --check"}, "sh: a command was not found (exit code 127)"),
        ({"shell": "./plain"}, "sh: a command cannot be executed (exit code 126)"),
        ({"run": ["sh", "-c", "kill -9 $$"]}, "sh was killed by SIGKILL"),
        ({"run": ["true"], "env": {"A": "${inputs.gone}"}}, "inputs.gone is not defined"),
    ],
)
async def test_what_cannot_be_run_is_an_error_and_no_failure(project: Project, check: Json, why: str) -> None:
    (project.root / "plain").write_text("")
    result = await only(project, **check)
    assert result["status"] == "error"
    assert why in result["message"]


async def test_127_is_an_answer_where_the_check_says_so(project: Project) -> None:
    assert (await only(project, run=["sh", "-c", "exit 127"], ok_exit_codes=[127]))["status"] == "passed"


async def test_a_check_that_takes_too_long_is_killed_and_an_error(project: Project, processes_of: Any) -> None:
    said = await project.gate(
        {"name": "slow", "run": ["sleep", "98.7"], "timeout": 0.2}, {"name": "b", "run": ["true"]}
    )
    slow, after = said["results"]
    assert (slow["status"], slow["message"]) == ("error", "sleep did not end within 0.2s and was killed")
    assert 0.2 <= slow["seconds"] < 60
    assert after["status"] == "passed"
    assert processes_of("98.7") == []


async def test_the_time_of_the_gate_bounds_every_check(project: Project) -> None:
    said = await project.gate({"name": "slow", "run": ["sleep", "98.7"], "timeout": 60}, timeout=0.3)
    assert said["results"][0]["status"] == "error"


async def test_the_time_of_a_check_alone_bounds_it_where_the_gate_has_none(project: Project) -> None:
    said = await project.gate({"name": "slow", "run": ["sleep", "98.7"], "timeout": 0.2}, timeout=None)
    assert said["results"][0]["message"] == "sleep did not end within 0.2s and was killed"


async def test_a_variable_is_passed_only_to_the_check_that_asks_for_it(project: Project) -> None:
    project.environ["SHOP_TOKEN"] = "s3cr3t-value"
    script = 'test "$SHOP_TOKEN" = s3cr3t-value'
    said = await project.gate(
        {"name": "asks", "shell": script, "pass_env": ["SHOP_TOKEN"]}, {"name": "does not", "shell": script}
    )
    assert [result["status"] for result in said["results"]] == ["passed", "failed"]


async def test_a_secret_shows_neither_in_the_result_nor_in_the_log(project: Project) -> None:
    project.environ["SHOP_TOKEN"] = "s3cr3t-value"
    (project.root / "s3cr3t-value").mkdir()
    said = await project.gate(
        {"name": "prints", "shell": 'echo "got $SHOP_TOKEN"; exit 1', "pass_env": ["SHOP_TOKEN"]},
        {"name": "is named", "run": ["./s3cr3t-value"], "pass_env": ["SHOP_TOKEN"]},
    )
    assert "got ***" in said["results"][0]["tail"]
    assert said["results"][1]["message"] == "./***: permission denied"
    assert "s3cr3t" not in json.dumps(said)
    assert "s3cr3t" not in project.log


# Which files


class Repository:
    """A repository with one commit."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q")
        self.write(".gitignore", "ignored\n")
        self.write("code", "1")
        self.commit()

    def git(self, *arguments: str) -> None:
        identity = ("-c", "user.name=ana", "-c", "user.email=ana@example.org")
        subprocess.run(["git", "-C", str(self.root), *identity, *arguments], check=True, capture_output=True)

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text, encoding="utf-8")

    def commit(self) -> None:
        self.git("add", ".")
        self.git("commit", "-q", "--allow-empty", "-m", "it")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


async def test_the_digest_tells_every_state_of_the_files_from_the_others(repository: Repository) -> None:
    seen = [await tree_digest(repository.root)]
    for change in (
        lambda: repository.write("code", "2"),
        lambda: repository.write("code", "3"),
        lambda: repository.write("new", "1"),
        lambda: repository.write("new", "2"),
        lambda: (repository.root / "new").rename(repository.root / "renamed"),
        repository.commit,
        repository.commit,
    ):
        change()
        seen.append(await tree_digest(repository.root))
    assert None not in seen
    assert len(set(seen)) == len(seen)


async def test_the_digest_leaves_out_what_is_ignored_and_comes_back_with_the_files(repository: Repository) -> None:
    first = await tree_digest(repository.root)
    repository.write("ignored", "1")
    assert await tree_digest(repository.root) == first
    repository.write("code", "2")
    assert await tree_digest(repository.root) != first
    repository.write("code", "1")
    assert await tree_digest(repository.root) == first


async def test_staging_alone_is_no_change_of_the_files(repository: Repository) -> None:
    repository.write("code", "2")
    before = await tree_digest(repository.root)
    repository.git("add", "code")
    assert await tree_digest(repository.root) == before


async def test_without_git_there_is_no_digest_and_the_checks_run_all_the_same(project: Project) -> None:
    said = await project.gate({"name": "it", "run": ["true"]})
    assert said["tree"] is None
    assert said["results"][0]["status"] == "passed"


async def test_the_digest_is_of_the_files_as_the_fixes_left_them(project: Project) -> None:
    repository = Repository(project.root)
    repository.write(".gitignore", "ignored\n.phaseloom/\n")
    repository.commit()
    said = await project.gate({"name": "it", "run": ["test", "-e", "notes"], "fix": ["touch", "notes"]})
    assert said["tree"] == await tree_digest(project.root)
