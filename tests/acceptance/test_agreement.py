"""`status --json`, the query `view`, the Python API and Temporal's history tell the same of a run, whatever is done.

Hypothesis makes up plans and what an operator does; each step is done to a real run by the command line, by the API or
by a bare signal. After each, once nothing moves, all of them are compared with what `tests.acceptance.history` has
folded from the history and the facts.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, note, settings
from hypothesis import Phase as Stage

from cli.api import Client, Queued, RefusedError, RunHandle
from cli.main import execute
from tests.acceptance.compare import differences, unexplained
from tests.acceptance.history import ENDED, History, Told, history_of, stamp, told_by
from tests.acceptance.sketches import FAILING, GROUP, PEOPLE, SIGNAL, Move, Story, definition, stories
from tests.cli.program.person import Person, until

Json = dict[str, Any]
SECONDS = 60.0


@dataclass(frozen=True)
class Moment:
    """What everybody says at one moment in which nothing moves."""

    history: History
    told: Told
    facts: list[Json]
    printed: Json
    asked: Json
    handle: RunHandle


class Operator:
    """Somebody who acts on one run in several ways and keeps count of what was taken."""

    def __init__(self, client: Client, run: RunHandle, story: Story, token: str) -> None:
        self.client, self.run, self.story, self.token = client, run, story, token
        self.handle = client._connection.client.get_workflow_handle(run.id)
        self.opened: set[int] = set()
        self.taken: list[str] = []

    async def still(self) -> History:
        """The history, once nothing moves: no workflow task, and no work but at gates that are closed."""
        ends = time.monotonic() + SECONDS
        while True:
            history = await history_of(self.handle, self.client._connection.client.data_converter)
            if history.closed is not None or (not history.moving and all(map(self._waits, history.open_work))):
                return history
            assert time.monotonic() < ends, f"it still moves: {history}"
            await asyncio.sleep(0.02)

    def _waits(self, work: Any) -> bool:
        gated = self.story.phases[work.phase].kind == "gated"
        return gated and work.phase not in self.opened and not work.unwanted

    async def moment(self) -> Moment:
        """Ask everybody; again if the run has moved in the meantime."""
        while True:
            history = await self.still()
            began = stamp(time.time())
            printed = await asyncio.to_thread(said, "workflow", "status", "--json", "--run", self.run.id)
            printed.pop("eta")  # an estimate that `status` adds to the view
            asked = await self.handle.query("view", {})
            facts: list[Json] = []
            while (answer := await self.handle.query("journal", {"since": len(facts), "limit": 7}))["facts"]:
                facts += answer["facts"]
            handle = await self.client.run(self.run.id)
            assert printed["now"] >= began, "how long something waits is told as of now, not as of the last event"
            assert (await handle.view(limit=0)).now >= began
            if (await self.still()).events == history.events:
                return Moment(history, told_by(history.plan, facts), facts, printed, asked, handle)

    def targets(self, name: str, told: Told) -> list[int]:
        """The phases for which a move makes sense; all of them where there is none: it is refused then."""
        phases = told.phases
        fitting = {
            "complete_phase": [p.index for p in phases if p.status == "in_progress" and p.manual],
            "fail_phase": [p.index for p in phases if p.status == "in_progress" and p.manual],
            "report_progress": [p.index for p in phases if p.status == "in_progress"],
            "open_gate": [i for i, s in enumerate(self.story.phases) if s.kind == "gated" and i not in self.opened],
            "start_parallel": [p.index for p in phases if p.held],
            "cancel_parallel": [p.index for p in phases if p.status == "in_progress" and "group" in p.plan],
            "retry": told.undecided,
            "replace_output": told.undecided,
            "skip": told.undecided,
            "give_up": [p.index for p in phases if p.status in {"in_progress", "pending", "paused"}],
        }
        return fitting.get(name, []) or [p.index for p in phases]

    async def does(self, move: Move, told: Told) -> None:
        """Do it; what is refused changes nothing, which the next comparison checks."""
        targets = self.targets(move.name, told)
        index = targets[move.pick % len(targets)]
        if move.name == "open_gate":
            self.opened.add(index)
            (self.client.root / f"{self.token}-{index}").touch()
            return
        name, payload = message(move.name, index)
        if await getattr(self, f"_by_{move.way}")(name, payload):
            self.taken.append(name)

    async def _by_api(self, name: str, payload: Json) -> bool:
        more = {"wait": False} if name in {"cancel", "cancel_parallel"} else {}
        try:
            answer = await getattr(self.run, name)(**payload, **more)
        except RefusedError:
            return False
        assert not isinstance(answer, Queued)
        return True

    async def _by_cli(self, name: str, payload: Json) -> bool:
        if name in {"fail_phase", "report_progress"}:
            return await self._by_api(name, payload)  # no command: a worker's own messages
        word = {"report_signal": "signal"}.get(name, name.replace("_", "-"))
        if name == "intervene":
            words = [payload["action"], "--phase", str(payload["phase"])]
            words += ["--reason", payload["reason"]] if "reason" in payload else []
            words += ["--output", "a=1"] if "outputs" in payload else []
        else:
            words = [str(value) for value in payload.values()]
        code, _, _ = await asyncio.to_thread(typed, "workflow", word, *words, "--json", "--run", self.run.id)
        assert code in {0, 4}, (word, words, code)
        return code == 0

    async def _by_signal(self, name: str, payload: Json) -> bool:
        await self.handle.signal(name, {**payload, "actor": "sig"})
        return False  # a signal is in the history, taken or not; the facts say which

    async def ends(self) -> Told:
        """Bring the run to its end: decide, complete, open and report what it waits for, or cancel it."""
        told = await checked(await self.moment(), self.taken)
        if not self.story.ends and told.status not in ENDED:
            await self.does(Move("cancel"), told)
        for _ in range(4 * len(self.story.phases)):
            if (told := await checked(await self.moment(), self.taken)).status in ENDED:
                return told
            await self._moves_on(told)
        raise AssertionError(f"it does not end: {told}")

    async def _moves_on(self, told: Told) -> None:
        for index, sketch in enumerate(self.story.phases):
            if sketch.kind == "gated" and index not in self.opened:
                self.opened.add(index)
                (self.client.root / f"{self.token}-{index}").touch()
        names = [
            *(["resume"] if told.operator else []),
            *(["skip"] if told.undecided else []),
            *(["complete_phase"] if any(p.status == "in_progress" and p.manual for p in told.phases) else []),
        ]
        for name in names or (["report_signal"] if self.story.signal else []):
            await self.does(Move(name), told)


def message(name: str, index: int) -> tuple[str, Json]:
    """The message of a move, and its fields."""
    more: dict[str, Json] = {
        "retry": {"action": "retry"},
        "skip": {"action": "skip", "reason": "enough"},
        "replace_output": {"action": "replace_output", "outputs": {"a": 1}},
        "give_up": {"action": "cancel"},
        "report_progress": {"progress": f"{index + 1} of 9"},
        "fail_phase": {"error": "it broke"},
    }
    if name in {"next", "pause", "resume", "cancel"}:
        return name, {}
    if name == "report_signal":
        return name, {"signal": SIGNAL}
    named = "intervene" if "action" in more.get(name, {}) else name
    return named, {"phase": index, **more.get(name, {})}


def typed(*words: str) -> tuple[int, str, str]:
    """A command line in this process: its exit code and what it has printed."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = execute(list(words))
    return int(code), out.getvalue(), err.getvalue()


def said(*words: str) -> Json:
    code, out, err = typed(*words)
    assert code == 0, (words, err)
    printed: Json = json.loads(out)
    return printed


async def checked(moment: Moment, taken: list[str]) -> Told:
    """What the facts tell, once everybody else has been found to say the same."""
    view = timeless(moment.asked)
    assert timeless(moment.printed) == view
    typed_view = await moment.handle.view()
    assert timeless(typed_view.to_json()) == view
    assert differences(view, moment.told, moment.history, moment.facts) == []
    assert unexplained(moment.history, moment.told, moment.facts, taken) == []
    assert (typed_view.status, typed_view.counts) == (view["status"], view["counts"])
    assert typed_view.progress.completed == view["progress"]["completed"]
    assert [(row.id, row.status, row.epoch, row.started_at) for row in typed_view.phases] == [
        (row["id"], row["status"], row["epoch"], row["started_at"]) for row in view["phases"]
    ]
    assert (await moment.handle.parallel_status()).active == view["parallel"]["active"]
    for row in view["phases"]:
        details = await moment.handle.phase(row["index"])
        whole = {key: value for key, value in row.items() if key != "error"}  # which is cut in a row
        assert {key: details.raw.get(key) for key in whole} == whole
    if moment.told.status in ENDED:
        assert timeless(moment.history.summary["view"]) == view, "the last view, which is in the history"
        assert moment.history.summary["status"] == view["status"]
    else:
        summary = await moment.handle.summary()
        assert summary is not None
        assert (summary.status, sorted(summary.waiting_for)) == (view["status"], words(view))
    return moment.told


def words(view: Json) -> list[str]:
    """Whom the run waits for, as the server's list of runs says it."""
    named = {
        "decision": lambda entry: f"decision:{entry['id']}",
        "person": lambda entry: f"person:{entry['who'][0]}",
        "signal": lambda entry: f"signal:{entry['signal']}",
    }
    return sorted({named[entry["for"]](entry) for entry in view["waiting"] if entry["for"] in named})


def timeless(view: Json) -> Json:
    return {key: value for key, value in view.items() if key != "now"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project whose server and worker run; commands in this process stand in it."""
    person = Person(tmp_path_factory.mktemp("project"))
    with pytest.MonkeyPatch.context() as patch, contextlib.chdir(person.root):
        for name in ("TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE"):
            patch.delenv(name, raising=False)
        patch.setenv("XDG_CONFIG_HOME", person.environ["XDG_CONFIG_HOME"])
        patch.setenv("PHASELOOM_ACTOR", "ana")
        try:
            person.types("runs")
            until(person.has_worker)
            yield person.root
        finally:
            person.tries("down", "--force")


async def told_from_all_sides(root: Path, story: Story, number: int) -> str:
    async with Client.connect(root) as client:
        token = f"gate-{number}"
        (root / f"{token}.yaml").write_text(json.dumps(definition(story, token)), encoding="utf-8")
        run = await client.start(f"{token}.yaml")
        operator = Operator(client, run, story, token)
        for move in story.moves:
            told = await checked(await operator.moment(), operator.taken)
            if told.status in ENDED:
                break
            await operator.does(move, told)
        return (await operator.ends()).status


@pytest.mark.timeout(600)
@example(story=PEOPLE)
@example(story=GROUP)
@example(story=FAILING)
@given(story=stories)
@settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Stage.explicit, Stage.generate),
    suppress_health_check=list(HealthCheck),
)
def test_status_view_and_api_agree_with_the_history_whatever_is_done(place: Path, story: Story) -> None:
    note(f"{story}")
    number = len(list(place.glob("gate-*.yaml")))
    status = asyncio.run(told_from_all_sides(place, story, number))
    assert status in (story.ending or ENDED)
