"""`ratify release`: free the places of raters that a platform says are gone."""

from __future__ import annotations

from pathlib import Path

import click

from ratify.command_line import MODE, STUDY, main, opened


@main.command()
@STUDY
@click.argument("statuses", metavar="FILE", type=click.Path(path_type=Path))
@MODE
def release(folder: Path, statuses: Path, mode: str) -> None:
    """Free the places of raters that the platform's table FILE calls RETURNED or TIMED-OUT.

    FILE is Prolific's export of submissions, or any table with rater_id and status.
    """
    from study.visits.recruitment import release_from_file

    with opened(folder) as (study, store):
        released = release_from_file(store, study, mode, statuses)
    click.echo(released.sentence())
