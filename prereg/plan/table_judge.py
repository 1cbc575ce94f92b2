"""A judge whose answers the researcher already has: a table of its scores or of its choices."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from prereg.plan.pairs import PairSampling
from prereg.strict import Identifier, Strict, Text

# The columns that such a table may have, by the names that `columns` maps to the table's own.
OF_SCORES = ("item_id", "dimension", "value")
OF_CHOICES = ("left_id", "right_id", "choice")

# The dimension of a table with one score per item, if the plan measures several.
OVERALL = "overall"


class TableJudge(Strict):
    """A judge that is not asked: its answers are in tables of the study folder.

    `ratings` holds scores of items, `judgments` choices between two items. `columns` says which
    column of these tables holds what: {item_id: conversation, value: score}. `pairs` draws pairs
    of items for a ranking of its own; the higher score wins.
    """

    id: Identifier
    kind: Literal["table"]
    ratings: Text | None = None
    judgments: Text | None = None
    columns: dict[Identifier, Text] = Field(default_factory=dict)
    pairs: PairSampling | None = None

    @field_validator("ratings", "judgments")
    @classmethod
    def _inside_the_study(cls, name: str | None) -> str | None:
        if name is not None and (Path(name).is_absolute() or ".." in Path(name).parts):
            raise ValueError("must be a file inside the study folder")
        return name

    @model_validator(mode="after")
    def _some_table(self) -> Self:
        if self.ratings is None and self.judgments is None:
            raise ValueError("a judge of kind table needs ratings, judgments or both")
        known = (*OF_SCORES * (self.ratings is not None), *OF_CHOICES * bool(self.judgments))
        for name in self.columns:
            if name not in known:
                raise ValueError(f"columns maps '{name}', which is none of {', '.join(known)}")
        if self.pairs is not None and self.ratings is None:
            raise ValueError("pairs need ratings: the judgments already are pairs")
        return self

    @property
    def files(self) -> tuple[str, ...]:
        """The tables that it names."""
        return tuple(name for name in (self.ratings, self.judgments) if name is not None)
