"""`phaseloom audit`: the stages of the catalog's audit, which runs them as commands. Hidden: not for typing."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    passed_on = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    app.command("audit", hidden=True, context_settings=passed_on, add_help_option=False)(audit)


def audit(context: typer.Context) -> int:
    """Audit a repository offline; see `phaseloom audit --help`."""
    from activities.audit.main import main  # noqa: PLC0415 - an agent's command: only its stage is loaded

    return main(context.args)
