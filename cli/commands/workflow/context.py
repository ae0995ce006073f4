"""`phaseloom workflow context …`: what agents share, who wrote it, and what has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import Look, command
from cli.commands.workflow.acting import looked_at
from cli.console import Console
from cli.exits import Exit

if TYPE_CHECKING:
    from cli.api.context import Context, ContextKey

Json = dict[str, Any]

context_app = typer.Typer(
    name="context",
    help="Look at the shared context: its values, its versions, and what changed between them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Key = Annotated[str | None, typer.Argument(metavar="KEY", help="Only this key.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    command(context_app, "show")(show)
    command(context_app, "history")(history)
    command(context_app, "diff")(diff)
    app.add_typer(context_app)


async def show(
    look: Look,
    key: Key = None,
    *,
    at: Annotated[
        str | None, typer.Option("--at", metavar="VERSION", help="As of this version, or @N: after fact N.")
    ] = None,
) -> Exit:
    """Show the keys with their values, or all of one."""
    from cli.words import context as words  # noqa: PLC0415 - not needed for --help

    console = Console(json=look.json)
    run = await looked_at(look, console)
    found = (await run.context(key, at=at)).to_json()
    now = (await run.view(limit=0)).now
    console.answer(found, words.one(found["keys"][0], now) if key is not None else words.keys(found, now))
    return Exit.OK


async def history(look: Look, key: Key = None) -> Exit:
    """List the versions: who wrote which keys when, and how."""
    from cli.words import context as words  # noqa: PLC0415 - not needed for --help

    console = Console(json=look.json)
    run = await looked_at(look, console)
    found = [version.to_json() for version in await run.context_history(key)]
    now = (await run.view(limit=0)).now
    console.answer({"run": run.id, "versions": found}, words.history(found, now))
    return Exit.OK


async def diff(
    look: Look,
    first: Annotated[str, typer.Argument(metavar="A", help="A version, or @N: what it was after fact N.")],
    second: Annotated[str | None, typer.Argument(metavar="B", help="The same; default: the newest version.")] = None,
    *,
    key: Annotated[str | None, typer.Option("--key", metavar="KEY", help="Only this key.")] = None,
) -> Exit:
    """Show what changed between two versions, by key, list item and line."""
    from cli.words import context as words  # noqa: PLC0415 - not needed for --help

    console = Console(json=look.json)
    run = await looked_at(look, console)
    before, after = await run.context(key, at=first), await run.context(key, at=second)
    changes = _changes(before, after)
    told = {"run": run.id, "from": before.version, "to": after.version, "keys": changes}
    console.answer(told, words.changes(told))
    return Exit.OK


def _changes(before: Context, after: Context) -> list[Json]:
    """What became of each key that is not the same: `{key, from, to, by, changes: [{change, path, old, new}]}`."""
    found = []
    for old, new in zip(before.keys, after.keys, strict=True):
        if old.version == new.version:
            continue
        newer = new if new.version > old.version else old
        found.append(
            {
                "key": new.key,
                "from": old.version,
                "to": new.version,
                "by": newer.by,
                "phase": newer.phase,
                "changes": _between(old, new),
            }
        )
    return found


def _between(old: ContextKey, new: ContextKey) -> list[Json]:
    from cli.words.differences import differences  # noqa: PLC0415 - only here

    if old.has_value and new.has_value:
        return differences(old.value, new.value)
    if new.has_value:
        return [{"change": "add", "path": "", "new": new.value}]
    return [{"change": "remove", "path": "", "old": old.value}] if old.has_value else []
