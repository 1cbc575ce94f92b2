"""`ratify export`: writes the tidy tables and their codebook."""

from __future__ import annotations

from pathlib import Path

import click

from ratify.command_line import STUDY, main, opened


@main.command()
@STUDY
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["csv", "parquet"]),
    default="csv",
    show_default=True,
    help="Format of the tables.",
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
    "or write the ids. Without either, as in the last export.",
)
def export(folder: Path, file_format: str, spreadsheet_safe: bool, pseudonyms: bool | None) -> None:
    """Write the tidy tables of DIR and their codebook into DIR/data and replace what is there."""
    from study.export.files import export as write_tables

    with opened(folder) as (study, store):
        exported = write_tables(
            store,
            study,
            format=file_format,
            spreadsheet_safe=spreadsheet_safe,
            pseudonyms=pseudonyms,
        )
    click.echo(f"wrote {exported.folder}/: {', '.join(exported.tables)}, CODEBOOK.md")
    if exported.who is not None:
        click.echo(f"the tables hold pseudonyms; the ids are in {exported.who}")
    if exported.note:
        click.echo(exported.note)
