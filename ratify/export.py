"""`ratify export`: writes the tidy tables and their codebook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from prereg.errors import RatifyError
from ratify.chats import chat_opened
from ratify.command_line import STUDY, main, opened

if TYPE_CHECKING:
    from study.export.writing import Exported


@main.command()
@STUDY
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["csv", "parquet", "convokit"]),
    default="csv",
    show_default=True,
    help="Format of the tables; or, for a chat, a corpus that ConvoKit loads, in DIR/convokit.",
)
@click.option(
    "--spreadsheet-safe",
    is_flag=True,
    help="Put an apostrophe before text that a spreadsheet would run as a formula. Only for CSV.",
)
@click.option(
    "--pseudonyms/--platform-ids",
    default=None,
    help="Write r417 for each rater, and the ids into DIR/pseudonyms.csv, which only you can read; "
    "or write the ids. Without either, as in the last export. A chat's tables never have ids.",
)
def export(folder: Path, file_format: str, spreadsheet_safe: bool, pseudonyms: bool | None) -> None:
    """Write the tidy tables of DIR and their codebook into DIR/data and replace what is there."""
    from prereg.chat.file import is_chat
    from study.export.files import export as write_tables

    if is_chat(folder):
        from study.export.chat.files import export_chat

        with chat_opened(folder) as (chat, store):
            _say(
                export_chat(
                    store,
                    chat,
                    format=file_format,
                    spreadsheet_safe=spreadsheet_safe,
                    pseudonyms=pseudonyms,
                )
            )
        return
    if file_format == "convokit":
        raise RatifyError(
            "only a study of kind chat has conversations to put into a corpus",
            file="--format",
            value=file_format,
            allowed="csv, parquet",
        )
    with opened(folder) as (study, store):
        _say(
            write_tables(
                store,
                study,
                format=file_format,
                spreadsheet_safe=spreadsheet_safe,
                pseudonyms=pseudonyms,
            )
        )


def _say(exported: Exported) -> None:
    """Say what was written."""
    codebook = "" if exported.folder.name == "convokit" else ", CODEBOOK.md"
    click.echo(f"wrote {exported.folder}/: {', '.join(exported.tables)}{codebook}")
    if exported.who is not None:
        click.echo(f"the tables hold pseudonyms; the ids are in {exported.who}")
    if exported.note:
        click.echo(exported.note)
