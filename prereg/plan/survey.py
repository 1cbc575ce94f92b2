"""The end survey in the plan: questions about the rater, asked after the last trial."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from prereg.plan.collection import PointScale
from prereg.strict import Strict, Text

# The columns of the survey in the participants table are called survey_ID.
COLUMN = "survey_{}"
ANSWERED_AT = "answered_at"
LONGEST_TEXT = 2_000
MOST_QUESTIONS = 40

# A name that a formula can use as it is: no dots, no hyphens.
QuestionId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,55}$")]


def _as_written(value: Any) -> Any:
    """Return a number as text; explain what YAML makes of an unquoted yes or no."""
    if isinstance(value, bool):
        raise ValueError(  # noqa: TRY004 - pydantic reports only this as a fault of the plan
            "YAML reads yes and no as true and false: write it in quotation marks"
        )
    return str(value) if isinstance(value, int | float) else value


Option = Annotated[Text, BeforeValidator(_as_written, json_schema_input_type=str | int | float)]


class _Question(Strict):
    """The keys that every question has."""

    id: QuestionId
    question: Text
    required: bool = True

    @property
    def column(self) -> str:
        """The name of its column in the participants table."""
        return COLUMN.format(self.id)


class ChoiceQuestion(_Question):
    """One of several options; the table holds the option as the plan writes it."""

    kind: Literal["choice"]
    options: tuple[Option, ...] = Field(min_length=2, max_length=60)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for number, option in enumerate(self.options):
            if option in self.options[:number]:
                raise ValueError(f"options names '{option}' more than once")
        return self


class ScaleQuestion(PointScale, _Question):
    """One point of a scale with named ends; the table holds the number of the point."""

    kind: Literal["scale"]


class TextQuestion(_Question):
    """An answer in the rater's own words, up to 2,000 characters."""

    kind: Literal["text"]


QUESTIONS = (ChoiceQuestion, ScaleQuestion, TextQuestion)
Question = Annotated[ChoiceQuestion | ScaleQuestion | TextQuestion, Field(discriminator="kind")]
