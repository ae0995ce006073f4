"""The server and its worker in words: what `up` says, what `doctor` finds, what `down` has done."""

from __future__ import annotations

from typing import Any

from cli.words.durations import counted
from cli.words.table import table

Json = dict[str, Any]

MEGABYTE = 1_000_000


def ready(address: str, ui_port: int | None) -> list[str]:
    """What `up` says once the server answers."""
    lines = [f"Server ready at {address}"]
    if ui_port is not None:
        lines.append(f"Temporal's page: http://127.0.0.1:{ui_port}")
    return [*lines, "Ctrl-C stops server and worker."]


def stopped(agents: list[str], *, was_running: bool) -> list[str]:
    """What `down` has done."""
    if not was_running:
        return ["Nothing was running."]
    lines = ["Stopped the server and the worker. Open runs go on with the next phaseloom command here."]
    if agents:
        lines += [f"{counted(len(agents), 'agent')} stopped, to run again then:", *(f"- {agent}" for agent in agents)]
    return lines


def condition(report: Json) -> list[str]:
    """What `doctor` has found: facts, then what is wrong, then what is not protected."""
    client = report["client"]
    rows = [
        ("Project", report["root"]),
        ("Phaseloom", f"{client['version']} ({client['interpreter']})"),
        ("Server", _server(report)),
        ("Namespace", str(report["namespace"])),
        ("Task queue", str(report["queue"])),
        ("Worker", _worker(report)),
        ("Search attributes", _attributes(report["attributes"])),
        ("Agents at work", str(report["agents"])),
        ("Disk", _disk(report["disk"])),
        ("Decisions", _decisions(report["protection"])),
        *((("Artifacts", f"in {report['store']}"),) if report.get("store") else ()),
    ]
    lines = table([(f"{name}:", value) for name, value in rows])
    problems = report["problems"] or ["none"]
    lines += ["", "Problems:", *(f"- {problem}" for problem in problems)]
    return [*lines, "", "Not protected:", *(f"- {line}" for line in report["unprotected"])]


def _server(report: Json) -> str:
    if not report["reachable"]:
        return "does not answer" if report["address"] else "not running (the next command that needs it starts it)"
    if report["mode"] == "shared":
        return f"{report['address']} (shared)"
    server = report["server"] or {}
    page = f", page {server['ui']}" if server.get("ui") else ""
    return f"{report['address']} (this project's own, pid {server.get('pid', '?')}{page})"


def _worker(report: Json) -> str:
    pollers = report["pollers"] or {}
    workers = {poller["identity"] for kind in pollers.values() for poller in kind}
    if report["mode"] == "embedded" and report.get("worker"):
        record = report["worker"]
        return f"{record.get('state', '?')} (pid {record.get('pid', '?')}, phaseloom {record.get('version', '?')})"
    return counted(len(workers), "worker") if workers else "none"


def _attributes(attributes: dict[str, bool] | None) -> str:
    if attributes is None:
        return "unknown"
    missing = [name for name, there in attributes.items() if not there]
    return f"missing: {', '.join(missing)}" if missing else "registered"


def _decisions(protection: Json) -> str:
    if protection["decisions"] == "named":
        return "by name, not signed (phaseloom keys create NAME)"
    return f"signed, by keys of {', '.join(protection['people'])}"


def _disk(disk: Json) -> str:
    sizes = [
        (name, round(disk[key] / MEGABYTE)) for name, key in (("database", "database"), ("artifacts", "artifacts"))
    ]
    return ", ".join(f"{name} {size} MB" for name, size in sizes) + f", free {round(disk['free'] / MEGABYTE):,} MB"
