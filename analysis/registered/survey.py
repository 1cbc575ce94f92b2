"""The end survey in the report: each question, how many answered it, and what they answered."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.results.quantities import ResultTable
from prereg.plan.survey import Question


def survey_tables(
    questions: Sequence[Question], participants: pd.DataFrame, raters: str
) -> list[ResultTable]:
    """Return the table of answers to the end survey; no table if the plan has no survey.

    Parameters
    ----------
    questions : sequence of Question
        Of the plan.
    participants : DataFrame
        One row per visit that was kept; an answer is in the column `survey_ID`.
    raters : str
        What to call who answered.

    Returns
    -------
    list of ResultTable
        A row for each option of a choice with its count, one for each scale with mean and SD, and
        one for each text, of which only the number is shown.
    """
    rows = [row for one in questions for row in _rows(one, participants)]
    if not rows:
        return []
    table = ResultTable(
        name="survey",
        title="The end survey",
        caption=f"{raters.capitalize()} who were kept after the exclusions; n is how many of them "
        "answered the question. What is written in own words is in the participants table only.",
        frame=pd.DataFrame(rows, columns=["question", "n", "answer", "count", "mean", "sd"]),
    )
    return [table]


def _rows(one: Question, participants: pd.DataFrame) -> list[dict[str, object]]:
    """Return the rows of one question."""
    if one.column not in participants:
        return [{"question": one.question, "n": 0}]
    given = participants[one.column].dropna().astype(str)
    given = given[given != ""]
    whole: dict[str, object] = {"question": one.question, "n": len(given)}
    if one.kind == "choice":
        return [
            {**whole, "answer": option, "count": int((given == option).sum())}
            for option in one.options
        ]
    if one.kind == "text":
        return [{**whole, "answer": "own words"}]
    points = pd.to_numeric(given)
    scale = f"{one.min:g} to {one.max:g}"
    return [{**whole, "answer": scale, "mean": points.mean(), "sd": points.std(ddof=1)}]
