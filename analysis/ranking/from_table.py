"""Ranks the items of an existing table of judgments, without a plan or a study."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from analysis.ranking import bradley_terry, elo
from analysis.ranking.fit_check import check_fit
from analysis.tables import columns
from analysis.tables.tidy import naming, read_judgments
from prereg.errors import RatifyError


@dataclass(frozen=True)
class RankTable:
    """The Bradley-Terry and the Elo ranking in one table.

    Attributes
    ----------
    table : DataFrame
        `scenario` (if there is one), `item_id`, `rank`, `score`, `low`, `high` (Bradley-Terry,
        log-odds), `elo`, `elo_rank`, `n`, `wins`, `losses`, `note`.
    notes : tuple of str
        Methods and cautions.
    """

    table: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...]


def rank_table(path: Path, *, check: bool = False) -> RankTable:
    """Rank the items of a table of judgments.

    Parameters
    ----------
    path : Path
        CSV or Parquet with left_id, right_id, choice; scenario and rater_id if known. Rows with
        is_attention_check true are set aside.
    check : bool
        Whether a note compares the Bradley-Terry fit with choix's.

    Raises
    ------
    RatifyError
        At the first row that is not a judgment, and if there are only attention checks.
    """
    judgments, checks = _without_checks(read_judgments(path, complete=False), path)
    by = "scenario" if "scenario" in judgments else None
    cluster = "rater_id" if "rater_id" in judgments else None
    with naming(path):
        people = bradley_terry(judgments, by=by, cluster=cluster)
        sequential = elo(judgments, by=by)
    key = ["scenario", "item_id"]  # one id may occur in two scenarios
    beside = sequential.frame[[*key, "score", "rank"]]
    beside = beside.rename(columns={"score": "elo", "rank": "elo_rank"})
    table = people.frame.merge(beside, on=key, validate="1:1")
    shown = ["item_id", "rank", "score", "low", "high", "elo", "elo_rank", "n", "wins", "losses"]
    wanted = [*(["scenario"] if by else []), *shown, "note"]
    clusters = f", {people.n_clusters:,} raters" if cluster else ""
    notes = [
        f"{people.method}; {people.n_judgments:,} judgments, {people.n_items:,} items{clusters}",
        f"{sequential.method}; it depends on the order of the rows",
    ]
    if checks:
        notes.append(f"attention checks set aside: {checks:,}")
    for column, what in (("rater_kind", "raters of kind"), ("mode", "data of mode")):
        found = sorted(set(judgments[column])) if column in judgments else []
        if len(found) > 1:
            notes.append(f"the table mixes {what} {', '.join(found)}: rank each separately")
    if check:
        notes.append(check_fit(judgments, people, by=by).sentence)
    if not people.strongly_connected:
        notes.append("some scores are finite only because of the ridge: see the column note")
    return RankTable(table[wanted], tuple(notes))


def _without_checks(judgments: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, int]:
    """Return the judgments of items, and how many were attention checks."""
    if "is_attention_check" not in judgments:
        return judgments, 0
    with naming(path):
        checks = columns.flags(judgments, "is_attention_check")
        kept = judgments[~checks].reset_index(drop=True)
        columns.require_rows(kept, "judgments other than attention checks")
    return kept, int(checks.sum())


def refuse_foreign_table(path: Path | None) -> None:
    """Raise `RatifyError` if a file that is not a ranking exists at the path."""
    if path is None or not path.exists():
        return
    try:
        head = path.read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        head = ""
    if not head.removeprefix("scenario,").startswith("item_id,rank,score,"):
        raise RatifyError("already exists and would be lost", file=path, allowed="a new file")
