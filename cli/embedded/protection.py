"""Which protection of decisions is in force in a project, for `doctor`: names, signatures, keys in agents' reach."""

from __future__ import annotations

import os
import pwd
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def protection(root: Path, worker: Json | None) -> Json:
    """`{decisions, people, agents_run_as, keys}`, and `problems` and `unprotected` with sentences for each.

    `decisions` is `named` or `signed`. `keys` are those of the project's people that a command of this user finds, each
    `{name, file, owner, readable_by_agents}`. Agents run as the user of the worker, without one as this user.
    """
    from definitions import load_config  # noqa: PLC0415 - half a second that only doctor pays

    config, found = load_config(root)
    people = config.settings.signing.keys
    agents = _user_of(worker)
    report: Json = {
        "decisions": "signed" if people else "named",
        "people": list(people),
        "agents_run_as": _name_of(agents),
        "keys": [],
        "problems": [finding.text for finding in found if finding.severity == "error"],
        "unprotected": [],
    }
    if not people:
        report["unprotected"].append(
            "decisions are not signed: a gate believes the name that a message gives, unless it is an agent's"
        )
        return report
    report["problems"] += _look_for_keys({key: name for name, keys in people.items() for key in keys}, agents, report)
    report["unprotected"] = list(_exposed(root / config.file, agents, report))
    return report


def _look_for_keys(owners: dict[str, str], agents: int, report: Json) -> list[str]:
    """Add the keys within reach to the report; what is wrong with them."""
    from cli.reach.keyfiles import can_sign, in_reach  # noqa: PLC0415 - only where decisions are signed

    if not can_sign():
        return ["phaseloom.yaml has keys, and no run can be started without: pip install 'phaseloom[encryption]'"]
    problems = []
    for key in in_reach():
        if key.problem:
            problems.append(key.problem)
        elif key.public in owners:
            owner = key.file.stat().st_uid
            told = {"name": owners[key.public], "file": str(key.file), "owner": _name_of(owner)}
            report["keys"].append({**told, "readable_by_agents": agents in {owner, 0}})
    return problems


def _exposed(config: Path, agents: int, report: Json) -> list[str]:
    user = report["agents_run_as"]
    told = [
        f"agents run as {user}, who can read the key of {key['name']} ({key['file']}): an agent can sign with it"
        for key in report["keys"]
        if key["readable_by_agents"]
    ]
    if not told:
        told = [f"agents run as {user}, as the worker does: they cannot sign, but could change the worker's own files"]
    if _writable(config, agents):
        told.append(f"{user} can change {config.name}, and with it the keys of runs that start later")
    return told


def _writable(path: Path, user: int) -> bool:
    """Whether a user can surely change a file or put another in its place."""
    with suppress(OSError):
        for each in (path, path.parent):
            found = each.stat()
            mine = found.st_uid == user and found.st_mode & stat.S_IWUSR
            if mine or user == 0 or found.st_mode & stat.S_IWOTH:
                return True
    return False


def _user_of(worker: Json | None) -> int:
    import psutil  # noqa: PLC0415 - doctor has loaded it

    if worker is not None:
        with suppress(psutil.Error, KeyError, TypeError):
            return int(psutil.Process(worker["pid"]).uids().real)
    return os.getuid()


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"uid {user}"
