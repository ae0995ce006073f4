"""`phaseloom graph`: a picture of a definition or of a run, in a terminal or a file."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import Look, Where, command
from cli.commands.workflow.acting import looked_at
from cli.console import Console, is_terminal, write
from cli.exits import Exit, UsageError

if TYPE_CHECKING:
    from definitions import Checked
    from definitions.graphs import Graph

Json = dict[str, Any]

FORMATS = ("terminal", "mermaid", "dot", "svg", "png", "html")
SUFFIXES = {
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".md": "mermaid",
    ".dot": "dot",
    ".gv": "dot",
    ".svg": "svg",
    ".png": "png",
    ".html": "html",
    ".htm": "html",
    ".txt": "terminal",
}
DEFAULT_IMAGE = "dependency_graph.png"
COLUMNS = 120
"""The width of a picture in a file, or where nobody says how wide the terminal is."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "graph")(graph)


async def graph(
    where: Where,
    name: Annotated[
        str | None,
        typer.Argument(metavar="FILE|ID", help="A definition, - for stdin; not needed with --run.", show_default=False),
    ] = None,
    *,
    run: Annotated[
        str | None, typer.Option("--run", "-r", metavar="ID", help="Draw this run with its statuses.")
    ] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="FORMAT", help=f"{', '.join(FORMATS)}; default: by the file's suffix."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help=f"Where to write it; a PNG goes to {DEFAULT_IMAGE}."),
    ] = None,
) -> Exit:
    """Draw which phase waits for which; with --run in the colours of a run's statuses.

    A circle is drawn too, highlighted; the command then ends with 3, as `validate` does.
    SVG, PNG, HTML and terminal pictures need the extra `graph`.
    """
    form, output = _where_to(form, output, json=where.json)
    console = Console(json=where.json)
    checked: Checked | None = None
    if run is not None:
        drawn, told = await _of_run(Look(**asdict(where), run=run), name, console)
    elif name is not None:
        checked, drawn = _of_definition(name)
        told = {"ok": checked.ok, "diagnostics": [finding.to_json() for finding in checked.diagnostics]}
    else:
        raise UsageError("nothing to draw", hint="name a definition, or a run with --run")
    picture = _picture(drawn, form, output) if form is not None else None
    if output is not None:
        assert picture is not None
        _save(output, picture)
        console.line(f"Wrote {output}")
    elif picture is not None and not where.json:
        assert isinstance(picture, str)
        write(sys.stdout, picture)
    console.data(_data(drawn) | told | {"output": str(output) if output is not None else None})
    return _told(checked, console) if checked is not None else Exit.OK


def _where_to(form: str | None, output: Path | None, *, json: bool) -> tuple[str | None, Path | None]:
    """The format and the file; no format where only JSON is wanted."""
    if form is None and output is not None:
        form = SUFFIXES.get(output.suffix.lower())
        if form is None:
            raise UsageError(f"the suffix of '{output}' names no format", hint=f"add --format: {', '.join(FORMATS)}")
    if form is None:
        return (None if json else "terminal"), None
    if form not in FORMATS:
        raise UsageError(f"no format '{form}'", hint=f"formats are: {', '.join(FORMATS)}")
    if form == "png" and output is None:
        output = Path(DEFAULT_IMAGE)
    if json and output is None:
        raise UsageError("--format and --json both want the standard output", hint="add --output FILE")
    return form, output


def _of_definition(name: str) -> tuple[Checked, Graph]:
    from cli.api.checking import read  # noqa: PLC0415 - not needed for --help
    from cli.reach.place import here  # noqa: PLC0415
    from definitions import InvalidDefinitionError  # noqa: PLC0415 - half a second
    from definitions.graphs import graph_of_checked  # noqa: PLC0415

    checked = read(name, here(), typed=True)
    drawn = graph_of_checked(checked)
    if drawn is None:
        raise InvalidDefinitionError(checked.diagnostics)
    return checked, drawn


async def _of_run(look: Look, name: str | None, console: Console) -> tuple[Graph, Json]:
    from definitions.graphs import graph_of_plan  # noqa: PLC0415 - half a second

    run = await looked_at(look, console)
    plan = await run.plan()
    if name is not None and not _is_about(name, plan.id):
        raise UsageError(f"{look.run} is a run of '{plan.id}', not of '{name}'", hint="leave the definition out")
    view = await run.view(every=True)
    drawn = graph_of_plan(plan, {row.index: row.status for row in view.phases})
    return drawn, {"run": view.run, "status": view.status}


def _is_about(name: str, definition: str) -> bool:
    if name == definition:
        return True
    from cli.reach.place import here  # noqa: PLC0415 - loaded by then
    from definitions import find, load  # noqa: PLC0415

    return load(find(name, here())).id == definition


def _picture(drawn: Graph, form: str, output: Path | None) -> str | bytes:
    from definitions.graphs import dot, mermaid  # noqa: PLC0415 - loaded by then

    if form == "mermaid":
        text = mermaid(drawn)
        return f"```mermaid\n{text}```\n" if output is not None and output.suffix.lower() == ".md" else text
    if form == "terminal":
        return _in_letters(drawn, output)
    from cli.pictures import images  # noqa: PLC0415 - only for images

    match form:
        case "dot":
            return dot(drawn)
        case "svg":
            return images.svg(dot(drawn))
        case "html":
            from cli.pictures.page import page  # noqa: PLC0415 - only here

            return page(drawn, images.svg(dot(drawn, headed=False)))
    return images.png(dot(drawn, identified=True))


def _in_letters(drawn: Graph, output: Path | None) -> str:
    import os  # noqa: PLC0415 - only here
    from shutil import get_terminal_size  # noqa: PLC0415

    from cli.pictures import terminal  # noqa: PLC0415 - only for the terminal

    shown = output is None and is_terminal(sys.stdout)
    columns = get_terminal_size().columns if shown else COLUMNS
    lines = terminal.lines(drawn, columns=columns, colour=shown and not os.environ.get("NO_COLOR"))
    return "".join(f"{line}\n" for line in lines)


def _save(output: Path, picture: str | bytes) -> None:
    from engine.errors import WorkspaceError  # noqa: PLC0415 - only on the way to a file

    try:
        output.write_bytes(picture.encode() if isinstance(picture, str) else picture)
    except OSError as error:
        raise WorkspaceError(f"cannot write {output}: {error.strerror}", hint="name another file: --output") from None


def _data(drawn: Graph) -> Json:
    ids = {node.index: node.id for node in drawn.nodes}
    return {
        "id": drawn.id,
        "name": drawn.name,
        "phases": [
            {
                "index": node.index,
                "id": node.id,
                "name": node.name,
                "people": node.people,
                "status": node.status,
                "in_circle": node.in_circle,
            }
            for node in drawn.nodes
        ],
        "groups": [[ids[member] for member in group.members] for group in drawn.groups],
        "needs": [
            {
                "from": [ids[member] for member in drawn.members(link.source)],
                "to": [ids[member] for member in drawn.members(link.target)],
                "kind": link.kind,
                "implicit": link.implicit,
                "in_circle": link.in_circle,
            }
            for link in drawn.links
        ],
        "circles": [[ids[member] for member in circle] for circle in drawn.circles],
    }


def _told(checked: Checked, console: Console) -> Exit:
    """Name the errors of a definition that was drawn all the same."""
    if checked.ok:
        return Exit.OK
    if not console.json:
        write(sys.stderr, "".join(f"{finding.text}\n" for finding in checked.errors))
    return Exit.INVALID
