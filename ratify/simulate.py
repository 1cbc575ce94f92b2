"""`ratify simulate`: sends simulated raters through the pages of a plan, up to its report."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from prereg.errors import RatifyError
from ratify.command_line import STUDY, main, own_stores
from ratify.filling import progress

if TYPE_CHECKING:
    from study.folder import Study


@main.command()
@STUDY
@click.option(
    "--raters",
    type=click.IntRange(1),
    metavar="N",
    help="Fill only N places. Default: every place of the plan.",
)
def simulate(folder: Path, raters: int | None) -> None:
    """Send simulated raters through the pages of DIR, as the plan assumes them, up to the report.

    Everything is written to DIR/simulation, which is replaced; the study itself stays as it is and
    needs no lock. No model is asked: judges other than baselines are simulated, too. In a study of
    conversations, simulated supporters talk with a scripted partner first.
    """
    from prereg.chat.file import is_chat

    if is_chat(folder):
        _simulate_chat(folder, raters)
        return
    from analysis.planning.effect_names import refuse_unread_effects
    from prereg.files import replaced_folder
    from study.opening import open_study
    from study.simulation.folder import SIMULATION, copied, refuse_folder
    from study.simulation.places import RATERS

    refuse_folder(folder)
    study = open_study(folder)
    refuse_unread_effects(study.plan, study.table.rows, folder)
    places = study.plan.design.raters if raters is None else raters
    RATERS.refuse(places, most=study.plan.design.raters)
    with replaced_folder(folder / SIMULATION, ours=None) as beside:
        lines = run_simulation(copied(study, beside), places=places)
    for line in lines:
        click.echo(line)
    click.echo(f"\n{folder / SIMULATION}/results/report.html   the report, of simulated raters")
    click.echo(f"{folder / SIMULATION}/data/   their tables, with mode bot")


def _simulate_chat(folder: Path, places: int | None) -> None:
    """Simulate a study of conversations."""
    from prereg.files import replaced_folder
    from ratify.simulate_chat import run_chat_simulation
    from study.chat.opening import open_chat
    from study.simulation.chats import copied_chat
    from study.simulation.folder import SIMULATION, refuse_folder
    from study.simulation.places import SUPPORTERS

    refuse_folder(folder)
    study = open_chat(folder)
    wanted = study.plan.design.supporters if places is None else places
    SUPPORTERS.refuse(wanted, most=study.plan.design.supporters)
    with replaced_folder(folder / SIMULATION, ours=None) as beside:
        lines = run_chat_simulation(copied_chat(study, beside), places=wanted)
    for line in lines:
        click.echo(line)
    click.echo(f"\n{folder / SIMULATION}/data/   the tables of the conversations, with mode bot")


@own_stores()
def run_simulation(study: Study, *, places: int, truth: str = "") -> list[str]:
    """Fill the places of a copied study, ask its judges, and write its tables, results and report.

    Parameters
    ----------
    study : Study
    places : int
    truth : str
        What an estimate should find, where it is known; the report says it.

    Returns
    -------
    list of str
        What was found, and whether the gate's thresholds hold.

    Raises
    ------
    RatifyError
        When a page, a judge or an analysis fails.
    """
    from analysis.gate import judge_results
    from analysis.report.page import write_report
    from analysis.run import analyze_study
    from prereg.simulated import mark_simulated
    from ratify.analyses_shown import analyses_shown
    from study.export.files import export
    from study.simulation.judges import SIMULATED, simulate_judges
    from study.simulation.quality import known_of
    from study.simulation.raters import simulate_people
    from study.simulation.times import give_times
    from study.store.database import open_store

    quality = quality_of(study)
    with progress(places, "simulated raters") as ended:
        sent = simulate_people(study, known_of(study, quality), places=places, ended=ended)
    click.echo(sent.sentence)
    with closing(open_store(study.folder, None)) as store:
        give_times(store, study, sent.careless)
        judged = simulate_judges(store, study, quality)
        for line in judged:
            click.echo(line)
        _write_tables(study)
        export(store, study)
    simulated = [f"{line[0].upper()}{line[1:]}" for line in judged if SIMULATED in line]
    mark_simulated(study.folder, [sent.sentence, *simulated], truth=truth)
    click.echo("The analyses run now. They can take minutes, those of agreement longest.")
    with analyses_shown() as began:
        results = analyze_study(study.folder, mode="bot", began=began)
    write_report(study.folder / "results")
    return [
        "\nWhat the analysis found (simulated raters):",
        *(f"  {sentence}" for sentence in results.headline),
        *(f"  {line}" for line in judge_results(study.folder).lines()),
        *_effect(study),
    ]


def _effect(study: Study) -> list[str]:
    """Run the causal part of a plan, and return what it found; nothing if the plan has none.

    No server is asked for embeddings: without any of an earlier run, the effect is left out.
    """
    causal = study.plan.causal
    if causal is None:
        return []
    from analysis.estimating.reading import EMBEDDINGS_FILE
    from prereg.plan.causal import is_server
    from ratify.causal import run_causal
    from ratify.embed import embed_plan

    encoder = causal.confounders.encoder
    if not (study.folder / EMBEDDINGS_FILE).exists():
        if is_server(encoder):
            return [
                "",
                "The effect is left out: its texts are embedded by a server (ratify embed).",
            ]
        embed_plan(study.folder, study.plan)
    try:
        found = run_causal(study.folder, mode="bot")
    except RatifyError as error:  # with few raters there may be no effect to estimate
        return ["", f"The effect could not be estimated from so few ratings: {error.problem}."]
    return [
        "\nWhat the causal part found (simulated raters):",
        *(f"  {sentence}" for sentence in found.results.headline),
        *(f"  {line}" for line in found.gate.lines()),
    ]


def quality_of(study: Study) -> dict[str, float]:
    """Return how good each item is, by its id: as a column says, or drawn from the plan's seed."""
    import pandas as pd

    from analysis.planning.qualities import draw_quality
    from prereg.streams import Stream, stream
    from study.simulation.quality import known_quality

    known = known_quality(study)
    if known is not None:
        return known
    items = pd.DataFrame(study.table.rows, dtype=str)
    rng = stream(study.plan.seed, Stream.SIMULATION, "quality")
    drawn = draw_quality(study.plan, items, rng)
    return {name: float(q) for name, q in zip(items["item_id"], drawn, strict=True)}


def _write_tables(study: Study) -> None:
    """Write simulated tables of the researcher's own, where analyses read some."""
    if not study.plan.tables:
        return
    import pandas as pd

    from analysis.planning.own_tables import in_file, simulated_tables
    from prereg.streams import Stream, stream
    from prereg.tables.reader import write_csv

    rng = stream(study.plan.seed, Stream.SIMULATION, "tables")
    items = pd.DataFrame(study.table.rows, dtype=str)
    for name, made in simulated_tables(study.plan, items, rng).items():
        table = in_file(study.plan, name, made)
        columns = [str(column) for column in table.columns]
        rows = [dict(zip(columns, row, strict=True)) for row in table.itertuples(index=False)]
        write_csv(study.folder / "data" / f"{name}.csv", columns, rows)
