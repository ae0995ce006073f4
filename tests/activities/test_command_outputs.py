"""The activity `command`: what a command hands back."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.artifacts import ArtifactStore, Ref
from tests.activities.showing import python

if TYPE_CHECKING:
    from tests.activities.conftest import Project


async def test_outputs_come_from_expressions_and_the_output_file_with_their_types(project: Project) -> None:
    printed = '{"failed": 0, "coverage": "0.93", "list": [1]}'
    script = f"""echo '{printed}'; echo '{{"failed": 7, "extra": null}}' > "$PHASELOOM_OUTPUT" """
    result = await project.command(
        {"run": ["sh", "-c", script]},
        outputs={
            "failed": {"type": "integer", "value": "stdout_json.failed"},
            "coverage": {"type": "number", "value": "stdout_json.coverage"},
            "good": {"type": "boolean", "value": "exit_code == 0"},
            "list": {"type": "list", "value": "stdout_json.list"},
            "text": {"type": "string", "value": "stdout"},
        },
    )
    assert result["outputs"] == {
        "failed": 0,
        "coverage": 0.93,
        "good": True,
        "list": [1],
        "text": printed,
        "extra": None,
    }


@pytest.mark.parametrize(
    ("script", "outputs", "words"),
    [
        ("echo no", {"n": {"type": "integer", "value": "stdout"}}, "'n': an integer is needed here"),
        ("echo no", {"n": {"value": "stdout_json.a"}}, "stdout is not JSON"),
        ("echo '{}'", {"n": {"value": "stdout_json.a"}}, "stdout_json.a is not defined"),
        ("true", {"n": {"type": "integer"}}, "'n' is declared, and was not written"),
        ('echo "[1]" > $PHASELOOM_OUTPUT', {}, "does not hold a JSON object"),
        ('echo "{" > $PHASELOOM_OUTPUT', {}, "$PHASELOOM_OUTPUT is not JSON"),
        ("echo '{\"a\": NaN}' > $PHASELOOM_OUTPUT", {}, "$PHASELOOM_OUTPUT is not JSON"),
        ("mkdir $PHASELOOM_OUTPUT", {}, "not a file"),
    ],
)
async def test_a_bad_output_is_a_failure_of_quality(project: Project, script: str, outputs: Any, words: str) -> None:
    with pytest.raises(ApplicationError) as caught:
        await project.command({"run": ["sh", "-c", script]}, outputs=outputs)
    assert caught.value.type == "bad_output"
    assert caught.value.details[0]["class"] == "quality"
    assert words in caught.value.message


async def test_large_outputs_move_to_the_store_and_small_ones_stay(project: Project) -> None:
    result = await project.command(python("{'big': 'y' * 5000}") | {}, outputs={})
    ref = Ref.from_json(result["outputs"]["got"])
    assert ref is not None
    assert ref.media_type == "application/json"
    assert ArtifactStore(project.root).get_json(ref.sha256) == {"big": "y" * 5000}
    small = await project.command(python("'y' * 4000"))
    assert small["outputs"]["got"] == "y" * 4000


async def test_a_list_that_another_phase_runs_for_stays_where_the_engine_can_see_it(project: Project) -> None:
    write = python("list(range(2000))")
    assert "$artifact" in (await project.command(write))["outputs"]["got"]
    assert (await project.command(write, inline=["got"]))["outputs"]["got"] == list(range(2000))
    assert "$artifact" in (await project.command(python("'x' * 60_000"), inline=["got"]))["outputs"]["got"]


async def test_many_outputs_together_stay_small(project: Project) -> None:
    script = "{f'o{i}': 'z' * 3000 for i in range(40)}"
    write = f"import json, os; json.dump({script}, open(os.environ['PHASELOOM_OUTPUT'], 'w'))"
    result = await project.command({"run": [sys.executable, "-c", write]})
    assert len(json.dumps(result["outputs"])) < 20_000
    assert len(result["outputs"]) == 40


async def test_files_left_behind_become_artifacts(project: Project) -> None:
    script = (
        'cd "$PHASELOOM_ARTIFACTS"; mkdir sub; echo hi > sub/a.txt; echo "<p>" > report.html; ln -s /etc/passwd link'
    )
    result = await project.command({"run": ["sh", "-c", script]})
    assert [(a["name"], a["size"], a["media_type"]) for a in result["artifacts"]] == [
        ("report.html", 4, "text/html"),
        ("sub/a.txt", 3, "text/plain"),
    ]
    assert ArtifactStore(project.root).get_bytes(result["artifacts"][1]["sha256"]) == b"hi\n"


async def test_very_many_files_become_one_manifest(project: Project) -> None:
    result = await project.command(
        {"run": ["sh", "-c", 'cd "$PHASELOOM_ARTIFACTS"; for i in $(seq 70); do echo $i > f$i; done']}
    )
    assert [artifact["name"] for artifact in result["artifacts"]] == ["manifest.json"]
    assert len(ArtifactStore(project.root).get_json(result["artifacts"][0]["sha256"])) == 70


async def test_a_default_stands_in_for_an_output_that_was_not_written(project: Project) -> None:
    outputs = {
        "level": {"type": "integer", "default": 3, "optional": True},
        "seen": {"type": "integer", "value": "stdout_json.seen", "default": 0, "optional": True},
        "none": {"type": "string", "optional": True},
    }
    result = await project.command({"run": ["sh", "-c", 'echo "{\\"seen\\": null}"']}, outputs=outputs)
    assert result["outputs"] == {"level": 3, "seen": 0, "none": None}


async def test_what_a_reviewer_prints_is_in_its_result_without_its_secrets(project: Project) -> None:
    script = "echo APPROVE $API_TOKEN; seq 10000"
    config = {"run": ["sh", "-c", script], "pass_env": ["API_TOKEN"]}
    project.environ["API_TOKEN"] = "a-very-secret-word"
    said = (await project.command(config, review=True))["said"]
    assert said.startswith("APPROVE ")
    assert "secret" not in said
    assert len(said) <= 4096
    assert "said" not in await project.command(config), "of others it costs nothing"
