"""`ratify withdraw`: deletes the answers of a rater who withdrew."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from prereg.errors import RatifyError
from ratify.chats import chat_opened
from ratify.command_line import MODE, STUDY, main, opened

# How long to wait until nobody reads the deleted words any more.
ERASING_SECONDS = 5.0


@main.command()
@STUDY
@click.argument("rater_id")
@MODE
def withdraw(folder: Path, rater_id: str, mode: str) -> None:
    """Delete all answers of RATER_ID in DIR. Use it when a rater withdraws; it cannot be undone."""
    from prereg.chat.file import is_chat
    from prereg.tables.cleaning import clean
    from study.visits.withdrawal import withdraw_rater

    # an id that an older version stored as it came is tried as it is given, too
    named = tuple(dict.fromkeys((clean(rater_id), rater_id)))
    if is_chat(folder):
        found, erased = _from_chat(folder, named, mode)
    else:
        with opened(folder) as (study, store):
            found = any(withdraw_rater(store, study, mode, name) for name in named)
            erased = store.has_erased(ERASING_SECONDS)
    if not found:
        raise RatifyError(
            "has no visit in this study",
            file=folder,
            value=rater_id,
            allowed=f"a rater_id of {mode} data, as their link has it; see --mode"
            + _of_pseudonym(folder, rater_id),
        )
    click.echo("deleted; the store keeps only the fact that somebody withdrew today")
    if not erased:
        click.echo(
            "the deleted words are still in the store's log, because another program reads the "
            "store: a running server removes them as soon as it can"
        )


def _of_pseudonym(folder: Path, given: str) -> str:
    """Say where to find the id of somebody whom the tables call r417; nothing of another name."""
    from study.export.writing import WHO_FILE

    known = re.fullmatch(r"r\d+", given) is not None and (folder / WHO_FILE).exists()
    return f"; {WHO_FILE} says whose pseudonym {given} is" if known else ""


def _from_chat(folder: Path, named: Sequence[str], mode: str) -> tuple[bool, bool]:
    """Withdraw a participant of a chat; return whether there was one, and whether all is erased."""
    from prereg.lock import LOCK_FILE
    from ratify.stages import STAGES
    from study.chat.leaving import withdraw_rater
    from study.export.chat.freshness import retention_notes

    with chat_opened(folder) as (study, store):
        found = any(withdraw_rater(store, study, mode, name) for name in named)
        erased = store.has_erased(ERASING_SECONDS)
        notes = retention_notes(store, study) if found else []
    for note in notes:
        click.echo(note)
    if found and any((folder / stage / LOCK_FILE).exists() for stage in STAGES):
        click.echo(
            "their conversations are still items of the second stage: "
            f"`ratify items {shlex.quote(str(folder))} --mode {mode}` erases the texts there"
        )
    return found, erased
