"""`ratify check`: says what would stop the lock or a judge, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import click

from ratify.command_line import STUDY, main


@main.command()
@STUDY
@click.pass_context
def check(ctx: click.Context, folder: Path) -> None:
    """Check whether the study in DIR can be locked and its judges asked. It changes nothing.

    Every fault of the plan is named at once. Once the plan has none, every fault of the judges is
    named, with warnings of what is allowed but may not be meant, and what changed since the lock.
    The exit code is 2 if there is a fault, otherwise 0.
    """
    from analysis.planning.rehearsal import rehearse
    from prereg.plan.file import plan_faults
    from prereg.transport_log import changes_since_lock
    from ratify.cautions import print_cautions
    from study.judges.checks import checked
    from study.opening import open_study

    faults = plan_faults(folder)
    for fault in faults:
        click.echo(f"ratify: {fault}", err=True)
    if faults:
        ctx.exit(2)
    study = open_study(folder)
    rehearse(study.plan, [item.scenario for item in study.items.values()])
    for change in changes_since_lock(folder, study.plan, study.lock):
        click.echo(f"changed since the lock: {change.sentence}")
    if study.lock is None:
        print_cautions(study)
    found = checked(study)
    for note in found.notes:
        click.echo(f"note: {note}")
    for fault in found.faults:
        click.echo(f"ratify: {fault}", err=True)
    if found.faults:
        ctx.exit(2)
    state = "is locked and unchanged" if study.lock is not None else "can be locked"
    click.echo(f"{folder} {state}: {len(study.items):,} items, {len(study.plan.judges)} judges")
