"""`ratify demo`: runs every command in turn, as a researcher would."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ratify.asking import ask_judges
from ratify.command_line import PORT, main
from ratify.serve import serve_and_say

if TYPE_CHECKING:
    from prereg.lock import Lock
    from study.folder import Study

PAIRWISE, CAUSAL, CHAT = "pairwise_preference", "empathy_attachment", "coaching_trial"
# So many places of a trial are filled: enough to see the effects, in less than two minutes.
SUPPORTERS = 200


def lock_demo(folder: Path, lock: Callable[[Path], tuple[object, Lock]]) -> None:
    """Lock a demo's plan, and say its hash."""
    click.echo(f"locked the demo plan, hash {lock(folder)[1].plan_hash[:16]}…")


def run_causal_demo(folder: Path, *, shown: Path) -> None:
    """Do what a researcher with a causal question would do, with bots instead of people.

    Parameters
    ----------
    folder, shown : Path
        As in `run_demo`.
    """
    from ratify.simulate import run_simulation
    from study.opening import lock_study, open_study
    from study.scaffold import new_study

    new_study(folder, worked=CAUSAL, demo=True)
    lock_demo(folder, lock_study)
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


def run_chat_demo(folder: Path, *, shown: Path) -> None:
    """Do what a researcher with a trial of conversations would do, with bots instead of people.

    Parameters
    ----------
    folder, shown : Path
        As in `run_demo`.
    """
    from prereg.derived import COMPARE
    from prereg.simulated import mark_simulated
    from ratify.simulate_chat import run_chat_simulation
    from study.chat.opening import lock_chat, open_chat
    from study.chat.scaffold import new_chat

    new_chat(folder, worked=CHAT)
    lock_demo(folder, lock_chat)
    mark_simulated(folder)
    for line in run_chat_simulation(open_chat(folder, must_be_locked=True), places=SUPPORTERS):
        click.echo(line)
    click.echo(f"\n{shown}/{COMPARE}/results/report.html   the report")
    click.echo(f"{shown}/data/                      the tables of the conversations")
    click.echo(f"{shown}/{COMPARE}/data/              those of the judges and of the raters")


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
    lock_demo(folder, lock_study)
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
    type=click.Choice([PAIRWISE, CAUSAL, CHAT]),
    default=PAIRWISE,
    show_default=True,
    help="Which worked plan: a ranking of conversations, a causal effect of one score on another, "
    "or a trial in which people talk with a partner and are coached.",
)
@click.option("--serve/--no-serve", "then_serve", default=True, help="Serve the study afterwards.")
@PORT
def demo(folder: Path, worked: str, then_serve: bool, port: int) -> None:
    """Run a whole study with simulated raters into DIR (./ratify-demo), then serve it.

    A demo that is already in DIR is replaced.
    """
    from prereg.files import replaced_folder
    from study.chat.opening import open_chat
    from study.opening import open_study
    from study.scaffold import refuse_foreign
    from study.serving.command import Serving
    from study.serving.server import refuse_served

    run = {PAIRWISE: run_demo, CAUSAL: run_causal_demo, CHAT: run_chat_demo}[worked]
    refuse_foreign(folder)
    refuse_served(folder)
    with replaced_folder(folder, ours=None) as beside:
        run(beside, shown=folder)
    if then_serve:
        serving = Serving(mode="pilot", host="127.0.0.1", port=port, workers=1)
        study = open_chat(folder) if worked == CHAT else open_study(folder)
        serve_and_say(study, serving, url=None)
