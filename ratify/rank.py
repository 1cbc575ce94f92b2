"""`ratify rank`: ranks items from a table of judgments."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prereg.errors import RatifyError
from prereg.tables.contract import MODES
from ratify.command_line import main
from ratify.reading_options import reading_options

if TYPE_CHECKING:
    from analysis.ranking.table_ties import Ties
    from prereg.tables.reading import Reading


@main.command()
@click.argument("judgments", type=click.Path(path_type=Path))
@click.option(
    "--left", metavar="COLUMN", help="The column with the item on the left.  [default: left_id]"
)
@click.option(
    "--right", metavar="COLUMN", help="The column with the item on the right.  [default: right_id]"
)
@click.option("--choice", metavar="COLUMN", help="The column that says who won.  [default: choice]")
@click.option(
    "--rater",
    metavar="COLUMN",
    help="The column with the raters, by whom standard errors are clustered.  [default: rater_id, "
    "if there is one]",
)
@click.option(
    "--scenario",
    metavar="COLUMN",
    help="The column with groups of items, each of which is ranked by itself.  [default: scenario, "
    "if there is one]",
)
@click.option(
    "--values",
    metavar="LEFT,RIGHT",
    help="The words for the left and the right side, such as model_a,model_b or A,B or 1,0; or "
    "'ids' if the choice is the id of the item that won.  [default: left,right]",
)
@click.option(
    "--ties",
    metavar="half|davidson|rao_kupper|drop|WORDS",
    multiple=True,
    help="What a tie is: half a win for each item (the default), an answer of Davidson's or of "
    "Rao and Kupper's model, or nothing (drop). Or the table's words for a tie, separated by "
    "commas, if they are not 'tie', 'tie (bothbad)', 'both bad' or 'no difference'. Can be given "
    "twice, once for each: --ties davidson --ties draw.",
)
@click.option(
    "--raters",
    metavar="RATERS",
    multiple=True,
    help="Whose judgments to rank by: human, llm, baseline or the id of a rater. Can be repeated. "
    "Default: people's, if the table says who is a person.",
)
@click.option(
    "--mode",
    type=click.Choice(MODES),
    help="Which of people's judgments to use from a study's exported table. Default: their only "
    "mode, or live.",
)
@click.option(
    "--penalty",
    type=click.Choice(["ridge", "firth"]),
    default="ridge",
    show_default=True,
    help="What keeps Bradley-Terry scores finite: a small ridge, or Firth's penalty, with which "
    "an item that never lost has an interval too. With firth, scores are bias-reduced and "
    "intervals are profiles of the penalised likelihood.",
)
@click.option(
    "--side-advantage",
    is_flag=True,
    help="Fit an advantage of the left side too, and say how large it is. It is refused if each "
    "item stands on one side only, and if only the ridge would keep it finite.",
)
@reading_options
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="CSV file to write. Without it, the ranking is printed.",
)
@click.option("--check", is_flag=True, help="Fit with the package choix too, and compare.")
def rank(
    judgments: Path,
    left: str | None,
    right: str | None,
    choice: str | None,
    rater: str | None,
    scenario: str | None,
    values: str | None,
    ties: tuple[str, ...],
    raters: tuple[str, ...],
    mode: str | None,
    penalty: str,
    side_advantage: bool,
    reading: Reading,
    out: Path | None,
    check: bool,
) -> None:
    """Rank items from a table JUDGMENTS that you already have, by Bradley-Terry and Elo.

    Each row is one comparison of two items. The table needs the columns left_id, right_id and
    choice (left, right or tie); name your own columns and words with the options. FILE.xlsx#SHEET
    is one sheet of a workbook. If the table has a column scenario, items are ranked within each
    scenario; if it has a column rater_id, standard errors are clustered by rater.
    """
    from analysis.ranking.from_table import rank_table, refuse_foreign_table
    from analysis.ranking.table_choices import Words
    from analysis.results.words import counted
    from prereg.files import write_text
    from prereg.tables.notes import tell

    named = {
        "left_id": left,
        "right_id": right,
        "choice": choice,
        "rater_id": rater,
        "scenario": scenario,
    }
    refuse_foreign_table(out)
    named_ties, model = _ties(ties)
    ranked = rank_table(
        judgments,
        reading=_with_columns(reading, {ours: name for ours, name in named.items() if name}),
        words=Words(_words([values] if values else []), named_ties),
        raters=_words(raters),
        mode=mode,
        check=check,
        ties=model,
        penalty="firth" if penalty == "firth" else "ridge",
        side_advantage=side_advantage,
    )
    if out is None:
        click.echo(ranked.table.to_string(index=False, float_format="{:z.3f}".format, na_rep=""))
    else:
        write_text(out, ranked.table.to_csv(index=False, lineterminator="\n"))
        click.echo(f"wrote {out}: {counted(len(ranked.table), 'item')}")
    tell(ranked.notes)


def _words(given: Sequence[str]) -> tuple[str, ...]:
    """Return words separated by commas; one that holds a comma stands in double quotes."""
    cells = [cell.strip() for row in csv.reader(given, skipinitialspace=True) for cell in row]
    return tuple(cell for cell in cells if cell)


def _ties(given: Sequence[str]) -> tuple[tuple[str, ...], Ties]:
    """Return the words for a tie, and what a tie is."""
    from analysis.ranking.table_ties import TIES

    models = [word for word in given if _plain(word) in TIES]
    if len(models) > 1:
        raise RatifyError(
            "says twice what a tie is",
            file="--ties",
            value=", ".join(models),
            allowed=f"one of {', '.join(TIES)}",
        )
    words = _words([word for word in given if word not in models])
    for word in words:
        if _plain(word) in TIES:
            others = ",".join(other for other in words if other != word) or "tie"
            raise RatifyError(
                f"'{word}' is what a tie may be, and not a word for one",
                file="--ties",
                value=",".join(words),
                allowed=f"each in an option of its own: --ties {_plain(word)} --ties '{others}'",
            )
    chosen: Any = _plain(models[0]) if models else TIES[0]
    return words, chosen


def _plain(word: str) -> str:
    """Return the name of a model of ties as we write it."""
    return word.strip().casefold().replace("-", "_")


def _with_columns(reading: Reading, named: dict[str, str]) -> Reading:
    """Return the reading with the columns that options of their own name."""
    for ours, theirs in named.items():
        before = reading.columns.get(ours, theirs)
        if before != theirs:
            raise RatifyError(
                f"{ours} is named twice",
                file="--map",
                value=before,
                allowed=f"one of {before}, {theirs}",
            )
    columns = {**reading.columns, **named}
    for theirs in columns.values():
        if list(columns.values()).count(theirs) > 1:
            both = " and ".join(one for one in columns if columns[one] == theirs)
            raise RatifyError(
                f"one column cannot be {both}",
                column=theirs,
                value=theirs,
                allowed="a column for each",
            )
    return replace(reading, columns=columns)
