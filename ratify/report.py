"""`ratify report`: writes the report of the results."""

from __future__ import annotations

from pathlib import Path

import click

from ratify.command_line import STUDY, main


@main.command()
@STUDY
def report(folder: Path) -> None:
    """Write report.html from the results in DIR/results."""
    from analysis.report.page import write_report
    from analysis.results.stale import refuse_stale

    refuse_stale(folder)
    click.echo(f"wrote {write_report(folder / 'results')}")
