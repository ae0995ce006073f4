"""Stories for `test_agreement`: plans, and what is done to their runs, made up by Hypothesis or told here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]
GATED = "while [ ! -e {token}-{index} ]; do sleep 0.02; done"
SIGNAL = "legal has agreed"

KINDS = ("person", "person", "works", "fails", "gated", "never")
MOVES = (
    *("next", "complete_phase", "complete_phase", "fail_phase", "report_progress", "open_gate", "open_gate"),
    *("start_parallel", "cancel_parallel", "retry", "skip", "replace_output", "give_up"),
    *("pause", "resume", "report_signal", "cancel"),
)


@dataclass(frozen=True)
class Sketch:
    """One phase to be."""

    kind: str
    parallel: bool = False
    on_failure: str = "pause"
    needs: int | None = None
    always: bool = False


@dataclass(frozen=True)
class Move:
    """What an operator does: to the phase that `pick` comes to among those it makes sense for, by one of the ways."""

    name: str
    pick: int = 0
    way: str = "api"


@dataclass(frozen=True)
class Story:
    """A plan and what is done to its run; `ends`: whether the rest is then done too, or the run cancelled.

    `ending`: the status that it has to come to, where that is known.
    """

    phases: tuple[Sketch, ...]
    moves: tuple[Move, ...]
    max_workers: int = 2
    signal: bool = False
    ends: bool = True
    ending: frozenset[str] | None = None


sketches = st.builds(
    Sketch,
    kind=st.sampled_from(KINDS),
    parallel=st.booleans(),
    on_failure=st.sampled_from(("pause", "isolate", "isolate", "fail_fast")),
    needs=st.none() | st.integers(0, 4),
    always=st.sampled_from((False, False, True)),
)
stories = st.builds(
    Story,
    phases=st.lists(sketches, min_size=3, max_size=6).map(tuple),
    moves=st.lists(
        st.builds(
            Move, name=st.sampled_from(MOVES), pick=st.integers(0, 5), way=st.sampled_from(("cli", "api", "signal"))
        ),
        min_size=4,
        max_size=6,
    ).map(tuple),
    max_workers=st.integers(1, 3),
    signal=st.booleans(),
    ends=st.booleans(),
    ending=st.none(),
)


def definition(story: Story, token: str) -> Json:
    """The story's plan as a definition."""
    phases: list[Json] = []
    for index, sketch in enumerate(story.phases):
        phase: Json = {"id": f"p{index}", "parallel": sketch.parallel, "on_failure": sketch.on_failure}
        if sketch.needs is not None:
            phase["depends_on"] = [f"p{sketch.needs}"] if sketch.needs < index else []
        phase["always"] = sketch.always
        match sketch.kind:
            case "works" | "fails":
                phase |= {"tool": "sh", "tasks": ["true" if sketch.kind == "works" else "exit 3"]}
            case "gated":
                phase |= {"tool": "sh", "tasks": [GATED.format(token=token, index=index)]}
            case "never":
                phase["if"] = "${1 > 2}"
        phases.append(phase)
    return {
        "phases": phases,
        "completion_signals": [SIGNAL] if story.signal else [],
        "execution": {"max_workers": story.max_workers},
    }


PEOPLE = Story(
    phases=(
        Sketch("person"),
        Sketch("person", parallel=True),
        Sketch("gated", parallel=True),
        Sketch("works", on_failure="isolate"),
    ),
    moves=(Move("next"), Move("report_progress"), Move("pause", 0, "cli"), Move("complete_phase", 0, "signal")),
    signal=True,
    ending=frozenset({"completed"}),
)
GROUP = Story(
    phases=(Sketch("gated", parallel=True), Sketch("gated", parallel=True), Sketch("person", parallel=True)),
    moves=(Move("cancel_parallel", 0, "cli"), Move("retry", 0, "cli"), Move("start_parallel"), Move("pause")),
    max_workers=1,
    ends=False,
    ending=frozenset({"cancelled"}),
)
FAILING = Story(
    phases=(Sketch("fails"), Sketch("person", parallel=True), Sketch("fails", True, "fail_fast"), Sketch("never")),
    moves=(Move("retry"), Move("replace_output"), Move("give_up", 1, "signal"), Move("open_gate")),
    ending=frozenset({"failed"}),
)
