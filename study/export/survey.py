"""The end survey in the export: columns of the participants table, and their codebook."""

from __future__ import annotations

import json
from typing import Any

from prereg.plan.model import Plan
from prereg.plan.survey import ANSWERED_AT, COLUMN, ChoiceQuestion, Question, ScaleQuestion

# The columns of the store that hold the survey; no table shows the first as it is.
SURVEY_STORED = ("survey", "surveyed_at")


def survey_types(plan: Plan) -> dict[str, type]:
    """Return the types of the survey's columns, by name; none if the plan has no survey."""
    if not plan.survey:
        return {}
    types: dict[str, type] = {COLUMN.format(ANSWERED_AT): str}
    for question in plan.survey:
        types[question.column] = int if isinstance(question, ScaleQuestion) else str
    return types


def survey_cells(plan: Plan, survey: str | None, surveyed_at: str | None) -> list[Any]:
    """Return one visit's cells in the order of `survey_types`."""
    if not plan.survey:
        return []
    answers = json.loads(survey) if survey else {}
    return [surveyed_at, *(answers.get(question.id) for question in plan.survey)]


def survey_codebook(plan: Plan) -> str:
    """Return a section of the codebook with one row for each question; empty without a survey."""
    if not plan.survey:
        return ""
    rows = [
        f"| `{COLUMN.format(ANSWERED_AT)}` | time | when the answers to the end survey were stored "
        "| empty: the survey was not answered |"
    ]
    rows += [
        f"| `{question.column}` | {_type(question)} "
        f"| {_cell(question.question)} {_values(question)} "
        f"| empty: {'' if question.required else 'left open, or '}the survey was not answered |"
        for question in plan.survey
    ]
    return (
        "\n## The end survey of this study\n\n"
        "These questions were asked after the last trial and before the completion code. Their "
        "answers are further columns of participants.\n\n"
        "| column | type | question and allowed values | missing |\n|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )


def _type(question: Question) -> str:
    return "integer" if isinstance(question, ScaleQuestion) else "string"


def _values(question: Question) -> str:
    if isinstance(question, ChoiceQuestion):
        return "One of: " + ", ".join(f"`{_cell(option)}`" for option in question.options)
    if isinstance(question, ScaleQuestion):
        named = ", ".join(
            f"{point} = {_cell(question.labels[point])}"
            for point in question.points
            if point in question.labels
        )
        return f"{question.min} to {question.max}: {named}"
    return "In the rater's own words"


def _cell(text: str) -> str:
    """Return a text as one cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")
