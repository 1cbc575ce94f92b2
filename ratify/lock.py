"""`ratify lock`: checks and freezes a plan."""

from __future__ import annotations

from pathlib import Path

import click

from ratify.cautions import print_cautions
from ratify.command_line import STUDY, main
from ratify.document import say_document


@main.command()
@STUDY
def lock(folder: Path) -> None:
    """Check and freeze the plan in DIR, and print the hash that every row of data will carry."""
    from analysis.planning.rehearsal import rehearse
    from study.judges.checks import table_notes
    from study.opening import lock_study, open_study

    study = open_study(folder)
    rehearse(study.plan, [item.scenario for item in study.items.values()])
    if study.lock is None:
        print_cautions(study)
        for note in table_notes(study):
            click.echo(f"note      {note}", err=True)
    _, frozen = lock_study(folder)
    click.echo(f"locked    {folder} at {frozen.locked_at}")
    click.echo(f"plan hash {frozen.plan_hash}")
    for name, digest in sorted(frozen.parts.items()):
        click.echo(f"  {name:<13} {digest}")
    click.echo(
        f"{len(study.plan.hypotheses)} hypotheses, {len(study.plan.analyses)} registered analyses. "
        "Put the hash into your preregistration."
    )
    say_document(folder)
