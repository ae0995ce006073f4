"""`phaseloom up`, `down`, `doctor`, `worker`: the server and the workers that carry runs out."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from cli.command import Where, command
from cli.console import Console, write
from cli.exits import Exit, UsageError

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "up")(up)
    command(app, "down")(down)
    command(app, "doctor")(doctor)
    command(app, "worker")(worker)


Metrics = Annotated[
    str | None,
    typer.Option("--metrics", metavar="ADDRESS", help="Tell Prometheus the worker's metrics there: PORT or IP:PORT."),
]
Address = Annotated[str | None, typer.Option("--address", metavar="HOST:PORT", help="The Temporal server.")]
Profile = Annotated[str | None, typer.Option("--profile", metavar="NAME", help="A profile of temporal.toml.")]
Namespace = Annotated[str | None, typer.Option("--namespace", metavar="NAME", help="The namespace there.")]
TaskQueue = Annotated[
    str | None,
    typer.Option("--task-queue", metavar="NAME", help="A queue shared with others; default: the project's own."),
]


async def up(
    *,
    ui: Annotated[bool, typer.Option("--ui", help="With Temporal's own web page.")] = False,
    metrics: Metrics = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=1, max=65535, metavar="PORT", help="Where the server listens, now and later."),
    ] = None,
) -> Exit:
    """Keep this project's server running, until Ctrl-C."""
    from cli.embedded.foreground import up as supervise  # noqa: PLC0415 - not needed for --help
    from cli.embedded.supervisor import Ending  # noqa: PLC0415
    from cli.embedded.upkeep import upkeep  # noqa: PLC0415
    from cli.reach.place import here  # noqa: PLC0415
    from cli.words.server import ready  # noqa: PLC0415

    console = Console()
    root = here()
    wanted = _listening(metrics, console)
    if trouble := upkeep(root).trouble:
        console.note(f"port, logs and metrics are at their defaults: {trouble}")
    told = [f"Metrics of its worker at http://{wanted}/metrics"] if wanted is not None else []
    console.line(f"Starting the server of {root}…")
    ending = await supervise(
        root,
        ui=ui,
        metrics=wanted,
        port=port,
        on_ready=lambda server: console.lines([*ready(server.address, server.ui_port), *told]),
    )
    if ending is Ending.STOPPED:
        console.line("Stopped. Open runs go on with the next phaseloom command here.")
        return Exit.OK
    console.line("Server and worker go on in the background.")
    return Exit.OK


def _listening(metrics: str | None, console: Console) -> str | None:
    """The address for metrics, written out; an interface that others reach is told of."""
    if metrics is None:
        return None
    from definitions.addresses import FORMS, is_open_to_others, listening  # noqa: PLC0415 - only with --metrics

    try:
        address = listening(metrics)
    except ValueError as error:
        raise UsageError(f"--metrics: {error}", hint=f"write {FORMS}") from None
    if is_open_to_others(address):
        console.note(f"everybody who reaches {address} can read the metrics: there is no login")
    return address


async def down(
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Also when agents run: they are stopped, and run again later.")
    ] = False,
    json: AsJson = False,
) -> Exit:
    """Stop this project's server and worker; open runs stay."""
    from cli.embedded.condition import stop  # noqa: PLC0415 - not needed for --help
    from cli.reach.place import here  # noqa: PLC0415
    from cli.words.server import stopped  # noqa: PLC0415
    from engine.errors import RefusedError  # noqa: PLC0415

    console = Console(json=json)
    done = await stop(here(), force=force)
    names = [str(agent["key"]) for agent in done.agents]
    if done.refused:
        listed = "\n".join(f"  {name}" for name in names)
        raise RefusedError(f"agents are at work:\n{listed}", hint="stop them too with --force; they run again later")
    told = {"was_running": done.was_running, "agents_stopped": list(done.agents)}
    console.answer(told, stopped(names, was_running=done.was_running))
    return Exit.OK


async def doctor(where: Where) -> Exit:
    """Explain what runs here, and what is wrong.

    Server, worker, versions, disk, and what is not protected. Starts nothing. Ends with 5 when no server answers.
    """
    from cli.embedded.condition import status  # noqa: PLC0415 - not needed for --help
    from cli.reach.contact import target  # noqa: PLC0415
    from cli.reach.place import here  # noqa: PLC0415
    from cli.words.server import condition  # noqa: PLC0415

    report = await status(here(), target(where))
    Console(json=where.json).answer(report, condition(report))
    return Exit.OK if report["reachable"] else Exit.UNREACHABLE


async def worker(
    address: Address = None,
    profile: Profile = None,
    namespace: Namespace = None,
    task_queue: TaskQueue = None,
    metrics: Metrics = None,
) -> Exit:
    """Work for runs on a shared Temporal server.

    In the foreground. The project's own server has its worker already.
    """
    import logging  # noqa: PLC0415

    from cli.embedded.connect import Target, shared_config  # noqa: PLC0415 - not needed for --help
    from cli.embedded.project import open_project  # noqa: PLC0415
    from cli.embedded.upkeep import listening, upkeep  # noqa: PLC0415
    from cli.reach.place import here  # noqa: PLC0415
    from definitions.storage import store_url  # noqa: PLC0415

    config = shared_config(Target(address=address, profile=profile, namespace=namespace, task_queue=task_queue))
    if config is None:
        raise UsageError(
            "no Temporal server is named, and the project's own has its worker already",
            hint="name one with --address, --profile or TEMPORAL_ADDRESS; phaseloom up keeps the project's own running",
        )
    project = open_project(here())
    queue = task_queue or project.queue
    kept = upkeep(project.root)
    if kept.trouble:
        Console().note(f"logs and metrics are at their defaults: {kept.trouble}")
    asked = _listening(metrics, Console())
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="[%(asctime)s] [%(levelname)s] %(message)s")
    logging.getLogger("temporalio").setLevel(logging.WARNING)
    import worker as working  # noqa: PLC0415 - half a second

    # Several workers of a project stand on one host: what the project says is for the first of them.
    wanted = asked or listening(kept.metrics)

    def polling() -> None:
        write(sys.stdout, f"Working for {config['target_host']}, namespace {config['namespace']}, queue {queue}\n")
        if wanted is not None:
            write(sys.stdout, f"Metrics at http://{wanted}/metrics\n")

    settings = working.Settings(
        root=project.root,
        connect=config,
        task_queue=queue,
        store=store_url(project.root, os.environ),
        metrics=wanted,
        log_limit=kept.log_limit,
        keep_logs=kept.keep_logs,
        copy_logs=True,
        on_polling=polling,
    )
    await working.serve(settings)
    return Exit.OK
