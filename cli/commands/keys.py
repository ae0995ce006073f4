"""`phaseloom keys …` and `phaseloom sign`: keys of people, and decisions signed for any Temporal client."""

from __future__ import annotations

import json as codec
from typing import Annotated, Any

import typer

from cli.command import Sign, command
from cli.commands.workflow.acting import about, meant
from cli.console import Console
from cli.exits import Exit, UsageError

Json = dict[str, Any]

keys_app = typer.Typer(
    name="keys", help="The keys that decisions are signed with.", no_args_is_help=True, rich_markup_mode=None
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(keys_app, "create")(create)
    command(keys_app, "list")(list_keys)
    app.add_typer(keys_app)
    command(app, "sign")(sign)


def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose: the name that decisions are given under.")],
    *,
    json: AsJson = False,
) -> Exit:
    """Make a key for somebody, in a file of this user that nobody else may read.

    What it prints belongs in the project's phaseloom.yaml.
    """
    from cli.api.signing import create as created  # noqa: PLC0415 - not needed for --help

    key = created(name)
    told = {"name": key.name, "file": str(key.file), "public": key.public}
    lines = [
        f"Made a key for {key.name}: {key.file}",
        "Decisions have to be signed in runs that start once phaseloom.yaml says:",
        "",
        "signing:",
        "  keys:",
        f"    {codec.dumps(key.name, ensure_ascii=False)}: {codec.dumps(key.public)}",
    ]
    Console(json=json).answer(told, lines)
    return Exit.OK


def list_keys(*, json: AsJson = False) -> Exit:
    """List the keys of this user."""
    from cli.api.signing import listed  # noqa: PLC0415 - not needed for --help
    from cli.words.table import table  # noqa: PLC0415

    keys = listed()
    told = [
        {"name": k.name, "file": str(k.file), "public": k.public or None, "problem": k.problem or None} for k in keys
    ]
    rows = [("NAME", "PUBLIC KEY", "FILE"), *((k.name, k.public or k.problem, str(k.file)) for k in keys)]
    Console(json=json).answer(
        {"keys": told}, table(rows) if keys else ["No keys; phaseloom keys create NAME makes one."]
    )
    return Exit.OK


async def sign(
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help="decide_gate, delegate_gate, intervene, …")],
    payload: Annotated[str, typer.Argument(metavar="JSON", help="The message's fields, as one JSON object.")],
    act: Sign,
) -> Exit:
    """Sign a decision and print it, for any Temporal client to send; nothing is sent.

    It counts once, and only while the run stands where it stands now.
    """
    console = Console(json=act.json)
    fields = _object(payload)
    given = {key: value for key, value in about(act).items() if value is not None}
    run = await meant(act, console)
    done = codec.dumps(await run.sign(message, {**fields, **given}), ensure_ascii=False)
    console.answer(codec.loads(done), [done])
    return Exit.OK


def _object(text: str) -> Json:
    try:
        fields = codec.loads(text)
    except ValueError as error:
        raise UsageError(f"the payload is no JSON: {error}", hint='write it like \'{"gate": "release"}\'') from None
    if not isinstance(fields, dict):
        raise UsageError("the payload must be one JSON object", hint='write it like \'{"gate": "release"}\'')
    return fields
