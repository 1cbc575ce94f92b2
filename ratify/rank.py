"""`ratify rank`: ranks items from a table of judgments."""

from __future__ import annotations

from pathlib import Path

import click

from ratify.command_line import main


@main.command()
@click.argument("judgments", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Write the table as CSV here.")
@click.option("--check", is_flag=True, help="Compare the fit with choix's.")
def rank(judgments: Path, out: Path | None, check: bool) -> None:
    """Rank items from a table JUDGMENTS that you already have, by Bradley-Terry and Elo.

    The table needs left_id, right_id and choice (left or right). If it has scenario, items are
    ranked within each scenario; if it has rater_id, standard errors are clustered by rater.
    """
    from analysis.ranking.from_table import rank_table, refuse_foreign_table
    from prereg.files import write_text

    refuse_foreign_table(out)
    ranked = rank_table(judgments, check=check)
    if out is None:
        click.echo(ranked.table.to_string(index=False, float_format="%.3f", na_rep=""))
    else:
        write_text(out, ranked.table.to_csv(index=False, lineterminator="\n"))
        click.echo(f"wrote {out}: {len(ranked.table)} items")
    for line in ranked.notes:
        click.echo(line, err=True)
