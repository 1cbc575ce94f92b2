"""The base class of every kind of registered analysis."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from prereg.strict import Identifier, Strict

# What keeps the scores of a ranking finite.
Penalty = Literal["ridge", "firth"]
Correction = Literal["none", "bonferroni", "holm", "benjamini_hochberg", "benjamini_yekutieli"]


class AnyAnalysis(Strict):
    """The keys and methods that every registered analysis has."""

    # The table of people's answers that it reads, or "choices"; empty if it fits any kind of plan.
    answers: ClassVar[str] = ""

    id: Identifier
    hypothesis: Identifier | None = None
    kind: str

    def quantity_names(self, plan: Any) -> list[str] | None:
        """Return the names of the numbers it will report; None if they depend on the data."""
        return None

    def about(self, plan: Any) -> str | None:
        """Return the one judge that all its numbers are about; None if there is no such judge."""
        return getattr(self, "judge", None)

    def coverage_of(self, quantity: str, plan: Any) -> str | None:
        """Return the name of the coverage beside one of its numbers; None if no judge answered it.

        The coverage is the share of what a judge was asked that it answered.
        """
        return "coverage" if self.about(plan) is not None else None

    def coverage_names(self, plan: Any) -> list[str]:
        """Return the names of all the coverages that it will report."""
        return ["coverage"] if self.about(plan) is not None else []

    def tables(self) -> tuple[str, ...]:
        """Return the names of the researcher's own tables that it reads."""
        return ()

    def answer_columns(self, table: str) -> tuple[str, ...] | None:
        """Return the columns of one of these tables that hold answers, which blind runs shuffle.

        None if the analysis does not say; then it cannot run blind.
        """
        return None

    def clustered_by(self, column: str) -> Self:
        """Return a copy with errors clustered by this column; itself if it has no clusters."""
        return self
