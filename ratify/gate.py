"""`ratify gate`: checks the plan's thresholds and answers by its exit code."""

from __future__ import annotations

from pathlib import Path

import click

from ratify.command_line import STUDY, main


@main.command()
@STUDY
@click.pass_context
def gate(ctx: click.Context, folder: Path) -> None:
    """Exit with 0 if the results in DIR meet every threshold of the plan, otherwise with 1."""
    from analysis.gate import judge_results
    from analysis.results.stale import refuse_stale

    refuse_stale(folder)
    verdict = judge_results(folder)
    for line in verdict.lines():
        click.echo(line)
    ctx.exit(0 if verdict.passed else 1)
