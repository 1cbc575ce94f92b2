"""Common functions for the three tables of answers: trials, attention checks and response times.

A forced choice has one row, a rated item has one row per scale, and a best-worst trial has one row
per option.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray
from analysis.tables import columns
from prereg.errors import RatifyError

Unit = Literal["judgments", "ratings", "answers"]
# The column of the answer.
SAID: dict[Unit, str] = {"judgments": "choice", "ratings": "value", "answers": "picked"}


def unit_of(answers: pd.DataFrame) -> Unit:
    """Return what a table of answers counts: judgments, ratings, or answers of best-worst trials.

    A table with `picked` has best-worst answers, one with `dimension` has ratings, and any other
    has judgments.
    """
    if "picked" in answers.columns:
        return "answers"
    return "ratings" if "dimension" in answers.columns else "judgments"


def count_of(answers: pd.DataFrame) -> int:
    """Return how many judgments, ratings or best-worst answers (not their rows) a table has."""
    if unit_of(answers) != "answers":
        return len(answers)
    return len(trials_of(answers).drop_duplicates())


def trials_of(answers: pd.DataFrame) -> pd.DataFrame:
    """Return the trial of each row: `session` and `trial`, on the same index.

    A best-worst row has a `trial_id`. Ratings of one item on several scales share a `position`;
    without positions `item_id` tells trials apart. Each forced choice is its own trial.

    Raises
    ------
    RatifyError
        If ratings have neither `position` nor `item_id`, or best-worst rows have no `trial_id`.
    """
    unit = unit_of(answers)
    if unit == "judgments":
        trial: Any = np.arange(len(answers))
    elif unit == "answers":
        trial = columns.text_ids(answers, "trial_id") if _has(answers, "trial_id") else None
    else:
        trial = _rated(answers)
    if trial is None:
        needed = "trial_id" if unit == "answers" else "position or item_id"
        raise RatifyError(f"nothing says which rows are one trial of these {unit}", allowed=needed)
    return pd.DataFrame({"session": answers["session_id"], "trial": trial}, index=answers.index)


def is_check(answers: pd.DataFrame) -> BoolArray:
    """Return where a row is an attention check; nowhere if the table does not say."""
    if "is_attention_check" not in answers.columns:
        return np.zeros(len(answers), dtype=bool)
    return columns.flags(answers, "is_attention_check")


def is_answered(answers: pd.DataFrame) -> BoolArray:
    """Return where a row belongs to a trial that was answered.

    There is a choice or a rating; in a best-worst trial at least one option was picked.
    """
    unit = unit_of(answers)
    said = ~is_empty(answers, SAID[unit])
    if unit == "judgments":
        return said
    trials = trials_of(answers).assign(said=said)
    whole = trials.groupby(["session", "trial"], sort=False)["said"].transform("any")
    return whole.to_numpy(dtype=bool)


def is_empty(table: pd.DataFrame, column: str) -> BoolArray:
    """Return where an optional column is empty; everywhere if the table does not have it."""
    if column not in table.columns:
        return np.ones(len(table), dtype=bool)
    return columns.missing(table[column])


def failed_checks(answers: pd.DataFrame) -> pd.Series[int]:
    """Return how many attention checks each session failed; sessions without any are left out.

    A check that was never answered is not failed, and one over several rows is one check.

    Raises
    ------
    RatifyError
        If there are checks but nothing says how they were answered, or a verdict is missing.
    """
    wrong = trials_of(answers)[_failed(answers)].drop_duplicates()
    return wrong["session"].value_counts()


def median_ms(answers: pd.DataFrame) -> pd.Series[float]:
    """Return the median `response_ms` of each session's trials, without attention checks.

    Raises
    ------
    RatifyError
        If there is no column `response_ms`, or it has values that are not numbers.
    """
    columns.require_columns(answers, "response_ms")
    timed = answers[~is_check(answers)]
    spent = trials_of(timed).assign(spent=columns.numbers(timed, "response_ms"))
    # Rows of one trial repeat its time, so it counts once; otherwise long trials would count more.
    once = spent.groupby(["session", "trial"], sort=False)["spent"].first()
    return once.groupby("session").median()


def _failed(answers: pd.DataFrame) -> BoolArray:
    """Return where a row belongs to an attention check that was failed."""
    asked = is_check(answers)
    if not asked.any():
        return asked
    if "passed_check" in answers.columns:
        passed = columns.flags(answers, "passed_check")
        unmarked = is_empty(answers, "passed_check")
        columns.refuse(
            answers,
            "passed_check",
            asked & unmarked & is_answered(answers),
            "is empty, although this attention check was answered",
            allowed="true, false",
        )
        return asked & ~passed & ~unmarked
    if unit_of(answers) != "judgments":
        raise RatifyError(
            "attention checks have no column 'passed_check'", allowed="passed_check (true, false)"
        )
    if "expected_choice" not in answers.columns:
        raise RatifyError(
            "attention checks have neither a column 'passed_check' nor 'expected_choice'",
            allowed="passed_check (true, false) or expected_choice (left, right)",
        )
    return asked & _other_than_expected(answers, asked)


def _other_than_expected(judgments: pd.DataFrame, asked: BoolArray) -> BoolArray:
    """Return where an attention check was answered, but not as it should be; a tie is wrong too."""
    columns.require_columns(judgments, "choice")
    answered = asked & is_answered(judgments)
    for column in ("choice", "expected_choice"):
        words = (*columns.SIDES, columns.TIE)
        known = judgments[column].isin(words).to_numpy(dtype=bool)
        allowed = ", ".join(words)
        columns.refuse(judgments, column, answered & ~known, "is not a choice", allowed=allowed)
    wrong = judgments["choice"].ne(judgments["expected_choice"]).fillna(False)
    return answered & wrong.to_numpy(dtype=bool)


def _rated(ratings: pd.DataFrame) -> pd.Series[Any] | None:
    """Return what tells the rated items of a session apart, None if nothing does."""
    items = ratings["item_id"].astype(str) if _has(ratings, "item_id") else None
    if not _has(ratings, "position"):
        return items
    places = ratings["position"].astype(str)
    absent = pd.Series(columns.missing(ratings["position"]), index=ratings.index)
    if not absent.any():
        return places
    return None if items is None else places.mask(absent, "item " + items)


def _has(table: pd.DataFrame, column: str) -> bool:
    return column in table.columns
