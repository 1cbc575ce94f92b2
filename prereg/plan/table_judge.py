"""A judge whose answers the researcher already has: a table of its scores or of its choices."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from prereg.plan.pairs import PairSampling
from prereg.strict import Identifier, Strict, Text, added

# The columns that such a table may have, by the names that `columns` maps to the table's own.
OF_SCORES = ("item_id", "dimension", "value")
OF_CHOICES = ("left_id", "right_id", "choice")

# The dimension of a table with one score per item, if the plan measures several.
OVERALL = "overall"


class TableJudge(Strict):
    """A judge that is not asked: its answers are in tables of the study folder.

    `ratings` holds scores of items, `judgments` choices between two items. `columns` says which
    column of these tables holds what: {item_id: conversation, value: score}. `pairs` draws pairs
    of items for a ranking of its own; the higher score wins. `ranking` holds the pairs of such a
    ranking instead, in the order in which they were answered; they answer no trial.
    """

    id: Identifier
    kind: Literal["table"]
    ratings: Text | None = None
    judgments: Text | None = None
    ranking: Text | None = added(None)
    columns: dict[Identifier, Text] = Field(default_factory=dict)
    pairs: PairSampling | None = None

    @field_validator("ratings", "judgments", "ranking")
    @classmethod
    def _inside_the_study(cls, name: str | None) -> str | None:
        if name is not None and (Path(name).is_absolute() or ".." in Path(name).parts):
            raise ValueError("must be a file inside the study folder")
        return name

    @model_validator(mode="after")
    def _some_table(self) -> Self:
        if self.ratings is None and self.judgments is None:
            raise ValueError("a judge of kind table needs ratings, judgments or both")
        chosen = self.judgments is not None or self.ranking is not None
        known = (*OF_SCORES * (self.ratings is not None), *OF_CHOICES * chosen)
        for name in self.columns:
            if name not in known:
                raise ValueError(f"columns maps '{name}', which is none of {', '.join(known)}")
        if self.pairs is not None and self.ratings is None:
            raise ValueError("pairs need ratings: the judgments already are pairs")
        if self.ranking is not None and (self.judgments is not None or self.pairs is not None):
            raise ValueError("ranking takes neither judgments nor pairs: it already is a ranking")
        return self

    @property
    def files(self) -> tuple[str, ...]:
        """The tables that it names."""
        named = (self.ratings, self.judgments, self.ranking)
        return tuple(name for name in named if name is not None)

    @property
    def compared(self) -> bool:
        """Whether its tables hold pairs, so that it has a ranking without drawing any."""
        return self.judgments is not None or self.ranking is not None
