"""What every registered analysis has, whatever its kind."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from prereg.strict import Identifier, Strict

Correction = Literal["none", "bonferroni", "holm", "benjamini_hochberg", "benjamini_yekutieli"]


class AnyAnalysis(Strict):
    """What every registered analysis has."""

    # Which answers of people it reads, by their table, or "choices"; empty: of any kind of plan.
    answers: ClassVar[str] = ""

    id: Identifier
    hypothesis: Identifier | None = None
    kind: str

    def quantity_names(self, plan: Any) -> list[str] | None:
        """Return the numbers it will report, for thresholds; None where the data decide."""
        return None

    def tables(self) -> tuple[str, ...]:
        """Return the names of the researcher's own tables that it reads."""
        return ()

    def clustered_by(self, column: str) -> Self:
        """Return it with its errors clustered by a column of the visits; itself if it has none."""
        return self
