"""What a kind of task must do, so that people on a page and judges in Python can answer it."""

from __future__ import annotations

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self

import numpy as np

from prereg.kinds.base import Kind
from prereg.plan.model import Plan
from study.items import Item

if TYPE_CHECKING:
    from study.store.tables import BestWorst, Judgment, Rating  # slow to load: SQLAlchemy

# Values by field of the trial's form: {"choice": "left"}, {"warmth": 4}, {"most": 2, "least": 3}.
Answers = Mapping[str, int | str]
Row = dict[str, Any]
Choice = Literal["left", "right"]


@dataclass(frozen=True)
class Reading:
    """What was read from a form.

    Attributes
    ----------
    answers : mapping
        The fields that were answered as the task allows.
    missing : tuple of str
        The fields that still need an answer, in the order of the page; empty if there are none.
    """

    answers: Answers
    missing: tuple[str, ...] = field(default=())


class Judge(Protocol):
    """A rater that is not a person.

    Attributes
    ----------
    rater_id : str
        Its name in the tidy tables.
    rater_kind : {'llm', 'baseline'}
        Its kind in the tidy tables.
    """

    rater_id: str
    rater_kind: Literal["llm", "baseline"]

    def compare(self, left: Item, right: Item, *, rng: np.random.Generator) -> Choice:
        """Return the side where a person in trouble would feel more heard."""
        ...

    def equal(self, left: Item, right: Item) -> bool:
        """Return whether it finds no difference; asked only where the plan offers ties."""
        ...

    def pick(self, options: Sequence[Item], *, rng: np.random.Generator) -> tuple[int, int]:
        """Return the places, from 0, of the options that it picks as most and as least."""
        ...

    def rate(self, item: Item, dimensions: Sequence[str]) -> Mapping[str, float]:
        """Return a score on each of the named dimensions, on the plan's scale."""
        ...


class Task(ABC):
    """One kind of task: people answer it on a page, judges in Python, with the same rows.

    Attributes
    ----------
    kind : Kind
        What the plan, the design and the analysis know about it.
    template : str
        The template of a trial's page.
    table : type
        The store's table of its answers.
    """

    kind: ClassVar[Kind]
    template: ClassVar[str]
    table: ClassVar[type[Judgment | Rating | BestWorst]]

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """Return the task with the settings of a plan."""
        return cls()

    @property
    def rows_of_an_answer(self) -> int:
        """How many rows one answer has in the store."""
        return 1

    @abstractmethod
    def read(self, form: Mapping[str, str]) -> Reading:
        """Return the answers in a form; other fields are ignored."""

    @abstractmethod
    def ask(self, judge: Judge, items: Sequence[Item], rng: np.random.Generator) -> Answers:
        """Ask a judge to answer a trial."""

    @abstractmethod
    def rows(
        self,
        common: Row,
        items: Sequence[Item],
        answers: Mapping[str, float | str],
        *,
        answer_id: str | None = None,
        purpose: str = "trial",
    ) -> list[Row]:
        """Return the store's rows for an answer of a person or a judge.

        Parameters
        ----------
        common : dict
            The columns of every answer; see `study.store.tables.AnyAnswer`.
        items : sequence of Item
            In the order in which they are shown.
        answers : mapping
            Complete answers; see `Reading`. A score may lie between the points of a scale.
        answer_id : str, optional
            The answer's id, if its table has such a column; random by default.
        purpose : {'trial', 'reversed', 'ranking'}
            Why a judge was asked, if its table has such a column.
        """


def whole(text: str | None, allowed: range) -> int | None:
    """Return a whole number that a form sent, or None if it is not allowed."""
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > 9:
        return None
    number = int(text)
    return number if number in allowed else None


def plain(text: str) -> str:
    """Return a text without control and broken characters, with one kind of line end."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    # Cc: control characters; Cs: halves of characters, which UTF-8 cannot hold
    kept = (c for c in lines if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"})
    return "".join(kept).strip()
