"""Let the baselines rate a table of items, for an audit of ratings from outside Ratify."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from prereg.errors import RatifyError
from prereg.plan.judging import BASELINES
from prereg.tables.fitting import read_fitting
from prereg.tables.reader import write_csv
from prereg.tables.reading import Reading
from study.items import Item
from study.judges import lexicon
from study.judges.baseline import baseline


def rate_table(
    items: Path,
    *,
    id_column: str,
    text_column: str,
    dimensions: Sequence[str],
    scale: tuple[float, float],
    taken: Sequence[str],
    into: Path,
    reading: Reading = Reading(),  # noqa: B008 - frozen
) -> tuple[list[str], str]:
    """Have each baseline rate the items.

    Parameters
    ----------
    items : Path
        A table of texts.
    id_column, text_column : str
        The columns of ids and texts.
    dimensions : sequence of str
        The dimensions to rate.
    scale : tuple of float
        The two ends of the scale.
    taken : sequence of str
        Names of the other annotators.
    into : Path
        A folder for the tables of ratings.
    reading : Reading
        How the table is read.

    Returns
    -------
    files : list of str
        NAME=FILE for each baseline; none if the baselines do not know the scale or a dimension.
    note : str
        Why there are no files; empty if there are some.

    Raises
    ------
    RatifyError
        When the table is wrong, or an annotator has a baseline's name.
    """
    ends = (float(lexicon.SCALE_MIN), float(lexicon.SCALE_MAX))
    if scale != ends or not set(dimensions) <= set(lexicon.DIMENSIONS):
        known = ", ".join(lexicon.DIMENSIONS)
        return [], (
            "The baselines length and lexical are not compared with the judge: they rate only "
            f"{known} from {ends[0]:g} to {ends[1]:g}."
        )
    table = read_fitting(items, replace(reading, verbatim=(text_column,)))
    table.require(id_column, text_column)
    table.require_filled(id_column, text_column)
    table.require_unique(id_column)
    files = []
    for name in BASELINES:
        if name in taken:
            raise RatifyError(
                "an annotator has a baseline's name", file=items, value=name, allowed="another name"
            )
        judge = baseline(name)
        rows = [
            {
                id_column: row[id_column],
                **judge.rate(Item(row[id_column], "", row[text_column]), dimensions),
            }
            for row in table.rows
        ]
        path = into / f"{name}.csv"
        write_csv(path, [id_column, *dimensions], rows)
        files.append(f"{name}={path}")
    return files, ""
