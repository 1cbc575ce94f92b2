"""`ratify demo`: runs every command in turn, as a researcher would."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ratify.command_line import PORT, main
from ratify.judge import ask_judges
from ratify.serve import serve_and_say

if TYPE_CHECKING:
    from study.folder import Study

PAIRWISE, CAUSAL = "pairwise_preference", "empathy_attachment"


def run_causal_demo(folder: Path, *, shown: Path) -> None:
    """Do what a researcher with a causal question would do, with bots instead of people.

    Parameters
    ----------
    folder : Path
        Where the study is made.
    shown : Path
        Where the study will be in the end; the messages name this folder.
    """
    from ratify.simulate import run_simulation
    from study.opening import lock_study, open_study
    from study.scaffold import new_study

    new_study(folder, worked=CAUSAL, demo=True)
    _, frozen = lock_study(folder)
    click.echo(f"locked the demo plan, hash {frozen.plan_hash[:16]}…")
    study = open_study(folder, must_be_locked=True)
    truth = planted_truth(study)
    for line in run_simulation(study, places=study.plan.design.raters, truth=truth):
        click.echo(line)
    click.echo(f"\n{truth}")
    click.echo(f"\n{shown}/results-causal/report.html   the effect, and how wrong the judge is")
    click.echo(f"{shown}/results/report.html          whether the judge agrees with people")
    click.echo(f"{shown}/data/                        the tidy tables and their codebook")


def planted_truth(study: Study) -> str:
    """Return what is planted in the demo's turn-pairs, and what it is by the plan's raters."""
    from statistics import pstdev

    from analysis.results.numbers import number
    from analysis.results.words import counted
    from data.demo.turn_pairs import EFFECT, effect_by_raters
    from prereg.streams import Stream, stream
    from study.bots.rater import error_size
    from study.simulation.quality import planted_scores

    causal, scores = study.plan.causal, planted_scores(study)
    assert causal is not None  # the worked plan has a causal section
    empathy, attachment = (
        error_size(pstdev(scores[part.scale].values()), study.plan.assumptions.raters.reliability)
        for part in (causal.treatment, causal.outcome)
    )
    found = effect_by_raters(
        stream(study.plan.seed, Stream.SIMULATION, "truth"),
        raters=causal.labels.raters,
        sizes=(empathy, attachment),
    )
    return (
        f"An effect of {EFFECT:g} points is planted in these turn-pairs. By the "
        f"{causal.labels.aggregate} of {counted(causal.labels.raters, 'simulated rater')}, who put "
        f"some pairs into the wrong arm, it is about {number(found, 2)}: that is what the estimate "
        "is to find."
    )


def run_demo(folder: Path, *, shown: Path) -> None:
    """Do what a researcher would do, command by command, with bots instead of people.

    Parameters
    ----------
    folder : Path
        Where the study is made.
    shown : Path
        Where the study will be in the end; the messages name this folder.
    """
    from analysis.gate import judge_results
    from analysis.report.page import write_report
    from analysis.run import analyze_study
    from ratify.analyses_shown import analyses_shown
    from study.export.files import export as write_tables
    from study.opening import lock_study, open_study
    from study.scaffold import new_study
    from study.simulation.raters import simulate_raters
    from study.store.database import open_store

    new_study(folder, demo=True)
    _, frozen = lock_study(folder)
    click.echo(f"locked the demo plan, hash {frozen.plan_hash[:16]}…")
    study = open_study(folder, must_be_locked=True)
    with click.progressbar(length=study.plan.design.raters, label="simulated raters") as bar:
        finished = simulate_raters(study, arrived=lambda: bar.update(1))
    click.echo(f"{finished} simulated raters went through the pages over HTTP")
    with contextlib.closing(open_store(folder, None)) as store:
        ask_judges(study, store)
        write_tables(store, study)
    with analyses_shown() as began:
        results = analyze_study(folder, mode="bot", began=began)
    write_report(folder / "results")
    click.echo("\nWhat the analysis found (simulated raters, conversations composed for the demo):")
    for sentence in results.headline:
        click.echo(f"  {sentence}")
    for line in judge_results(folder).lines():
        click.echo(f"  {line}")
    click.echo(f"\n{shown}/results/report.html   the report")
    click.echo(f"{shown}/results/results.json  every number; tables/ and figures/ are next to it")
    click.echo(f"{shown}/data/                 the tidy tables and their codebook")


@main.command()
@click.argument(
    "folder", metavar="[DIR]", type=click.Path(path_type=Path), default=Path("ratify-demo")
)
@click.option(
    "--plan",
    "worked",
    type=click.Choice([PAIRWISE, CAUSAL]),
    default=PAIRWISE,
    show_default=True,
    help="Which worked plan: a ranking of conversations, or a causal effect of one score on "
    "another.",
)
@click.option("--serve/--no-serve", "then_serve", default=True, help="Serve the study afterwards.")
@PORT
def demo(folder: Path, worked: str, then_serve: bool, port: int) -> None:
    """Run a whole study with simulated raters into DIR (./ratify-demo), then serve it.

    A demo that is already in DIR is replaced.
    """
    from prereg.files import replaced_folder
    from study.opening import open_study
    from study.scaffold import refuse_foreign
    from study.serving.command import Serving
    from study.serving.server import refuse_served

    refuse_foreign(folder)
    refuse_served(folder)
    with replaced_folder(folder, ours=None) as beside:
        (run_causal_demo if worked == CAUSAL else run_demo)(beside, shown=folder)
    if then_serve:
        serving = Serving(mode="pilot", host="127.0.0.1", port=port, workers=1)
        serve_and_say(open_study(folder), serving, url=None)
