"""Surveys of a chat: pages of questions before, after each conversation, and at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, model_validator

from prereg.plan.survey import ChoiceQuestion, ScaleQuestion, TextQuestion
from prereg.strict import Identifier, Strict, Text

BEFORE, AFTER_EACH, END = "before", "after_each", "end"
SURVEYS = (BEFORE, AFTER_EACH, END)


class ScaleItem(ScaleQuestion):
    """A point of a scale; `of` names the trait that it belongs to, `reverse` turns it round.

    The score of a trait is the mean of its items, each reverse-keyed one as min + max - answer.
    """

    of: Identifier | None = None
    reverse: bool = False

    @model_validator(mode="after")
    def _turned_for_a_score(self) -> Self:
        if self.reverse and self.of is None:
            raise ValueError("reverse needs `of`: only a score is affected by it")
        return self

    def keyed(self, point: int) -> int:
        """Return an answer as it counts towards its trait."""
        return self.min + self.max - point if self.reverse else point


SURVEY_QUESTIONS = (ScaleItem, ChoiceQuestion, TextQuestion)
SurveyQuestion = Annotated[ScaleItem | ChoiceQuestion | TextQuestion, Field(discriminator="kind")]


class Page(Strict):
    """One page of a survey: a title, perhaps an introduction, and its questions."""

    title: Text | None = None
    text: Text | None = None
    questions: tuple[SurveyQuestion, ...] = Field(min_length=1, max_length=60)


class Surveys(Strict):
    """The pages of every survey; the id of a question is used once in the whole plan."""

    before: tuple[Page, ...] = ()
    after_each: tuple[Page, ...] = ()
    end: tuple[Page, ...] = ()

    def pages(self, survey: str) -> tuple[Page, ...]:
        """Return the pages of `before`, `after_each` or `end`."""
        found: tuple[Page, ...] = getattr(self, survey)
        return found

    def questions(self) -> Iterator[tuple[str, SurveyQuestion]]:
        """Yield every question with the survey that asks it."""
        for survey in SURVEYS:
            for page in self.pages(survey):
                yield from ((survey, question) for question in page.questions)

    @property
    def traits(self) -> dict[str, tuple[str, tuple[ScaleItem, ...]]]:
        """The items of every trait by its name, with the survey that asks them."""
        found: dict[str, tuple[str, tuple[ScaleItem, ...]]] = {}
        for survey, question in self.questions():
            if isinstance(question, ScaleItem) and question.of is not None:
                _, items = found.get(question.of, (survey, ()))
                found[question.of] = (survey, (*items, question))
        return found

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        seen: set[str] = set()
        for _, question in self.questions():
            if question.id in seen:
                raise ValueError(f"the question id '{question.id}' is used more than once")
            seen.add(question.id)
        for name, (survey, items) in self.traits.items():
            if len({(item.min, item.max) for item in items}) > 1:
                raise ValueError(f"the items of '{name}' have different scales")
            if any(s != survey for s, q in self.questions() if getattr(q, "of", None) == name):
                raise ValueError(f"the items of '{name}' are in more than one survey")
            if name in seen:
                raise ValueError(f"'{name}' names both a trait and a question")
        return self
