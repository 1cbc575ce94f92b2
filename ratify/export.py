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
def export(folder: Path, file_format: str) -> None:
    """Write the tidy tables of DIR and their codebook into DIR/data and replace what is there."""
    from study.export.files import export as write_tables

    with opened(folder) as (study, store):
        exported = write_tables(store, study, format=file_format)
    click.echo(f"wrote {exported.folder}/: {', '.join(exported.tables)}, CODEBOOK.md")
    if exported.note:
        click.echo(exported.note)
