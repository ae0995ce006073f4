"""`phaseloom`: the console program. Every process of it ends through `cli.exiting.leave`."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer
from typer.exceptions import Abort, TyperException

from cli.building import built, names
from cli.commands import (
    artifacts,
    audit,
    breakers,
    config,
    graph,
    importing,
    inbox,
    init,
    keys,
    metrics,
    plan,
    run,
    runs,
    server,
    validate,
)
from cli.commands import logs as project_logs
from cli.commands.workflow import (
    checkpoints,
    context,
    diagnose,
    forking,
    gates,
    logs,
    looking,
    parallel,
    phases,
    restart,
    restore,
    start,
    steering,
    suggest,
    timeline,
)
from cli.commands.workflow import definitions as workflow_definitions
from cli.commands.workflow.app import workflow
from cli.console import prepare_streams, report, write
from cli.examples import illustrate
from cli.exiting import leave
from cli.exits import Exit, UsageError, exit_for
from engine.errors import PhaseloomError

PROGRAM = "phaseloom"
DEBUG = "--debug"
DEBUG_VARIABLE = "PHASELOOM_DEBUG"
_OF_FILES = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE}
)
"""What the files or the machine of the user are to blame for, and nobody else."""

app = typer.Typer(
    name=PROGRAM,
    help="Runs multi-phase work in parallel, behind gates, and never loses its place.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

MODULES = (
    *(run, validate, plan, graph, importing, init, config, keys, server, runs, metrics, inbox, artifacts),
    *(project_logs, breakers, audit),
)
"""In the order in which `--help` lists their commands."""

WORKFLOW_MODULES = (
    *(workflow_definitions, suggest, start, phases, parallel, looking, timeline, steering, gates, context),
    *(checkpoints, restore, forking, restart, logs, diagnose),
)

for module in MODULES:
    module.register(app)
for workflow_module in WORKFLOW_MODULES:
    workflow_module.register(workflow)
app.add_typer(workflow)
illustrate(app)


def _version(wanted: bool) -> None:  # noqa: FBT001 - Typer calls it so
    if wanted:
        from cli.embedded.version import version  # noqa: PLC0415 - only where it is asked for

        write(sys.stdout, f"{PROGRAM} {version()}\n")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option(DEBUG, help="Show where an error comes from.")] = False,
) -> None:
    """Runs multi-phase work in parallel, behind gates, and never loses its place."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Carry out one command line and end the process with its exit code."""
    prepare_streams()
    leave(execute(list(sys.argv[1:] if arguments is None else arguments)))


def execute(arguments: list[str], *, program: typer.Typer = app) -> int:
    """Carry out one command line of a program; errors are printed, the exit code is returned."""
    debug = DEBUG in arguments or bool(os.environ.get(DEBUG_VARIABLE))
    arguments = [argument for argument in arguments if argument != DEBUG]
    as_json = "--json" in arguments
    try:
        code = built(program, arguments).main(args=arguments, prog_name=PROGRAM, standalone_mode=False)
    except TyperException as error:
        return _misused(error, arguments, as_json=as_json)
    except PhaseloomError as error:
        if debug:
            _show_trace()
        report(error, as_json=as_json)
        return exit_for(error)
    except (KeyboardInterrupt, Abort):
        return Exit.INTERRUPTED
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else Exit.OK
    except Exception as error:  # noqa: BLE001 - our bug: said in a sentence, shown with --debug
        if debug:
            _show_trace()
        return _unforeseen(error, as_json=as_json)
    return int(code or 0)


def _show_trace() -> None:
    import traceback  # noqa: PLC0415 - only to find a fault

    traceback.print_exc()


def _unforeseen(error: Exception, *, as_json: bool) -> int:
    """Say what nothing has foreseen: a full disk or a right that is missing, else a bug of ours."""
    hint = f"see where with: {DEBUG}"
    if isinstance(error, OSError) and error.errno in _OF_FILES:
        place = f"{error.filename}: " if error.filename else "something cannot be read or written: "
        told = PhaseloomError(f"{place}{error.strerror}", hint=hint, code="workspace")
    else:
        told = PhaseloomError(f"a bug in Phaseloom: {type(error).__name__}: {error}", hint=hint, code="bug")
    with contextlib.suppress(OSError):  # it may be the output itself that cannot be written
        report(told, as_json=as_json)
    return exit_for(told)


def _is_no_command(error: TyperException, word: str) -> bool:
    """Whether the error is that there is no command of this name."""
    return error.format_message().startswith(f"No such command '{word}'")


def _misused(error: TyperException, arguments: list[str], *, as_json: bool) -> int:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        write(sys.stderr, f"{error.message}\n")
        return Exit.USAGE
    hint = f"see: {context.command_path} --help" if context is not None else ""
    if arguments and _is_no_command(error, arguments[0]) and arguments[0] in names(workflow):
        hint = f"did you mean: {PROGRAM} workflow {' '.join(arguments)}"
    message = error.format_message().removesuffix(".")
    if hint.startswith("did you mean"):
        message = f"no such command '{arguments[0]}'"
    report(UsageError(message[:1].lower() + message[1:], hint=hint), as_json=as_json)
    return Exit.USAGE
