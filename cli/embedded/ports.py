"""The port that a project asks for its server, set down before a server is started."""

from __future__ import annotations

from cli.embedded import server as servers
from cli.embedded.project import Project
from cli.embedded.upkeep import upkeep
from definitions.root import CONFIG_NAME
from engine.errors import UnreachableError


def settle(project: Project) -> None:
    """Let the server that is started next listen where `phaseloom.yaml` says; one that lives stays where it is.

    A server begins where the last one was, so this is written down as the place of the last one.

    Raises:
        UnreachableError: the port cannot be had.
    """
    port = upkeep(project.root).port
    if port is None:
        return
    record = project.read(servers.RECORD)
    known = servers.Server.from_json(record)
    if known is not None and known.process.alive:
        return
    try:
        servers.require_free(port)
    except UnreachableError as error:
        hint = f"{CONFIG_NAME} asks for it (server.port): choose another there, or phaseloom up --port PORT"
        raise UnreachableError(error.message, hint=hint) from error
    if record.get("port") != port:
        project.write(servers.RECORD, {"port": port, "ready": False})
