"""`ratify withdraw`: deletes the answers of a rater who withdrew."""

from __future__ import annotations

from pathlib import Path

import click

from prereg.errors import RatifyError
from ratify.command_line import MODE, STUDY, main, opened

# How long to wait until nobody reads the deleted words any more.
ERASING_SECONDS = 5.0


@main.command()
@STUDY
@click.argument("rater_id")
@MODE
def withdraw(folder: Path, rater_id: str, mode: str) -> None:
    """Delete all answers of RATER_ID in DIR. Use it when a rater withdraws; it cannot be undone."""
    from prereg.tables.cleaning import clean
    from study.visits.withdrawal import withdraw_rater

    with opened(folder) as (study, store):
        # an id that an older version stored as it came is tried as it is given, too
        named = dict.fromkeys((clean(rater_id), rater_id))
        if not any(withdraw_rater(store, study, mode, name) for name in named):
            raise RatifyError(
                "has no visit in this study",
                file=folder,
                value=rater_id,
                allowed=f"a rater_id of {mode} data; see --mode",
            )
        erased = store.has_erased(ERASING_SECONDS)
    click.echo("deleted; the store keeps only the fact that somebody withdrew today")
    if not erased:
        click.echo(
            "the deleted words are still in the store's log, because another program reads the "
            "store: a running server removes them as soon as it can"
        )
