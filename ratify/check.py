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

    Faults are named together as far as they can be found together: those of each part of the plan
    by itself; then those of how its parts fit each other, its items and its texts; then those that
    only the sequences, the formulas and the judges' own tables show. Faults of a later stage show
    once those of the earlier one are mended. The last stage also warns of what is allowed but may
    not be meant, and says what changed since the lock. The exit code is 2 if there is a fault,
    otherwise 0.
    """
    from analysis.planning.rehearsal import rehearse
    from prereg.transport_log import changes_since_lock
    from ratify.cautions import print_cautions
    from study.judges.checks import checked
    from study.opening import faults_of_folder, open_study

    faults = faults_of_folder(folder)
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
