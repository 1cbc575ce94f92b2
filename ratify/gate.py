"""`ratify gate`: checks the plan's thresholds and answers by its exit code."""

from __future__ import annotations

from pathlib import Path

import click

from ratify.command_line import STUDY, main
from ratify.stages import analysed_folder


@main.command()
@STUDY
@click.pass_context
def gate(ctx: click.Context, folder: Path) -> None:
    """Exit with 0 if the results in DIR meet every threshold of the plan, otherwise with 1.

    A plan with a causal section also needs a PASS of the three rooms of `ratify causal`.
    """
    from analysis.gate import judge_results, judge_rooms
    from analysis.results.stale import refuse_stale
    from prereg.plan.file import load_plan

    folder = analysed_folder(folder)
    plan, verdicts = load_plan(folder), []
    if plan.gate or plan.causal is None:
        refuse_stale(folder)
        verdicts.append(judge_results(folder))
    if plan.causal is not None:
        verdicts.append(judge_rooms(folder))
    for verdict in verdicts:
        for line in verdict.lines():
            click.echo(line)
    ctx.exit(0 if all(verdict.passed for verdict in verdicts) else 1)
