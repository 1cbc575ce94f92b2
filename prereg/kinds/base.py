"""The base class of every kind of task: what the plan, design, lock and analysis ask of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from prereg.design.dealing import Items
from prereg.plan.model import Plan


@dataclass(frozen=True)
class KindWords:
    """What documents say of a kind of task.

    Attributes
    ----------
    trial : str
        What a trial shows and asks, without a full stop.
    places : str
        How items are balanced over the places of a page; a sentence.
    measured : str
        What is measured, without a full stop.
    stored : str
        What is stored of an answer.
    """

    trial: str = "A trial shows items and asks about them"
    places: str = ""
    measured: str = "The answer of each trial"
    stored: str = "the answer"


class Kind(ABC):
    """One kind of task.

    Attributes
    ----------
    name : str
        The plan's `kind`.
    table : str
        The tidy table that holds its answers.
    row_of : str
        The column that tells the rows of one answer apart; empty where an answer is one row.
    place : str
        The column that says at which place the item of a row was shown; empty where a row names
        all items of its trial, in the columns of the sequences.
    compares : bool
        Whether a trial asks for a choice among several items; otherwise it shows one item, which
        a judge is asked about once.
    asks_pairs : bool
        Whether a trial shows two items, so that judges can be asked for pairs of their own.
    one_prompt : bool
        Whether its page shows one prompt, to which all items of the trial answer.
    prompts : str
        The task of the prompts that ask an LLM judge; empty where no LLM judge can be asked.
    differ : tuple of str
        Fields of a trial's form that must have different answers.
    words : KindWords
        What documents say of it.
    needs, takes : tuple of str
        Dotted keys of the plan that it needs, and those that it may have. Keys that only other
        kinds name are refused.
    """

    name: ClassVar[str]
    table: ClassVar[str]
    row_of: ClassVar[str] = ""
    place: ClassVar[str] = ""
    compares: ClassVar[bool] = True
    asks_pairs: ClassVar[bool] = False
    one_prompt: ClassVar[bool] = False
    prompts: ClassVar[str] = ""
    differ: ClassVar[tuple[str, ...]] = ()
    words: ClassVar[KindWords] = KindWords()
    needs: ClassVar[tuple[str, ...]] = ()
    takes: ClassVar[tuple[str, ...]] = ()

    @property
    def holds(self) -> frozenset[str]:
        """What its answers can be read as: rows of their table, and perhaps choices."""
        return frozenset((self.table, "choices")) if self.compares else frozenset((self.table,))

    @abstractmethod
    def columns(self, plan: Plan) -> tuple[str, ...]:
        """Return the columns of the sequences that hold a trial's items, in order of place."""

    def shown(self, plan: Plan) -> int:
        """Return how many items a trial shows."""
        return len(self.columns(plan))

    @abstractmethod
    def noun(self, plan: Plan) -> str:
        """Return what several trials are called, as in "ten pairs"."""

    @abstractmethod
    def draw(
        self, plan: Plan, pool: Sequence[str], count: int, rng: np.random.Generator
    ) -> list[Items]:
        """Return `count` trials drawn from one scenario's items, before they are dealt."""

    @abstractmethod
    def answers(self, plan: Plan) -> dict[str, list[int | str]]:
        """Return the allowed answers, by field of a trial's form."""
