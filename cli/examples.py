"""What `--help` shows of each command as examples: lines that can be typed as they stand."""

from __future__ import annotations

import typer

EXAMPLES: dict[str, tuple[str, ...]] = {
    "breakers list": ("phaseloom breakers list", "phaseloom breakers list --json"),
    "breakers reset": ("phaseloom breakers reset aider",),
    "artifacts get": (
        "phaseloom artifacts get build/app.tar -o app.tar",
        "phaseloom artifacts get wf_abc123/review/outputs.report",
        "phaseloom artifacts get 7690633854bd -o app.tar",
    ),
    "artifacts list": ("phaseloom artifacts list", "phaseloom artifacts list build", "phaseloom artifacts list --all"),
    "artifacts prune": (
        "phaseloom artifacts prune --dry-run",
        "phaseloom artifacts prune --older-than 7d --keep-runs 10 --yes",
    ),
    "artifacts verify": ("phaseloom artifacts verify", "phaseloom artifacts verify --run wf_abc123"),
    "config show": ("phaseloom config show", "phaseloom config show release.yaml --json"),
    "doctor": ("phaseloom doctor", "phaseloom doctor --json"),
    "down": ("phaseloom down", "phaseloom down --force"),
    "graph": (
        "phaseloom graph release.yaml",
        "phaseloom graph release.yaml --format png -o release.png",
        "phaseloom graph development-lifecycle --run wf_abc123 -o run.html",
    ),
    "import": ("phaseloom import plan.md", "phaseloom import pipeline.json --id nightly"),
    "inbox decide": ("phaseloom inbox decide",),
    "init": ("phaseloom init", "phaseloom init shop"),
    "keys create": ("phaseloom keys create ana",),
    "keys list": ("phaseloom keys list",),
    "logs prune": ("phaseloom logs prune", "phaseloom logs prune --older-than 30d --dry-run"),
    "metrics": (
        "phaseloom metrics",
        "phaseloom metrics wf_abc123 --json",
        "phaseloom metrics --across --definition nightly --since 30d",
    ),
    "plan": ("phaseloom plan release.yaml", "phaseloom plan release.yaml --workers 5"),
    "run": (
        "phaseloom run release.yaml",
        "phaseloom run development-lifecycle --input goal='a till' --detach",
        "phaseloom run nightly --non-interactive --max-workers 5",
    ),
    "runs": ("phaseloom runs", "phaseloom runs --all --json"),
    "schema": ("phaseloom schema --output phaseloom.schema.json",),
    "sign": ("""phaseloom sign decide_gate '{"gate": "go", "decision": "approve", "evidence": "sha256:7690…"}'""",),
    "up": ("phaseloom up", "phaseloom up --ui --metrics 9464"),
    "validate": (
        "phaseloom validate release.yaml",
        "phaseloom validate release.yaml nightly.yaml --strict",
        "phaseloom validate release.yaml --sarif",
    ),
    "worker": (
        "phaseloom worker --address temporal.example.org:7233 --task-queue builds",
        "phaseloom worker --metrics 127.0.0.1:9464",
    ),
    "workflow cancel": ("phaseloom workflow cancel", "phaseloom workflow cancel --run wf_abc123 --note 'wrong branch'"),
    "workflow cancel-parallel": ("phaseloom workflow cancel-parallel", "phaseloom workflow cancel-parallel 1"),
    "workflow checkpoints create": ("phaseloom workflow checkpoints create before-the-demo",),
    "workflow checkpoints diff": (
        "phaseloom workflow checkpoints diff design",
        "phaseloom workflow checkpoints diff design review",
    ),
    "workflow checkpoints export": ("phaseloom workflow checkpoints export design",),
    "workflow checkpoints list": ("phaseloom workflow checkpoints list", "phaseloom workflow checkpoints list --json"),
    "workflow checkpoints show": (
        "phaseloom workflow checkpoints show",
        "phaseloom workflow checkpoints show design@2",
    ),
    "workflow complete-phase": (
        "phaseloom workflow complete-phase 1",
        "phaseloom workflow complete-phase design -o contract='see docs/api.md'",
    ),
    "workflow context diff": ("phaseloom workflow context diff 3 7", "phaseloom workflow context diff @57 --key api"),
    "workflow context history": ("phaseloom workflow context history", "phaseloom workflow context history api"),
    "workflow context show": ("phaseloom workflow context show", "phaseloom workflow context show api --at 3"),
    "workflow define": ("phaseloom workflow define release.yaml",),
    "workflow diagnose": ("phaseloom workflow diagnose", "phaseloom workflow diagnose build -o build.zip"),
    "workflow fail-phase": ("phaseloom workflow fail-phase deploy --error 'no disk left'",),
    "workflow compare": ("phaseloom workflow compare wf_abc123 wf_def456",),
    "workflow fork": (
        "phaseloom workflow fork --at design --set inputs.feature='a till'",
        "phaseloom workflow fork wf_abc123 --output design.api=v2 --definition release.yaml",
    ),
    "workflow gate approve": (
        "phaseloom workflow gate approve release",
        "phaseloom workflow gate approve release --evidence sha256:7690633854bd --comment 'ship it'",
    ),
    "workflow gate delegate": ("phaseloom workflow gate delegate release --to bo",),
    "workflow gate list": ("phaseloom workflow gate list",),
    "workflow gate reject": ("phaseloom workflow gate reject release --comment 'too early'",),
    "workflow gate request-changes": ("phaseloom workflow gate request-changes release --comment 'rename the flag'",),
    "workflow gate retry": ("phaseloom workflow gate retry pre-push",),
    "workflow gate show": ("phaseloom workflow gate show pre-push", "phaseloom workflow gate show review/pre-deploy"),
    "workflow gate waive": (
        "phaseloom workflow gate waive pre-push --check lint --reason 'generated code' --expires 7d",
    ),
    "workflow intervene": (
        "phaseloom workflow intervene",
        "phaseloom workflow intervene 1",
        "phaseloom workflow intervene skip --phase docs --reason 'not for this release'",
        "phaseloom workflow intervene go_to --phase review --to design",
    ),
    "workflow list": ("phaseloom workflow list",),
    "workflow logs": ("phaseloom workflow logs", "phaseloom workflow logs backend -f"),
    "workflow next": ("phaseloom workflow next", "phaseloom workflow next -o brief='a function is enough'"),
    "workflow parallel-status": ("phaseloom workflow parallel-status",),
    "workflow pause": ("phaseloom workflow pause --note 'until Monday'",),
    "workflow report-progress": ("phaseloom workflow report-progress docs '3 of 12 pages'",),
    "workflow restart": ("phaseloom workflow restart", "phaseloom workflow restart --run wf_abc123 --as-started"),
    "workflow restore": (
        "phaseloom workflow restore design",
        "phaseloom workflow restore wf_abc123 design --yes",
        "phaseloom workflow restore --start-of review",
    ),
    "workflow resume": (
        "phaseloom workflow resume",
        "phaseloom workflow resume --from last-checkpoint",
        "phaseloom workflow resume --from phase-start review",
    ),
    "workflow show": ("phaseloom workflow show development-lifecycle",),
    "workflow signal": ("phaseloom workflow signal 'All services deployed'",),
    "workflow start": (
        "phaseloom workflow start development-lifecycle",
        "phaseloom workflow start release.yaml --input version=1.4",
    ),
    "workflow start-parallel": ("phaseloom workflow start-parallel 1",),
    "workflow status": ("phaseloom workflow status", "phaseloom workflow status --run wf_abc123 --json"),
    "workflow suggest": ("phaseloom workflow suggest 'audit this repository'",),
    "workflow timeline": (
        "phaseloom workflow timeline",
        "phaseloom workflow timeline --html -o run.html",
        "phaseloom workflow timeline --run wf_abc123 --json",
    ),
    "workflow watch": ("phaseloom workflow watch", "phaseloom workflow watch --run wf_abc123"),
    "workflow why": ("phaseloom workflow why release",),
}
"""By the words after `phaseloom`."""


def illustrate(app: typer.Typer, path: str = "") -> None:
    """Put the examples under the help of every command of `app` and of its groups."""
    for each in app.registered_commands:
        lines = EXAMPLES.get(f"{path}{each.name}")
        if lines:
            # Without the mark click would fill the lines up like a paragraph.
            each.epilog = "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            illustrate(group.typer_instance, f"{path}{group.typer_instance.info.name} ")
