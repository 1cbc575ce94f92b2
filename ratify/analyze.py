"""`ratify analyze`: runs the registered analyses."""

from __future__ import annotations

from pathlib import Path

import click

from ratify.command_line import MODE, STUDY, main
from ratify.reading_options import print_notes


@main.command()
@STUDY
@MODE
def analyze(folder: Path, mode: str) -> None:
    """Run the registered analyses on the tidy tables in DIR/data and write DIR/results."""
    from analysis.run import analyze_study

    results = analyze_study(folder, mode=mode)
    print_notes(results.meta["notes"])
    for sentence in results.headline:
        click.echo(sentence)
    click.echo(f"wrote {folder / 'results'}/results.json, tables/ and figures/")
