"""The rows of a registered regression: trials, ratings, or the researcher's own table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.regression.judge_gap import trials_with_gap
from analysis.tables import columns
from prereg.analyses.regression import JUDGE_RATINGS, RATINGS, TRIALS, Regression
from prereg.errors import RatifyError


def regression_rows(analysis: Regression, evidence: Evidence) -> dict[str, pd.DataFrame]:
    """Return the table of each outcome, one row per observation.

    Parameters
    ----------
    analysis : Regression
    evidence : Evidence

    Returns
    -------
    mapping of outcome to DataFrame
        Trials: people's choices with `gap`, `select_higher`, `select_match`, `chose_left`,
        `diff_NAME` for every dimension the judge scored, and the columns of the visit. Ratings: the
        value under the dimension's name, with the columns of the item and, for people, of the
        visit. Where a rating or trial already has a column of that name, the added one is named
        `item_NAME` or `visit_NAME`. Other tables: unchanged.

    Raises
    ------
    RatifyError
        At an unknown outcome or judge.

    Notes
    -----
    Tables hold text. A column is read as numbers if every filled cell is a number, unless its
    name ends with `_id` or it is the cluster; write C(column) in a formula to get categories.
    """
    if analysis.data == TRIALS:
        return dict.fromkeys(analysis.outcomes, _trials(analysis, evidence))
    if analysis.data in {RATINGS, JUDGE_RATINGS}:
        rated = _ratings(analysis, evidence)
        return {outcome: _dimension(rated, outcome, analysis) for outcome in analysis.outcomes}
    table = evidence.table(analysis.data)
    for outcome in analysis.outcomes:
        columns.require_columns(table, outcome)
    return dict.fromkeys(analysis.outcomes, with_numbers(table, keep=_text_columns(analysis)))


def with_numbers(table: pd.DataFrame, *, keep: frozenset[str] = frozenset()) -> pd.DataFrame:
    """Return a table whose columns of numbers are read as numbers.

    Parameters
    ----------
    table : DataFrame
    keep : set of str
        Columns that stay text, in addition to those whose name ends with `_id`.
    """
    changed = {}
    for name in table.columns:
        cells = table[name]
        text = isinstance(cells.dtype, pd.StringDtype) or cells.dtype == object
        if not text or name in keep or str(name).endswith("_id"):
            continue
        absent = columns.missing(cells)
        values = pd.to_numeric(cells.mask(absent), errors="coerce").to_numpy(float, na_value=np.nan)
        if not absent.all() and np.isfinite(values[~absent]).all():
            changed[name] = values
    return table.assign(**changed)


def _text_columns(analysis: Regression) -> frozenset[str]:
    return frozenset([analysis.cluster] if analysis.cluster else [])


def _trials(analysis: Regression, evidence: Evidence) -> pd.DataFrame:
    assert analysis.judge is not None
    if analysis.judge not in evidence.judges:
        raise RatifyError(
            "is not a judge of the plan", value=analysis.judge, allowed=", ".join(evidence.judges)
        )
    scores = evidence.judges[analysis.judge].scores
    fixed = {"item_id", "scenario", "overall", "elo", "bradley_terry"}
    trials = trials_with_gap(
        evidence.people,
        scores,
        preference="elo" if "elo" in scores else None,
        dimensions=[name for name in scores.columns if name not in fixed],
        orientation=analysis.differences,
    )
    for outcome in analysis.outcomes:
        columns.require_columns(trials.frame, outcome)
    return _with_visits(trials.frame, evidence, analysis)


def _ratings(analysis: Regression, evidence: Evidence) -> pd.DataFrame:
    rated = evidence.ratings if analysis.data == RATINGS else evidence.judge_ratings
    if analysis.judge is not None:
        rated = rated[rated["rater_id"] == analysis.judge]
    if rated.empty:
        whose = "people's" if analysis.data == RATINGS else analysis.judge or "judges'"
        raise RatifyError("there are no such ratings", value=whose, allowed="one row or more")
    wanted = [name for name in evidence.items.columns if name != "text"]
    items = with_numbers(evidence.items[wanted], keep=_text_columns(analysis))
    rows = _beside(rated.reset_index(drop=True), items, "item_id", "item_")
    return rows if analysis.data == JUDGE_RATINGS else _with_visits(rows, evidence, analysis)


def _dimension(rated: pd.DataFrame, outcome: str, analysis: Regression) -> pd.DataFrame:
    rows = rated[rated["dimension"] == outcome]
    if rows.empty:
        shown = ", ".join(sorted(rated["dimension"].astype(str).unique()))
        raise RatifyError("nobody rated this dimension", value=outcome, allowed=shown)
    if outcome in rows.columns:  # the items have a score of the same name
        rows = rows.rename(columns={outcome: f"item_{outcome}"})
    return rows.rename(columns={"value": outcome}).reset_index(drop=True)


def _with_visits(rows: pd.DataFrame, evidence: Evidence, analysis: Regression) -> pd.DataFrame:
    visits = evidence.participants
    if "session_id" not in rows or "session_id" not in visits:
        return rows
    # an option of the end survey is a category, even if all options look like numbers
    options = {question.column for question in evidence.plan.survey if question.kind == "choice"}
    visits = with_numbers(
        visits.drop(columns="rater_id", errors="ignore"), keep=_text_columns(analysis) | options
    )
    return _beside(rows, visits, "session_id", "visit_")


def _beside(rows: pd.DataFrame, other: pd.DataFrame, key: str, prefix: str) -> pd.DataFrame:
    """Return the rows with the other table's columns, renamed where a name is already used."""
    taken = {name: f"{prefix}{name}" for name in other.columns if name in rows and name != key}
    return rows.merge(other.rename(columns=taken), on=key, how="left", validate="many_to_one")
