"""The rows of a registered regression: trials, ratings, or the researcher's own table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.inference.trial_errors import cluster_columns
from analysis.registered.own_tables import with_number_columns
from analysis.regression.judge_gap import trials_with_gap
from analysis.tables import columns
from analysis.tables.tidy import naming
from prereg.analyses.regression import JUDGE_RATINGS, RATINGS, TRIALS, Regression
from prereg.errors import RatifyError
from prereg.tables.numbers import numbers_of, suspicious


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
    Tables hold text. `with_numbers` says which columns are numbers and which are categories.
    """
    if analysis.data == TRIALS:
        return dict.fromkeys(analysis.outcomes, _trials(analysis, evidence))
    if analysis.data in {RATINGS, JUDGE_RATINGS}:
        rated = _ratings(analysis, evidence)
        return {outcome: _dimension(rated, outcome, analysis) for outcome in analysis.outcomes}
    table = with_number_columns(evidence, analysis.data, *analysis.outcomes)
    own = _with_numbers(table, analysis, evidence, evidence.table_path(analysis.data).name)
    return dict.fromkeys(analysis.outcomes, own)


def with_numbers(
    table: pd.DataFrame,
    *,
    used: frozenset[str],
    categories: frozenset[str] = frozenset(),
    numbers: frozenset[str] = frozenset(),
) -> tuple[pd.DataFrame, list[str]]:
    """Return a table whose columns of numbers are read as numbers.

    A column of numbers is one in which every filled cell is a number; a column of words is a
    category. What is neither is refused if the analysis uses it, because a guess would change the
    result: one word among ages would make a category of every age.

    Parameters
    ----------
    table : DataFrame
    used : set of str
        The columns that the analysis uses.
    categories : set of str
        Columns that stay text, in addition to those whose name ends with `_id`.
    numbers : set of str
        Columns that the plan says are numbers, also where each has a label ('5 - agree').

    Returns
    -------
    table : DataFrame
    read : list of str
        The used columns that were read as numbers.

    Raises
    ------
    RatifyError
        At a used column with numbers and words, and at one whose cells look like numbers that
        cannot be read in one way only ('3,5', '5 - agree', '25 km').
    """
    changed = {}
    for name in map(str, table.columns):
        cells = table[name]
        text = isinstance(cells.dtype, pd.StringDtype) or cells.dtype == object
        if not text or name in categories or (name.endswith("_id") and name not in numbers):
            continue
        if name in numbers:
            changed[name] = columns.numbers(table, name)
            continue
        filled = cells[~columns.missing(cells)].astype(str).str.strip()
        found = numbers_of(filled.unique())
        plain = [word for word in found.known if found.kinds.get(word) in _SURE]
        words = [word for word in filled.unique() if word and word not in set(plain)]
        if plain and not words:
            changed[name] = columns.numbers(table, name)
        elif name in used and words:
            _refuse_neither(table, name, plain, words)
    return table.assign(**changed), [name for name in changed if name in used]


# Kinds of cells that can only be numbers, whatever the column is for.
_SURE = (None, "digits", "percent", "grouped")


def _refuse_neither(table: pd.DataFrame, name: str, plain: list[str], words: list[str]) -> None:
    """Refuse a column that is neither numbers nor categories, at its first cell that is neither."""
    like = [word for word in words if suspicious(word)]
    if not plain and len(like) < len(words):
        return
    cells = table[name].astype(str).str.strip()
    found = numbers_of(words)
    problem, allowed = found.faults.get(words[0], ("is not a plain number", ""))
    category = f"or C({name}) in predictors, if these are categories"
    if words[0] in found.known and found.kinds[words[0]] == "labelled":
        allowed = f"numbers: [{name}] in the plan if these are numbers, {category}"
    elif problem in {"is not a number", "is not a plain number"}:
        problem += ", as other cells are" if plain else ""
        allowed = f"a number, or a word of `missing` in the plan's data, {category}"
    columns.refuse(table, name, cells.isin(words), problem, allowed=allowed)


def _with_numbers(
    table: pd.DataFrame,
    analysis: Regression,
    evidence: Evidence,
    file: str,
    *,
    categories: frozenset[str] = frozenset(),
) -> pd.DataFrame:
    """Return a table with the numbers of this analysis; the file is named in errors and notes."""
    names = [str(name) for name in table.columns]
    used = analysis.used(names)
    clusters = set(cluster_columns(analysis.clustering)) if analysis.clustering else set[str]()
    with naming(Path(file)):
        found, read = with_numbers(
            table,
            used=frozenset(used - analysis.declared(names)),
            categories=categories | clusters | set(analysis.categories),
            numbers=frozenset(set(analysis.numbers) & used),
        )
    for name in read:
        evidence.note(columns.number_notes(table, name, file))
    return found


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
    elif analysis.data == JUDGE_RATINGS:  # a panel repeats what its judges said
        rated = rated[rated["rater_kind"] != "panel"]
    if rated.empty:
        whose = "people's" if analysis.data == RATINGS else analysis.judge or "judges'"
        raise RatifyError("there are no such ratings", value=whose, allowed="one row or more")
    wanted = [name for name in evidence.items.columns if name != "text"]
    items = _with_numbers(evidence.items[wanted], analysis, evidence, "items.csv")
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
    visits = visits.drop(columns="rater_id", errors="ignore")
    # an option of the end survey is a category, even if all options look like numbers
    options = frozenset(one.column for one in evidence.plan.survey if one.kind == "choice")
    visits = _with_numbers(visits, analysis, evidence, "participants.csv", categories=options)
    return _beside(rows, visits, "session_id", "visit_")


def _beside(rows: pd.DataFrame, other: pd.DataFrame, key: str, prefix: str) -> pd.DataFrame:
    """Return the rows with the other table's columns, renamed where a name is already used."""
    taken = {name: f"{prefix}{name}" for name in other.columns if name in rows and name != key}
    return rows.merge(other.rename(columns=taken), on=key, how="left", validate="many_to_one")
