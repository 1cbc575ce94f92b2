"""`ratify audit`: reports how reliable a judge is, from tables that already exist."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from prereg.tables.contract import MODES
from ratify.command_line import main
from ratify.reading_options import reading_options

if TYPE_CHECKING:
    from analysis.agreement.alternative_annotator import Metric
    from prereg.tables.reading import Reading


@main.command()
@click.option(
    "--human",
    "humans",
    multiple=True,
    metavar="[NAME=]FILE",
    help="Ratings by people: a wide file for each person, or a long file; FILE.xlsx#SHEET is one "
    "sheet of a workbook. Can be repeated. Required, unless --habits is given.",
)
@click.option(
    "--judge",
    "judges",
    multiple=True,
    metavar="[NAME=]FILE",
    help="Ratings by a judge, in a file of either form. Can be repeated. Required, unless "
    "--habits is given.",
)
@click.option(
    "--panel",
    "panels",
    multiple=True,
    metavar="NAME=JUDGE,...",
    help="Several judges as one more judge, by their names in the report: trio=gpt,claude,gemini. "
    "Can be repeated.",
)
@click.option(
    "--panel-rule",
    type=click.Choice(["mean", "median", "majority"]),
    help="How the ratings of a panel's judges become one: mean (default), median or majority, the "
    "most frequent one, where a tie is undecided. With --labels always by majority.",
)
@click.option(
    "--rater",
    "rater_column",
    metavar="COLUMN",
    default="rater_id",
    show_default=True,
    help="The column of a wide file that says who rated, if several people rated.",
)
@click.option(
    "--human-columns",
    metavar="COLUMN,...",
    multiple=True,
    help="For files with one column per rater and all ratings on one dimension: the columns of "
    "people. Name the dimension with --dimension.",
)
@click.option(
    "--judge-columns",
    metavar="COLUMN,...",
    multiple=True,
    help="The same for the columns of judges, in the files of --judge.",
)
@click.option(
    "--id",
    "id_column",
    metavar="COLUMN",
    default="item_id",
    show_default=True,
    help="The column of item ids.",
)
@click.option(
    "--scale",
    nargs=2,
    type=float,
    metavar="MIN MAX",
    help="The two ends of the rating scale, such as 1 5. Required, unless --labels or --habits is "
    "given.",
)
@click.option(
    "--labels",
    is_flag=True,
    help="The ratings are names of categories without order, such as pass and fail, or codes that "
    "stand for names: compare them as labels, with no distance between them.",
)
@click.option(
    "--values",
    multiple=True,
    metavar="[DIMENSION:]LABEL[=OTHER],...",
    help="With --labels: which labels there are, such as pass,fail. After = comes another name of "
    "the label in some file, as in pass=1,fail=0. A label that holds a comma is in double quotes: "
    "'\"yes, fully\",no'. Can be repeated for each dimension. Default: all that occur.",
)
@click.option(
    "--dimension",
    "dimensions",
    multiple=True,
    metavar="NAME",
    help="What was rated: a column of a wide file, or a word in the column dimension of a long "
    "file. Can be repeated. Default: every "
    "numeric column that all files share, except those that cannot be ratings: ids, counters, "
    "times, versions, and columns in which each annotator has one value, or all have the same.",
)
@click.option(
    "--cut",
    "cuts",
    multiple=True,
    metavar="CUT",
    help="Where your study cuts the scale in two, for example into treated and untreated items: "
    "'>=5' or '<=3'. Reports how often judge and people fall on the same side. Can be repeated.",
)
@click.option(
    "--epsilon",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.2,
    show_default=True,
    help="For the alternative-annotator test: how much less often than a person a judge may be "
    "the closer one to the other people. Use .2 where people are experts, .15 where they are "
    "skilled, .1 for a crowd.",
)
@click.option(
    "--metric",
    type=click.Choice(["rmse", "absolute", "accuracy"]),
    help="For the same test: how close a rating is to the other people's: by the root mean squared "
    "distance, by the mean distance, or by the share of people who gave the same rating. Default: "
    "rmse, and with --labels accuracy, the only one for labels.",
)
@click.option(
    "--interval",
    type=click.Choice(["jackknife", "bootstrap"]),
    default="jackknife",
    show_default=True,
    help="How the intervals of each pair's coefficients are computed.",
)
@click.option(
    "--items",
    type=click.Path(path_type=Path),
    help="Table with the items' ids and texts. Adds the baselines length and lexical to the "
    "comparison, and shows the texts of the worst disagreements.",
)
@click.option(
    "--text",
    "text_column",
    metavar="COLUMN",
    default="text",
    show_default=True,
    help="The column of texts in the table of --items.",
)
@click.option(
    "--large",
    "limits",
    multiple=True,
    metavar="NAME=NUMBER",
    help="A limit from which the verdict calls something large, such as bias=0.15. docs/plan.md "
    "lists them under large. Can be repeated.",
)
@click.option(
    "--habits",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A study folder, or a folder of its exported tables: report the habits of its judges "
    "instead of comparing ratings.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Seed of the bootstrap intervals; it is written into the results.",
)
@click.option(
    "--mode",
    type=click.Choice(MODES),
    help="Which of people's ratings to use from a study's exported tables. Default: their only "
    "mode, or live.",
)
@reading_options
@click.option(
    "--check", is_flag=True, help="Compute coefficients with the package pingouin too, and compare."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder for report.html, results.json, tables/ and figures/. An earlier audit in it is "
    "replaced.",
)
def audit(
    humans: tuple[str, ...],
    judges: tuple[str, ...],
    panels: tuple[str, ...],
    panel_rule: str | None,
    id_column: str,
    scale: tuple[float, float] | None,
    labels: bool,
    values: tuple[str, ...],
    rater_column: str,
    human_columns: tuple[str, ...],
    judge_columns: tuple[str, ...],
    dimensions: tuple[str, ...],
    cuts: tuple[str, ...],
    epsilon: float,
    metric: Metric | None,
    interval: Literal["jackknife", "bootstrap"],
    items: Path | None,
    text_column: str,
    limits: tuple[str, ...],
    habits: Path | None,
    seed: int,
    mode: str | None,
    reading: Reading,
    check: bool,
    out: Path,
) -> None:
    """Report how reliable a judge is, from ratings that you already have. No study is needed.

    A wide file has one row per item: its id and a column per dimension. A long file has one row
    per rating, with the columns rater_id, item_id, dimension and value. Files may be CSV, Excel
    (FILE.xlsx#SHEET for one sheet), JSON or Parquet.

    With --habits, report the habits of a study's judges from its exported tables instead.
    """
    from analysis.report.page import write_report
    from analysis.results.files import WRITTEN, write_results
    from prereg.files import replaced_folder
    from prereg.tables.notes import tell

    columns: dict[str, Any] = {
        "rater_column": rater_column,
        "reading": reading,
        "human_columns": _names(human_columns),
        "judge_columns": _names(judge_columns),
    }
    if panel_rule is not None and not panels:
        raise click.UsageError("--panel-rule needs --panel.")
    if habits is not None:
        if humans or judges or check:
            raise click.UsageError("--habits cannot be combined with --human, --judge or --check.")
        from analysis.audit.habits import audit_habits

        results = audit_habits(habits, seed=seed, mode=mode)
    elif labels:
        _require(humans, judges)
        from ratify.audited_labels import audited_labels, refuse_distances

        refuse_distances(
            scale=scale,
            cuts=cuts,
            check=check,
            interval=interval,
            metric=metric,
            panel_rule=panel_rule,
        )
        results = audited_labels(
            humans,
            judges,
            id_column=id_column,
            dimensions=dimensions or None,
            values=values,
            mode=mode,
            items=items,
            text_column=text_column,
            columns=columns,
            epsilon=epsilon,
            limits=limits,
            panels=panels,
        )
    else:
        _require(humans, judges)
        if values:
            raise click.UsageError("--values needs --labels.")
        if scale is None:
            raise click.UsageError(
                "Missing option '--scale': it is required, unless --labels or --habits is given."
            )
        from ratify.audited_ratings import audited_ratings

        results = audited_ratings(
            humans,
            judges,
            id_column=id_column,
            scale=scale,
            dimensions=dimensions or None,
            mode=mode,
            seed=seed,
            items=items,
            text_column=text_column,
            columns=columns,
            epsilon=epsilon,
            metric=metric or "rmse",
            cuts=cuts,
            interval=interval,
            check=check,
            limits=limits,
            panels=panels,
            panel_rule=panel_rule or "mean",
        )
    tell(results.meta.get("notes", []))
    with replaced_folder(out, ours=WRITTEN) as folder:
        write_results(results, folder)
        write_report(folder)
    for sentence in [*results.headline, *results.methods[-1:] * check]:
        click.echo(sentence)
    click.echo(f"wrote {out}/report.html, results.json, tables/ and figures/")


def _require(humans: Sequence[str], judges: Sequence[str]) -> None:
    """Raise a usage error unless there are files of people and of judges."""
    for name, given in (("--human", humans), ("--judge", judges)):
        if not given:
            raise click.UsageError(
                f"Missing option '{name}': it is required, unless --habits is given."
            )


def _names(given: Sequence[str]) -> tuple[str, ...]:
    """Return names separated by commas."""
    return tuple(name.strip() for part in given for name in part.split(",") if name.strip())
