"""Shuffles answers, so that a whole analysis can run before anybody sees a result.

Every answer stays, and goes to another trial: what all answers have in common (how often the left
side was chosen, the mean of a scale) is real, and nothing else is. Who answered what, when and how
fast is not related to it any more. What judges answered stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from analysis.evidence.trials import unit_of
from prereg.errors import RatifyError
from prereg.plan.model import Plan
from prereg.streams import Stream, stream

# Columns of an answer that are shuffled beside it, each by itself.
_TIMES = ("response_ms", "hidden_ms", "clock_changed")


def shuffled_answers(answers: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return answers of people with what they answered shuffled, all else in its place.

    Parameters
    ----------
    answers : DataFrame
        Judgments, ratings or best-worst answers, without attention checks.
    plan : Plan
        Its seed decides the order.

    Returns
    -------
    DataFrame
        Choices are shuffled over all trials, ratings over all trials within a dimension, and picks
        within each trial; the times of choices and ratings over all rows.
    """
    unit = unit_of(answers)
    rng = stream(plan.seed, Stream.BLIND, unit)
    if unit == "answers":
        return _moved(answers, ("picked", "why"), _within(answers["trial_id"], rng))
    if unit == "ratings":
        found = _moved(answers, ("value", "given_label"), _within(answers["dimension"], rng))
    else:
        found = _moved(answers, ("choice",), rng.permutation(len(answers)))
    for name in _TIMES:
        found = _moved(found, (name,), rng.permutation(len(found)))
    return found


def shuffled_people(frame: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return a table of answers by people and judges with only people's shuffled."""
    if frame.empty or "rater_kind" not in frame:
        return frame
    people = frame["rater_kind"] == "human"
    if not people.any():
        return frame
    mixed = shuffled_answers(frame[people], plan)
    return pd.concat([mixed, frame[~people]]).sort_index()


def shuffled_survey(participants: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return visits with the answers to each question of the end survey shuffled."""
    rng = stream(plan.seed, Stream.BLIND, "survey")
    for question in plan.survey:
        order = rng.permutation(len(participants))
        participants = _moved(participants, (question.column,), order)
    return participants


def shuffled_table(table: pd.DataFrame, name: str, plan: Plan) -> pd.DataFrame:
    """Return a table of the researcher's own with its columns of answers shuffled, each by itself.

    Raises
    ------
    RatifyError
        If an analysis that reads the table does not say which of its columns hold answers.
    """
    for column in _answer_columns(name, plan):
        order = stream(plan.seed, Stream.BLIND, name, column).permutation(len(table))
        table = _moved(table, (column,), order)
    return table


def _answer_columns(table: str, plan: Plan) -> Iterable[str]:
    found: dict[str, None] = {}
    for analysis in plan.analyses:
        if table not in analysis.tables():
            continue
        mine = analysis.answer_columns(table)
        if mine is None:
            raise RatifyError(
                f"an analysis of kind {analysis.kind} does not say which columns of {table} hold "
                "answers, so they cannot be shuffled",
                value=analysis.id,
                allowed="an analysis without --blind",
            )
        found |= dict.fromkeys(mine)
    return found


def _moved(frame: pd.DataFrame, names: Sequence[str], order: np.ndarray) -> pd.DataFrame:
    """Return a table with some columns in another order of rows, together."""
    there = [name for name in names if name in frame]
    return frame.assign(**{name: frame[name].iloc[order].set_axis(frame.index) for name in there})


def _within(groups: pd.Series, rng: np.random.Generator) -> np.ndarray:
    """Return an order of rows in which every row is exchanged for one of its own group."""
    codes, _ = pd.factorize(groups)
    order = np.empty(len(codes), dtype=np.intp)
    order[np.argsort(codes, kind="stable")] = np.lexsort((rng.random(len(codes)), codes))
    return order
