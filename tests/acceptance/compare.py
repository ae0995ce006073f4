"""Where a view differs from what history and facts tell, and what in the history the facts do not explain."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.acceptance.history import ENDED, History, Phase, Told, Work, stamp

Json = dict[str, Any]
STATUSES = ("pending", "in_progress", "paused", "completed", "failed", "cancelled", "skipped")


def differences(view: Json, told: Told, history: History, facts: list[Json]) -> list[str]:
    """What the view says otherwise, in words."""
    expected = view_of(told, history, facts)
    found = {key: view[key] for key in expected if key not in {"phases", "waiting", "parallel", "pause"}}
    rows = [{key: row.get(key) for key in expected["phases"][0]} for row in view["phases"]]
    for row in rows:
        row["error"] = (row["error"] or {}).get("code")
    found["phases"] = rows
    found["active"] = [row["index"] for row in view["active"]]
    found["waiting"] = sorted((each["for"], each.get("phase", each.get("signal"))) for each in view["waiting"])
    parallel = view["parallel"]
    found["parallel"] = (parallel["active"], parallel["group"], parallel["progress"]["completed"])
    found["pause"] = view["pause"] and (view["pause"]["code"], view["pause"]["phases"])
    found["signals"] = {each["name"]: each["reported_at"] for each in view["signals"]}
    return [f"{key}: {found[key]} instead of {expected[key]}" for key in expected if found[key] != expected[key]]


def view_of(told: Told, history: History, facts: list[Json]) -> Json:
    """The parts of a view that can be told from history and facts."""
    plan, phases = history.plan, told.phases
    done = sum(phase.done for phase in phases)
    ended = told.status in ENDED
    signals = plan.get("completion_signals", [])
    return {
        "status": told.status,
        "stopping": None if ended else told.stopping,
        "started_at": told.started_at,
        "ended_at": told.ended_at,
        "counts": {status: told.counts[status] for status in STATUSES},
        "progress": {"completed": done, "total": len(phases), "percent": done * 100 // len(phases)},
        "facts": len(facts),
        "slots_used": len(history.open_work),
        "phases": [_row(phase, told, history) for phase in phases],
        "active": [phase.index for phase in phases if phase.status == "in_progress"],
        "waiting": _waiting(told, signals),
        "parallel": _parallel(phases),
        "pause": _pause(told),
        "signals": {name: told.signals.get(name) for name in signals},
    }


def _row(phase: Phase, told: Told, history: History) -> Json:
    return {
        "index": phase.index,
        "id": phase.plan["id"],
        "status": phase.status,
        "epoch": phase.epoch,
        "started_at": phase.started_at,
        "finished_at": phase.finished_at,
        "waits_for": _waits_for(phase, told),
        "reason": phase.reason,
        "error": phase.code,
        "progress": _progress(phase, history),
    }


def _progress(phase: Phase, history: History) -> str | None:
    """What was reported last since the phase has started, while it runs."""
    if phase.status != "in_progress":
        return None
    reported = [
        message.payload["progress"]
        for message in history.messages
        if message.name == "report_progress"
        and message.payload["phase"] == phase.index
        and (message.heard_at or "") >= (phase.started_at or "")
    ]
    return reported[-1] if reported else None


def _waits_for(phase: Phase, told: Told) -> str | None:
    if phase.status == "paused" or phase.held:
        return "decision"
    if phase.status == "in_progress":
        return "person" if phase.manual else None
    if phase.status != "pending":
        return None
    if not all(need.settled for need in _needs(phase, told)):
        return "needs"
    return "resume" if told.operator or told.group is not None else "worker slot"


def _needs(phase: Phase, told: Told) -> list[Phase]:
    needs = [told.phases[need.get("phase", 0)] for need in phase.plan.get("needs", [])]
    if (group := phase.plan.get("after_group")) is not None:
        needs += [other for other in told.phases if other.plan.get("group") == group]
    return needs


def _waiting(told: Told, signals: list[str]) -> list[tuple[str, Any]]:
    if told.status in ENDED:
        return []
    found: list[tuple[str, Any]] = [("decision", index) for index in told.undecided]
    for phase in told.phases:
        waits = _waits_for(phase, told)
        if waits in {"person", "resume", "worker slot"}:
            found.append((waits, phase.index))
    if all(phase.settled for phase in told.phases):
        found += [("signal", name) for name in signals if name not in told.signals]
    return sorted(found)


def _parallel(phases: list[Phase]) -> tuple[bool, int | None, int]:
    groups: dict[int, list[Phase]] = {}
    for phase in phases:
        if "group" in phase.plan:
            groups.setdefault(phase.plan["group"], []).append(phase)
    real = {group: members for group, members in groups.items() if len(members) > 1}
    running = [group for group, members in real.items() if any(each.status == "in_progress" for each in members)]
    begun = [group for group, members in real.items() if any(each.started_at for each in members)]
    group = min(running) if running else max(begun, default=None)
    members = groups[group] if group is not None else []
    return bool(running), group, sum(each.status == "completed" for each in members)


def _pause(told: Told) -> tuple[str, list[int]] | None:
    if told.status in ENDED or (told.status != "paused" and not told.undecided):
        return None
    by_group = "parallel_cancelled" if told.group is not None else "needs_intervention"
    return "operator" if told.operator else by_group, told.undecided


def unexplained(history: History, told: Told, facts: list[Json], taken: list[str]) -> list[str]:
    """Activities and messages of the history that the facts do not tell of, and the other way round."""
    return [*_work(history, told, facts), *_messages(history, told, facts, taken)]


def _work(history: History, told: Told, facts: list[Json]) -> list[str]:
    problems = []
    asked = {(work.phase, work.epoch): work for work in history.work.values()}
    for fact in facts:
        phase = told.phases[fact["phase"]] if "phase" in fact else None
        if phase is None or phase.manual:
            continue
        work = asked.get((phase.index, fact["epoch"]))
        problems += _of_fact(fact, work)
    running = {
        (phase.index, phase.epoch) for phase in told.phases if phase.status == "in_progress" and not phase.manual
    }
    if (opened := {(work.phase, work.epoch) for work in history.open_work}) != running:
        problems.append(f"activities {opened} are open, phases {running} in progress")
    ends = Counter((f["phase"], f["epoch"]) for f in facts if f["kind"] in {"phase_paused", "phase_settled"})
    problems += [f"nobody has told of the end of {key}" for key, work in asked.items() if work.closed and not ends[key]]
    return problems


def _of_fact(fact: Json, work: Work | None) -> list[str]:
    """What is wrong between a fact about a phase with an activity and that activity."""
    data = fact.get("data", {})
    match fact["kind"]:
        case "phase_started":
            if work is not None and work.asked_at != stamp(fact["at"]):
                return [f"{fact} but the activity was asked for at {work.asked_at}"]
        case "phase_settled" if data["status"] == "completed" and not data.get("replaced"):
            if work is None or (work.closed, work.heard_at) != ("completed", stamp(fact["at"])):
                return [f"{fact} but the activity: {work}"]
        case "phase_paused":
            if work is None or (work.closed, work.heard_at) != ("failed", stamp(fact["at"])):
                return [f"{fact} but the activity: {work}"]
        case "phase_settled" if data["status"] == "failed":
            if work is None or work.closed != "failed":
                return [f"{fact} but the activity: {work}"]
    return []


def _messages(history: History, told: Told, facts: list[Json], taken: list[str]) -> list[str]:
    updates = Counter(message.name for message in history.messages if message.update)
    if updates != Counter(taken):
        return [f"updates {updates} in the history, taken were {taken}"]
    signals = Counter(message.name for message in history.messages if not message.update)
    signals.subtract(fact["data"]["message"] for fact in facts if fact["kind"] == "message_refused")
    counted = updates + signals
    manual = {phase.index for phase in told.phases if phase.manual}
    people = [fact for fact in facts if fact.get("phase") in manual]
    found = {
        "completions": sum(
            fact["kind"] == "phase_settled" and fact["data"]["status"] == "completed" and "replaced" not in fact["data"]
            for fact in people
        ),
        "failures": sum(fact.get("data", {}).get("error", {}).get("code") == "reported" for fact in people),
        "pauses": sum(fact["kind"] == "run_paused" and not fact["data"].get("auto") for fact in map(_full, facts)),
        "groups": sum(fact["kind"] == "group_cancelled" for fact in facts),
        "signals": sum(fact["kind"] == "signal_reported" for fact in facts),
        "cancels": sum(fact["kind"] == "run_stopping" and fact["data"]["then"] == "cancelled" for fact in facts),
        "decisions": sum(fact["kind"] == "intervened" for fact in facts) if not counted["start_parallel"] else None,
    }
    expected = {
        "completions": counted["next"] + counted["complete_phase"],
        "failures": counted["fail_phase"],
        "pauses": counted["pause"],
        "groups": counted["cancel_parallel"],
        "signals": min(1, counted["report_signal"]),
        "cancels": counted["cancel"],
        "decisions": counted["intervene"] if not counted["start_parallel"] else None,
    }
    return [f"{key}: {found[key]} facts, {expected[key]} messages" for key in found if found[key] != expected[key]]


def _full(fact: Json) -> Json:
    return {"data": {}, **fact}
