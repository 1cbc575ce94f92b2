"""`ratify release`: frees the places of raters who have left, as the platform says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ratify.chats import chat_opened
from ratify.command_line import MODE, STUDY, main, opened

if TYPE_CHECKING:
    from study.visits.recruitment import Released


@main.command()
@STUDY
@click.argument("statuses", metavar="FILE", type=click.Path(path_type=Path))
@MODE
def release(folder: Path, statuses: Path, mode: str) -> None:
    """Free the places of raters whose status is RETURNED or TIMED-OUT in the platform's table FILE.

    FILE is Prolific's export of submissions, or any table with rater_id and status.
    """
    from prereg.chat.file import is_chat
    from study.visits.recruitment import release_from_file

    if is_chat(folder):
        released = _from_chat(folder, statuses, mode)
    else:
        with opened(folder) as (study, store):
            released = release_from_file(store, study, mode, statuses)
    click.echo(released.sentence())


def _from_chat(folder: Path, statuses: Path, mode: str) -> Released:
    from study.chat.claims import release as free
    from study.visits.recruitment import release_all

    with chat_opened(folder) as (study, store):
        return release_all(statuses, lambda rater, status: free(store, study, mode, rater, status))
