"""`ratify items`: makes items of finished conversations, and the studies that judge them."""

from __future__ import annotations

from pathlib import Path

import click

from prereg.errors import RatifyError
from ratify.command_line import MODE, STUDY, main
from ratify.stages import chat_in, derive, export_chat_tables


@main.command()
@STUDY
@MODE
def items(folder: Path, mode: str) -> None:
    """Make items of the finished conversations of the chat in DIR.

    It writes and locks the study DIR/judging, in which `ratify judge DIR` lets the plan's judges
    score every conversation. Once they have, it draws the sample, and writes and locks DIR/compare,
    in which people compare conversations: `ratify serve DIR --stage compare`. Both locks are
    chained to that of the chat. Run it again after a withdrawal: the texts of the conversations are
    then erased from both.
    """
    plan = chat_in(folder)
    if plan is None:
        raise RatifyError(
            "is no study of conversations", file=folder, allowed="a plan of kind chat"
        )
    export_chat_tables(folder)
    for line in derive(folder, plan, mode=mode):
        click.echo(line)
