"""The demo: every command in a row, as a researcher would run them."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import click

from ratify.judge import ask_judges


def run_demo(folder: Path, *, shown: Path) -> None:
    """Do what a researcher would, command by command, with bots in the place of people.

    Parameters
    ----------
    folder : Path
        Where it is made.
    shown : Path
        Where it will be, for what is said.
    """
    from analysis.gate import judge_results
    from analysis.report.page import write_report
    from analysis.run import analyze_study
    from study.export.files import export as write_tables
    from study.opening import lock_study, open_study
    from study.scaffold import new_study, simulate_raters
    from study.store.database import open_store

    new_study(folder, demo=True)
    _, frozen = lock_study(folder)
    click.echo(f"locked the demo plan, hash {frozen.plan_hash[:16]}…")
    study = open_study(folder, must_be_locked=True)
    with progress_bar("simulated raters", study.plan.design.raters) as bar:
        sent = simulate_raters(study, arrived=lambda: bar.update(1))
    click.echo(f"{sent.finished} simulated raters went through the pages over HTTP")
    with contextlib.closing(open_store(folder, None)) as store:
        ask_judges(study, store)
        write_tables(store, study)
    results = analyze_study(folder, mode="bot")
    write_report(folder / "results")
    click.echo("\nWhat it found (simulated raters, conversations composed for the demo):")
    for sentence in results.headline:
        click.echo(f"  {sentence}")
    for line in judge_results(folder).lines():
        click.echo(f"  {line}")
    click.echo(f"\n{shown}/results/report.html   the report")
    click.echo(f"{shown}/results/results.json  every number; tables/ and figures/ beside it")
    click.echo(f"{shown}/data/                 the tidy tables and their codebook")


def progress_bar(label: str, length: int) -> Any:
    """Return a progress bar on a terminal, something silent elsewhere."""
    return click.progressbar(length=length, label=label)
