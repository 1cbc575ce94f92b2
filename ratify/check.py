"""`ratify check`: lists what stops the lock and what may not be meant, and changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ratify.chats import check_chat
from ratify.command_line import STUDY, main


@main.command()
@STUDY
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@click.pass_context
def check(ctx: click.Context, folder: Path, *, as_json: bool) -> None:
    """List everything missing, contradictory or unwise in the study in DIR. It changes nothing.

    Each line names the file, the line, the key, what is allowed and what to do. A fault hides
    nothing that can be read without it: every analysis is rehearsed by itself on invented answers
    to the plan's own trials. Errors stop the lock, and end in exit code 2; those of
    DIR/exploratory.yaml stop only `ratify analyze` and `ratify export`. Warnings are allowed, but
    probably not meant: `ratify lock` asks about them, or takes --yes. Notes are good to know.
    """
    from prereg.chat.file import is_chat
    from prereg.transport_log import changes_since_lock
    from ratify.cautions import looked_at, print_remarks

    if is_chat(folder):
        check_chat(ctx, folder, as_json=as_json)
        return
    found, remarks = looked_at(folder)
    errors = [one for one in remarks if one.severity == "error"]
    warnings = [one for one in remarks if one.severity == "warning"]
    if as_json:
        click.echo(json.dumps([one.to_json() for one in remarks], indent=1, ensure_ascii=False))
        ctx.exit(2 if errors else 0)
    print_remarks(remarks)
    if errors:
        ctx.exit(2)
    study = found.study
    assert study is not None  # otherwise something is wrong
    for change in changes_since_lock(folder, study.plan, study.lock):
        click.echo(f"changed since the lock: {change.sentence}")
    state = "is locked and unchanged" if study.lock is not None else "can be locked"
    many = f"; {_counted(len(warnings), 'warning')}" if warnings else ""
    judges = _counted(len(study.plan.judges), "judge")
    click.echo(f"{folder} {state}: {len(study.items):,} items, {judges}{many}")


def _counted(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
