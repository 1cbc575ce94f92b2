"""`ratify new`: makes a study folder from a worked plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ratify.command_line import STUDY, main
from ratify.reading_options import reading_options

if TYPE_CHECKING:
    from prereg.tables.reading import Reading


@main.command()
@STUDY
@click.option(
    "--items",
    type=click.Path(path_type=Path),
    help="Your items: CSV, Excel (FILE.xlsx#SHEET for one sheet), JSON, JSONL, Parquet.",
)
@click.option("--id", "id_column", default="item_id", show_default=True, help="Its id column.")
@click.option("--text", "text_column", default="text", show_default=True, help="Its text column.")
@click.option("--scenario", "scenario_column", help="Its scenario column. Default: one scenario.")
@click.option(
    "--plan",
    "worked",
    default="pairwise_preference",
    show_default=True,
    help="The worked plan: pairwise_preference, empathy_rating or best_response.",
)
@reading_options
def new(
    folder: Path,
    items: Path | None,
    id_column: str,
    text_column: str,
    scenario_column: str | None,
    worked: str,
    reading: Reading,
) -> None:
    """Make a study folder DIR from a worked plan, with your items or the demo's."""
    from prereg.kinds.registry import kind_of
    from study.scaffold import new_study

    study = new_study(
        folder,
        items=items,
        id_column=id_column,
        text_column=text_column,
        scenario_column=scenario_column,
        worked=worked,
        reading=reading,
    )
    design = study.plan.design
    click.echo(
        f"{folder}: {len(study.items)} items, {design.sequences} sequences of "
        f"{design.trials} {kind_of(study.plan).noun(study.plan)}"
    )
    click.echo(
        f"Next: read and edit plan.yaml, consent.md and instructions.md in {folder}, then "
        f"`ratify lock {folder}`"
    )
