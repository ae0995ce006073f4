"""The Python interface: a `Client` with everything that an operator can do, and typed results.

The names are imported when they are first used. Scripts take them from `phaseloom`, which also makes sure that our
packages are found whatever modules the script has beside it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cli.api.answers import (
        BatchAnswered,
        CancelledParallel,
        Cancelling,
        CheckpointCreated,
        Completed,
        CompletedParallel,
        Decided,
        FailureReported,
        GateAnswered,
        GateRef,
        Paused,
        PhaseRef,
        ProgressReported,
        Queued,
        Restoring,
        Resumed,
        RunRef,
        SignalReported,
        StartedParallel,
    )
    from cli.api.artifacts import Artifacts, Verification, Waste
    from cli.api.breakers import ToolCircuit
    from cli.api.catalog import DefinitionDetails, DefinitionEntry, KeptDefinition, Suggestion, Suggestions
    from cli.api.checking import Validation
    from cli.api.client import Client
    from cli.api.contents import (
        Checkpoint,
        CheckpointContent,
        CheckpointDiff,
        Comparison,
        Difference,
        Exported,
        NotCompared,
    )
    from cli.api.context import Context, ContextKey, ContextVersion
    from cli.api.details import Diagnosis, GateDetails, Journal, Log, PhaseDetails, RunSummary
    from cli.api.forking import RunComparison
    from cli.api.handle import RunHandle
    from cli.api.importing import ImportedDefinition
    from cli.api.inbox import Inbox, InboxItem
    from cli.api.measuring import Metrics, MetricsAcross
    from cli.api.planning import RunForecast
    from cli.api.results import Result
    from cli.api.views import GateRow, ParallelStatus, PhaseRow, Progress, Signal, View
    from cli.exits import NotFoundError, UsageError
    from cli.reach.artifacts import Artifact
    from cli.reach.contact import NoWorkerError
    from definitions.diagnostics import Diagnostic, InvalidDefinitionError
    from engine.errors import PhaseloomError, RefusedError, UnreachableError
    from engine.facts import Fact

_HOMES = {
    "cli.api.answers": (
        "BatchAnswered",
        "CancelledParallel",
        "Cancelling",
        "CheckpointCreated",
        "Completed",
        "CompletedParallel",
        "Decided",
        "FailureReported",
        "GateAnswered",
        "GateRef",
        "Paused",
        "PhaseRef",
        "ProgressReported",
        "Queued",
        "Restoring",
        "Resumed",
        "RunRef",
        "SignalReported",
        "StartedParallel",
    ),
    "cli.api.breakers": ("ToolCircuit",),
    "cli.api.artifacts": ("Artifacts", "Verification", "Waste"),
    "cli.api.catalog": ("DefinitionDetails", "DefinitionEntry", "KeptDefinition", "Suggestion", "Suggestions"),
    "cli.api.checking": ("Validation",),
    "cli.api.contents": (
        "Checkpoint",
        "CheckpointContent",
        "CheckpointDiff",
        "Comparison",
        "Difference",
        "Exported",
        "NotCompared",
    ),
    "cli.api.client": ("Client",),
    "cli.api.forking": ("RunComparison",),
    "cli.api.context": ("Context", "ContextKey", "ContextVersion"),
    "cli.api.handle": ("RunHandle",),
    "cli.api.importing": ("ImportedDefinition",),
    "cli.api.inbox": ("Inbox", "InboxItem"),
    "cli.api.measuring": ("Metrics", "MetricsAcross"),
    "cli.api.planning": ("RunForecast",),
    "cli.api.results": ("Result",),
    "cli.api.details": ("Diagnosis", "GateDetails", "Journal", "Log", "PhaseDetails", "RunSummary"),
    "cli.api.views": ("GateRow", "ParallelStatus", "PhaseRow", "Progress", "Signal", "View"),
    "cli.exits": ("NotFoundError", "UsageError"),
    "cli.reach.artifacts": ("Artifact",),
    "cli.reach.contact": ("NoWorkerError",),
    "definitions.diagnostics": ("Diagnostic", "InvalidDefinitionError"),
    "engine.errors": ("PhaseloomError", "RefusedError", "UnreachableError"),
    "engine.facts": ("Fact",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Artifact",
    "Artifacts",
    "BatchAnswered",
    "CancelledParallel",
    "Cancelling",
    "Checkpoint",
    "CheckpointContent",
    "CheckpointCreated",
    "CheckpointDiff",
    "Client",
    "Comparison",
    "Completed",
    "CompletedParallel",
    "Context",
    "ContextKey",
    "ContextVersion",
    "Decided",
    "DefinitionDetails",
    "DefinitionEntry",
    "Diagnosis",
    "Diagnostic",
    "Difference",
    "Exported",
    "Fact",
    "FailureReported",
    "GateAnswered",
    "GateDetails",
    "GateRef",
    "GateRow",
    "ImportedDefinition",
    "Inbox",
    "InboxItem",
    "InvalidDefinitionError",
    "Journal",
    "KeptDefinition",
    "Log",
    "Metrics",
    "MetricsAcross",
    "NoWorkerError",
    "NotCompared",
    "NotFoundError",
    "ParallelStatus",
    "Paused",
    "PhaseDetails",
    "PhaseRef",
    "PhaseRow",
    "PhaseloomError",
    "Progress",
    "ProgressReported",
    "Queued",
    "RefusedError",
    "Restoring",
    "Result",
    "Resumed",
    "RunComparison",
    "RunForecast",
    "RunHandle",
    "RunRef",
    "RunSummary",
    "Signal",
    "SignalReported",
    "StartedParallel",
    "Suggestion",
    "Suggestions",
    "ToolCircuit",
    "UnreachableError",
    "UsageError",
    "Validation",
    "Verification",
    "View",
    "Waste",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"Phaseloom's Python interface has no '{name}'")
    return getattr(import_module(_HOME_OF[name]), name)
