"""`ratify report`: writes the report of the results."""

from __future__ import annotations

from pathlib import Path

import click

from ratify.command_line import BLIND, STUDY, main
from ratify.stages import analysed_folder


@main.command()
@STUDY
@BLIND
def report(folder: Path, blind: bool) -> None:
    """Write report.html from the results in DIR/results, or with --blind in DIR/results-blind."""
    from analysis.report.page import write_report
    from analysis.results.files import results_folder
    from analysis.results.stale import refuse_stale

    folder = analysed_folder(folder)
    refuse_stale(folder, blind=blind)
    click.echo(f"wrote {write_report(folder / results_folder(blind=blind))}")
