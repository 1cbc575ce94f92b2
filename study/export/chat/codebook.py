"""The codebook of a chat's tables: that of every study, and the columns of its own plan."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

from prereg.chat.surveys import AFTER_EACH, ScaleItem, SurveyQuestion, Surveys
from prereg.plan.survey import ChoiceQuestion
from prereg.tables.chat_contract import CHAT_PARTICIPANTS, CONVERSATIONS, own_column
from study.chat.study import ChatStudy
from study.export.chat.tables import SCORE

HEAD = "| column | type | what it holds, allowed values | missing |\n|---|---|---|---|\n"


def chat_codebook(study: ChatStudy) -> str:
    """Return the codebook of the tidy tables, with the columns of the study's own plan."""
    common = (resources.files("data") / "README.md").read_text(encoding="utf-8")
    surveys, coach = study.plan.surveys, study.plan.feedback.coach
    sections = {
        "participants": [*_traits(surveys), *_questions(surveys, after_each=False)],
        "conversations": [
            *_traits(surveys, only_after_each=True),
            *_questions(surveys, after_each=True),
        ],
        "coaching": [
            f"| `{SCORE.format(one.id)}` | integer | {_cell(one.label)}: {one.min} to {one.max} "
            "| empty: not feedback |"
            for one in ([] if coach is None else coach.scores)
        ],
    }
    return common + "".join(
        f"\n## {name}: the further columns of this study\n\n{HEAD}" + "\n".join(rows) + "\n"
        for name, rows in sections.items()
        if rows
    )


def _traits(surveys: Surveys, *, only_after_each: bool = False) -> Iterator[str]:
    table = CONVERSATIONS if only_after_each else CHAT_PARTICIPANTS
    for name, (survey, items) in surveys.traits.items():
        if only_after_each and survey != AFTER_EACH:
            continue
        keys = ", ".join(f"`{item.id}`{' (reverse)' if item.reverse else ''}" for item in items)
        mean = "mean over the conversations of the " if survey == AFTER_EACH else ""
        mean = "" if only_after_each else mean
        yield (
            f"| `{own_column(name, table)}` | number | {mean}mean of {keys}: "
            f"{items[0].min} to {items[0].max} | empty: an item was left open |"
        )


def _questions(surveys: Surveys, *, after_each: bool) -> Iterator[str]:
    table = CONVERSATIONS if after_each else CHAT_PARTICIPANTS
    for survey, question in surveys.questions():
        if (survey == AFTER_EACH) != after_each:
            continue
        kind = "integer" if isinstance(question, ScaleItem) else "string"
        left = "" if question.required else "left open, or "
        yield (
            f"| `{own_column(question.id, table)}` | {kind} | {_cell(question.question)} "
            f"{_values(question)} | empty: {left}not asked yet |"
        )


def _values(question: SurveyQuestion) -> str:
    if isinstance(question, ChoiceQuestion):
        return "One of: " + ", ".join(f"`{_cell(option)}`" for option in question.options)
    if isinstance(question, ScaleItem):
        turned = "; as it was answered, although it is reverse-keyed" if question.reverse else ""
        return f"{question.min} to {question.max}{turned}"
    return "In the participant's own words"


def _cell(text: str) -> str:
    """Return a text as one cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")
