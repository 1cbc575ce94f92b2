"""`ratify release`: frees the places of raters who have left, as the platform says."""

from __future__ import annotations

from pathlib import Path

import click

from ratify.command_line import MODE, STUDY, main, opened


@main.command()
@STUDY
@click.argument("statuses", metavar="FILE", type=click.Path(path_type=Path))
@MODE
def release(folder: Path, statuses: Path, mode: str) -> None:
    """Free the places of raters whose status is RETURNED or TIMED-OUT in the platform's table FILE.

    FILE is Prolific's export of submissions, or any table with rater_id and status.
    """
    from study.visits.recruitment import release_from_file

    with opened(folder) as (study, store):
        released = release_from_file(store, study, mode, statuses)
    click.echo(released.sentence())
