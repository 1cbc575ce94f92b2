"""`ratify check`: says what would stop the lock or a judge, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import click

from ratify.command_line import STUDY, main


@main.command()
@STUDY
@click.pass_context
def check(ctx: click.Context, folder: Path) -> None:
    """Check the study in DIR as `ratify lock` does, without freezing it; exit with 2 at a fault.

    It names every fault of the judges at once, and what changed since the lock.
    """
    from analysis.planning.rehearsal import rehearse
    from prereg.transport_log import changes_since_lock
    from study.judges.checks import checked
    from study.opening import open_study

    study = open_study(folder)
    rehearse(study.plan, [item.scenario for item in study.items.values()])
    for change in changes_since_lock(folder, study.plan, study.lock):
        click.echo(f"changed since the lock: {change.sentence}")
    found = checked(study)
    for note in found.notes:
        click.echo(f"note: {note}")
    for fault in found.faults:
        click.echo(f"ratify: {fault}", err=True)
    if found.faults:
        ctx.exit(2)
    state = "is locked and unchanged" if study.lock is not None else "can be locked"
    click.echo(f"{folder} {state}: {len(study.items):,} items, {len(study.plan.judges)} judges")
