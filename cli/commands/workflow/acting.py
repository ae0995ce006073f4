"""What commands that change a run have in common: the message goes out, its answer is put into words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cli.command import Act
from cli.console import Console
from cli.exits import Exit

if TYPE_CHECKING:
    from cli.reach.runs import ServerRun

Json = dict[str, Any]
Words = Callable[[Json, Json | None], list[str]]
"""An answer, and the run right after it (None where it has ended), as lines."""


def common(act: Act) -> Json:
    """The fields that every message carries."""
    from cli.reach.place import actor  # noqa: PLC0415 - not needed for --help

    fields: Json = {"actor": actor(act.actor)}
    if act.note is not None:
        fields["note"] = act.note
    if act.request_id is not None:
        fields["request_id"] = act.request_id
    return fields


async def meant(act: Act, console: Console) -> ServerRun:
    """The run that is meant."""
    from cli.reach.selection import run_to_act_on  # noqa: PLC0415 - not needed for --help

    return await run_to_act_on(act, console)


async def send(run: ServerRun, act: Act, console: Console, name: str, payload: Json) -> Json | None:
    """The run's answer; None, and told, when the message waits for a worker as a signal."""
    answer = await run.send(name, {**payload, **common(act)})
    if answer is None:
        console.answer(
            {"run": {"id": run.id}, "sent_as": "signal", "message": name},
            ["No worker answers now: sent as a signal, it counts when a worker is back."],
        )
    return answer


async def act_on(act: Act, name: str, payload: Json, words: Words, *, run: ServerRun | None = None) -> Exit:
    """Send a message and print its answer; raises RefusedError when the run refuses it."""
    console = Console(json=act.json)
    run = run or await meant(act, console)
    answer = await send(run, act, console, name, payload)
    if answer is not None:
        view = await view_after(run, answer) if not console.json else None
        console.answer(answer, words(answer, view) if not console.json else [])
    return Exit.OK


async def view_after(run: ServerRun, answer: Json) -> Json | None:
    """The run right after an answer; None where it has ended."""
    ended = answer["run"]["status"] in {"completed", "failed", "cancelled"}
    return None if ended else await run.view()
