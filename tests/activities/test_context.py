"""What the worker makes of writes to the shared context: large ones as references, and merges of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.artifacts import ArtifactStore
from activities.context import ContextActivities, kept_small, split
from activities.failures import AttemptError
from activities.python import PythonActivities
from activities.worker_context import WorkerContext
from engine.context.records import digest

if TYPE_CHECKING:
    from tests.activities.conftest import Project

Json = dict[str, Any]
WRITTEN = '{"context": {"port": 81}, "url": "x"}'
LINES = [f"line {number}" for number in range(800)]
TEXT = "\n".join(LINES) + "\n"


def store_in(root: Path) -> ArtifactStore:
    return ArtifactStore(root, durable=False)


async def merge(root: Path, sides: Json) -> Json:
    activities = ContextActivities(WorkerContext(root=root))
    task = {"context": sides, "theirs": dict.fromkeys(sides, 4)}
    answer: Json = await ActivityEnvironment().run(activities.merge_context, task)
    return answer["context"]  # type: ignore[no-any-return]  # Json of Json


async def test_large_texts_are_merged_by_line_and_stay_references(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    sides = {
        "base": TEXT,
        "theirs": TEXT.replace("line 3\n", "line three\n"),
        "mine": TEXT.replace("line 700\n", "line seven hundred\n"),
    }
    refs = {name: kept_small({"k": text}, store)["k"]["value"] for name, text in sides.items()}
    found = await merge(tmp_path, {"k": refs})
    write = found["merged"]["k"]
    merged = store.get_json(write["value"]["$artifact"].removeprefix("sha256:"))
    assert "line three\n" in merged
    assert "line seven hundred\n" in merged
    assert (write["hash"], write["type"]) == (digest(merged), "string")
    assert found["theirs"] == {"k": 4}


async def test_what_is_not_clear_is_named_by_its_place(tmp_path: Path) -> None:
    sides = {"a": {"theirs": 1, "mine": 2}, "b": {"base": {"x": 1}, "theirs": {"x": 2}, "mine": {"x": 3}}}
    found = await merge(tmp_path, sides)
    assert found["conflicts"] == {"a": "", "b": "both changed x"}
    assert found["merged"] == {}


async def test_a_content_that_is_gone_is_no_merge_and_not_tried_again(tmp_path: Path) -> None:
    gone = {"$artifact": f"sha256:{'0' * 64}", "size": 9, "media_type": "application/json"}
    with pytest.raises(ApplicationError) as caught:
        await merge(tmp_path, {"a": {"theirs": gone, "mine": 1}})
    assert caught.value.non_retryable


def test_equal_values_are_one_artifact_whatever_the_order_of_their_keys(tmp_path: Path) -> None:
    one = {"a": LINES, "b": 1}
    other = {"b": 1, "a": LINES}
    first, second = (kept_small({"k": value}, store_in(tmp_path))["k"] for value in (one, other))
    assert first == second
    assert first["hash"] == digest(one)


SHARED: Json = {"context": {"version": 3, "writes": ["port", "all"]}}


async def test_a_command_writes_by_its_output_file_and_is_told_what_it_reads(project: Project) -> None:
    values = {"inputs": {}, "phases": {}, "env": {}, "run": {}, "context": {"port": 80}}
    script = f"cp $PHASELOOM_INPUT seen.json; echo '{WRITTEN}' > $PHASELOOM_OUTPUT"
    changes: Json = {**SHARED, "values": values, "feedback": [{"by": "ana", "comment": "again", "epoch": 0}]}
    result = await project.command({"run": ["sh", "-c", script]}, **changes)
    assert (result["outputs"], result["context"]) == ({"url": "x"}, {"port": {"value": 81}})
    seen = json.loads((project.root / "seen.json").read_text())
    assert (seen["context"], seen["context_version"], seen["context_writes"]) == ({"port": 80}, 3, ["port", "all"])
    assert seen["feedback"][0]["comment"] == "again"


async def test_a_declared_output_writes_too_and_large_values_become_references(project: Project) -> None:
    (project.root / "big.json").write_text(json.dumps({"all": LINES}))
    outputs = {"context": {"type": "object", "value": "stdout_json"}}
    result = await project.command({"run": ["cat", "big.json"]}, outputs=outputs, **SHARED)
    write = result["context"]["all"]
    assert (write["hash"], write["type"], write["value"].keys() >= {"$artifact"}) == (digest(LINES), "list", True)


async def test_where_nothing_is_shared_context_is_an_output(project: Project) -> None:
    result = await project.command({"run": ["sh", "-c", f"echo '{WRITTEN}' > $PHASELOOM_OUTPUT"]})
    assert result["outputs"] == json.loads(WRITTEN)
    assert "context" not in result


async def test_a_python_function_writes_by_what_it_returns(project: Project) -> None:
    (project.root / "work.py").write_text("def go():\n    return {'context': {'port': 81}, 'url': 'x'}\n")
    activities = PythonActivities(WorkerContext(project.root, project.settings, project.environ))
    result = await project.env.run(activities.python, project.task({"function": "work:go"}, **SHARED))
    assert (result["outputs"], result["context"]) == ({"url": "x"}, {"port": {"value": 81}})


def test_small_values_stay_as_they_are_and_writes_leave_the_outputs(tmp_path: Path) -> None:
    outputs, writes = split({"url": "x", "context": {"port": 80}}, store_in(tmp_path))
    assert outputs == {"url": "x"}
    assert writes == {"port": {"value": 80}}


def test_writes_that_are_no_object_are_a_bad_output(tmp_path: Path) -> None:
    with pytest.raises(AttemptError, match="must be an object"):
        split({"context": [1]}, store_in(tmp_path))
