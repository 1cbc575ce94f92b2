"""`ratify analyze`: runs the registered analyses."""

from __future__ import annotations

from pathlib import Path

import click

from ratify.command_line import BLIND, MODE, STUDY, database, main, opened
from ratify.stages import bring_stages_up_to_date, chat_in


@main.command()
@STUDY
@MODE
@BLIND
def analyze(folder: Path, mode: str, blind: bool) -> None:
    """Run the registered analyses on the tidy tables in DIR/data and write DIR/results.

    If DIR has its store, and the tables lack rows of it, they are exported again first. Each time
    that results are produced from live answers is logged in DIR/plan.looks.jsonl, and the report
    says so. Analyses of DIR/exploratory.yaml run too, and are labelled exploratory. With --blind
    people's answers are shuffled, DIR/results-blind is written instead, and nothing is logged. In a
    study of kind chat both stages are analysed together, in DIR/compare; before anybody has
    compared conversations, only what needs no comparison.
    """
    from analysis.results.files import results_folder
    from analysis.run import analyze_study
    from prereg.tables.notes import tell
    from ratify.analyses_shown import analyses_shown

    chat = chat_in(folder)
    if chat is None:
        bring_up_to_date(folder)
    else:
        folder = bring_stages_up_to_date(folder, chat, mode=mode)
    with analyses_shown() as began:
        results = analyze_study(folder, mode=mode, blind=blind, began=began)
    tell(results.meta["notes"])
    for sentence in results.headline:
        click.echo(sentence)
    click.echo(f"wrote {folder / results_folder(blind=blind)}/results.json, tables/ and figures/")


def bring_up_to_date(folder: Path) -> None:
    """Export the tables again if the store has newer answers, or if somebody has withdrawn.

    A folder without a store is a copy of the tables, which is analysed as it is.
    """
    from prereg.tables.manifest import edited_since_export
    from study.export.freshness import export_if_stale
    from study.store.database import ELSEWHERE_FILE, STORE_FILE
    from study.store.engines import URL_VARIABLE

    if not (folder / "data").is_dir() or not (folder / "plan.yaml").exists():
        return
    if database() is None and (folder / ELSEWHERE_FILE).exists():
        click.echo(
            f"{folder / 'data'}: whether these tables are up to date is not known, because "
            f"{URL_VARIABLE} is not set and the answers are in another database",
            err=True,
        )
        return
    if database() is None and not (folder / STORE_FILE).exists():
        return
    edited = edited_since_export(folder / "data")
    with opened(folder) as (study, store):
        exported = export_if_stale(store, study)
    if exported is not None:
        why = "were older than the store"
        if edited:
            be = "was" if len(edited) == 1 else "were"
            why = f"lacked rows of the store ({', '.join(edited)} {be} edited since the export)"
        click.echo(f"{exported.folder}/: the tables {why} and were exported again", err=True)
