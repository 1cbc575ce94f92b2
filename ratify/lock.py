"""`ratify lock`: checks and freezes a plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ratify.cautions import print_cautions
from ratify.command_line import STUDY, main
from ratify.document import say_document

if TYPE_CHECKING:
    from prereg.lock import Lock


@main.command()
@STUDY
@click.option("--registry", metavar="URL", help="Note where the locked plan is registered.")
@click.option("--git", is_flag=True, help="Note the git commit that holds the lock.")
@click.option(
    "--timestamp",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Note a timestamp authority's reply (RFC 3161) about the plan hash.",
)
def lock(folder: Path, registry: str | None, git: bool, timestamp: Path | None) -> None:
    """Check and freeze the plan in DIR, and print the hash that every row of data will carry.

    A plan that is locked stays as it is. Once it is registered or committed, run it again with
    --registry, --git or --timestamp: the lock then names what proves its date.
    """
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
    frozen = _stamped(folder, frozen, registry=registry, git=git, timestamp=timestamp)
    click.echo(f"locked    {folder} at {frozen.locked_at}")
    click.echo(f"plan hash {frozen.plan_hash}")
    for name, digest in sorted(frozen.parts.items()):
        click.echo(f"  {name:<13} {digest}")
    click.echo(
        f"{len(study.plan.hypotheses)} hypotheses, {len(study.plan.analyses)} registered analyses. "
        "Put the hash into your preregistration."
    )
    say_document(folder)


def _stamped(
    folder: Path, frozen: Lock, *, registry: str | None, git: bool, timestamp: Path | None
) -> Lock:
    """Add what proves the date of the newest version to the lock."""
    from prereg.lock import add_stamp
    from prereg.stamps import check_stamp, git_stamp, registry_stamp, timestamp_stamp

    stamps = []
    if registry is not None:
        stamps.append(registry_stamp(frozen, registry))
    if git:
        stamps.append(git_stamp(folder, frozen))
    if timestamp is not None:
        stamps.append(timestamp_stamp(frozen, timestamp))
    for stamp in stamps:
        frozen = add_stamp(folder, stamp)
        click.echo(f"stamp     {check_stamp(folder, frozen, stamp)[1]}")
    return frozen
