"""`phaseloom inbox`: what waits for somebody over all runs, and `inbox decide`, a walk through the gates in it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from cli.command import Where, command, default
from cli.commands.workflow.acting import client_for, client_to_read
from cli.console import Console, is_terminal
from cli.exits import Exit, UsageError
from cli.reach.inputs import values
from cli.reach.place import actor as acting

if TYPE_CHECKING:
    from cli.api.client import Client
    from cli.api.details import GateDetails
    from cli.api.inbox import InboxItem

Json = dict[str, Any]
Decision = Literal["approve", "request_changes", "reject"]
Undecided = Literal["skip", "quit"]

A = TypeVar("A", bound=str)

inbox_app = typer.Typer(name="inbox", rich_markup_mode=None)

Actor = Annotated[
    str | None, typer.Option("--actor", metavar="NAME", help="Whose; default: $PHASELOOM_ACTOR or the login name.")
]

DECISIONS: dict[str, Decision] = {"a": "approve", "c": "request_changes", "r": "reject"}
NONE: dict[str, Undecided] = {"s": "skip", "q": "quit"}
QUESTION = "[a]pprove, request [c]hanges, [r]eject, [s]kip for now, [q]uit"


def register(app: typer.Typer) -> None:
    """Add the group."""
    default(inbox_app)(inbox)
    command(inbox_app, "decide")(decide)
    app.add_typer(inbox_app)


async def inbox(
    context: typer.Context,
    where: Where,
    *,
    every: Annotated[bool, typer.Option("--all", help="Gates that wait for others too.")] = False,
    actor: Actor = None,
) -> Exit:
    """List what waits for you over all runs, or walk through it.

    Gates, stopped phases, phases that a person has open, completion signals: with the command for each.
    """
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return Exit.OK
    from cli.api.inbox import empty  # noqa: PLC0415 - not needed for --help
    from cli.words.bars import canvas  # noqa: PLC0415
    from cli.words.inbox import listing  # noqa: PLC0415

    console = Console(json=where.json)
    client = await client_to_read(where, console, actor=actor)
    found = (empty(acting(actor)) if client is None else await client.inbox(all=every)).to_json()
    fits = canvas(sys.stdout).width if is_terminal(sys.stdout) else None
    console.answer(found, listing(found, fits=fits))
    return Exit.OK


def _refuse_options(context: typer.Context) -> None:
    """An option before the name of a command would have no effect there: say so."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            option = "--all" if name == "every" else f"--{name.replace('_', '-')}"
            hint = f"phaseloom inbox {context.invoked_subcommand} --help lists its options"
            raise UsageError(f"{option} stands before {context.invoked_subcommand!r}", hint=hint)


async def decide(
    where: Where,
    *,
    actor: Actor = None,
    key: Annotated[
        Path | None,
        typer.Option("--key", metavar="FILE", help="The key to sign with where a run asks for that."),
    ] = None,
) -> Exit:
    """Walk through the gates that wait for you: each is shown, then you approve, ask for changes, reject or skip it.

    Your decision names the evidence that was shown. What is refused meanwhile is told, and the walk goes on.
    """
    console = Console(json=where.json)
    if console.json or not sys.stdin.isatty():
        raise UsageError(
            "inbox decide asks questions, and nobody can be asked here",
            hint="see phaseloom inbox; then: phaseloom workflow gate approve GATE --run ID --evidence DIGEST",
        )
    client = await client_for(where, console, actor=actor, key=key)
    gates = (await client.inbox()).gates
    if not gates:
        console.line(f"No gate waits for you ({acting(actor)}).")
        return Exit.OK
    await _Walk(client, console).through(gates)
    return Exit.OK


class _Walk:
    """One walk through gates; at its end, however that comes, stands what was decided."""

    def __init__(self, client: Client, console: Console) -> None:
        self._client = client
        self._console = console
        self._outcomes: list[str] = []

    async def through(self, gates: tuple[InboxItem, ...]) -> None:
        """Show each gate, ask, and send what is decided, until the last one or until somebody quits."""
        from cli.words.inbox import heading, summary  # noqa: PLC0415 - not needed for --help

        try:
            for number, item in enumerate(gates, start=1):
                self._console.lines([*([""] if number > 1 else []), heading(item.to_json(), number, len(gates))])
                outcome = await self._at(item)
                if outcome == "quit":
                    break
                self._outcomes.append(outcome)
        finally:
            self._console.lines(["", summary(self._outcomes, len(gates) - len(self._outcomes))])

    async def _at(self, item: InboxItem) -> str:
        """What became of one gate: a decision, `skip`, `quit`, `refused` or `gone`."""
        from cli.api import NotFoundError, NoWorkerError, Queued, RefusedError  # noqa: PLC0415 - as above
        from cli.words.gates import answered  # noqa: PLC0415
        from engine.errors import WorkspaceError  # noqa: PLC0415

        try:
            run = await self._client.run(item.run)
            gate = next((g for g in await run.gates() if _same(g, item)), None)
            if gate is None:
                self._console.line(f"{item.what} does not wait any more.")
                return "gone"
            asked = self._asked(gate, (await run.view(limit=0)).now)
            if isinstance(asked, str):
                return asked
            decision, details = asked
            about: Json = {"phase": gate.phase, "evidence": gate.evidence, **details}
            answer = await run.decide_gate(gate.gate, decision, **about)
        except (RefusedError, NotFoundError, NoWorkerError, WorkspaceError) as error:
            self._console.line(f"Not decided: {error.message}" + (f" ({error.hint})" if error.hint else ""))
            return "refused"
        queued = ["No worker answers now: sent as a signal, it counts when a worker is back."]
        self._console.lines(queued if isinstance(answer, Queued) else answered(answer.to_json(), None))
        return decision

    def _asked(self, gate: GateDetails, now: str) -> tuple[Decision, Json] | Undecided:
        """What the person decides, with what the decision needs."""
        from cli.words.gates import described  # noqa: PLC0415 - as above

        self._console.lines(described(gate.to_json(), now))
        with interruptible():
            while True:
                written = _ask(QUESTION)
                if (undecided := _among(NONE, written)) is not None:
                    return undecided
                decision = _among(DECISIONS, written)
                if decision == "approve":
                    return decision, {"form": _form(gate.form), "comment": _ask("Comment (may be empty)") or None}
                if decision is not None and (comment := _ask("Why (empty: decide otherwise)")):
                    return decision, {"comment": comment}


def _same(gate: GateDetails, item: InboxItem) -> bool:
    return (gate.phase, gate.gate, gate.gate_status) == (item.phase, item.what, "waiting")


def _among(answers: dict[str, A], written: str) -> A | None:
    """The answer that a letter or the whole word means."""
    word = written.lower().replace(" ", "_").replace("-", "_")
    return next((answer for letter, answer in answers.items() if word in {letter, answer}), None)


def _form(fields: dict[str, str]) -> Json | None:
    """The fields of a gate's form as the person fills them in; a text stays as it is written."""
    filled: Json = {}
    for name, kind in fields.items():
        while not (written := _ask(f"{name} ({kind})")):
            pass
        filled |= {name: written} if kind == "string" else values([f"{name}={written}"], "--form")
    return filled or None


def _ask(question: str) -> str:
    return str(typer.prompt(question, default="", show_default=False)).strip()


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C end a question at once: asyncio would take note of it and wait for the answer all the same."""
    before: Callable[..., Any] | int | None = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
