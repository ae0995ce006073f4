"""`phaseloom workflow gate …`: what keeps phases from going on, and deciding about it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.command import Look, Sign, command
from cli.commands.workflow.acting import about, act_on, looked_at, meant
from cli.console import Console
from cli.exits import Exit, UsageError
from cli.reach.inputs import values
from engine.errors import RefusedError

if TYPE_CHECKING:
    from cli.api.details import GateDetails
    from cli.api.handle import RunHandle

Json = dict[str, Any]
Decision = Literal["approve", "reject", "request_changes"]

gate_app = typer.Typer(
    name="gate",
    help="Look at gates, decide about them, have them checked again.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Gate = Annotated[str, typer.Argument(metavar="GATE", help="The gate's id, or PHASE/GATE where several phases have it.")]
GateOrBatch = Annotated[
    str | None, typer.Argument(metavar="[GATE]", help="The gate's id, or PHASE/GATE where several phases have it.")
]
Batch = Annotated[
    str | None,
    typer.Option("--batch", metavar="ID", help="Instead of one gate those of a batch whose evidence is named."),
]
Evidence = Annotated[
    list[str] | None,
    typer.Option(
        "--evidence", metavar="DIGEST", help="What the decision rests on, as `gate show` prints it; of a batch several."
    ),
]
Comment = Annotated[str | None, typer.Option("--comment", "-m", metavar="TEXT", help="Why.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    command(gate_app, "list")(list_gates)
    command(gate_app, "show")(show)
    command(gate_app, "approve")(approve)
    command(gate_app, "request-changes")(request_changes)
    command(gate_app, "reject")(reject)
    command(gate_app, "delegate")(delegate)
    command(gate_app, "retry")(retry)
    command(gate_app, "waive")(waive)
    app.add_typer(gate_app)


async def list_gates(look: Look) -> Exit:
    """List the gates that phases stand at now."""
    from cli.words.gates import listing  # noqa: PLC0415 - not needed for --help

    console = Console(json=look.json)
    view = (await (await looked_at(look, console)).view(limit=0)).to_json()
    console.answer({"run": view["run"], "gates": view["gates"]}, listing(view["gates"], view["now"]))
    return Exit.OK


async def show(gate: Gate, look: Look) -> Exit:
    """Show a gate: its checks, its decisions, the evidence."""
    from cli.words.gates import details, together  # noqa: PLC0415 - not needed for --help

    console = Console(json=look.json)
    run = await looked_at(look, console)
    found = await the_gate(run, gate)
    view = await run.view(limit=0)
    batch = [row.raw for row in view.gates if row.batch == found.batch and row.gate_status == "waiting"]
    beside = sum(row.gate == found.gate for row in view.gates) - 1
    told = details(found.to_json(), view.now, run=look.run, beside=beside)
    also = together(batch, look.run) if found.gate_status == "waiting" else []
    console.answer(found.to_json(), [*told, *also])
    return Exit.OK


async def approve(
    act: Sign,
    *,
    gate: GateOrBatch = None,
    batch: Batch = None,
    evidence: Evidence = None,
    comment: Comment = None,
    form: Annotated[
        list[str] | None, typer.Option("--form", "-f", metavar="NAME=VALUE", help="A field of the gate's form.")
    ] = None,
) -> Exit:
    """Approve what a gate asks for, or the gates of a batch.

    Without --evidence the gate is shown on a terminal and the decision confirmed.
    """
    filled = values(form, "--form") if form else None
    return await _decide(gate, batch, "approve", act, evidence=evidence, comment=comment, form=filled)


async def request_changes(
    act: Sign, *, gate: GateOrBatch = None, batch: Batch = None, comment: Comment = None, evidence: Evidence = None
) -> Exit:
    """Have the phase before a gate done again; the comment reaches whoever does it."""
    return await _decide(gate, batch, "request_changes", act, evidence=evidence, comment=comment)


async def reject(
    act: Sign, *, gate: GateOrBatch = None, batch: Batch = None, comment: Comment = None, evidence: Evidence = None
) -> Exit:
    """Reject what a gate asks for; the phase then waits for a decision."""
    return await _decide(gate, batch, "reject", act, evidence=evidence, comment=comment)


async def delegate(
    gate: Gate,
    act: Sign,
    *,
    to: Annotated[str, typer.Option("--to", metavar="NAME", help="Who decides instead of you.")],
) -> Exit:
    """Let somebody else decide about a gate in your name."""
    from cli.words.gates import answered  # noqa: PLC0415 - not needed for --help

    return await act_on(act, lambda run: run.delegate_gate(gate, to, **about(act)), answered)


async def retry(gate: Gate, act: Sign) -> Exit:
    """Check a gate again, after what it found has been mended."""
    from cli.words.gates import answered  # noqa: PLC0415 - not needed for --help

    return await act_on(act, lambda run: run.retry_gate(gate, **about(act)), answered)


async def waive(
    gate: Gate,
    act: Sign,
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it need not hold; kept.")],
    check: Annotated[
        str | None, typer.Option("--check", metavar="NAME", help="Only this check; default: the whole gate.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="DURATION", help="How long it holds: 12h, 7d; default: always.")
    ] = None,
) -> Exit:
    """Let a check, or a whole gate, be; the reason and your name are kept."""
    from cli.words.gates import answered  # noqa: PLC0415 - not needed for --help

    until = _until(expires) if expires is not None else None
    return await act_on(
        act, lambda run: run.waive_gate(gate, reason, check=check, expires=until, **about(act)), answered
    )


def _until(duration: str) -> float:
    """The moment that is a duration away, in seconds since 1970."""
    import time  # noqa: PLC0415 - only here

    from definitions.durations import DurationError, seconds  # noqa: PLC0415

    try:
        return time.time() + seconds(duration)
    except DurationError as error:
        raise UsageError(f"--expires: {error}", hint="write it like 12h or 7d") from error


async def _decide(
    gate: str | None,
    batch: str | None,
    decision: Decision,
    act: Sign,
    *,
    evidence: list[str] | None,
    comment: str | None,
    form: Json | None = None,
) -> Exit:
    from cli.words.gates import answered, batch_answered  # noqa: PLC0415 - not needed for --help

    if (gate is None) == (batch is None):
        raise UsageError("name one gate, or a batch with --batch", hint="phaseloom workflow gate list shows them")
    console = Console(json=act.json)
    run = await meant(act, console)
    told: Json = {"comment": comment, "form": form, **about(act)}
    if batch is not None:
        digests = await seen_together(run, batch, evidence, decision, console)
        return await act_on(
            act, lambda run: run.decide_batch(batch, decision, evidence=digests, **told), batch_answered, run=run
        )
    found = await the_gate(run, str(gate))
    if evidence is not None and len(evidence) > 1:
        raise UsageError("a decision about one gate rests on one --evidence", hint="several go with --batch")
    digest = await seen(run, found, evidence[0] if evidence else None, decision, console)
    return await act_on(
        act,
        lambda run: run.decide_gate(found.gate, decision, phase=found.phase, evidence=digest, **told),
        answered,
        run=run,
    )


async def seen_together(
    run: RunHandle, batch: str, evidence: list[str] | None, decision: str, console: Console
) -> dict[str, str] | None:
    """The digests that a decision about a batch names, by gate: those given, or those of what is shown here and now."""
    from cli.words.gates import DIGEST_SHOWN, described  # noqa: PLC0415 - not needed for --help

    standing = [gate for gate in await run.gates() if gate.batch == batch and gate.gate_status == "waiting"]
    digests = {f"{gate.id}/{gate.gate}": gate.evidence for gate in standing if gate.evidence is not None}
    if evidence is not None:
        known = [name for name in evidence if any(digest.startswith(name) for digest in digests.values())]
        if unknown := [name for name in evidence if name not in known or len(name) < DIGEST_SHOWN]:
            raise RefusedError(
                f"no gate that waits in the batch {batch!r} has the evidence {unknown[0]!r}",
                hint="look again with: phaseloom workflow gate list",
            )
        return {name: digest for name, digest in digests.items() if digest.startswith(tuple(evidence))}
    if not standing or console.json or not sys.stdin.isatty():
        return None  # the run says what is missing
    now = (await run.view(limit=0)).now
    for gate in standing:
        console.lines([*described(gate.to_json(), now), ""])
    if not typer.confirm(f"{decision.replace('_', ' ').capitalize()} all {len(standing)}?", default=False):
        raise UsageError("nothing was decided")
    return digests


async def the_gate(run: RunHandle, word: str) -> GateDetails:
    """The gate that a word means, among those that phases stand at.

    Raises RefusedError when there is none, or there are several.
    """
    phase, _, name = word.rpartition("/")
    standing = await run.gates()
    found = [gate for gate in standing if gate.gate == name and phase in ("", gate.id, str(gate.phase), gate.name)]
    if len(found) == 1:
        return found[0]
    named = ", ".join(f"{gate.id}/{gate.gate}" for gate in found or standing)
    if found:
        raise RefusedError(f"several phases stand at the gate {name!r}", hint=f"name one of {named}")
    after = [(one.id, p) for p in (await run.plan()).phases for one in p.gates]
    open_now = f"open now: {named}" if standing else "no gate is open now"
    if places := [f"{p.name} (index: {p.index})" for gate, p in after if gate == name]:
        raise RefusedError(
            f"the gate {word!r} is not open", hint=f"it stands after {', '.join(places[:5])}; {open_now}"
        )
    known = ", ".join(f"{gate} (after {p.name})" for gate, p in after[:20])
    raise RefusedError(f"there is no gate {word!r}", hint=f"gates: {known}; {open_now}" if known else "there are none")


async def seen(run: RunHandle, gate: GateDetails, evidence: str | None, decision: str, console: Console) -> str | None:
    """The digest that a decision names: the one given, also by its beginning, or that of what is shown here and now."""
    from cli.words.gates import DIGEST_SHOWN, described  # noqa: PLC0415 - not needed for --help

    if evidence is not None:
        whole = gate.evidence is not None and len(evidence) >= DIGEST_SHOWN and gate.evidence.startswith(evidence)
        return gate.evidence if whole else evidence
    if gate.gate_status != "waiting" or console.json or not sys.stdin.isatty():
        return None  # the run says what is missing
    now = (await run.view(limit=0)).now
    console.lines(described(gate.to_json(), now))
    if not typer.confirm(f"{decision.replace('_', ' ').capitalize()}?", default=False):
        raise UsageError("nothing was decided")
    return gate.evidence
