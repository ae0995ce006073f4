"""What commands that change a run have in common: the message goes out, its answer is put into words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cli.command import Act, Look, Sign, Where
from cli.console import Console
from cli.exits import Exit

if TYPE_CHECKING:
    from cli.api.answers import Answer, Queued
    from cli.api.client import Client
    from cli.api.handle import RunHandle
    from cli.api.messages import About

    A = TypeVar("A", bound=Answer)

Json = dict[str, Any]
Words = Callable[[Json, Json | None], list[str]]
"""An answer, and the run right after it (None where it has ended), as lines."""


def about(act: Act) -> About:
    """The fields that every message carries."""
    return {"actor": act.actor, "note": act.note, "request_id": act.request_id}


async def meant(act: Act, console: Console) -> RunHandle:
    """The run to act on."""
    from cli.api.handle import RunHandle  # noqa: PLC0415 - not needed for --help
    from cli.reach.selection import run_to_act_on  # noqa: PLC0415

    run = await run_to_act_on(act, console)
    key = act.key if isinstance(act, Sign) else None
    return RunHandle(run, run.connection.project.root, where=act, key=key)


async def looked_at(look: Look, console: Console) -> RunHandle:
    """The run to look at; the current one may have ended."""
    from cli.api.handle import RunHandle  # noqa: PLC0415 - not needed for --help
    from cli.reach.place import here  # noqa: PLC0415
    from cli.reach.selection import run_to_look_at  # noqa: PLC0415

    key = look.key if isinstance(look, Sign) else None
    return RunHandle(await run_to_look_at(look, console), here(), where=look, key=key)


async def client_for(where: Where, console: Console, *, actor: str | None = None, key: Path | None = None) -> Client:
    """A client for the project here, its notices told."""
    from cli.api.client import Client  # noqa: PLC0415 - not needed for --help
    from cli.reach.contact import connected  # noqa: PLC0415

    connection = await connected(where, console)
    return Client(connection, actor=actor, address=where.address, profile=where.profile, key=key)


async def client_to_read(where: Where, console: Console, *, actor: str | None = None) -> Client | None:
    """As `client_for`; None where there can be no run: the folder is no project, and cannot be made one."""
    from cli.api.client import Client  # noqa: PLC0415 - not needed for --help
    from cli.reach.contact import connected_to_read  # noqa: PLC0415

    connection = await connected_to_read(where, console)
    if connection is None:
        return None
    return Client(connection, actor=actor, address=where.address, profile=where.profile)


async def answered(message: Awaitable[A | Queued], console: Console) -> A | None:
    """A message's answer; None, and told, when the message waits for a worker as a signal."""
    from cli.api.answers import Queued  # noqa: PLC0415 - loaded by then

    answer = await message
    if not isinstance(answer, Queued):
        return answer
    console.answer(answer.to_json(), ["No worker answers now: sent as a signal, it counts when a worker is back."])
    return None


async def act_on(
    act: Act, message: Callable[[RunHandle], Awaitable[A | Queued]], words: Words, *, run: RunHandle | None = None
) -> Exit:
    """Send a message and print its answer; raises RefusedError when the run refuses it."""
    console = Console(json=act.json)
    run = run or await meant(act, console)
    answer = await answered(message(run), console)
    if answer is not None:
        view = await view_after(run, answer) if not console.json else None
        told = answer.to_json()
        console.answer(told, words(told, view) if not console.json else [])
    return Exit.OK


async def view_after(run: RunHandle, answer: Answer) -> Json | None:
    """The run right after an answer; None where it has ended."""
    ended = answer.run.status in {"completed", "failed", "cancelled"}
    return None if ended else (await run.view()).to_json()
